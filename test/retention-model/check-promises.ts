/**
 * Checks what a run did against the promises of prune and `make_room`. Knows only the history of the run: every version of every row,
 * the requests, the announcements and the records. It shares no code with the planner.
 *
 * **What a list could show.** A row can change after the last list request and before a delete request arrives, and nobody can
 * prevent the deletion then. A promise about a delete request therefore refers to what a list request could show that was sent
 * before. For each delete request, the checker takes the last list request that contains the snapshot and that was answered before
 * the delete request was sent. The state of the cloud at each time between that list request (minus the lag of list responses) and
 * the delete request is a state that the run may have believed. If the run listed the members of a group later, their holds must be
 * seen in that list, too. A row that the list response omitted may have been missing, too.
 * The delete request breaks a promise if it breaks a promise in each of these states. In all of them, snapshots for which the run
 * has already sent a delete request do not exist, unless the service rejected the request.
 */
import { readFacts } from "./facts.ts";
import type { ChangeRequest, History, ListRequest } from "./history.ts";
import { createWorlds, findWorldProblems, type WorldProblem, type WorldPromise, type Worlds } from "./worlds.ts";

/**
 * The promises:
 *
 * - `ours`: only snapshots with an intact marker of the policy are deleted, and none of a backup, of EVS, of a group or of another DWS
 *   type than `MANUAL`.
 * - `held`: no snapshot is deleted that the policy, a label or the description holds, or whose creation time is not credible. A group
 *   with such a member is held, too.
 * - `settled`: no snapshot is deleted that is in creation, in deletion or in an unknown status.
 * - `lastGood`: the last good snapshot of a policy and a resource stays. `lastOfDisk`: a group stays if it contains the last good snapshot
 *   of a disk. `minKeep`: the newest `min_keep` good snapshots stay; neither held snapshots nor duplicates count.
 * - `keptByRule`: what a `keep_` rule keeps stays.
 * - `onlyDuplicates`: without a retention, only duplicates are deleted.
 * - `announced`: the log lists each deletion before its delete request.
 * - `renewed`: after a rejected or unanswered delete request, no further one is sent for the snapshot before a new list response. If
 *   a retry can succeed, this applies to the other snapshots of the resource, too.
 * - `reread`: the members of a group are listed again after the announcement, at most 1 s before its delete request.
 * - `deleted`: a snapshot whose record says `deleted` is gone or in deletion.
 * - `recorded`: each snapshot has at most one record, and exactly one if a delete request was sent for it. If the service accepted the
 *   request, the record does not say that the snapshot was kept.
 * - `dryRun`: a dry run sends no delete request, and if nothing changes, the run does what the dry run planned.
 * - `room`: `make_room` deletes one snapshot for each create request that EVS rejected because of the quota, and none otherwise.
 * - `inTime`: no delete request is sent after the deadline.
 * - `ends`: the run ends, and without an error.
 */
export const PROMISES = [
  ...["ours", "held", "settled", "lastGood", "lastOfDisk", "minKeep", "keptByRule", "onlyDuplicates"],
  ...["announced", "renewed", "reread", "deleted", "recorded", "dryRun", "room", "inTime", "ends"],
] as const;
export type PromiseName =
  | WorldPromise
  | ("announced" | "renewed" | "reread" | "deleted" | "recorded" | "dryRun" | "room" | "inTime" | "ends");

/** A promise that a run broke. */
export interface BrokenPromise {
  promise: PromiseName;
  text: string;
}

/** How long before the delete request of a group its members may have been listed, in milliseconds. */
const REREAD_MS = 1_000;

/** The reasons of rejected delete requests after which a retry can succeed. */
const RETRIED = ["Busy", "Throttled", "CloudError", "Unreachable", "BadResponse"];

