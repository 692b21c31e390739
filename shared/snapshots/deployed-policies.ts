/**
 * Reads which policies are deployed, and creates the notices about them that verify and prune add to the record of a run.
 *
 * A notice that begins with `PREFIX` causes the alarm `snapshots-failed` of infra/terraform/alarms.tf. No other notice may
 * contain the words of this prefix.
 */

import { nextRun } from "../core/cron.ts";
import type { SnapshotError } from "../core/errors.ts";
import { after, formatInstant, type Instant, parseInstant } from "../core/instant.ts";
import { isObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { joinFirst, preview } from "../core/preview.ts";
import { KIND_NAMES } from "./kinds/kinds.generated.ts";

/** A deployed policy. A deployed function, such as pre-deploy, counts as a policy with the name of the function. */
export interface DeployedPolicy {
  /** The kinds of snapshots that the policy or the function creates. */
  kinds: string[];
  /** When a timer creates snapshots of the policy. Undefined if no timer creates them, or if the policy is a dry run. */
  runs?: {
    /** A cron expression with `CRON_TZ`. */
    schedule: string;
    /** When Terraform deployed this schedule. */
    since: Instant;
  };
}

/** The deployed policies by name. Undefined if it is unknown which policies are deployed. */
export type DeployedPolicies = ReadonlyMap<string, DeployedPolicy> | undefined;

const PREFIX = "Deployment check:";

/**
 * How long after the time of a run its first snapshot may appear, in milliseconds. FunctionGraph can start the run late, and the
 * run can wait for a busy disk.
 */
const RUN_MS = 3_600_000;

/**
 * Reads the variable DEPLOYED_POLICIES, which infra/terraform sets: a JSON object that maps the name of each deployed policy to
 * its `kinds`. If a timer creates the snapshots of the policy, the policy also has `schedule` and `since`.
 *
 * @param text the value of the variable. Undefined without infra/terraform, so nothing is known about the deployment
 * @param addNotice receives a notice if the value is invalid
 * @returns undefined if the variable is not set or its value is invalid
 * @example readDeployedPolicies('{"nightly":{"kinds":["snapshot"],"schedule":"CRON_TZ=UTC 0 0 2 * * *","since":"2026-11-21T09:00:00Z"}}', addNotice)
 */
export function readDeployedPolicies(text: string | undefined, addNotice: (notice: string) => void): DeployedPolicies {
  const policies = text === undefined ? undefined : readPolicies(text);
  if (policies !== undefined || text === undefined) return policies;
  addNotice(
    `${PREFIX} DEPLOYED_POLICIES: expected a JSON object such as {"nightly":{"kinds":["snapshot"]}}, got ${preview(text)}. It is unknown which policies are deployed, so a policy without any snapshot is not reported. Apply infra/terraform, or set the variable to {} if it deploys no policy.`,
  );
  return undefined;
}

function readPolicies(text: string): DeployedPolicies {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const policies = new Map<string, DeployedPolicy>();
  for (const [name, described] of Object.entries(value)) {
    const policy = readPolicy(described);
    if (policy === undefined) return undefined;
    policies.set(name, policy);
  }
  return policies;
}

/** Returns undefined if the value does not describe a policy. */
function readPolicy(policy: unknown): DeployedPolicy | undefined {
  const { kinds, schedule, since } = isObject(policy) ? policy : {};
  if (!Array.isArray(kinds) || !kinds.every((kind) => KIND_NAMES.includes(kind))) return undefined;
  if (schedule === undefined && since === undefined) return { kinds };
  const deployedAt = parseInstant(since);
  if (typeof schedule !== "string" || deployedAt === undefined) return undefined;
  return { kinds, runs: { schedule, since: deployedAt } };
}

/**
 * Returns the notice about kinds of snapshots that the endpoint does not offer. If the deployment is known, the notice contains
 * only the kinds that it uses, because a region does not have to offer the other kinds.
 *
 * @param unsupported the error of the list request for each kind that the endpoint does not offer
 * @returns undefined if there is nothing to report
 */
export function unlistedKindsNotice(
  unsupported: ReadonlyMap<string, SnapshotError>,
  deployed: DeployedPolicies,
): string | undefined {
  const users = [...(deployed ?? [])].filter(([, { kinds }]) => kinds.some((kind) => unsupported.has(kind)));
  const kinds = [...unsupported.keys()].filter(
    (kind) => deployed === undefined || users.some(([, policy]) => policy.kinds.includes(kind)),
  );
  const error = unsupported.get(kinds[0] ?? "");
  if (error === undefined) return undefined;
  const response = `${error.status ?? "no status"} ${error.code ?? "without a code"}`;
  const fact = `${kinds.join(", ")}: the endpoint does not offer these snapshots (${response}), so they were not listed.`;
  return deployed === undefined
    ? `${fact} If the region offers them, correct the variable *_ENDPOINT.`
    : `${PREFIX} ${fact} These deployed policies or functions create them: ${joinFirst(users.map(([name]) => preview(name)))}. Correct the variable *_ENDPOINT, or deploy these policies without these kinds.`;
}

/**
 * Returns a notice for each deployed policy that has no snapshot of one of its kinds, although the time of its first run is past.
 * A list response without any snapshot, for example of the wrong project, therefore causes a notice.
 *
 * @param listed the names of the policies that have snapshots, for each kind that was listed
 */
export function missingSnapshotNotices(
  deployed: DeployedPolicies,
  listed: ReadonlyMap<string, ReadonlySet<string | undefined>>,
  now: Instant,
): string[] {
  return [...(deployed ?? [])].flatMap(([name, { kinds, runs }]) => {
    const missing = kinds.filter((kind) => listed.get(kind)?.has(name) === false);
    if (runs === undefined || missing.length === 0) return [];
    // Report the policy at once if the time of its first run cannot be determined.
    const isCredible = runs.since <= after(now, RUN_MS);
    const firstRun = (isCredible ? nextRun(runs.schedule, runs.since) : undefined) ?? runs.since;
    if (isCredible && after(firstRun, RUN_MS) > now) return [];
    return `${PREFIX} the policy ${name} should have a snapshot of the kind ${missing.join(" and one of the kind ")} since its first run at ${formatInstant(firstRun)}, but the list contains none. Check the records of scheduled-snapshots for this policy, its timer, its targets, and the variables PROJECT_ID and *_ENDPOINT.`;
  });
}

/**
 * Returns the notice of a prune run whose policy has no snapshot. Its name may be misspelled, so the notice names the policies
 * that exist.
 *
 * @param seen the names of the policies of all listed snapshots
 * @returns undefined if a deployed policy has this name
 */
export function unknownPolicyNotice(
  policy: string,
  seen: Iterable<string>,
  deployed: DeployedPolicies,
): string | undefined {
  if (deployed?.has(policy)) return undefined;
  const names = [...new Set([...seen, ...(deployed?.keys() ?? [])])].sort();
  const existing =
    names.length === 0
      ? "No snapshot has a policy."
      : `Policies that exist: ${joinFirst(names.map((name) => preview(name)))}.`;
  return `policy: no snapshot has the policy ${preview(policy)}, so nothing was deleted. ${existing} Correct the name, or remove the timer.`;
}
