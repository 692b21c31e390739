import type { Instant } from "../../core/instant.ts";
import { retryRead } from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { toCompactSnapshot } from "../ownership.ts";
import type { Target } from "../policy.ts";
import type { Run, RunContext } from "../run-context.ts";
import { tooManySnapshotsError } from "../too-many-snapshots.ts";

/**
 * Returns the snapshots that a run has already created for one target. All targets of the same kind of snapshot share one list
 * request.
 */
export interface SnapshotIndex {
  (target: Target): Promise<FoundSnapshot[]>;
  /**
   * Returns the number of all snapshots of a resource, including snapshots that other runs created. Only for kinds of snapshots
   * with `maxPerResource`.
   */
  count(kind: Kind, resource: string): Promise<number>;
}

/**
 * How long a list response is used, in milliseconds. After this time, another instance may have created snapshots for another
 * delivery of the event.
 */
const FRESH_MS = 30_000;
/**
 * The index sends another list request only after it was used for one target per 50 listed snapshots. For example, if the
 * previous list response contained 1,000 snapshots, the index must be used for 20 targets first.
 */
const ROWS_PER_TARGET = 50;

/**
 * Creates an index of existing snapshots. The index lists the snapshots of a kind when a caller asks for a target of that kind
 * for the first time. If the list response is too old, the index lists the snapshots again.
 */
export function indexExistingSnapshots(
  run: Run,
  {
    cloud,
    retryBudget,
    maxSnapshots = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxSnapshots">,
): SnapshotIndex {
  const lists = new Map<string, { at: Instant; targets: number; rows: number; reading: ReturnType<typeof read> }>();
  const read = async (kind: Kind) => {
    const byResource = new Map<string | undefined, FoundSnapshot[]>();
    const counts = new Map<string | undefined, number>();
    let rows = 0;
    let kept = 0;
    await cloud(kind).listAll((found) => {
      rows += 1;
      if (kind.maxPerResource !== undefined) counts.set(found.resource, (counts.get(found.resource) ?? 0) + 1);
      // A project can have thousands of snapshots, so keep only the snapshots of this run in memory. If snapshot names must be
      // unique, keep all snapshots, because any of them can have the requested name.
      if (found.marker?.idempotencyKey !== run.idempotencyKey && !kind.uniqueNames) return;
      const resource = kind.uniqueNames ? undefined : found.resource;
      if (kept >= maxSnapshots) throw tooManySnapshotsError(kind, maxSnapshots);
      kept += 1;
      const ofResource = byResource.get(resource) ?? [];
      ofResource.push(toCompactSnapshot(found));
      byResource.set(resource, ofResource);
    });
    return { byResource, counts, rows };
  };
  const list = (kind: Kind) => {
    const now = retryBudget.time.now();
    let latest = lists.get(kind.name);
    const isWorthwhile = latest !== undefined && latest.targets * ROWS_PER_TARGET >= latest.rows;
    if (latest === undefined || (now - latest.at > FRESH_MS && isWorthwhile)) {
      // If a refresh fails, the previous list response remains in use.
      const previous = latest?.reading;
      const reading = retryRead(() => read(kind), retryBudget);
      const refreshed = {
        at: now,
        targets: 0,
        rows: 0,
        reading: previous ? reading.catch(() => previous) : reading,
      };
      refreshed.reading.then(
        ({ rows }) => Object.assign(refreshed, { rows }),
        () => {},
      );
      lists.set(kind.name, refreshed);
      latest = refreshed;
    }
    latest.targets += 1;
    return latest.reading;
  };
  const find = async ({ kind, resource }: Target) => {
    const { byResource } = await list(kind);
    const ofResource = kind.uniqueNames ? [] : (byResource.get(resource) ?? []);
    // A snapshot without a resource id may belong to any resource.
    return [...ofResource, ...(byResource.get(undefined) ?? [])];
  };
  const count = async (kind: Kind, resource: string) => (await list(kind)).counts.get(resource) ?? 0;
  return Object.assign(find, { count });
}
