/** infra/terraform as it is, and copies of it that are broken on purpose. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../../functions/verify-snapshots/handler.ts";
import { REASONS } from "../../../shared/core/errors.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.ts";
import { createTestEnvironment, timerEvent } from "../../support/environment.ts";
import { deploymentFaults, FUNCTIONS, README, RIGHTS, ROWS, type Wanted } from "./deployment.ts";
import { parse } from "./hcl.ts";
import { observe, POLICY } from "./observed.ts";
import { planOf, type Sources, sources } from "./plan.ts";
import { schemaFaults } from "./schema.ts";

// biome-ignore lint/suspicious/noExplicitAny: variables of every type
type Any = any;

const { policy: _, ...nightly } = POLICY;

/** A deployment of everything; the policies are those that the functions were watched with. */
const EVERYTHING = {
  region: "eu-west-101",
  disk_attached_kind: "snapshot",
  disk_attached_retention: { keep_last: 2 } as Any,
  lts_endpoint: "https://100.125.11.157:8102",
  alarm: { email: "sre@example.org" },
  functions: FUNCTIONS.filter((name) => !["scheduled-snapshots", "prune-snapshots", "verify-snapshots"].includes(name)),
  gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7", make_room: true },
  policies: {
    nightly: { schedule: "0 0 2 * * *", prune_schedule: "0 30 3 * * *", ...nightly },
    crowded: {
      schedule: "0 0 4 * * 0",
      every_hours: 168,
      targets: [{ kind: "cluster-snapshot", tags: { backup: "weekly" } }],
    },
  } as Record<string, Any>,
};

const wantedOf = (variables: typeof EVERYTHING): Wanted => ({
  functions: [
    ...variables.functions,
    "verify-snapshots",
    ...(Object.keys(variables.policies).length > 0 ? ["scheduled-snapshots", "prune-snapshots"] : []),
  ],
  policies: variables.policies,
  diskAttachedKind: variables.disk_attached_kind,
  makingRoom: [
    ...(variables.disk_attached_retention ? ["disk-attached"] : []),
    ...(variables.gateway?.make_room ? ["pre-deploy"] : []),
    ...(Object.values(variables.policies).some(({ make_room }) => make_room) ? ["scheduled-snapshots"] : []),
  ],
});

async function faultsOf(texts: Sources, variables: typeof EVERYTHING = EVERYTHING): Promise<string[]> {
  const observed = await observe();
  const plan = await planOf(texts, variables);
  if (plan.refusals.length > 0) return plan.refusals;
  const faults = schemaFaults(plan);
  return faults.length > 0 ? faults : deploymentFaults(plan, wantedOf(variables), observed);
}

const sample = async (): Promise<Any> =>
  parse(
    "terraform.tfvars",
    readFileSync(join(import.meta.dirname, "../../../infra/terraform/terraform.tfvars.example"), "utf8"),
  );

/** What is marked in the sample. */
const FILLED_IN = {
  gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7", authentication: "APP" },
  alarm: { email: "sre@example.org" },
  lts_endpoint: "https://100.125.11.157:8102",
};

