/** Defines Terraform variables that deploy every function with every option, and checks the plan for given variables. */
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import { deploymentFaults } from "./deployment.ts";
import { observe, POLICY } from "./observed.ts";
import { planOf, type Sources } from "./plan.ts";
import { FUNCTIONS } from "./readme.ts";
import { schemaFaults } from "./schema.ts";
import { isPruned, TIMER_FUNCTIONS, unprunedFunctions, type Wanted } from "./wanted.ts";

// biome-ignore lint/suspicious/noExplicitAny: variables of every type
type Any = any;

const { policy: _, ...nightly } = POLICY;

/** The Terraform variables that deploy every function. observed.ts runs the functions with the same policy. */
export const EVERYTHING = {
  region: "eu-west-101",
  disk_attached_kind: "snapshot",
  disk_attached_retention: { keep_last: 2 } as Any,
  lts_endpoint: "https://100.125.11.157:8102",
  alarm: { email: "sre@example.org" },
  functions: FUNCTIONS.filter((name) => !TIMER_FUNCTIONS.includes(name)),
  gateway: {
    instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7",
    make_room: true,
    policies: ["nightly"],
    kinds: ["snapshot", "cluster-snapshot"],
  } as Any,
  policies: {
    nightly: { schedule: "0 0 2 * * *", prune_schedule: "0 30 3 * * *", ...nightly },
    crowded: {
      schedule: "0 0 4 * * 0",
      every_hours: 168,
      targets: [{ kind: "cluster-snapshot", tags: { backup: "weekly" } }],
    },
  } as Record<string, Any>,
  coverage: {
    schedule: "0 0 6 * * *",
    time_zone: "Europe/Berlin",
    max_age_hours: 48,
    exclude_tags: { scratch: "*" },
  } as Any,
};

function wantedOf(variables: typeof EVERYTHING & { delete_duplicates?: boolean }): Wanted {
  const { functions, policies, gateway, delete_duplicates: deletesDuplicates = true } = variables;
  const wanted: Wanted = {
    functions,
    policies,
    hasGateway: gateway !== undefined,
    coverage: variables.coverage ?? {},
    deletesDuplicates,
    diskAttachedKind: variables.disk_attached_kind,
    gate: { policies: gateway?.policies ?? [], kinds: gateway?.kinds ?? Object.keys(KINDS) },
    makingRoom: [
      ...(variables.disk_attached_retention ? ["disk-attached"] : []),
      ...(gateway?.make_room ? ["pre-deploy"] : []),
      ...(Object.values(policies).some(({ make_room }) => make_room) ? ["scheduled-snapshots"] : []),
    ],
  };
  const isPruning =
    unprunedFunctions(wanted).length > 0 || Object.values(policies).some((policy) => isPruned(wanted, policy));
  const timerFunctions = [
    "verify-snapshots",
    ...(Object.keys(policies).length > 0 ? ["scheduled-snapshots"] : []),
    ...(isPruning ? ["prune-snapshots"] : []),
  ];
  return { ...wanted, functions: [...functions, ...timerFunctions] };
}

/** Plans the Terraform module. Returns the errors that prevent a plan, or the mistakes in the plan. */
export async function findFaults(texts: Sources, variables: typeof EVERYTHING = EVERYTHING): Promise<string[]> {
  const observed = await observe();
  const plan = await planOf(texts, variables);
  if (plan.refusals.length > 0) return plan.refusals;
  const faults = schemaFaults(plan);
  return faults.length > 0 ? faults : deploymentFaults(plan, wantedOf(variables), observed);
}