/** Returns the promises that a run broke. */
export function checkPromises(history: History): BrokenPromise[] {
  const { deletes, records, policy, mode, end } = history;
  const broken: BrokenPromise[] = [];
  const add = (promise: PromiseName, text: string) => broken.push({ promise, text });
  if (end.type === "hangs") add("ends", "the run never ended");
  if (end.type === "threw" && mode === "prune") add("ends", `the run threw ${end.message}`);
  if (policy.dry_run) for (const { kind, id } of deletes) add("dryRun", `${kind} ${id}: deleted in a dry run`);
  const worlds = createWorlds(history);
  for (const request of deletes) {
    const { kind, id, sentAt } = request;
    if (sentAt > history.deadline) add("inTime", `${kind} ${id}: delete request after the deadline`);
    for (const problem of findStateProblems(request, history, worlds)) add(problem.promise, problem.text);
    const announcedAt = history.announcements.find(({ at, ids }) => at <= sentAt && ids.includes(id))?.at;
    if (announcedAt === undefined) add("announced", `${kind} ${id}: not announced before its delete request`);
    if (kind !== "snapshot-group" || announcedAt === undefined) continue;
    const isReread = ({ sentAt: listedAt, answeredAt }: ListRequest) =>
      listedAt >= announcedAt && answeredAt <= sentAt && sentAt - answeredAt <= REREAD_MS;
    if (![...listsOf(history, request), ...memberListsOf(history, id)].some(isReread))
      add("reread", `${kind} ${id}: its members were not listed again right before its delete request`);
    if (isMemberHeld(request, history, worlds)) add("held", `${kind} ${id}: a member is held`);
  }
  broken.push(...findNotRenewed(history), ...findRecordProblems(history));
  for (const record of records) {
    if (record.outcome === "deleted" && record.id !== undefined && existsUntil(record.at, record.id, history, worlds))
      add("deleted", `${record.kind} ${record.id}: recorded as deleted, but it exists`);
  }
  if (mode === "make-room") broken.push(...findRoomProblems(history));
  return broken;
}

const resourceIn = ({ rows }: History, id: string): string => {
  const raw = rows.find((row) => row.id === id)?.versions.find((version) => version.raw)?.raw ?? {};
  return String(raw.volume_id ?? raw.server_id ?? raw.cluster_id ?? "").toLowerCase();
};

/** Returns the list requests whose responses could contain a snapshot. */
const listsOf = (history: History, { kind, id }: { kind: string; id: string }): ListRequest[] =>
  history.lists.filter(
    (list) =>
      list.kind === kind &&
      list.membersOf === undefined &&
      (list.resource === undefined || list.resource.toLowerCase() === resourceIn(history, id)),
  );

/** Returns the list requests whose responses contain the members of a group, without the group. */
const memberListsOf = ({ lists }: History, id: string): ListRequest[] =>
  lists.filter(({ membersOf }) => membersOf === id);

/**
 * Returns the last of several list requests that were answered at a given time. Returns several if they overlap: no list request
 * among them was sent after the response to another one.
 */
function lastOf(lists: readonly ListRequest[], time: number): ListRequest[] {
  const answered = lists.filter(({ answeredAt }) => answeredAt <= time);
  const lastSentAt = Math.max(...answered.map(({ sentAt }) => sentAt));
  return answered.filter(({ sentAt, answeredAt }) => sentAt === lastSentAt || answeredAt > lastSentAt);
}

/** Returns the time from which a list request could show the state of the cloud. */
const shownSince = ({ listLagMs }: History, lists: readonly ListRequest[]): number =>
  Math.min(...lists.map(({ sentAt }) => sentAt)) - listLagMs;

/** Returns the ids that each of several list requests omitted, and no ids. */
const omittedBy = (lists: readonly ListRequest[]): ReadonlySet<string>[] => [
  new Set(),
  ...lists.map(({ omitted }) => omitted).filter(({ size }) => size > 0),
];

/** Returns what is wrong with a delete request in every state that the run may have believed. */
function findStateProblems(request: ChangeRequest, history: History, worlds: Worlds): WorldProblem[] {
  const { kind, id, sentAt } = request;
  const lists = lastOf(listsOf(history, request), sentAt);
  if (lists.length === 0) return [{ promise: "ours", text: `${kind} ${id}: deleted without a list request` }];
  const maybeGone = history.deletes
    .filter((other) => other.id !== id && other.sentAt <= sentAt && !isStillThere(other, request, lists))
    .map((other) => other.id);
  const missing = omittedBy(lists).map((omitted) => new Set([...maybeGone, ...omitted]));
  for (const ids of missing) ids.delete(id);
  let problems: WorldProblem[] = [];
  // The newest states come first, because they usually allow the deletion.
  for (const time of worlds.moments(kind, shownSince(history, lists), sentAt)) {
    for (const ids of missing) {
      problems = findWorldProblems(worlds.read(kind, time, ids), request, history.policy, sentAt);
      if (problems.length === 0) return [];
    }
  }
  return problems;
}

