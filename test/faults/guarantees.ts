/** Checks the guarantees of the project against the snapshots in the cloud and the records of the functions. */
import type { Kind, SnapshotView } from "../../infra/local/cloud/index.ts";
import { resourceOf } from "../support/kinds.ts";
import type { Delivery, FaultyEnvironment } from "./faulty-environment.ts";
import type { Job, Target } from "./jobs.ts";

// biome-ignore lint/suspicious/noExplicitAny: records and responses of many shapes
type Any = any;

type WithCloud = Pick<FaultyEnvironment, "cloud" | "creationMs">;

const FAILED = ["error", "UNAVAILABLE"];
const SUCCESS = ["accepted", "existing", "available"];

/** Lists the snapshots of a kind without the members of groups, which belong to their group. */
const listOwnSnapshots = (cloud: FaultyEnvironment["cloud"], kind: Kind): SnapshotView[] =>
  cloud.snapshots(kind).filter(({ snapshot_group_id }) => !snapshot_group_id);

const isOf =
  ({ kind, resource }: Target) =>
  (snapshot: SnapshotView) =>
    snapshot.kind === kind && resourceOf(snapshot) === resource;

/** Returns the snapshots that did not fail, for each target. */
function findGoodSnapshots(
  { cloud }: WithCloud,
  targets: readonly Target[],
): { target: Target; good: SnapshotView[] }[] {
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const all = kinds.flatMap((kind) => listOwnSnapshots(cloud, kind)).filter(({ status }) => !FAILED.includes(status));
  return targets.map((target) => ({ target, good: all.filter(isOf(target)) }));
}

/** Reports each target that has more than one snapshot that did not fail. */
export const findDuplicates = (environment: WithCloud, { targets }: Pick<Job, "targets">): string[] =>
  findGoodSnapshots(environment, targets)
    .filter(({ good }) => good.length > 1)
    .map(({ target, good }) => `duplicate: ${good.length} snapshots of ${nameOf(target)}`);

/** Reports what is missing after a delivery without faults: one good snapshot of each target, and a success. */
export const findUnfinished = (
  environment: WithCloud,
  { targets }: Pick<Job, "targets">,
  delivery: Delivery,
): string[] => [
  ...findGoodSnapshots(environment, targets)
    .filter(({ good }) => good.length !== 1)
    .map(({ target, good }) => `at the end ${good.length} snapshots of ${nameOf(target)}`),
  ...(hasFailed(delivery) ? [`at the end the function failed: ${delivery.lines.join(" ")}`] : []),
];

/** Reports a delivery that no longer fails although a person must decide about a failed snapshot, and duplicates. */
export const findHiddenFailure = (environment: WithCloud, job: Job, delivery: Delivery): string[] =>
  hasFailed(delivery) ? findDuplicates(environment, job) : ["a delivery no longer reports the failed snapshot"];

const hasFailed = ({ invoked }: Delivery): boolean =>
  invoked === undefined || invoked.error !== undefined || (invoked.result?.statusCode ?? 200) >= 300;

/**
 * Reports the guarantees that a delivery broke: no false success, one terminal record per target, no secret in the output,
 * and an end before the deadline.
 *
 * @param targets the targets of this delivery: all of a job, or those of a shard
 * @param others  other deliveries of the job, whose records explain the snapshots that they created
 */
export function findBrokenGuarantees(
  environment: WithCloud,
  targets: readonly Target[],
  delivery: Delivery,
  others: readonly Delivery[] = [],
): string[] {
  const otherLines = others.flatMap(({ lines }) => lines);
  const { invoked, tookMs, remainingMs, lines } = delivery;
  const records: Any[] = lines.map((line) => JSON.parse(line));
  const found: string[] = [];
  const complain = (what: string) => found.push(what);

  const ofTargets = records.filter(({ action }) => action === "create");
  const counts = new Map<string, number>();
  for (const { kind, resource_id } of ofTargets) {
    const name = nameOf({ kind, resource: resource_id });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) if (count > 1) complain(`${count} terminal records of ${name}`);
  for (const record of ofTargets) {
    if (SUCCESS.includes(record.outcome))
      for (const fault of findFalseSuccess(environment, record, delivery, otherLines)) complain(fault);
    // pre-deploy asks its caller to repeat the call, which has to be for a reason too.
    const isDeferredByGate = record.outcome === "deferred" && record.trigger === "http";
    if (record.outcome === "failed" || isDeferredByGate)
      for (const fault of findFalseFailure(environment, record, delivery, otherLines)) complain(fault);
    if (record.outcome === "deferred") for (const fault of findFalseHandover(environment, record)) complain(fault);
  }
  const output = invoked?.output ?? lines.join("\n");
  for (const secret of secretsIn(environment))
    if (output.includes(secret)) complain(`a secret in the output: ${secret}`);
  if (invoked === undefined) return found;

  if (tookMs > remainingMs) complain(`the delivery took ${tookMs} ms of ${remainingMs} ms`);
  const runs = records.filter(({ action }) => action === "run");
  if (runs.length !== 1 || records.at(-1)?.action !== "run") complain(`${runs.length} records of the run`);
  // If the list cannot be read, nobody knows which resources have the tags: one record reports the failed list.
  const hasUnreadList = ofTargets.some(({ resource_id, outcome }) => resource_id === undefined && outcome === "failed");
  for (const target of targets)
    if (!counts.has(nameOf(target)) && !hasUnreadList) complain(`no terminal record of ${nameOf(target)}`);
  for (const fault of findFalseResponse(invoked, ofTargets)) complain(fault);
  return found;
}