describe("infra/terraform", () => {
  test("deploys every function, by arguments that the provider documents", async () => {
    expect(await faultsOf(sources())).toEqual([]);
    expect(FUNCTIONS).toHaveLength(9);
  });

  test.each<[string, Partial<typeof EVERYTHING>]>([
    [
      "callers who sign with an access key",
      { gateway: { ...EVERYTHING.gateway, authentication: "IAM", publish_with_iam: true } as Any },
    ],
    ["standard snapshots of attached disks", { disk_attached_kind: "standard-snapshot" }],
    ["no room on the disks that are attached, and no right to delete", { disk_attached_retention: undefined }],
    ["gates that make no room", { gateway: { instance_id: EVERYTHING.gateway.instance_id } as Any }],
    ["policies that make no room", { policies: { nightly: { ...EVERYTHING.policies.nightly, make_room: false } } }],
    [
      "a topic that is there already",
      { alarm: { topic_urn: "urn:smn:eu-west-101:0123456789abcdef0123456789abcdef:ops" } as Any },
    ],
    ["no HTTP functions, no gateway", { functions: ["disk-attached"], gateway: undefined as Any }],
    [
      "a policy that only prunes",
      { policies: { "pre-deploy": { prune_schedule: "0 0 6 * * *", retention: { keep_last: 2 } } } },
    ],
    ["verify-snapshots alone", { functions: [], policies: {}, gateway: undefined as Any }],
    [
      "a policy without an alarm on its silence",
      { policies: { nightly: { ...EVERYTHING.policies.nightly, every_hours: 0 } } },
    ],
    [
      "a policy that prunes less often than it takes",
      { policies: { nightly: { ...EVERYTHING.policies.nightly, every_hours: 1, prune_every_hours: 168 } } },
    ],
  ])("deploys %s", async (_name, changes) => {
    expect(await faultsOf(sources(), { ...EVERYTHING, ...changes })).toEqual([]);
  });

  test("the sample of values makes a plan, whose events the functions take", async () => {
    const plan = await planOf(sources(), { ...(await sample()), ...FILLED_IN });
    expect([...plan.refusals, ...schemaFaults(plan)]).toEqual([]);

    const timers = plan.resources.filter(({ values }) => values.type === "TIMER");
    expect(timers).toHaveLength(7);
    const { cloud, invoke } = await createTestEnvironment();
    for (const tags of [{ backup: "daily" }, { backup: "weekly" }]) {
      cloud.addVolume({ tags });
      cloud.addCluster({ tags });
    }
    const handlers = { take: scheduledSnapshots, prune: pruneSnapshots, verify: verifySnapshots };
    for (const { address, key, values } of timers) {
      const { user_event } = JSON.parse(values.event_data);
      const [what] = String(key).split("_") as [keyof typeof handlers];
      const { error, records } = await invoke(handlers[what], timerEvent(user_event));
      expect(error, address).toBeUndefined();
      // Until somebody looked them over.
      if (what === "take") expect(records.map(({ outcome }) => outcome)).toEqual(["planned", "done"]);
    }
    expect(cloud.snapshots()).toEqual([]);
  });

  test("the sample of values is refused wherever it is to be filled in", async () => {
    for (const [name, message] of [
      ["gateway", /gateway\.instance_id: the id/],
      ["alarm", /alarm\.email: an address of yours/],
      ["lts_endpoint", /lts_endpoint: an https address/],
    ] as const) {
      const { [name]: _filled, ...others } = FILLED_IN;
      const { refusals } = await planOf(sources(), { ...(await sample()), ...others });
      expect(refusals).toEqual([expect.stringMatching(message)]);
    }
  });
});

describe("infra/README.md", () => {
  test("has the functions of every call, and a source for its action", async () => {
    const observed = await observe();
    const calls = [...new Set(Object.values(observed).flatMap((seen) => [...seen.calls]))];
    expect(Object.keys(RIGHTS).sort()).toEqual(calls.sort());
    for (const [call, { functions, source }] of Object.entries(RIGHTS)) {
      const callers = Object.keys(observed).filter((name) => observed[name]?.calls.has(call));
      const names = [...new Set(callers.map((name) => name.replace(/ .*/, "")))];
      expect(functions.toSorted(), call).toEqual(names.length === FUNCTIONS.length ? ["all"] : names.sort());
      expect(source, call).toMatch(/reference|guide|FAQ|UNCONFIRMED/);
    }
  });

  test("infra/README.md has no table of reasons of its own, and links to that of README.md", () => {
    expect(ROWS.filter(([reason = ""]) => Object.hasOwn(REASONS, reason))).toEqual([]);
    expect(README).toContain("(../README.md#result-records)");
  });

  test("has every value of the module", async () => {
    const { variable } = await parse("variables.tf", sources()["variables.tf"] ?? "");
    for (const name of Object.keys(variable)) expect(README).toContain(`\`${name}\``);
  });

  test("has the call that restores each kind, and its conditions", () => {
    for (const kind of Object.keys(KINDS)) {
      const restores = ROWS.filter(
        ([of = "", call = "", conditions]) => of === kind && /\/v[\d.]+\/\{project_id\}\//.test(call) && conditions,
      );
      expect(restores, kind).toHaveLength(1);
    }
  });
});