/** Returns whether a member of a group is held in every state that the last list of its members could show. */
function isMemberHeld({ kind, id, sentAt }: ChangeRequest, history: History, worlds: Worlds): boolean {
  const lists = lastOf(memberListsOf(history, id), sentAt);
  if (lists.length === 0) return false;
  const isHeld = (time: number, missing: ReadonlySet<string>) =>
    worlds.read(kind, time, missing).some((group) => group.id === id && group.members.some(({ hold }) => hold));
  return worlds
    .moments(kind, shownSince(history, lists), sentAt)
    .every((time) => omittedBy(lists).every((missing) => isHeld(time, missing)));
}

/** Returns whether a response shows that another snapshot still exists although the run has sent a delete request for it. */
function isStillThere(other: ChangeRequest, request: ChangeRequest, lists: readonly ListRequest[]): boolean {
  if (other.answeredAt > request.sentAt || other.reason === undefined) return false;
  return !other.isAmbiguous || lists.some(({ sentAt }) => sentAt >= other.answeredAt);
}

/**
 * Finds delete requests that rely on a list response from before a failed delete request. For the same snapshot, the list request
 * must also have been sent afterwards.
 */
function findNotRenewed(history: History): BrokenPromise[] {
  const broken: BrokenPromise[] = [];
  for (const [index, failed] of history.deletes.entries()) {
    if (failed.reason === undefined) continue;
    const resource = resourceIn(history, failed.id);
    for (const request of history.deletes.slice(index + 1)) {
      const isSame = request.id === failed.id;
      const isRelated = request.kind === failed.kind && resource !== "" && resourceIn(history, request.id) === resource;
      if (isSame ? request.sentAt < failed.answeredAt : request.sentAt <= failed.answeredAt) continue;
      if (!isSame && !(isRelated && RETRIED.includes(failed.reason))) continue;
      const isRenewed = lastOf(listsOf(history, request), request.sentAt).some(
        ({ sentAt, answeredAt }) => (isSame ? sentAt : answeredAt) >= failed.answeredAt,
      );
      if (isRenewed) continue;
      const text = `${request.kind} ${request.id}: not listed again after the ${failed.reason} of ${failed.id}`;
      broken.push({ promise: "renewed", text });
    }
  }
  return broken;
}

/** Returns whether a snapshot exists, and is not in deletion, in every state that the run may have believed at a time. */
function existsUntil(time: number, id: string, history: History, worlds: Worlds): boolean {
  const kind = history.rows.find((row) => row.id === id)?.kind ?? "";
  const lists = lastOf(listsOf(history, { kind, id }), time);
  if (lists.some(({ omitted }) => omitted.has(id))) return false;
  return worlds
    .moments(kind, Math.min(time, shownSince(history, lists)), time)
    .every((moment) => worlds.read(kind, moment, new Set()).some((facts) => facts.id === id && !facts.isInDeletion));
}

function findRecordProblems({ records, deletes, rows, policy, isCalm, mode }: History): BrokenPromise[] {
  const broken: BrokenPromise[] = [];
  const add = (text: string) => broken.push({ promise: "recorded", text });
  for (const { kind, id, versions } of rows) {
    const ofRow = records.filter((record) => record.id === id);
    const requests = deletes.filter((request) => request.id === id);
    if (ofRow.length > 1) add(`${kind} ${id}: ${ofRow.length} records`);
    const raw = versions[0]?.raw ?? {};
    const isMarked = readFacts(kind, raw, [], policy).marker?.policy === policy.policy;
    const isExpected =
      isCalm && mode === "prune" && policy.retention !== undefined && !raw.snapshot_group_id && isMarked;
    if (ofRow.length === 0 && (requests.length > 0 || (isExpected && deletes.length > 0)))
      add(`${kind} ${id}: no record`);
    const wasAccepted = requests.some(({ reason }) => reason === undefined);
    if (wasAccepted && ofRow.some(({ outcome }) => ["kept", "held", "planned"].includes(outcome)))
      add(`${kind} ${id}: the delete request succeeded, but the record says ${ofRow[0]?.outcome}`);
  }
  return broken;
}

/** Finds deletions for which no create request was rejected because of the quota. Each rejection allows one accepted deletion. */
function findRoomProblems({ deletes, creates }: History): BrokenPromise[] {
  const rejections = creates.filter(({ reason }) => reason === "QuotaExceeded");
  return deletes
    .filter(({ sentAt }) => {
      const accepted = deletes.filter((other) => other.reason === undefined && other.answeredAt <= sentAt);
      return accepted.length >= rejections.filter(({ answeredAt }) => answeredAt <= sentAt).length;
    })
    .map(({ id }) => ({ promise: "room", text: `${id}: deleted although EVS did not reject another create request` }));
}