const nameOf = ({ kind, resource }: { kind: string; resource: string }) => `${kind} ${resource}`;

export const secretsIn = ({ cloud }: WithCloud): string[] => {
  const { sk, securityToken = "", token = "" } = cloud.credentials;
  return [sk, securityToken, token].filter((secret) => secret !== "");
};

/** Reports a success whose snapshot does not exist, belongs to another resource, or failed. */
function findFalseSuccess(
  { cloud, creationMs }: WithCloud,
  { kind, resource_id, outcome, snapshot_id, time }: Any,
  { startedAt }: Delivery,
  otherLines: string[],
): string[] {
  const snapshot = cloud.snapshots(kind).find(({ id }) => id === snapshot_id);
  const what = `false success: ${kind} ${resource_id} is ${outcome}, but ${snapshot_id}`;
  if (snapshot === undefined) return [`${what} does not exist`];
  if (resourceOf(snapshot) !== resource_id) return [`${what} belongs to ${resourceOf(snapshot)}`];
  // The snapshot may have failed after the function read its status: the function trusts a list for 30 s, and the list may
  // take another 30 s. For 10 s an instance also returns "existing" from memory for a snapshot that it created itself.
  const endedAt = timeOf(snapshot.created_at ?? snapshot.started) + creationMs;
  const readAt = Math.max(startedAt, Date.parse(time) - 60_000);
  const isRemembered = otherLines
    .filter((line) => line.includes(snapshot_id) && line.includes("accepted"))
    .some((line) => Date.parse(time) - Date.parse(JSON.parse(line).time) <= 10_000);
  if (outcome === "existing" && FAILED.includes(snapshot.status) && readAt > endedAt && !isRemembered) {
    return [`${what} is ${snapshot.status}`];
  }
  const members = cloud
    .snapshots("standard-snapshot")
    .filter(({ snapshot_group_id }) => snapshot_group_id === snapshot_id);
  const sound = [snapshot, ...members].every(({ status }) => ["available", "avaialble", "AVAILABLE"].includes(status));
  if (outcome === "available" && !sound) return [`${what} is ${snapshot.status}`];
  return [];
}

/** Reports a plain failure although this delivery created a snapshot whose response it did not get. */
function findFalseFailure(
  environment: WithCloud,
  { kind, resource_id, error, outcome }: Any,
  { startedAt }: Delivery,
  otherLines: string[],
): string[] {
  if (error?.reason === "OutcomeUnknown" || error?.reason === "SnapshotFailed") return [];
  if (otherLines.some((line) => line.includes(resource_id) && line.includes("OutcomeUnknown"))) return [];
  const created = listOwnSnapshots(environment.cloud, kind)
    .filter(isOf({ kind, resource: resource_id }))
    .filter(({ id }) => !otherLines.some((line) => line.includes(id)))
    .filter(
      ({ created_at, started, status }) => timeOf(created_at ?? started) >= startedAt && !FAILED.includes(status),
    );
  return created.map(
    ({ id }) => `false failure: ${kind} ${resource_id} is ${outcome} ${error?.reason}, but created ${id}`,
  );
}

/** Parses a time of the cloud. A time without milliseconds, as DWS sends it, can be up to 999 ms later. */
const timeOf = (text: unknown) => {
  const time = String(text);
  return Date.parse(/Z$/.test(time) ? time : `${time}Z`) + (/\.\d/.test(time) ? 0 : 999);
};

/**
 * Reports a target whose record says `deferred` although the platform acknowledged no invocation for its resource. Skips
 * pre-deploy, which starts no invocation because its caller repeats the call.
 */
function findFalseHandover({ cloud }: WithCloud, { resource_id, detail, trigger }: Any): string[] {
  if (trigger === "http") return [];
  const isHandedOver = cloud.invocations.some(
    ({ requestId, payload }) => String(detail).includes(requestId) && JSON.stringify(payload).includes(resource_id),
  );
  return isHandedOver ? [] : [`false handover: ${resource_id}: ${detail}`];
}

/** Reports a response that contradicts the records. */
function findFalseResponse({ result, error }: NonNullable<Delivery["invoked"]>, records: Any[]): string[] {
  const failed = records.some(({ outcome }) => outcome === "failed" || outcome === "rejected");
  const all = records.length > 0 && records.every(({ outcome }) => SUCCESS.includes(outcome));
  if (result?.statusCode !== undefined) {
    const good = result.statusCode < 300;
    if (good && failed) return [`a failure with the status ${result.statusCode}`];
    if (!good && all) return [`a success with the status ${result.statusCode}`];
    return [];
  }
  if (failed && error === undefined) return ["the function returned although a target failed"];
  if (all && error !== undefined) return [`the function threw although every target succeeded: ${error.message}`];
  return [];
}
