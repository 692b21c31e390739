/** Creates test environments for `prune-snapshots`. */
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { DAY_MS, HOUR_MS, type Kind, listWithoutMembers, START_MS } from "./common.ts";
import {
  type Any,
  createTestEnvironment,
  type Invocation,
  type Json,
  type TestEnvironmentOptions,
  timerEvent,
} from "./environment.ts";
import { addResources, replaceSnapshot, type Seed, seedSnapshot } from "./retention-seeds.ts";

/** Returns the policy `nightly`, which keeps `keep_last` snapshots of each resource. */
export const keepLast = (keep_last: number, changes: object = {}) => ({
  policy: "nightly",
  retention: { keep_last },
  ...changes,
});

/** Creates a test environment with one resource for each kind of snapshot. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud, clock, invoke } = environment;
  const { resourceIds, ...added } = addResources(cloud, START_MS - DAY_MS);
  return {
    ...environment,
    ...added,
    /** The id of the resource for each kind of snapshot. */
    resourceIds,
    prune: (policy: object, how: Invocation = {}) =>
      invoke(pruneSnapshots, timerEvent(policy, new Date(clock.now()).toISOString()), how),
    /** Adds a snapshot that was created `days` days ago, and returns the snapshot id. */
    addOld: (kind: Kind, days: number, changes: Partial<Seed> = {}) =>
      seedSnapshot(cloud, kind, resourceIds[kind], { at: START_MS - days * DAY_MS, ...changes }).id,
    /** Returns the sorted ids of the snapshots that exist an hour later, without the members of snapshot groups. */
    remainingIds: () => {
      clock.advance(HOUR_MS);
      return listWithoutMembers(cloud)
        .map(({ id }) => id)
        .sort();
    },
    /** Returns the snapshot id of each delete request, in the order of the requests. */
    deletedIds: () =>
      cloud.requests.filter(({ method }) => method === "DELETE").map(({ path }) => path.split("/").at(-1)),
  };
}

/** Returns a string such as `<snapshot id> kept: keep_last (<detail>)` for a record. */
export const summarizeRecord = ({ snapshot_id, outcome, rule, detail }: Json) =>
  `${snapshot_id} ${outcome}: ${rule}${detail ? ` (${detail})` : ""}`;

/** Removes snapshots after `prune-snapshots` has listed EVS snapshots, and before it sends its first delete request. */
export function removeAfterList(cloud: EmbeddedCloud, ids: string[]): void {
  const mutate = (changed: EmbeddedCloud) => {
    for (const id of ids) changed.removeSnapshot(id);
  };
  cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "mutatePage", mutate });
}

export const KEEP_NEWEST = keepLast(1);
export const PLAN_CHANGED = /^The plan changed/;

/** Creates a test environment that can change snapshots after the embedded cloud has responded to the nth delete request. */
export async function createChangingFixture(options: TestEnvironmentOptions = {}) {
  const fixture = await createFixture({ timeoutSeconds: 900, ...options });
  const { cloud, runtime, resourceIds } = fixture;
  const seeds = new Map<string, { kind: Kind; resource: string; one: Seed }>();
  const add = (kind: Kind, days: number, changes: Partial<Seed> = {}, resource = resourceIds[kind]) => {
    const one = { at: START_MS - days * DAY_MS, key: `${seeds.size}`, ...changes };
    const { id } = seedSnapshot(cloud, kind, resource, one);
    seeds.set(id, { kind, resource, one });
    return id;
  };
  const change = (id: string, changes: Partial<Seed>) => {
    const { kind, resource, one } = seeds.get(id) ?? { kind: "snapshot", resource: "", one: { at: START_MS } };
    replaceSnapshot(cloud, kind, resource, id, { ...one, ...changes });
  };
  let deleteRequests = 0;
  const afterDeletion = new Map<number, () => void>();
  const { transport } = runtime;
  runtime.transport = async (request) => {
    if (request.method !== "DELETE") return transport(request);
    deleteRequests += 1;
    const hook = afterDeletion.get(deleteRequests);
    try {
      return await transport(request);
    } finally {
      hook?.();
    }
  };
  const prune = (policy: object = KEEP_NEWEST, how: Invocation = {}) => fixture.prune(policy, how);
  return { ...fixture, add, change, prune, afterDeletion };
}

export type ChangingFixture = Awaited<ReturnType<typeof createChangingFixture>>;

export const findRecord = (records: Any[], snapshotId: string | undefined) =>
  records.find(({ snapshot_id }) => snapshot_id === snapshotId);

/** Returns sorted strings such as `newest kept: keep_last`. The parameter `ids` begins with the newest snapshot. */
export const summarizeRecords = (records: Record<string, string>[], ...ids: string[]) =>
  records
    .filter(({ snapshot_id }) => snapshot_id)
    .map(
      ({ snapshot_id = "", outcome, rule }) =>
        `${["newest", "second", "third"][ids.indexOf(snapshot_id)]} ${outcome}: ${rule}`,
    )
    .sort();
