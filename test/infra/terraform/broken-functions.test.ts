/** Plans copies of infra/terraform with mistakes in the functions or in their permissions. */
import { describe } from "vitest";
import { VARIABLES } from "../../../shared/functiongraph/variables.ts";
import { CALLS } from "../../../shared/huaweicloud/calls.generated.ts";
import { testBrokenCopies } from "./broken-copies.ts";

/**
 * The number of variables that Terraform sets for a function: each name in VARIABLES except HTTP_TIMEOUT_MS, and the endpoint of
 * each service.
 */
const VARIABLE_COUNT = VARIABLES.length - 1 + new Set(Object.keys(CALLS).map((call) => call.split(".")[0])).size;

/** The Terraform expression that reads the IAM actions of each call. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: Terraform reads the placeholder
const ACTIONS = 'jsondecode(file("${path.module}/actions.json"))';

describe("a broken copy of the Terraform module", () => {
  // biome-ignore format: the mistakes are easier to compare in rows
  testBrokenCopies([
    ["an argument name is misspelled", "functions.tf", "memory_size ", "memory ", /there is no argument memory$/m],
    ["a required argument is missing", "functions.tf", /^ +runtime .*\n/m, "", /the argument runtime is required/],
    ["a resource type is unknown", "logs.tf", 'huaweicloud_lts_stream" "functions', 'huaweicloud_lts_topic" "functions',
      /no such type|there is no resource/],
    ["an output reads an attribute that the provider does not document", "outputs.tf", "one.urn", "one.arn",
      /huaweicloud_fgs_function\.arn: there is no such attribute/],
    ["a number is set as a string", "functions.tf", "each.value.memory", '"128"', /expected Int/],
    ["an argument has a value that the provider does not document", "triggers.tf", '"ACTIVE"', '"ENABLED"', /expected one of ACTIVE, DISABLED/],
    ["the module accepts provider versions other than 1.96", "versions.tf", "~> 1.96", ">= 1.0", /the provider's version is >= 1\.0/],
    ["an agency is delegated to a domain instead of a service", "agencies.tf", /delegated_service_name/g,
      "delegated_domain_name", /is not delegated to FunctionGraph/],
    ["the module lacks a function", "locals.tf", "in local.definitions : name =>",
      'in local.definitions : replace(name, "pre-deploy", "predeploy") =>',
      /functions: pre-deploy is missing|is not there|there is no "pre-deploy"/],
    ["a function has the code of another function", "functions.tf", /\$\{each\.key\}\.zip"\)/,
      'create-snapshot.zip")', /func_code/],
    ["a handler name is not exported by the bundle", "functions.tf", "index.handler", "index.main",
      /handler: expected index\.handler/],
    ["a function has 256 MB of memory instead of 128 MB", "functions.tf", "each.value.memory", "256", /memory_size: expected 128/],
    ["report-coverage has 128 MB of memory instead of 256 MB", "functions.tf", "each.value.memory", "128", /memory_size: expected 256/],
    ["the timeout of a function is 30 s", "functions.tf", "each.value.timeout", "30",
      /timeout: 30 s is too short/],
    ["FunctionGraph can run two instances of disk-attached at the same time", "functions.tf", "each.value.max_instances", '"2"',
      /max_instance_num: expected 1, got 2/],
    ["a function writes logs but its log stream is not set", "functions.tf", /^ +log_stream_name .*\n/m, "", /the four log arguments go together/],
    ["an environment variable that the functions read is not set", "locals.tf", /^ +REGION .*\n/m, "",
      /user_data: REGION is read and not set/],
    ["an environment variable of the functions is misspelled", "locals.tf", "SHARD_SIZE ", "SHARDSIZE ",
      /SHARD_SIZE is read and not set/],
    ["the module sets an environment variable that no function reads", "locals.tf", "    REGION ", '    EXTRA = "1"\n    REGION ',
      /no function reads EXTRA/],
    ["the environment variables of a function have more than 4,096 characters", "locals.tf", /SHARD_SIZE +=.*/,
      `SHARD_SIZE = "${"5".repeat(4_096)}"`, /would have more than 4096 characters/],
    ["a function has 21 variables", "locals.tf", "    REGION ",
      `${Array.from({ length: 21 - VARIABLE_COUNT }, (_unused, index) => `    EXTRA_${index} = "1"\n`).join("")}    REGION `,
      /21 variables, 20 are allowed/],
    ["a deployed policy is not in DEPLOYED_POLICIES", "locals.tf", "in setunion(local.creators, keys(var.policies)) :",
      "in local.creators :", /DEPLOYED_POLICIES=.* is missing/],
    ["the schedule of a policy is not in DEPLOYED_POLICIES", "locals.tf", "lookup(local.expected_runs, name, {})", "{}",
      /DEPLOYED_POLICIES=.* is missing/],
    ["callers of pre-deploy can use a policy that gateway.policies does not contain", "locals.tf", 'concat(["pre-deploy"], try(var.gateway.policies, []))',
      'concat(["pre-deploy"], keys(var.policies))', /PRE_DEPLOY_POLICIES=.* is superfluous/],
    ["every function has DEPLOYED_POLICIES", "locals.tf", "lookup(local.own_variables, name, {})",
      'local.own_variables["prune-snapshots"]', /the function does not read DEPLOYED_POLICIES/],
    ["a permission contains a superfluous action", "locals.tf", ACTIONS,
      `merge(${ACTIONS}, { "evs.createSnapshot" = ["evs:snapshots:create", "evs:snapshots:delete"] })`,
      /evs:snapshots:delete is superfluous/],
    ["a permission lacks an action", "locals.tf", ACTIONS, `merge(${ACTIONS}, { "dws.listSnapshots" = [] })`,
      /calls|missing|superfluous/],
    ["a permission allows all actions", "agencies.tf", /Action = \[for .*\]/, 'Action = ["*:*:*"]',
      /\*:\*:\* is superfluous/],
    ["a function has the permission for a call that it never makes", "locals.tf",
      "calls = [for call in one.calls : call if !contains(lookup(local.unused_calls, name, []), call)]",
      'calls = concat(one.calls, ["ecs.listServers"])', /calls: ecs\.listServers is superfluous/],
    ["a function lacks the permission for a call that it makes", "locals.tf", '"scheduled-snapshots" = contains(',
      '"scheduled-snapshots" = true ? ["functiongraph.invokeAsync"] : contains(',
      /calls: functiongraph\.invokeAsync is missing/],
    ["disk-attached has a retention but no permission to delete snapshots", "locals.tf", "var.disk_attached_retention == null ||", "true ||",
      /disk-attached.*evs\.deleteSnapshot is missing|evs:snapshots:delete is missing/],
    ["an agency has permissions in every project", "agencies.tf", "  project_role {",
      '  all_resources_roles = ["EVS FullAccess"]\n  project_role {', /has all_resources_roles/],
    ["an agency has permissions in a project that the functions do not use", "agencies.tf", "project = local.project", 'project = "MOS"',
      /has permissions in the project MOS/],
    ["several functions share an agency", "functions.tf", "huaweicloud_identity_agency.function[each.key].name",
      'huaweicloud_identity_agency.function["scheduled-snapshots"].name', /shares the agency/],
    ["the platform uses the agency of a function instead of the agency of the platform", "functions.tf",
      "agency     = huaweicloud_identity_agency.platform.name",
      "agency     = huaweicloud_identity_agency.function[each.key].name", /smn:topic:publish is missing/],
  ]);
});
