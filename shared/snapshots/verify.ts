import { eachKind } from "./each-kind.ts";
import { type Instant, parseInstant } from "./instant.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import { lean, whyNotOurs } from "./ours.ts";
import type { EndFields } from "./outcome.ts";
import { SnapshotError } from "./reasons.ts";
import { byResource, resourceOf, youngerTwins } from "./retention.ts";
import type { Means } from "./take.ts";

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
 * older ones that are still being created. There is no store: a record may come again in the next run, none is lost. One
 * that is still being created, and not for too long, is left for the next run. A group's members are named with it.
 *
 * @returns how many snapshots were looked at
 */
export async function verify(options: VerifyOptions, means: Means): Promise<number> {
  let count = 0;
  const ours = (found: FoundSnapshot) => {
    if (found.marker === undefined || whyNotOurs(found) !== undefined) return undefined;
    return isDue(found, options) ? found : lean(found);
  };
  await eachKind({ action: "verify" }, means, ours, (kind, found) => {
    const standing = found.filter(({ state }) => state !== "failed" && state !== "deleting");
    const twins = new Map(byResource(standing).flatMap((snapshots) => [...youngerTwins(snapshots)]));
    for (const snapshot of found.filter((one) => isDue(one, options))) {
      const end = judge(kind, snapshot, options);
      count += 1;
      if (end === undefined) continue;
      const { id, name, marker } = snapshot;
      const begun = means.report({
        action: "verify",
        kind: kind.kind,
        resource_id: resourceOf(snapshot),
        name,
        snapshot_id: id,
        // Stryker disable next-line OptionalChaining: all of ours have one, which their type does not say
        policy: marker?.policy,
      });
      begun({ ...end, detail: detailOf(end.detail, snapshot, twins.get(snapshot)) });
    }
  });
  return count;
}

function isDue({ created, state, raw }: FoundSnapshot, { time, lookbackMinutes }: VerifyOptions): boolean {
  const since = time - lookbackMinutes * MINUTE_MS;
  // One that was creating for long has its end in the lookback, though not its beginning.
  const ended = parseInstant(raw.updated_at) ?? parseInstant(raw.finished) ?? parseInstant(raw.updated);
  // Without a time it cannot be said to be old.
  const latest = ended ?? Number.NEGATIVE_INFINITY;
  return state === "creating" || created === undefined || created >= since || latest >= since;
}

/** What there is to say; undefined: nothing yet, or nothing any more. */
function judge(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): EndFields | undefined {
  const { id, state, status, created } = snapshot;
  switch (state) {
    case "available":
      return { outcome: "available" };
    case "failed": {
      const error = new SnapshotError(
        "SnapshotFailed",
        `Expected the ${kind.kind} ${id} of ${resourceOf(snapshot) ?? "several disks"} to become available; it ended in the status ${statusOf(snapshot)}.`,
      );
      return { outcome: "failed", error };
    }
    case "creating": {
      if (created === undefined) {
        return { outcome: "unverified", detail: "It is being created, and its time cannot be read." };
      }
      const since = options.time - created;
      const stuck = since > (options.stuckAfterMinutes ?? kind.stuckAfterMinutes) * MINUTE_MS;
      return stuck
        ? { outcome: "unverified", detail: `Stuck: it has been creating for ${Math.floor(since / MINUTE_MS)} minutes.` }
        : undefined;
    }
    case "deleting":
      // What could not be deleted stays, and counts against the quota.
      return /error/i.test(status)
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
