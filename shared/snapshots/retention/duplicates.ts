import { credibleTime, type Instant } from "../../core/instant.ts";
import { type FoundSnapshot, isLive, type Kind } from "../kinds/kind.ts";
import { snapshotName } from "../marker.ts";
import { holdReason } from "./holds.ts";
import { foreignTypeReason } from "./kind-rules.ts";
import { compareNewestFirst, MAX_APART_MS, resourceOf, type Verdict } from "./plan.ts";

/**
 * The rules for the deletion of a duplicate. Two deliveries of one create request at the same moment can create two snapshots.
 * Prune deletes the younger snapshot only if all rules hold. The older snapshot is then a good snapshot of the same resource,
 * so at least one good snapshot of the resource remains.
 */

/** How old both snapshots must be, in milliseconds. A caller may still be waiting for the younger snapshot. */
const MIN_AGE_MS = 3_600_000;
/** The number of create attempts whose generated names are recognized. More attempts than that do not occur. */
const MAX_ATTEMPTS = 20;
/**
 * The maximum number of older snapshots with which one snapshot is compared. People can copy the labels of one snapshot to
 * thousands of others, and a comparison of all of them with each other would take too long.
 */
const MAX_COMPARED = 20;

export interface DuplicateOptions {
  /** The field `hold` of the policy, as `namesIn` returns it. */
  hold: ReadonlySet<string>;
  now: Instant;
}

/** A snapshot that looks like a duplicate: an older snapshot has the same policy, key, request hash and resource. */
export interface Duplicate {
  /** The older snapshot, which remains. */
  original: FoundSnapshot;
  /** The rule that prevents the deletion of the younger snapshot, as a clause. Undefined if all rules hold. */
  brokenRule: string | undefined;
}

/**
 * Finds the snapshots that look like duplicates of an older snapshot. Ignores failed snapshots and snapshots in deletion.
 *
 * @param snapshots the snapshots of one kind and one policy
 * @returns a map from each younger snapshot to its duplicate
 */
export function findDuplicates(
  kind: Kind,
  snapshots: readonly FoundSnapshot[],
  options: DuplicateOptions,
): Map<FoundSnapshot, Duplicate> {
  const duplicates = new Map<FoundSnapshot, Duplicate>();
  for (const ofRequest of groupByRequest(snapshots)) {
    const remaining: FoundSnapshot[] = [];
    for (const snapshot of ofRequest.sort(compareNewestFirst).reverse()) {
      const duplicate = duplicateAmong(remaining, kind, snapshot, options);
      if (duplicate !== undefined) duplicates.set(snapshot, duplicate);
      if (duplicate === undefined || duplicate.brokenRule !== undefined) remaining.push(snapshot);
    }
  }
  return duplicates;
}

/** Groups live snapshots by request hash and idempotency key. */
function groupByRequest(snapshots: readonly FoundSnapshot[]): FoundSnapshot[][] {
  const byHash = new Map<string, Map<string, FoundSnapshot[]>>();
  for (const snapshot of snapshots) {
    const { marker } = snapshot;
    if (marker === undefined || !isLive(snapshot)) continue;
    const byKey = byHash.get(marker.requestHash) ?? new Map<string, FoundSnapshot[]>();
    byHash.set(marker.requestHash, byKey);
    const ofRequest = byKey.get(marker.idempotencyKey);
    if (ofRequest === undefined) byKey.set(marker.idempotencyKey, [snapshot]);
    else ofRequest.push(snapshot);
  }
  return [...byHash.values()].flatMap((byKey) => [...byKey.values()]);
}

/**
 * Compares a snapshot with the older snapshots of the same request, the youngest of them first.
 *
 * @returns the first older snapshot for which all rules hold. If there is none, the youngest of the older snapshots.
 */
function duplicateAmong(
  older: readonly FoundSnapshot[],
  kind: Kind,
  snapshot: FoundSnapshot,
  options: DuplicateOptions,
): Duplicate | undefined {
  let duplicate: Duplicate | undefined;
  let compared = 0;
  for (let index = older.length - 1; index >= 0 && compared < MAX_COMPARED; index -= 1) {
    const original = older[index] as FoundSnapshot;
    // If the resource of a snapshot is unknown, it can be the same resource.
    const isOther = original.resource !== snapshot.resource && original.resource && snapshot.resource;
    if (isOther) continue;
    compared += 1;
    const brokenRule = findBrokenRule(kind, original, snapshot, options);
    if (brokenRule === undefined) return { original, brokenRule };
    duplicate ??= { original, brokenRule };
  }
  return duplicate;
}

/**
 * Returns the first rule that does not hold for the deletion of a duplicate, as a clause such as `s-1 is not available`. Returns
 * undefined if prune may delete the younger snapshot.
 */
