/** Checks the guarantees: compares the result records of the functions with the snapshots in the embedded cloud. */
import type { SnapshotView } from "../../infra/local/cloud/index.ts";
import { type Kind, resourceOf } from "../support/kinds.ts";
import type { Delivery, FaultyEnvironment } from "./faulty-environment.ts";
import type { Job, Target } from "./jobs.ts";

// biome-ignore lint/suspicious/noExplicitAny: records and responses of many shapes
type Any = any;

type WithCloud = Pick<FaultyEnvironment, "cloud" | "creationMs">;

const FAILED = ["error", "UNAVAILABLE"];
const SUCCESS = ["accepted", "existing", "available"];

/** Returns the snapshots of a kind, without the members of snapshot groups. */
const listOwnSnapshots = (cloud: FaultyEnvironment["cloud"], kind: Kind): SnapshotView[] =>
  cloud.snapshots(kind).filter(({ snapshot_group_id }) => !snapshot_group_id);

const isOf =
  ({ kind, resource }: Target) =>
  (snapshot: SnapshotView) =>
    snapshot.kind === kind && resourceOf(snapshot) === resource;

/** Returns each target and its snapshots, except failed snapshots. */
export function findGoodSnapshots(
  { cloud }: WithCloud,
  targets: readonly Target[],
): { target: Target; good: SnapshotView[] }[] {
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const all = kinds.flatMap((kind) => listOwnSnapshots(cloud, kind)).filter(({ status }) => !FAILED.includes(status));
  return targets.map((target) => ({ target, good: all.filter(isOf(target)) }));
}

/** Reports each target that has more than one snapshot. Failed snapshots are ignored. */
export const findDuplicates = (environment: WithCloud, { targets }: Pick<Job, "targets">): string[] =>
  findGoodSnapshots(environment, targets)
    .filter(({ good }) => good.length > 1)
    .map(({ target, good }) => `duplicate: ${good.length} snapshots of ${nameOf(target)}`);

/** Reports that a delivery without faults failed. Also reports each target that does not have exactly one good snapshot. */
export const findUnfinished = (
  environment: WithCloud,
  { targets }: Pick<Job, "targets">,
  delivery: Delivery,
): string[] => [
  ...findGoodSnapshots(environment, targets)
    .filter(({ good }) => good.length !== 1)
    .map(
      ({ target, good }) => `${good.length} good snapshots of ${nameOf(target)} after the last delivery, expected 1`,
    ),
  ...(hasFailed(delivery) ? [`the last delivery failed although it had no faults: ${delivery.lines.join(" ")}`] : []),
];

/**
 * Reports a delivery that succeeded although its snapshot failed. Also reports duplicates. Call it if the functions must not
 * replace failed snapshots.
 */
export const findHiddenFailure = (environment: WithCloud, job: Job, delivery: Delivery): string[] =>
  hasFailed(delivery) ? findDuplicates(environment, job) : ["the last delivery does not report the failed snapshot"];

const hasFailed = ({ invoked }: Delivery): boolean =>
  invoked === undefined || invoked.error !== undefined || (invoked.result?.statusCode ?? 200) >= 300;

