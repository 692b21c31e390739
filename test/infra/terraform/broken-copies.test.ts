/** Plans copies of infra/terraform that are broken on purpose. */
import { describe, expect, test } from "vitest";
import { EVERYTHING, findFaults } from "./everything.ts";
import { type Sources, sources } from "./plan.ts";

/** The expression by which the module reads the actions of each call. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform reads the placeholder
const ACTIONS = 'jsondecode(file("${path.module}/actions.json"))';

describe("a broken copy of the Terraform module", () => {
  const original = sources();

  /** Returns a copy with one replacement in one file. */
  function broken(file: string, from: string | RegExp, to: string): Sources {
    const text = original[file] ?? "";
    const copy = text.replace(from, to);
    expect(copy, `${from} is in ${file}`).not.toBe(text);
    return { ...original, [file]: copy };
  }

  test.each<[string, string, string | RegExp, string, RegExp]>([
    ["a wrong argument name", "functions.tf", "memory_size ", "memory ", /there is no argument memory$/m],
    ["a missing required argument", "functions.tf", /^ +runtime .*\n/m, "", /the argument runtime is required/],
    [
      "an unknown resource type",
      "logs.tf",
      'huaweicloud_lts_stream" "functions',
      'huaweicloud_lts_topic" "functions',
      /no such type|there is no resource/,
    ],
    [
      "an unknown attribute",
      "outputs.tf",
      "one.urn",
      "one.arn",
      /huaweicloud_fgs_function\.arn: there is no such attribute/,
    ],
    ["a number as a string", "functions.tf", "each.value.memory", '"128"', /expected Int/],
    ["an undocumented value", "triggers.tf", '"ACTIVE"', '"ENABLED"', /expected one of ACTIVE, DISABLED/],
    ["another provider version", "versions.tf", "~> 1.97", ">= 1.0", /the provider's version is >= 1\.0/],
    [
      "the agency's service as a domain",
      "agencies.tf",
      /delegated_service_name/g,
      "delegated_domain_name",
      /is not FunctionGraph's/,
    ],

    [
      "a missing function",
      "locals.tf",
      "in local.definitions : name =>",
      'in local.definitions : replace(name, "pre-deploy", "predeploy") =>',
      /functions: pre-deploy is missing|is not there|there is no "pre-deploy"/,
    ],
    ["the code of another function", "functions.tf", /\$\{each\.key\}\.zip"\)/, 'create-snapshot.zip")', /func_code/],
    ["another exported name", "functions.tf", "index.handler", "index.main", /handler: expected index\.handler/],
    ["more memory than was measured", "functions.tf", "each.value.memory", "256", /memory_size: expected 128/],
    [
      "a timeout that is shorter than the function's response time",
      "functions.tf",
      "each.value.timeout",
      "30",
      /timeout: 30 s is too short/,
    ],
    [
      "two instances of disk-attached",
      "functions.tf",
      "each.value.max_instances",
      '"2"',
      /max_instance_num: expected 1, got 2/,
    ],
    ["logs without a log stream", "functions.tf", /^ +log_stream_name .*\n/m, "", /the four log arguments go together/],
    [
      "a missing variable of the functions",
      "locals.tf",
      /^ +REGION .*\n/m,
      "",
      /user_data: REGION is read and not set/,
    ],
    [
      "a misspelled variable of the functions",
      "locals.tf",
      "SHARD_SIZE ",
      "SHARDSIZE ",
      /SHARD_SIZE is read and not set/,
    ],
    [
      "a variable that no function reads",
      "locals.tf",
      "    REGION ",
      '    EXTRA = "1"\n    REGION ',
      /no function reads EXTRA/,
    ],
    [
      "variables with more than 4,096 characters",
      "locals.tf",
      /SHARD_SIZE +=.*/,
      `SHARD_SIZE = "${"5".repeat(4_096)}"`,
      /characters, 4096 are allowed/,
    ],

    [
      "a twenty-first variable",
      "locals.tf",
      "    REGION ",
      `${Array.from({ length: 6 }, (_unused, index) => `    EXTRA_${index} = "1"\n`).join("")}    REGION `,
      /21 variables, 20 are allowed/,
    ],

    [
      "a superfluous action",
      "locals.tf",
      ACTIONS,
      `merge(${ACTIONS}, { "evs.createSnapshot" = ["evs:snapshots:create", "evs:snapshots:delete"] })`,
      /evs:snapshots:delete is too much/,
    ],
    [
      "a missing action",
      "locals.tf",
      ACTIONS,
      `merge(${ACTIONS}, { "dws.listSnapshots" = [] })`,
      /calls|missing|too much/,
    ],
    ["the right to all actions", "agencies.tf", /Action = \[for .*\]/, 'Action = ["*:*:*"]', /\*:\*:\* is too much/],
    [
      "a superfluous call",
      "locals.tf",
      "calls = [for call in one.calls : call if !contains(lookup(local.unused_calls, name, []), call)]",
      'calls = concat(one.calls, ["ecs.listServers"])',
      /calls: ecs\.listServers is too much/,
    ],
    [
      "a missing call",
      "locals.tf",
      '"scheduled-snapshots" = contains(',
      '"scheduled-snapshots" = true ? ["functiongraph.invokeAsync"] : contains(',
      /calls: functiongraph\.invokeAsync is missing/,
    ],
    [
      "a missing right to delete snapshots",
      "locals.tf",
      "var.disk_attached_retention == null ||",
      "true ||",
      /disk-attached.*evs\.deleteSnapshot is missing|evs:snapshots:delete is missing/,
    ],
    [
      "rights in every project",
      "agencies.tf",
      "  project_role {",
      '  all_resources_roles = ["EVS FullAccess"]\n  project_role {',
      /has all_resources_roles/,
    ],
    ["rights in another project", "agencies.tf", "project = local.project", 'project = "MOS"', /has rights on MOS/],
    [
      "one agency for all functions",
      "functions.tf",
      "huaweicloud_identity_agency.function[each.key].name",
      'huaweicloud_identity_agency.function["scheduled-snapshots"].name',
      /shares the agency/,
    ],
    [
      "a function's agency in place of the platform's",
      "functions.tf",
      "agency     = huaweicloud_identity_agency.platform.name",
      "agency     = huaweicloud_identity_agency.function[each.key].name",
      /smn:topic:publish is missing/,
    ],

    [
      "a missing timer for pruning",
      "triggers.tf",
      "if try(policy.retention, null) != null",
      "if false",
      /the timer of prune-snapshots nightly is missing/,
    ],
    [
      "a timer that starts another function",
      "triggers.tf",
      'function   = "scheduled-snapshots"',
      'function   = "prune-snapshots"',
      /the timer of scheduled-snapshots nightly is missing/,
    ],
    [
      "a missing timer for verify-snapshots",
      "triggers.tf",
      / {6}verify = \{[\s\S]*?\n {6}\}\n/,
      "",
      /the timer of verify-snapshots is missing/,
    ],
    [
      "a schedule in the wrong zone",
      "triggers.tf",
      /try\(policy\.time_zone, null\)(?=.*policy\.schedule)/,
      "null",
      /has the schedule CRON_TZ=UTC 0 0 2/,
    ],
    ["a disabled timer", "triggers.tf", '"ACTIVE"', '"DISABLED"', /is DISABLED/],
    [
      "a policy with a field that functions refuse",
      "triggers.tf",
      '"schedule", "prune_schedule", "every_hours"',
      '"prune_schedule", "every_hours"',
      /the timer of scheduled-snapshots nightly is missing/,
    ],
    [
      "a missing trigger for disk-attached",
      "triggers.tf",
      /resource "huaweicloud_fgs_function_trigger" "attached" \{[\s\S]*?\n\}\n/,
      "",
      /the CTS trigger of disk-attached is missing/,
    ],
    [
      "a missing trace name",
      "triggers.tf",
      ";attachVolume2",
      "",
      /operations: ECS:ecs:attachVolume;attachVolumeV2;attachVolume2 is missing/,
    ],
    [
      "an event without retries",
      "functions.tf",
      "max_async_retry_attempts = 2",
      "max_async_retry_attempts = 0",
      /is not delivered again/,
    ],
    [
      "an event without a failure notification",
      "functions.tf",
      / {2}on_failure \{[\s\S]*?\n {2}\}\n/,
      "",
      /no notification/,
    ],
    [
      "event functions without their asynchronous configuration",
      "functions.tf",
      "for_each = local.event_functions",
      "for_each = {}",
      /asynchronous invocation: .* is missing/,
    ],

    [
      "an API with authentication NONE",
      "gateway.tf",
      "security_authentication = var.gateway.authentication",
      'security_authentication = "NONE"',
      /anybody can call it/,
    ],
    [
      "an API without an authentication setting",
      "gateway.tf",
      / {2}security_authentication = .*\n/,
      "",
      /anybody can call it/,
    ],
    [
      "a gateway timeout that is too short",
      "gateway.tf",
      "timeout         = 60000",
      "timeout         = 5000",
      /the gateway waits 5000 ms/,
    ],
    [
      "an API that refuses the code of an application",
      "gateway.tf",
      'simple_authentication   = var.gateway.authentication == "APP"',
      "simple_authentication   = false",
      /an application's code is not taken/,
    ],
    [
      "an API that does not pass the Idempotency-Key on",
      "gateway.tf",
      "passthrough = true",
      "passthrough = false",
      /it may lose the Idempotency-Key/,
    ],
    [
      "an unpublished API",
      "gateway.tf",
      /resource "huaweicloud_apig_api_publishment"[\s\S]*?\n}\n/,
      "",
      /there is no resource|is not published/,
    ],
    [
      "an application that may not call the APIs",
      "gateway.tf",
      'count = local.authentication == "APP" ? 1 : 0\n\n  instance_id    =',
      "count = 0\n\n  instance_id    =",
      /who may call it is not said/,
    ],

    [
      "a missing alarm on failed records",
      "alarms.tf",
      '#\\"level error\\" or ',
      "",
      /the alarm on failed records: .* is missing/,
    ],
    [
      "a missing alarm on a policy that selects nothing",
      "alarms.tf",
      ' or #\\"function scheduled-snapshots\\" and #\\"level warn\\" and #\\"action run\\"',
      "",
      /the alarm on failed records: .*selected nothing.* is missing/,
    ],
    [
      "a missing name of the user that LTS needs",
      "alarms.tf",
      "data.huaweicloud_account.this.username",
      '""',
      /set alarm\.user_name/,
    ],
    [
      "an alarm on successful records",
      "alarms.tf",
      '#\\"level error\\"',
      '#\\"level info\\"',
      /the alarm on failed records: .* is too much/,
    ],
    [
      "an alarm on missing runs that the runs of other policies reset",
      "alarms.tf",
      / and #\\"policy \$\{name\}\\"/,
      "",
      /no alarm on the silence of the policy nightly/,
    ],
    [
      "a missing alarm on missing runs of prune-snapshots",
      "alarms.tf",
      "local.prune_hours[name] > 0",
      "try(policy.schedule, null) == null",
      /no alarm on the silence of the pruning of nightly/,
    ],
    [
      "an alarm on missing runs that the record of a target resets",
      "alarms.tf",
      / and #\\"action run\\"(?= and)/,
      "",
      /no alarm on the silence of the policy nightly/,
    ],
    [
      "an alarm on missing runs that another function resets",
      "alarms.tf",
      '#\\"function verify-snapshots\\" and ',
      "",
      /no alarm on the silence of verify-snapshots/,
    ],
    ["an alarm over too long a period", "alarms.tf", "min(silence.hours, 24)", "24", /does not fit 1 hours/],
    [
      "an alarm that a single late run triggers",
      "alarms.tf",
      "silence.hours <= 24 ? 2 :",
      "silence.hours <= 24 ? 1 :",
      /does not fit 24 hours/,
    ],
    [
      "an alarm without notifications",
      "alarms.tf",
      /send_notifications +=.*/,
      "send_notifications          = false",
      /notifies nobody/,
    ],
    [
      "an alarm that reads the wrong log stream",
      "alarms.tf",
      "log_stream_id          = huaweicloud_lts_stream.results.id",
      "log_stream_id          = huaweicloud_lts_stream.functions.id",
      /does not read the stream of the results/,
    ],
  ])("the checks of the Terraform module report %s", async (_name, file, from, to, fault) => {
    expect((await findFaults(broken(file, from, to))).join("\n")).toMatch(fault);
  });

  const ALTERNATIVE = {
    ...EVERYTHING,
    disk_attached_kind: "standard-snapshot",
    gateway: { ...EVERYTHING.gateway, authentication: "IAM", publish_with_iam: true, make_room: false },
    policies: { nightly: { ...EVERYTHING.policies.nightly, make_room: false } },
  };
  const isReported = async (copy: Sources) =>
    (await findFaults(copy)).length > 0 || (await findFaults(copy, ALTERNATIVE)).length > 0;

  /** All assignments, except for the names of timers and alarms, which are free. */
  const lines = Object.entries(original).flatMap(([file, text]) => {
    const found = [...text.matchAll(/^( *)("?[\w.${}-]+"?)( +)=(?= )/gm)];
    return found
      .filter(([, , name = ""]) => !name.includes("local.prefix") && name !== "verify")
      .map((match) => ({ file, name: match[2] ?? "", index: match.index + (match[1]?.length ?? 0) }));
  });

  // This test makes hundreds of plans, which takes long on a busy machine.
  test("the checks of the Terraform module report every misspelled name", { timeout: 90_000 }, async () => {
    expect(lines.length).toBeGreaterThan(150);
    const unreported: string[] = [];
    for (const { file, name, index } of lines) {
      const text = original[file] ?? "";
      const wrong = name.endsWith('"') ? `${name.slice(0, -1)}_x"` : `${name}_x`;
      const copy = { ...original, [file]: `${text.slice(0, index)}${wrong}${text.slice(index + name.length)}` };
      if (!(await isReported(copy))) unreported.push(`${file}: ${name}`);
    }
    expect(unreported).toEqual([]);
  });

  test("the checks of the Terraform module report every missing block", async () => {
    const unreported: string[] = [];
    for (const [file, text] of Object.entries(original)) {
      for (const { 0: block, index } of text.matchAll(/^(resource|data|provider|variable) [^\n]*\{\n[\s\S]*?^\}\n/gm)) {
        const copy = { ...original, [file]: `${text.slice(0, index)}${text.slice(index + block.length)}` };
        if (!(await isReported(copy))) unreported.push(`${file}: ${block.split("\n")[0]}`);
      }
    }
    expect(unreported).toEqual([]);
  });
});
