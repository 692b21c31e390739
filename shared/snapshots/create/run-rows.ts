import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { hashRequest } from "../marker.ts";
import { foreignReason, toCompactSnapshot } from "../ownership.ts";
import type { Target } from "../policy.ts";
import type { Run } from "../run-context.ts";
import { tooManySnapshotsError } from "../too-many-snapshots.ts";

/** The snapshots of one run and one kind that list responses have shown. */
export interface RunRows {
  /** Adds a row of a list response. Ignores it if it belongs to another run, because a project has thousands of snapshots. */
  add(found: FoundSnapshot): void;
  get(id: string): FoundSnapshot | undefined;
  /** Returns the rows that `createOnce` needs for a target: those that may belong to its resource. */
  find(target: Target): FoundSnapshot[];
  /** Returns the snapshots that the run has created for a target. */
  ofRun(target: Target): FoundSnapshot[];
}

/** Creates an empty collection. It holds at most `maxSnapshots` rows and throws Misconfigured for the next row. */
export function createRunRows(run: Pick<Run, "idempotencyKey">, kind: Kind, maxSnapshots: number): RunRows {
  const byId = new Map<string, FoundSnapshot>();
  const byResource = new Map<string | undefined, Map<string, FoundSnapshot>>();
  const rowsOf = (resource: string | undefined) => [...(byResource.get(resource)?.values() ?? [])];
  return {
    add(found) {
      // If the names of snapshots must be unique, any snapshot of the project can have the requested name.
      if (found.marker?.idempotencyKey !== run.idempotencyKey && !kind.uniqueNames) return;
      const { id, resource } = found;
      if (byId.size >= maxSnapshots && !byId.has(id)) throw tooManySnapshotsError(kind, maxSnapshots);
      const snapshot = toCompactSnapshot(found);
      // A group can appear first without and later with its server.
      byResource.get(byId.get(id)?.resource)?.delete(id);
      byId.set(id, snapshot);
      const ofResource = byResource.get(resource) ?? new Map<string, FoundSnapshot>();
      byResource.set(resource, ofResource.set(id, snapshot));
    },
    get: (id) => byId.get(id),
    // A snapshot without a resource id may belong to any resource.
    find: ({ resource }) => (kind.uniqueNames ? [...byId.values()] : [...rowsOf(resource), ...rowsOf(undefined)]),
    ofRun: ({ resource, options }) =>
      [
        ...rowsOf(resource),
        ...rowsOf(undefined).filter(({ marker }) => marker?.requestHash === hashRequest(kind.name, options)),
      ].filter((found) => found.marker?.idempotencyKey === run.idempotencyKey && foreignReason(found) === undefined),
  };
}
