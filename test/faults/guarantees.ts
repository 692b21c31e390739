/** The promises of the product, asked of the cloud and of the log: what a user would notice if one were broken. */
import type { Kind, SnapshotView } from "../../infra/local/cloud/index.ts";
import type { Delivery, FaultySite } from "./faulty-environment.ts";
import type { Job, Target } from "./jobs.ts";
import { resourceOf } from "./jobs.ts";

// biome-ignore lint/suspicious/noExplicitAny: records and answers of many shapes
type Any = any;

/** What is asked: the cloud. */
type Site = Pick<FaultySite, "cloud" | "creationMs">;

const FAILED = ["error", "UNAVAILABLE"];
const SUCCESS = ["accepted", "existing", "available"];

/** What a cloud holds of ours: a group's members are part of it. */
const snapshotsIn = (cloud: FaultySite["cloud"], kind: Kind): SnapshotView[] =>
  cloud.snapshots(kind).filter(({ snapshot_group_id }) => !snapshot_group_id);

const isOf = ({ kind, resource }: Target) => {
  return (snapshot: SnapshotView) => snapshot.kind === kind && resourceOf(snapshot) === resource;
};

/** For each target, its snapshots that did not fail. */
function goodOf({ cloud }: Site, targets: readonly Target[]): { target: Target; good: SnapshotView[] }[] {
  const kinds = [...new Set(targets.map(({ kind }) => kind))];
  const all = kinds.flatMap((kind) => snapshotsIn(cloud, kind)).filter(({ status }) => !FAILED.includes(status));
  return targets.map((target) => ({ target, good: all.filter(isOf(target)) }));
}

/** No target has more than one snapshot that did not fail. */
export const duplicates = (site: Site, { targets }: Pick<Job, "targets">): string[] =>
  goodOf(site, targets)
    .filter(({ good }) => good.length > 1)
    .map(({ target, good }) => `duplicate: ${good.length} snapshots of ${shown(target)}`);

/** After a delivery to a cloud that is well: one good snapshot of each target, and a log that says so. */
export const unfinished = (site: Site, { targets }: Pick<Job, "targets">, delivery: Delivery): string[] => [
  ...goodOf(site, targets)
    .filter(({ good }) => good.length !== 1)
    .map(({ target, good }) => `in the end ${good.length} snapshots of ${shown(target)}`),
  ...(failedAtAll(delivery) ? [`in the end it failed: ${delivery.lines.join(" ")}`] : []),
];

/** Where it is for a person to decide about a snapshot that failed: that it did is said, again and again. */
export const hidden = (site: Site, job: Job, delivery: Delivery): string[] =>
  failedAtAll(delivery) ? duplicates(site, job) : ["a snapshot that failed is no longer said to have failed"];

const failedAtAll = ({ ended }: Delivery): boolean =>
  ended === undefined || ended.error !== undefined || (ended.result?.statusCode ?? 200) >= 300;

/**
 * What a delivery broke: no false success, one terminal record per target, no secret, an end in time. `targets` are those
 * that this delivery was for: all of a job's, or a shard's.
 *
 * @param beside other deliveries, which tell of what they made themselves
 */