describe("what a plan refuses", () => {
  const ids = (count: number) =>
    Array.from({ length: count }, (_unused, index) => `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`);
  const policies = (changes: Any) => ({ policies: { nightly: { ...EVERYTHING.policies.nightly, ...changes } } });

  test.each<[string, Any, RegExp]>([
    [
      "a user_event of 2,048 bytes or more",
      policies({ targets: [{ kind: "snapshot", volume_ids: ids(50) }] }),
      /2048\. Select .*by tags/,
    ],
    [
      "a misspelt field of a policy",
      policies({ retention: undefined, retentions: { keep_last: 1 } }),
      /A policy has schedule/,
    ],
    ["a misspelt rule of a retention", policies({ retention: { keep_dialy: 7 } }), /A retention has keep_last/],
    ["a misspelt kind", policies({ targets: [{ kind: "snapshots", tags: { a: "b" } }] }), /The kind of a target is/],
    ["a target without a kind", policies({ targets: [{ tags: { a: "b" } }] }), /The kind of a target is/],
    [
      "a misspelt field of a target",
      policies({ targets: [{ kind: "snapshot", tag: { backup: "daily" } }] }),
      /A target has kind, volume_ids/,
    ],
    ["a schedule without targets", policies({ targets: [] }), /at least one target/],
    ["targets without a schedule", policies({ schedule: undefined }), /both schedule and at least one target/],
    ["a policy that does nothing", { policies: { nightly: { time_zone: "UTC" } } }, /a schedule, a retention, or both/],
    ["a schedule without seconds", policies({ schedule: "0 2 * * *" }), /six fields/],
    [
      "a retention without a schedule for it",
      policies({ prune_schedule: undefined }),
      /both retention and prune_schedule/,
    ],
    [
      "room that no retention says how to make",
      policies({ make_room: true, retention: undefined, prune_schedule: undefined }),
      /make_room: a retention/,
    ],
    [
      "room made by a retention that keeps nothing",
      policies({ make_room: true, retention: { keep_last: 0, min_keep: 1 } }),
      /make_room: a retention/,
    ],
    ["a silence that no alarm can see", policies({ every_hours: 720 }), /every_hours/],
    [
      "a name that no snapshot can have",
      { policies: { autobk_snapshot_x: EVERYTHING.policies.nightly } },
      /The name of a policy/,
    ],
    [
      "two names that triggers and alarms cannot tell apart",
      { policies: { "a-b": EVERYTHING.policies.nightly, A_b: EVERYTHING.policies.nightly } },
      /differ in more than case/,
    ],
    [
      "eleven policies",
      {
        policies: Object.fromEntries(
          Array.from({ length: 11 }, (_unused, index) => [`p${index}`, EVERYTHING.policies.nightly]),
        ),
      },
      /10 policies/,
    ],
    ["a function that there is not", { functions: ["disk-attatched"] }, /^functions: disk-attached/],
    ["no kind for attached disks", { disk_attached_kind: undefined }, /disk_attached_kind is not set/],
    ["another kind for attached disks", { disk_attached_kind: "snapshot-group" }, /disk_attached_kind: snapshot or/],
    [
      "a misspelt rule for attached disks",
      { disk_attached_retention: { keep_lats: 2 } },
      /disk_attached_retention: keep_last, keep_within/,
    ],
    [
      "a retention for attached disks that keeps nothing",
      { disk_attached_retention: { keep_last: 0, min_keep: 1 } },
      /disk_attached_retention: at least one/,
    ],
    [
      "an API that anybody can call",
      { gateway: { instance_id: EVERYTHING.gateway.instance_id, authentication: "NONE" } },
      /APP or IAM/,
    ],
    [
      "an API with IAM authentication without publish_with_iam",
      { gateway: { instance_id: EVERYTHING.gateway.instance_id, authentication: "IAM" } },
      /any account can call it\. Use APP, or accept this with gateway\.publish_with_iam = true\./,
    ],
    [
      "an API with IAM authentication and publish_with_iam = false",
      { gateway: { instance_id: EVERYTHING.gateway.instance_id, authentication: "IAM", publish_with_iam: false } },
      /gateway\.authentication = "IAM": from the publication of an API until its access policy is bound/,
    ],
    [
      "a topic and an address",
      { alarm: { topic_urn: "urn:smn:a:b:c", email: "a@example.com" } },
      /either topic_urn or email/,
    ],
    ["neither topic nor address", { alarm: {} }, /either topic_urn or email/],
    ["an address of LTS without TLS", { lts_endpoint: "http://100.125.11.157:8102" }, /https address/],
    ["a service that is not called", { endpoints: { smn: "https://smn.example.com" } }, /endpoints: evs/],
  ])("%s", async (_name, changes, message) => {
    // Without what is undefined, as in a file of values.
    const variables: Any = JSON.parse(JSON.stringify({ ...EVERYTHING, ...changes }));
    const { refusals } = await planOf(sources(), variables);
    expect(refusals.join("\n")).toMatch(message);
  });

  test("2,047 bytes are taken", async () => {
    const sizes: number[] = [];
    for (let length = 1_860; length < 1_960; length += 1) {
      const { refusals, outputs } = await planOf(sources(), {
        ...EVERYTHING,
        ...policies({ hold: ["ü".repeat(20) + "x".repeat(length - 200)] }),
      });
      const size = outputs.user_event_bytes.take_nightly;
      sizes.push(size);
      expect(refusals.length > 0, String(size)).toBe(size >= 2_048);
    }
    expect(sizes).toContain(2_047);
    expect(sizes).toContain(2_048);
  });
});

