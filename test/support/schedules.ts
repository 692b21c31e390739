/** Creates test environments for `scheduled-snapshots`. */
import { expect } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { listWithoutMembers } from "./common.ts";
import {
  createTestEnvironment,
  expectWholeRecords,
  type Invocation,
  type Invoked,
  type Json,
  resourceIdOf,
  type TestEnvironmentOptions,
  timerEvent,
} from "./environment.ts";
import type { Kind } from "./kinds.ts";

export const URN = "urn:fss:eu-west-101:0123456789abcdef0123456789abcdef:function:default:scheduled-snapshots";

/**
 * Creates a test environment in which FunctionGraph runs each asynchronous invocation of `scheduled-snapshots` in its
 * own instance.
 *
 * @param retries how often FunctionGraph repeats a failed asynchronous invocation; default: 0
 */
export async function createFixture({ retries = 0, ...options }: TestEnvironmentOptions & { retries?: number } = {}) {
  const further: Invoked[] = [];
  const environment = await createTestEnvironment({
    timeoutSeconds: 900,
    functions: [URN],
    onInvokeAsync: async ({ payload, requestId }) => {
      for (let tries = 0; tries <= retries; tries += 1) {
        environment.runtime.inFlight = new Map();
        const invoked = await environment.invoke(scheduledSnapshots, payload, { requestId });
        further.push(invoked);
        if (invoked.error === undefined) break;
      }
    },
    ...options,
  });
  /** Invokes `scheduled-snapshots` with the event and waits for all asynchronous invocations. */
  const deliver = async (event: unknown, how?: Invocation) => {
    const invoked = await environment.invoke(scheduledSnapshots, event, how);
    await environment.cloud.idle();
    expectWholeRecords(invoked);
    return invoked;
  };
  return {
    ...environment,
    /** The results of the asynchronous invocations, in the order in which they finished. */
    further,
    deliver,
    /** Invokes `scheduled-snapshots` with a timer event that has this policy. The default name of the policy is `nightly`. */
    fire: (policy: Json, how?: Invocation) => deliver(timerEvent({ policy: "nightly", ...policy }), how),
    addDisks: (count: number, tags: Record<string, string> = {}) =>
      Array.from({ length: count }, () => environment.cloud.addVolume({ tags }).id),
  };
}

/** Returns the sorted resource ids of all snapshots of a kind. The id of a resource with two snapshots occurs twice. */
export const resourcesWithSnapshots = (cloud: EmbeddedCloud, kind: Kind) =>
  listWithoutMembers(cloud, kind).map(resourceIdOf).sort();

export const sorted = (ids: readonly string[]) => [...ids].sort();

/** Returns the records with the given outcome. They can include the record of the run. */
export const recordsOf = ({ records }: Pick<Invoked, "records">, outcome: string) =>
  records.filter((record) => record.outcome === outcome);

export const resourceIds = (records: Json[]) => records.map(({ resource_id }) => resource_id);

/** Adds 1,000 disks, 20 servers and 3 clusters, and returns their ids and a policy that selects all of them. */
export function addResources(cloud: EmbeddedCloud) {
  const tags = { backup: "daily" };
  const servers = Array.from({ length: 20 }, () => cloud.addServer({ tags }).id);
  const disks = Array.from(
    { length: 1_000 },
    (_, index) => cloud.addVolume({ tags, serverId: servers[index % servers.length] as string }).id,
  );
  const clusters = Array.from({ length: 3 }, () => cloud.addCluster({ tags }).id);
  const policy = {
    targets: [
      { kind: "snapshot", tags },
      { kind: "snapshot-group", tags },
      { kind: "cluster-snapshot", tags: { backup: "*" } },
    ],
  };
  return { policy, disks, servers, clusters, count: disks.length + servers.length + clusters.length };
}

/** Expects exactly one snapshot of each resource that {@link addResources} added. */
export function expectOneSnapshotEach(
  cloud: EmbeddedCloud,
  { disks, servers, clusters }: ReturnType<typeof addResources>,
): void {
  expect(resourcesWithSnapshots(cloud, "snapshot")).toEqual(sorted(disks));
  expect(resourcesWithSnapshots(cloud, "snapshot-group")).toEqual(sorted(servers));
  expect(resourcesWithSnapshots(cloud, "cluster-snapshot")).toEqual(sorted(clusters));
}