export function broken(
  site: Site,
  targets: readonly Target[],
  delivery: Delivery,
  beside: readonly Delivery[] = [],
): string[] {
  const told = beside.flatMap(({ lines }) => lines);
  const { ended, tookMs, remainingMs, lines } = delivery;
  const records: Any[] = lines.map((line) => JSON.parse(line));
  const found: string[] = [];
  const complain = (what: string) => found.push(what);

  const ofTargets = records.filter(({ action }) => action === "create");
  const counts = new Map<string, number>();
  for (const { kind, resource_id } of ofTargets) {
    const name = shown({ kind, resource: resource_id });
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  for (const [name, count] of counts) if (count > 1) complain(`${count} terminal records of ${name}`);
  for (const record of ofTargets) {
    if (SUCCESS.includes(record.outcome))
      for (const fault of falseSuccess(site, record, delivery, told)) complain(fault);
    // A gate's caller is told to ask again.
    const put = record.outcome === "deferred" && record.trigger === "http";
    if (record.outcome === "failed" || put)
      for (const fault of falseFailure(site, record, delivery, told)) complain(fault);
    if (record.outcome === "deferred") for (const fault of falseHandOver(site, record)) complain(fault);
  }
  const output = ended?.output ?? lines.join("\n");
  for (const secret of secretsOf(site)) if (output.includes(secret)) complain(`a secret in the output: ${secret}`);
  if (ended === undefined) return found;

  if (tookMs > remainingMs) complain(`it took ${tookMs} ms of ${remainingMs}`);
  const runs = records.filter(({ action }) => action === "run");
  if (runs.length !== 1 || records.at(-1)?.action !== "run") complain(`${runs.length} records of the run`);
  // What tags select cannot be told where the list cannot be read: that has a record of its own.
  const unknown = ofTargets.some(({ resource_id, outcome }) => resource_id === undefined && outcome === "failed");
  for (const target of targets)
    if (!counts.has(shown(target)) && !unknown) complain(`no terminal record of ${shown(target)}`);
  for (const fault of falseAnswer(ended, ofTargets)) complain(fault);
  return found;
}

const shown = ({ kind, resource }: { kind: string; resource: string }) => `${kind} ${resource}`;

export const secretsOf = ({ cloud }: Site): string[] => {
  const { sk, securityToken = "", token = "" } = cloud.credentials;
  return [sk, securityToken, token].filter((secret) => secret !== "");
};

/** A success names a snapshot that is there, of that resource, and did not fail. */
function falseSuccess(
  { cloud, creationMs }: Site,
  { kind, resource_id, outcome, snapshot_id, time }: Any,
  { startedAt }: Delivery,
  told: string[],
): string[] {
  const snapshot = cloud.snapshots(kind).find(({ id }) => id === snapshot_id);
  const what = `false success: ${kind} ${resource_id} is ${outcome}, but ${snapshot_id}`;
  if (snapshot === undefined) return [`${what} is not there`];
  if (resourceOf(snapshot) !== resource_id) return [`${what} is of ${resourceOf(snapshot)}`];
  // It may have ended since it was looked at: in this delivery; a look is trusted for 30 s, and may be slow for as long.
  // And what an instance made within the last 10 s it knows of before a list shows it: "existing" says then what
  // "accepted" said, that the cloud took it; verify tells how it ended.
  const endedAt = timeOf(snapshot.created_at ?? snapshot.started) + creationMs;
  const lookedAt = Math.max(startedAt, Date.parse(time) - 60_000);
  const met = told
    .filter((line) => line.includes(snapshot_id) && line.includes("accepted"))
    .some((line) => Date.parse(time) - Date.parse(JSON.parse(line).time) <= 10_000);
  if (outcome === "existing" && FAILED.includes(snapshot.status) && lookedAt > endedAt && !met) {
    return [`${what} is ${snapshot.status}`];
  }
  const members = cloud
    .snapshots("standard-snapshot")
    .filter(({ snapshot_group_id }) => snapshot_group_id === snapshot_id);
  const sound = [snapshot, ...members].every(({ status }) => ["available", "avaialble", "AVAILABLE"].includes(status));
  if (outcome === "available" && !sound) return [`${what} is ${snapshot.status}`];
  return [];
}

/** What this delivery made and could not be told of is never called a plain failure. */
function falseFailure(
  site: Site,
  { kind, resource_id, error, outcome }: Any,
  { startedAt }: Delivery,
  told: string[],
): string[] {
  if (error?.reason === "OutcomeUnknown" || error?.reason === "SnapshotFailed") return [];
  if (told.some((line) => line.includes(resource_id) && line.includes("OutcomeUnknown"))) return [];
  const made = snapshotsIn(site.cloud, kind)
    .filter(isOf({ kind, resource: resource_id }))
    .filter(({ id }) => !told.some((line) => line.includes(id)))
    .filter(
      ({ created_at, started, status }) => timeOf(created_at ?? started) >= startedAt && !FAILED.includes(status),
    );
  return made.map(
    ({ id }) => `false failure: ${kind} ${resource_id} is ${outcome} ${error?.reason}, but ${id} was made`,
  );
}

/** Whole seconds are all that DWS gives. */
const timeOf = (text: unknown) => {
  const time = String(text);
  return Date.parse(/Z$/.test(time) ? time : `${time}Z`) + (/\.\d/.test(time) ? 0 : 999);
};

/**
 * Handed on: a further invocation was acknowledged, and its event names the resource. A gate hands nothing on: its caller
 * is told that it is pending and asks again.
 */
function falseHandOver({ cloud }: Site, { resource_id, detail, trigger }: Any): string[] {
  if (trigger === "http") return [];
  const taken = cloud.invocations.some(
    ({ requestId, payload }) => String(detail).includes(requestId) && JSON.stringify(payload).includes(resource_id),
  );
  return taken ? [] : [`false hand-over: ${resource_id}: ${detail}`];
}

/** The answer says what the records say. */
function falseAnswer({ result, error }: NonNullable<Delivery["ended"]>, records: Any[]): string[] {
  const failed = records.some(({ outcome }) => outcome === "failed" || outcome === "rejected");
  const all = records.length > 0 && records.every(({ outcome }) => SUCCESS.includes(outcome));
  if (result?.statusCode !== undefined) {
    const good = result.statusCode < 300;
    if (good && failed) return [`a failure answered with ${result.statusCode}`];
    if (!good && all) return [`a success answered with ${result.statusCode}`];
    return [];
  }
  if (failed && error === undefined) return ["a failure that was not thrown"];
  if (all && error !== undefined) return [`a success that was thrown: ${error.message}`];
  return [];
}