export function findBrokenRule(
  kind: Kind,
  original: FoundSnapshot,
  younger: FoundSnapshot,
  { hold, now }: DuplicateOptions,
): string | undefined {
  if (original.id === younger.id) return "it is the same snapshot";
  if (!hasSameMarker(original, younger)) return "their markers differ";
  const both = [original, younger];
  for (const snapshot of both) {
    const resource = resourceOf(snapshot);
    if (resource === undefined) return `the resource of ${snapshot.id} is unknown`;
  }
  if (original.resource !== younger.resource) return "their resources differ";
  for (const { id, state, status } of both) if (state !== "available") return `${id} has the status ${status}`;
  if (kind.hasMembers) {
    for (const { id, members = [] } of both) {
      const unusable = members.find(({ state }) => state !== "available");
      if (unusable !== undefined) return `the member ${unusable.id} of ${id} has the status ${unusable.status}`;
    }
    const [disks, otherDisks] = both.map(memberDisksOf);
    if (disks === undefined || disks !== otherDisks) return "their member disks differ or are unknown";
  }
  const [originalTime, youngerTime] = both.map(({ created }) => credibleTime(created, now));
  if (originalTime === undefined) return `the creation time of ${original.id} is unknown or not credible`;
  if (youngerTime === undefined) return `the creation time of ${younger.id} is unknown or not credible`;
  // A creation time can change between two list responses.
  if (youngerTime < originalTime) return `${younger.id} is older`;
  if (youngerTime - originalTime > MAX_APART_MS) return "they were created more than 1 hour apart";
  if (now - youngerTime < MIN_AGE_MS) return `${younger.id} was created less than 1 hour ago`;
  for (const snapshot of both) {
    const held = holdReason(snapshot, hold, now) ?? foreignTypeReason(snapshot, kind);
    if (held !== undefined) return `${snapshot.id} must not be deleted (${held})`;
  }
  const isNamed = original.name === younger.name || both.every((snapshot) => hasGeneratedName(kind, snapshot));
  return isNamed ? undefined : "their names differ, and at most one of the two names was generated from the request";
}

const hasSameMarker = ({ marker: a }: FoundSnapshot, { marker: b }: FoundSnapshot): boolean =>
  a !== undefined && a.policy === b?.policy && a.idempotencyKey === b.idempotencyKey && a.requestHash === b.requestHash;

/** Returns the disk ids of the members of a group, sorted. Returns undefined if there are no members or a disk is unknown. */
function memberDisksOf({ members = [] }: FoundSnapshot): string | undefined {
  const disks = members.map(({ resource }) => resource);
  return disks.length === 0 || disks.includes(undefined) ? undefined : disks.sort().join(",");
}

/**
 * Returns whether a function generated the name of a snapshot, so no caller chose it. Each attempt of a create request generates
 * a name with a different ending. The name of the snapshot must have the ending of one of the first `MAX_ATTEMPTS` attempts.
 */
function hasGeneratedName(kind: Kind, snapshot: FoundSnapshot): boolean {
  const endings = nameEndings(kind.name, resourceOf(snapshot) ?? "", snapshot.marker?.idempotencyKey ?? "");
  return endings.has(snapshot.name.toLowerCase().slice(-ENDING_LENGTH));
}

/** The number of characters with which a generated name ends: a hyphen and 8 hexadecimal digits. */
const ENDING_LENGTH = 9;
/** The endings of the last request. Remember them, because all snapshots that look like duplicates have the same request. */
let lastEndings: { request: string; endings: Set<string> } | undefined;

/** Returns the endings of the names that a create request generates. */
function nameEndings(kind: string, resource: string, key: string): Set<string> {
  const request = `${kind} ${resource} ${key}`;
  if (lastEndings?.request === request) return lastEndings.endings;
  const endings = new Set<string>();
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    // With an empty label, the name consists only of its ending.
    endings.add(snapshotName("", undefined, { kind, resource, key, attempt }));
  }
  lastEndings = { request, endings };
  return endings;
}

/** Returns the rule in the record of a snapshot that looks like a duplicate but must not be deleted as such. */
export const keptRule = (originalId: string, brokenRule: string): string =>
  `possible twin of ${originalId}, but ${brokenRule}`;

/**
 * Applies the rules for the deletion of a duplicate to the retention verdict on a snapshot that looks like a duplicate. Retention
 * can still keep a duplicate by `min_keep`, and it can still delete a snapshot that is not counted as a duplicate.
 */
export function applyDuplicateRules(verdict: Verdict, { original, brokenRule }: Duplicate): Verdict {
  const { decision, isDuplicate = false } = verdict;
  if (brokenRule === undefined) {
    return decision === "deleted" ? { ...verdict, rule: `twin of ${original.id}`, isDuplicate: true } : verdict;
  }
  const rule = keptRule(original.id, brokenRule);
  if (decision === "kept") return { ...verdict, rule: `${verdict.rule}; ${rule}` };
  return isDuplicate ? { ...verdict, decision: "kept", rule, isDuplicate: false } : verdict;
}
