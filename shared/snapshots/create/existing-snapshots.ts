import type { Instant } from "../../core/instant.ts";
import { retryRead } from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { compact } from "../ownership.ts";
import type { Target } from "../policy.ts";
import type { Run, RunContext } from "../run-context.ts";
import { tooMany } from "../too-many.ts";

/** Returns the existing snapshots of a run by target. Lists each kind in bulk. */
export interface SnapshotIndex {
  (target: Target): Promise<FoundSnapshot[]>;
  /** Returns the number of snapshots of a resource, of any run. Only for kinds that have `maxPerResource`. */
  count(kind: Kind, resource: string): Promise<number>;
}

/** How long a list is used. Another delivery of the event may create snapshots in another instance at the same time. */
const FRESH_MS = 30_000;
/** A list is refreshed after one target per 50 snapshots, so lists are at most a twentieth of the calls: 20 targets per page. */
const ROWS_PER_TARGET = 50;

/** Creates an index that lists a kind when its first target is requested, and again when that list is too old. */
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
      // A project has thousands of snapshots, so keep only those of this run. Any snapshot can have a unique name.
      if (found.marker?.idempotencyKey !== run.idempotencyKey && !kind.uniqueNames) return;
      const resource = kind.uniqueNames ? undefined : found.resource;
      if (kept >= maxSnapshots) throw tooMany(kind, maxSnapshots);
      kept += 1;
      const ofResource = byResource.get(resource) ?? [];
      ofResource.push(compact(found));
      byResource.set(resource, ofResource);
    });
    return { byResource, counts, rows };
  };
  const list = (kind: Kind) => {
    const now = retryBudget.time.now();
    let latest = lists.get(kind.name);
    const isWorthwhile = latest !== undefined && latest.targets * ROWS_PER_TARGET >= latest.rows;
    if (latest === undefined || (now - latest.at > FRESH_MS && isWorthwhile)) {
      // If a refresh fails, the previous list remains in use.
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
    const named = kind.uniqueNames ? [] : (byResource.get(resource) ?? []);
    // A snapshot without a resource could be of this one.
    return [...named, ...(byResource.get(undefined) ?? [])];
  };
  const count = async (kind: Kind, resource: string) => (await list(kind)).counts.get(resource) ?? 0;
  return Object.assign(find, { count });
}
