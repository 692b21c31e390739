/** Creates test environments for `prune-snapshots`. */
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { DAY_MS, HOUR_MS, type Kind, listWithoutMembers, START_MS } from "./common.ts";
import {
  createTestEnvironment,
  type Invocation,
  type Json,
  type TestEnvironmentOptions,
  timerEvent,
} from "./environment.ts";
import { alter, resources, type Seed, seed } from "./retention-seeds.ts";

/** Returns the policy `nightly` that keeps this number of snapshots. */
export const keepLast = (keep_last: number, changes: object = {}) => ({
  policy: "nightly",
  retention: { keep_last },
  ...changes,
});

export type PruneFixture = Awaited<ReturnType<typeof createFixture>>;

/** Creates a test environment whose cloud has one resource for each kind. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud, clock, invoke } = environment;
  const { of, ...added } = resources(cloud, START_MS - DAY_MS);
  return {
    ...environment,
    ...added,
    /** The id of the resource for each kind. */
    of,
    prune: (policy: object, how: Invocation = {}) =>
      invoke(pruneSnapshots, timerEvent(policy, new Date(clock.now()).toISOString()), how),
    /** Adds a snapshot of this age in days. */
    old: (kind: Kind, days: number, changes: Partial<Seed> = {}) =>
      seed(cloud, kind, of[kind], { at: START_MS - days * DAY_MS, ...changes }).id,
    /** Returns the snapshots that still exist after all deletions, without members of groups. */
    left: () => {
      clock.advance(HOUR_MS);
      return listWithoutMembers(cloud)
        .map(({ id }) => id)
        .sort();
    },
    /** Returns the snapshots whose deletion was requested, in order. */
    deleted: () => cloud.requests.filter(({ method }) => method === "DELETE").map(({ path }) => path.split("/").at(-1)),
  };
}

/** Returns one line for a record: the snapshot, the outcome, the rule, and the detail in parentheses. */
export const brief = ({ snapshot_id, outcome, rule, detail }: Json) =>
  `${snapshot_id} ${outcome}: ${rule}${detail ? ` (${detail})` : ""}`;

/** Removes snapshots when `prune-snapshots` lists cluster snapshots, after it has listed the others and before it deletes any. */
export function removeAfterList(cloud: EmbeddedCloud, ids: string[]): void {
  const mutate = (its: EmbeddedCloud) => {
    for (const id of ids) its.removeSnapshot(id);
  };
  cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "mutatePage", mutate });
}

export const NIGHTLY = keepLast(1);
export const CHANGED = /^The plan changed/;

/** Creates a fixture whose snapshots can change, with hooks that run when the cloud has responded to the nth deletion. */
export async function createChangingFixture(options: TestEnvironmentOptions = {}) {
  const fixture = await createFixture({ timeoutSeconds: 900, ...options });
  const { cloud, runtime, of } = fixture;
  const seeds = new Map<string, { kind: Kind; resource: string; one: Seed }>();
  const add = (kind: Kind, days: number, changes: Partial<Seed> = {}, resource = of[kind]) => {
    const one = { at: START_MS - days * DAY_MS, key: `${seeds.size}`, ...changes };
    const { id } = seed(cloud, kind, resource, one);
    seeds.set(id, { kind, resource, one });
    return id;
  };
  const change = (id: string, changes: Partial<Seed>) => {
    const { kind, resource, one } = seeds.get(id) ?? { kind: "snapshot", resource: "", one: { at: START_MS } };
    alter(cloud, kind, resource, id, { ...one, ...changes });
  };
  let deletions = 0;
  const after = new Map<number, () => void>();
  const { transport } = runtime;
  runtime.transport = async (request) => {
    if (request.method !== "DELETE") return transport(request);
    deletions += 1;
    const hook = after.get(deletions);
    try {
      return await transport(request);
    } finally {
      hook?.();
    }
  };
  const prune = (policy: object = NIGHTLY, how: Invocation = {}) => fixture.prune(policy, how);
  return { ...fixture, add, change, prune, after };
}

export type ChangingFixture = Awaited<ReturnType<typeof createChangingFixture>>;

export const briefOf = (records: Record<string, string>[], ...names: string[]) =>
  records
    .filter(({ snapshot_id }) => snapshot_id)
    .map(({ snapshot_id = "", outcome, rule }) => `${"abcdef"[names.indexOf(snapshot_id)]} ${outcome}: ${rule}`)
    .sort();