/**
 * Reports the guarantees that a delivery broke: no false success, one result record per target, no secret in the output,
 * and completion before the deadline.
 *
 * @param targets the targets of this delivery: all targets of the job, or the targets of one shard
 * @param others  the other deliveries of the job; a snapshot in one of their records counts as created by another delivery
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
  const report = (what: string) => found.push(what);

  const ofTargets = records.filter(({ action }) => action === "create");
  const counts = new Map<string, number>();
  for (const { kind, resource_id } of ofTargets) {
    const name = nameOf({ kind, resource: resource_id });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) if (count > 1) report(`${count} result records of ${name}, expected 1`);
  for (const record of ofTargets) {
    if (SUCCESS.includes(record.outcome))
      for (const fault of findFalseSuccess(environment, record, delivery, otherLines)) report(fault);
    // If pre-deploy defers a target, its caller repeats the request. Therefore pre-deploy must not have created a snapshot of the
    // target.
    const isDeferredByGate = record.outcome === "deferred" && record.trigger === "http";
    if (record.outcome === "failed" || isDeferredByGate)
      for (const fault of findFalseFailure(environment, record, delivery, otherLines)) report(fault);
    if (record.outcome === "deferred") for (const fault of findFalseDeferral(environment, record)) report(fault);
  }
  const output = invoked?.output ?? lines.join("\n");
  for (const secret of secretsIn(environment))
    if (output.includes(secret)) report(`the output contains a secret: ${secret}`);
  if (invoked === undefined) return found;

  if (tookMs > remainingMs) report(`the delivery took ${tookMs} ms, longer than the remaining ${remainingMs} ms`);
  const runs = records.filter(({ action }) => action === "run");
  if (runs.length !== 1 || records.at(-1)?.action !== "run")
    report(`${runs.length} records of the run, expected 1 as the last record`);
  // If the list request for the resources fails, the targets are unknown, and a single record reports the failure.
  const hasUnreadList = ofTargets.some(({ resource_id, outcome }) => resource_id === undefined && outcome === "failed");
  for (const target of targets)
    if (!counts.has(nameOf(target)) && !hasUnreadList) report(`no result record of ${nameOf(target)}`);
  for (const fault of findFalseResponse(invoked, ofTargets)) report(fault);
  return found;
}

const nameOf = ({ kind, resource }: { kind: string; resource: string }) => `${kind} ${resource}`;

export const secretsIn = ({ cloud }: WithCloud): string[] => {
  const { sk, securityToken = "", token = "" } = cloud.credentials;
  return [sk, securityToken, token].filter((secret) => secret !== "");
};

/** Reports a success record whose snapshot does not exist, belongs to another resource, or failed. */
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
  // The snapshot may have failed after the function read its status. That status can be 60 s old: the function reuses a list
  // response for 30 s, and the list request may take 30 s. An instance does not read the status of a snapshot that it created in
  // the last 10 s.
  const completedAt = timeOf(snapshot.created_at ?? snapshot.started) + creationMs;
  const readAt = Math.max(startedAt, Date.parse(time) - 60_000);
  const isRemembered = otherLines
    .filter((line) => line.includes(snapshot_id) && line.includes("accepted"))
    .some((line) => Date.parse(time) - Date.parse(JSON.parse(line).time) <= 10_000);
  if (outcome === "existing" && FAILED.includes(snapshot.status) && readAt > completedAt && !isRemembered) {
    return [`${what} is ${snapshot.status}`];
  }
  const members = cloud
    .snapshots("standard-snapshot")
    .filter(({ snapshot_group_id }) => snapshot_group_id === snapshot_id);
  const sound = [snapshot, ...members].every(({ status }) => ["available", "avaialble", "AVAILABLE"].includes(status));
  if (outcome === "available" && !sound) return [`${what} is ${snapshot.status}`];
  return [];
}

/** Reports a failure record if the delivery created a snapshot of the target and the error reason is not `OutcomeUnknown`. */
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

/** Parses a time in a response. If the milliseconds are missing, as in DWS responses, returns the latest possible time. */
const timeOf = (text: unknown) => {
  const time = String(text);
  return Date.parse(/Z$/.test(time) ? time : `${time}Z`) + (/\.\d/.test(time) ? 0 : 999);
};

/**
 * Reports a `deferred` record if the platform acknowledged no invocation for its resource. Ignores records of pre-deploy: it
 * starts no invocations, because its caller repeats the request.
 */
function findFalseDeferral({ cloud }: WithCloud, { resource_id, detail, trigger }: Any): string[] {
  if (trigger === "http") return [];
  const isInvoked = cloud.invocations.some(
    ({ requestId, payload }) => String(detail).includes(requestId) && JSON.stringify(payload).includes(resource_id),
  );
  return isInvoked ? [] : [`${resource_id} is deferred, but no invocation was started for it: ${detail}`];
}

/** Reports an HTTP status, a result or an error of the function that contradicts the result records. */
function findFalseResponse({ result, error }: NonNullable<Delivery["invoked"]>, records: Any[]): string[] {
  const failed = records.some(({ outcome }) => outcome === "failed" || outcome === "rejected");
  const all = records.length > 0 && records.every(({ outcome }) => SUCCESS.includes(outcome));
  if (result?.statusCode !== undefined) {
    const good = result.statusCode < 300;
    if (good && failed) return [`status ${result.statusCode} although a target failed`];
    if (!good && all) return [`status ${result.statusCode} although every target succeeded`];
    return [];
  }
  if (failed && error === undefined) return ["the function returned although a target failed"];
  if (all && error !== undefined) return [`the function threw although every target succeeded: ${error.message}`];
  return [];
}