describe("a copy that is broken on purpose", () => {
  const whole = sources();

  /** A copy in which one text of one file is another one. */
  function broken(file: string, from: string | RegExp, to: string): Sources {
    const text = whole[file] ?? "";
    const copy = text.replace(from, to);
    expect(copy, `${from} is in ${file}`).not.toBe(text);
    return { ...whole, [file]: copy };
  }

  test.each<[string, string, string | RegExp, string, RegExp]>([
    ["a wrong argument name", "functions.tf", "memory_size ", "memory ", /there is no argument memory$/m],
    ["a required argument left out", "functions.tf", /^ +runtime .*\n/m, "", /the argument runtime is required/],
    [
      "a type that the provider does not have",
      "logs.tf",
      'huaweicloud_lts_stream" "functions',
      'huaweicloud_lts_topic" "functions',
      /no such type|there is no resource/,
    ],
    [
      "an attribute that a resource does not have",
      "outputs.tf",
      "one.urn",
      "one.arn",
      /huaweicloud_fgs_function\.arn: there is no such attribute/,
    ],
    ["a number as a text", "functions.tf", "each.value.memory", '"128"', /expected Int/],
    [
      "a value that is not among the documented",
      "triggers.tf",
      '"ACTIVE"',
      '"ENABLED"',
      /expected one of ACTIVE, DISABLED/,
    ],
    ["another provider version", "versions.tf", "~> 1.97", ">= 1.0", /the provider's version is >= 1\.0/],
    [
      "the agency's service as a domain",
      "agencies.tf",
      /delegated_service_name/g,
      "delegated_domain_name",
      /is not FunctionGraph's/,
    ],

    [
      "a function left out",
      "locals.tf",
      "in local.definitions : name =>",
      'in local.definitions : replace(name, "pre-deploy", "predeploy") =>',
      /functions: pre-deploy is missing|is not there|there is no "pre-deploy"/,
    ],
    ["another function's code", "functions.tf", /\$\{each\.key\}\.zip"\)/, 'create-snapshot.zip")', /func_code/],
    ["another export", "functions.tf", "index.handler", "index.main", /handler: expected index\.handler/],
    ["more memory than was measured", "functions.tf", "each.value.memory", "256", /memory_size: expected 128/],
    [
      "a function that ends before its answer",
      "functions.tf",
      "each.value.timeout",
      "30",
      /timeout: 30 s is too short/,
    ],
    [
      "two instances of disk-attached",
      "functions.tf",
      '? "1" : null',
      '? "2" : null',
      /max_instance_num: expected 1, got 2/,
    ],
    ["logs without a stream", "functions.tf", /^ +log_stream_name .*\n/m, "", /the four log arguments go together/],
    ["a variable left out", "locals.tf", /^ +REGION .*\n/m, "", /user_data: REGION is read and not set/],
    ["a misspelt variable", "locals.tf", "SHARD_SIZE ", "SHARDSIZE ", /SHARD_SIZE is read and not set/],
    [
      "a variable that nobody reads",
      "locals.tf",
      "    REGION ",
      '    EXTRA = "1"\n    REGION ',
      /no function reads EXTRA/,
    ],
    [
      "more variables than there is room for",
      "locals.tf",
      'SHARD_SIZE             = "500"',
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
      "one action too many",
      "locals.tf",
      '["evs:snapshots:create"]',
      '["evs:snapshots:create", "evs:snapshots:delete"]',
      /evs:snapshots:delete is too much/,
    ],
    ["one action too few", "locals.tf", '["dws:openAPISnapshot:list"]', "[]", /calls|missing|too much/],
    ["every action", "agencies.tf", /Action = \[for .*\]/, 'Action = ["*:*:*"]', /\*:\*:\* is too much/],
    [
      "a call too many",
      "locals.tf",
      "calls = [for call in one.calls : call if !contains(lookup(local.unused_calls, name, []), call)]",
      'calls = concat(one.calls, ["ecs.listServers"])',
      /calls: ecs\.listServers is too much/,
    ],
    [
      "a call too few",
      "locals.tf",
      '"scheduled-snapshots" = contains(',
      '"scheduled-snapshots" = true ? ["functiongraph.invokeAsync"] : contains(',
      /calls: functiongraph\.invokeAsync is missing/,
    ],
    [
      "a right to delete where no room is made",
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
      "one agency for all",
      "functions.tf",
      "huaweicloud_identity_agency.function[each.key].name",
      'huaweicloud_identity_agency.function["scheduled-snapshots"].name',
      /shares the agency/,
    ],
    [
      "the function may report for the platform",
      "functions.tf",
      "agency     = huaweicloud_identity_agency.platform.name",
      "agency     = huaweicloud_identity_agency.function[each.key].name",
      /smn:topic:publish is missing/,
    ],

    [
      "no timer for pruning",
      "triggers.tf",
      "if try(policy.retention, null) != null",
      "if false",
      /the timer of prune-snapshots nightly is missing/,
    ],
    [
      "the timers of another function",
      "triggers.tf",
      'function   = "scheduled-snapshots"',
      'function   = "prune-snapshots"',
      /the timer of scheduled-snapshots nightly is missing/,
    ],
    [
      "no timer for verify-snapshots",
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
    ["a timer that is off", "triggers.tf", '"ACTIVE"', '"DISABLED"', /is DISABLED/],
    [
      "a policy with what it must not have",
      "triggers.tf",
      '"schedule", "prune_schedule", "every_hours"',
      '"prune_schedule", "every_hours"',
      /the timer of scheduled-snapshots nightly is missing/,
    ],
    [
      "no trigger for disk-attached",
      "triggers.tf",
      /resource "huaweicloud_fgs_function_trigger" "attached" \{[\s\S]*?\n\}\n/,
      "",
      /the CTS trigger of disk-attached is missing/,
    ],
    [
      "a trace left out",
      "triggers.tf",
      ";attachVolume2",
      "",
      /operations: ECS:ecs:attachVolume;attachVolumeV2;attachVolume2 is missing/,
    ],
    [
      "an event that does not come again",
      "functions.tf",
      "max_async_retry_attempts = 2",
      "max_async_retry_attempts = 0",
      /does not come again/,
    ],
    ["an event that is given up in silence", "functions.tf", / {2}on_failure \{[\s\S]*?\n {2}\}\n/, "", /nobody hears/],
    [
      "event functions without a configuration",
      "functions.tf",
      "for_each = local.event_functions",
      "for_each = {}",
      /asynchronous invocation: .* is missing/,
    ],

    [
      "an open API",
      "gateway.tf",
      "security_authentication = var.gateway.authentication",
      'security_authentication = "NONE"',
      /anybody can call it/,
    ],
    [
      "an API without a word on who may call it",
      "gateway.tf",
      / {2}security_authentication = .*\n/,
      "",
      /anybody can call it/,
    ],
    [
      "a gateway that does not wait",
      "gateway.tf",
      "timeout         = 60000",
      "timeout         = 5000",
      /the gateway waits 5000 ms/,
    ],
    [
      "an API that takes no code of an application",
      "gateway.tf",
      'simple_authentication   = var.gateway.authentication == "APP"',
      "simple_authentication   = false",
      /an application's code is not taken/,
    ],
    [
      "an API that keeps the Idempotency-Key to itself",
      "gateway.tf",
      "passthrough = true",
      "passthrough = false",
      /it may lose the Idempotency-Key/,
    ],
    [
      "an API that is not published",
      "gateway.tf",
      /resource "huaweicloud_apig_api_publishment"[\s\S]*?\n}\n/,
      "",
      /there is no resource|is not published/,
    ],
    [
      "callers without an application",
      "gateway.tf",
      'count = local.authentication == "APP" ? 1 : 0\n\n  instance_id    =',
      "count = 0\n\n  instance_id    =",
      /who may call it is not said/,
    ],

    [
      "no alarm on failed records",
      "alarms.tf",
      '#\\"level error\\" or ',
      "",
      /the alarm on failed records: .* is missing/,
    ],
    [
      "no alarm on a policy that selects nothing",
      "alarms.tf",
      ' or #\\"function scheduled-snapshots\\" and #\\"level warn\\" and #\\"action run\\"',
      "",
      /the alarm on failed records: .*selected nothing.* is missing/,
    ],
    [
      "nobody in whose name LTS notifies",
      "alarms.tf",
      "data.huaweicloud_account.this.username",
      '""',
      /set alarm\.user_name/,
    ],
    [
      "an alarm on everything",
      "alarms.tf",
      '#\\"level error\\"',
      '#\\"level info\\"',
      /the alarm on failed records: .* is too much/,
    ],
    [
      "an alarm that every policy silences",
      "alarms.tf",
      / and #\\"policy \$\{name\}\\"/,
      "",
      /no alarm on the silence of the policy nightly/,
    ],
    [
      "a pruning that ends in silence",
      "alarms.tf",
      "local.prune_hours[name] > 0",
      "try(policy.schedule, null) == null",
      /no alarm on the silence of the pruning of nightly/,
    ],
    [
      "an alarm that a target's record silences",
      "alarms.tf",
      / and #\\"action run\\"(?= and)/,
      "",
      /no alarm on the silence of the policy nightly/,
    ],
    [
      "an alarm that any function silences",
      "alarms.tf",
      '#\\"function verify-snapshots\\" and ',
      "",
      /no alarm on the silence of verify-snapshots/,
    ],
    ["an alarm that looks back too far", "alarms.tf", "min(silence.hours, 24)", "24", /does not fit 1 hours/],
    [
      "an alarm that a late run sets off",
      "alarms.tf",
      "silence.hours <= 24 ? 2 :",
      "silence.hours <= 24 ? 1 :",
      /does not fit 24 hours/,
    ],
    [
      "an alarm that nobody hears",
      "alarms.tf",
      /send_notifications +=.*/,
      "send_notifications          = false",
      /notifies nobody/,
    ],
    [
      "an alarm that looks at the other stream",
      "alarms.tf",
      "log_stream_id          = huaweicloud_lts_stream.results.id",
      "log_stream_id          = huaweicloud_lts_stream.functions.id",
      /does not look at the results/,
    ],
  ])("%s", async (_name, file, from, to, fault) => {
    expect((await faultsOf(broken(file, from, to))).join("\n")).toMatch(fault);
  });

  const OTHERWISE = {
    ...EVERYTHING,
    disk_attached_kind: "standard-snapshot",
    gateway: { ...EVERYTHING.gateway, authentication: "IAM", publish_with_iam: true, make_room: false },
    policies: { nightly: { ...EVERYTHING.policies.nightly, make_room: false } },
  };
  const isSeen = async (copy: Sources) =>
    (await faultsOf(copy)).length > 0 || (await faultsOf(copy, OTHERWISE)).length > 0;

  /** Every assignment, but for the names of timers and alarms, which may be any. */
  const lines = Object.entries(whole).flatMap(([file, text]) => {
    const found = [...text.matchAll(/^( *)("?[\w.${}-]+"?)( +)=(?= )/gm)];
    return found
      .filter(([, , name = ""]) => !name.includes("local.prefix") && name !== "verify")
      .map((match) => ({ file, name: match[2] ?? "", index: match.index + (match[1]?.length ?? 0) }));
  });

  // Hundreds of plans: seconds on a machine of its own, more on a busy one.
  test("any name that is misspelt is found", { timeout: 90_000 }, async () => {
    expect(lines.length).toBeGreaterThan(150);
    const unseen: string[] = [];
    for (const { file, name, index } of lines) {
      const text = whole[file] ?? "";
      const wrong = name.endsWith('"') ? `${name.slice(0, -1)}_x"` : `${name}_x`;
      const copy = { ...whole, [file]: `${text.slice(0, index)}${wrong}${text.slice(index + name.length)}` };
      if (!(await isSeen(copy))) unseen.push(`${file}: ${name}`);
    }
    expect(unseen).toEqual([]);
  });

  test("any block that is left out is found", async () => {
    const unseen: string[] = [];
    for (const [file, text] of Object.entries(whole)) {
      for (const { 0: block, index } of text.matchAll(/^(resource|data|provider|variable) [^\n]*\{\n[\s\S]*?^\}\n/gm)) {
        const copy = { ...whole, [file]: `${text.slice(0, index)}${text.slice(index + block.length)}` };
        if (!(await isSeen(copy))) unseen.push(`${file}: ${block.split("\n")[0]}`);
      }
    }
    expect(unseen).toEqual([]);
  });
});
