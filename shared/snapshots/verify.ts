import { type Instant, instant } from "./instant.ts";
import { KINDS } from "./kinds/index.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import type { EndFields } from "./outcome.ts";
import { asSnapshotError, SnapshotError } from "./reasons.ts";
import type { Means } from "./take.ts";
import { retryRead } from "./waiting.ts";

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
 * that is still being created, and not for too long, is left for the next run. A kind that cannot be listed has a failed
 * record and does not stop the others.
 *
 * @returns how many snapshots were looked at
 */
export async function verify(options: VerifyOptions, { cloud, patience, report }: Means): Promise<number> {
  let count = 0;
  for (const kind of Object.values<Kind>(KINDS)) {
    try {
      const found = (await retryRead(() => cloud(kind).listAll(), patience)).filter(({ marker }) => marker);
      const twins = youngerTwins(found);
      for (const snapshot of found.filter((one) => isDue(one, options))) {
        const end = judge(kind, snapshot, options);
        count += 1;
        if (end === undefined) continue;
        const { id, name, resource, marker } = snapshot;
        const begun = report({
          action: "verify",
          kind: kind.kind,
          resource_id: resource,
          name,
          snapshot_id: id,
          policy: marker?.policy,
        });
        begun({ ...end, detail: detailOf(end.detail, snapshot, twins.get(snapshot)) });
      }
    } catch (thrown) {
      const end = report({ action: "verify", kind: kind.kind });
      end({ outcome: "failed", detail: "These snapshots could not be listed.", error: asSnapshotError(thrown) });
    }
  }
  return count;
}

function isDue({ created, state }: FoundSnapshot, { time, lookbackMinutes }: VerifyOptions): boolean {
  // Without a time it cannot be said to be old.
  return state === "creating" || created === undefined || created >= time - lookbackMinutes * MINUTE_MS;
}

/** What there is to say; undefined: nothing yet, or nothing any more. */
function judge(kind: Kind, snapshot: FoundSnapshot, options: VerifyOptions): EndFields | undefined {
  const { id, resource, state, status, created } = snapshot;
  switch (state) {
    case "available":
      return { outcome: "available" };
    case "failed": {
      const error = new SnapshotError(
        "SnapshotFailed",
        `Expected the ${kind.kind} ${id} of ${resource ?? "several disks"} to become available; it ended in the status "${status}".`,
      );
      return { outcome: "failed", error };
    }
    case "creating": {
      const minutes = Math.floor((options.time - (created ?? instant(options.time))) / MINUTE_MS);
      const stuck = minutes > (options.stuckAfterMinutes ?? kind.stuckAfterMinutes);
      return stuck
        ? { outcome: "unverified", detail: `Stuck: it has been creating for ${minutes} minutes.` }
        : undefined;
    }
    case "deleting":
      return undefined;
    default:
      return { outcome: "unverified", detail: `The status "${status}" is not known.` };
  }
}

/** Two that were made of one by deliveries at the same moment (DESIGN 4.4): the younger one -> the one that stays. */
function youngerTwins(found: readonly FoundSnapshot[]): Map<FoundSnapshot, FoundSnapshot> {
  const oldest = new Map<string, FoundSnapshot>();
  const twins = new Map<FoundSnapshot, FoundSnapshot>();
  const byAge = [...found].sort((a, b) => (a.created ?? 0) - (b.created ?? 0) || (a.id < b.id ? -1 : 1));
  for (const snapshot of byAge.filter(({ state }) => state !== "failed" && state !== "deleting")) {
    const identity = `${snapshot.resource} ${snapshot.marker?.key}`;
    const older = oldest.get(identity);
    if (older === undefined) oldest.set(identity, snapshot);
    else twins.set(snapshot, older);
  }
  return twins;
}

function detailOf(detail: string | undefined, { members }: FoundSnapshot, twin: FoundSnapshot | undefined) {
  const parts = [
    detail,
    twin && `Twin of ${twin.id}: prune deletes this one once that one is available.`,
    members && `Members: ${members.map(({ id, status }) => `${id} ${status}`).join(", ")}.`,
  ];
  return parts.filter((part) => part !== undefined).join(" ") || undefined;
}
