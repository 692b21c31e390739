/** Plans copies of infra/terraform with mistakes in the functions or in their permissions. */
import { describe } from "vitest";
import { testBrokenCopies } from "./broken-copies.ts";

/** The expression by which the module reads the actions of each call. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform reads the placeholder
const ACTIONS = 'jsondecode(file("${path.module}/actions.json"))';

describe("a broken copy of the Terraform module", () => {
  testBrokenCopies([
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
      "an agency that is delegated to a domain instead of a service",
      "agencies.tf",
      /delegated_service_name/g,
      "delegated_domain_name",
      /is not delegated to FunctionGraph/,
    ],

    [
      "a missing function",
      "locals.tf",
      "in local.definitions : name =>",
      'in local.definitions : replace(name, "pre-deploy", "predeploy") =>',
      /functions: pre-deploy is missing|is not there|there is no "pre-deploy"/,
    ],
    [
      "a function with the code of another function",
      "functions.tf",
      /\$\{each\.key\}\.zip"\)/,
      'create-snapshot.zip")',
      /func_code/,
    ],
    [
      "a handler name that no bundle exports",
      "functions.tf",
      "index.handler",
      "index.main",
      /handler: expected index\.handler/,
    ],
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
      /evs:snapshots:delete is superfluous/,
    ],
    [
      "a missing action",
      "locals.tf",
      ACTIONS,
      `merge(${ACTIONS}, { "dws.listSnapshots" = [] })`,
      /calls|missing|superfluous/,
    ],
    [
      "a permission for all actions",
      "agencies.tf",
      /Action = \[for .*\]/,
      'Action = ["*:*:*"]',
      /\*:\*:\* is superfluous/,
    ],
    [
      "a superfluous call",
      "locals.tf",
      "calls = [for call in one.calls : call if !contains(lookup(local.unused_calls, name, []), call)]",
      'calls = concat(one.calls, ["ecs.listServers"])',
      /calls: ecs\.listServers is superfluous/,
    ],
    [
      "a missing call",
      "locals.tf",
      '"scheduled-snapshots" = contains(',
      '"scheduled-snapshots" = true ? ["functiongraph.invokeAsync"] : contains(',
      /calls: functiongraph\.invokeAsync is missing/,
    ],
    [
      "a missing permission to delete snapshots",
      "locals.tf",
      "var.disk_attached_retention == null ||",
      "true ||",
      /disk-attached.*evs\.deleteSnapshot is missing|evs:snapshots:delete is missing/,
    ],
    [
      "permissions in every project",
      "agencies.tf",
      "  project_role {",
      '  all_resources_roles = ["EVS FullAccess"]\n  project_role {',
      /has all_resources_roles/,
    ],
    [
      "permissions in another project",
      "agencies.tf",
      "project = local.project",
      'project = "MOS"',
      /has permissions in the project MOS/,
    ],
    [
      "an agency that several functions share",
      "functions.tf",
      "huaweicloud_identity_agency.function[each.key].name",
      'huaweicloud_identity_agency.function["scheduled-snapshots"].name',
      /shares the agency/,
    ],
    [
      "a function's agency that replaces the platform's agency",
      "functions.tf",
      "agency     = huaweicloud_identity_agency.platform.name",
      "agency     = huaweicloud_identity_agency.function[each.key].name",
      /smn:topic:publish is missing/,
    ],
  ]);
});
