import { SnapshotError } from "../core/errors.ts";
import { type Instant, parseInstant } from "../core/instant.ts";
import type { RunContext } from "./create/create-all.ts";
import { cannotBeDeleted, type FoundSnapshot, type Kind } from "./kinds/kind.ts";
import { listByKind } from "./list-by-kind.ts";
import { compact, foreignReason, groupOf } from "./ownership.ts";
import type { EndFields } from "./reporting.ts";
import { byResource, resourceOf, youngerDuplicates } from "./retention/plan.ts";

export interface VerifyOptions {
  /** The event's time. */
  time: Instant;
  lookbackMinutes: number;
  /** Undefined: each kind's own. */
  stuckAfterMinutes?: number;
}

const MINUTE_MS = 60_000;

/**
 * Says of every recent snapshot that carries our marker whether it became usable: those created within the lookback, and
 * older ones that are still being created, that ended within it, or badly since they may have been creating when it began,
 * or whose deletion failed. There is no store: a
 * record may come again in the next run, none is lost. One that is still being created, and not for too long, is left for
 * the next run. A group's members are named with it; where some outlived their group the record of the run says so.
 *
 * @returns how many snapshots were looked at
 */
export async function verify(options: VerifyOptions, runContext: RunContext): Promise<number> {
  let count = 0;
  const groups = new Set<string>();
  const ofMembers = new Set<string>();
  let groupsSeen = false;
  // Told while all fields are there: a project may have 100,000 that are due.
  const due = new WeakSet<FoundSnapshot>();
  const ours = (found: FoundSnapshot, kind: Kind) => {
    const group = groupOf(found);
    if (group !== undefined && found.state !== "deleting") ofMembers.add(group);
    // Stryker disable next-line ConditionalExpression: the id of another kind's is no group's
    if (kind.hasMembers) groups.add(found.id);
    if (found.marker === undefined || foreignReason(found) !== undefined) return undefined;
    const held = compact(found);
    if (isDue(kind, found, options)) due.add(held);
    return held;
  };
  await listByKind({ action: "verify" }, runContext, ours, async (kind, found, pause) => {
    if (kind.hasMembers) groupsSeen = true;
    const standing = found.filter(({ state }) => state !== "failed" && state !== "deleting");
    const duplicates = new Map(byResource(standing).flatMap((snapshots) => [...youngerDuplicates(snapshots)]));
    for (const snapshot of found.filter((one) => due.has(one))) {
      await pause();
      const end = assessSnapshot(kind, snapshot, options);
      count += 1;
      if (end === undefined) continue;
      const { id, name, marker } = snapshot;
      const begun = runContext.report({
        action: "verify",
        kind: kind.name,
        resource_id: resourceOf(snapshot),
        name,
        snapshot_id: id,
        // Stryker disable next-line OptionalChaining: all of ours have one, which their type does not say
        policy: marker?.policy,
      });
      begun({ ...end, detail: detailOf(end.detail, snapshot, duplicates.get(snapshot)) });
    }
  });
  const gone = [...ofMembers].filter((id) => !groups.has(id));
  if (groupsSeen && gone.length > 0) runContext.addNotice(remarkOn(gone));
  return count;
}

/** So many ids are named; the others are found in the same way. */
const MOST_NAMED = 20;

/**
 * Whether the members of a group go with it is UNCONFIRMED (cloud-apis.md 2.2). Those that stay carry no marker, so that it
 * cannot be told whose they were: they are told, and nothing deletes them.
 */
function remarkOn(groups: readonly string[]): string {
  const named = groups.slice(0, MOST_NAMED).join(", ");
  const more = groups.length > MOST_NAMED ? ` and ${groups.length - MOST_NAMED} more` : "";
  return `Standard snapshots are left of groups that are gone, and nothing deletes them but you. Their snapshot_group_id: ${named}${more}.`;
}

/**
 * Whether it was made within the lookback, or has not ended, or ended in it where a time of change says so. That one moves
 * when a snapshot ends is UNCONFIRMED: a bad end is told of for as long before as a snapshot may be creating, as at the last
 * look there was nothing to say of it yet. A group is as its members are.
 */
function isDue(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): boolean {
  const { raw, members = [] } = snapshot;
  const since = options.time - options.lookbackMinutes * MINUTE_MS;
  const ended = parseInstant(raw.updated_at) ?? parseInstant(raw.finished) ?? parseInstant(raw.updated);
  if ((ended ?? Number.NEGATIVE_INFINITY) >= since) return true;
  const begun = snapshot.state === "available" ? since : since - stuckAfter(kind, options);
  return [snapshot, ...members].some((one) => {
    const { state, created } = one;
    // Without a time it cannot be said to be old.
    return state === "creating" || cannotBeDeleted(one) || created === undefined || created >= begun;
  });
}

const stuckAfter = (kind: Kind, { stuckAfterMinutes }: VerifyOptions): number =>
  (stuckAfterMinutes ?? kind.stuckAfterMinutes) * MINUTE_MS;

/** What there is to say; undefined: nothing yet, or nothing any more. */
function assessSnapshot(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): EndFields | undefined {
  const { id, state, status, created } = snapshot;
  switch (state) {
    case "available":
      return { outcome: "available" };
    case "failed": {
      const error = new SnapshotError(
        "SnapshotFailed",
        `Expected the ${kind.name} ${id} of ${resourceOf(snapshot) ?? "several disks"} to become available; it ended in the status ${statusOf(snapshot)}.`,
      );
      return { outcome: "failed", error };
    }
    case "creating": {
      if (created === undefined) {
        return { outcome: "unverified", detail: "It is being created, and its time cannot be read." };
      }
      const since = options.time - created;
      return since > stuckAfter(kind, options)
        ? { outcome: "unverified", detail: `Stuck: it has been creating for ${Math.floor(since / MINUTE_MS)} minutes.` }
        : undefined;
    }
    case "deleting":
      // What could not be deleted stays, and counts against the quota.
      return cannotBeDeleted(snapshot)
        ? { outcome: "unverified", detail: `The status is "${status}": only the cloud's support can delete it.` }
        : undefined;
    default:
      return { outcome: "unverified", detail: `The status ${statusOf(snapshot)} is not known.` };
  }
}

/** The state of a group is what it and its members are together. */
function statusOf({ status, members }: FoundSnapshot): string {
  const ofMembers = [...new Set(members?.map((member) => `"${member.status}"`))].join(", ");
  return `"${status}"${ofMembers && ` (members: ${ofMembers})`}`;
}

function detailOf(detail: string | undefined, { members }: FoundSnapshot, twin: FoundSnapshot | undefined) {
  const parts = [
    detail,
    twin && `Twin of ${twin.id}: prune deletes this one once that one is available.`,
    members && `Members: ${members.map(({ id, status }) => `${id} ${status}`).join(", ") || "none"}.`,
  ];
  return parts.filter((part) => part !== undefined).join(" ") || undefined;
}
