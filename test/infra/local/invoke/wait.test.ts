/** Tests how `npm run invoke -- … --wait` waits for snapshots, in virtual time. */
import { describe, expect, test } from "vitest";
import {
  connect,
  createdSnapshots,
  MAX_WAIT_MS,
  type RecordedSnapshot,
  type WaitedSnapshot,
  waitForSnapshots,
} from "../../../../infra/local/invoke/wait.ts";
import { environmentOf } from "../../../../infra/local/site/addresses.ts";
import type { ResultRecord } from "../../../../infra/local/site/records.ts";
import { createTestEnvironment, type TestEnvironment } from "../../../support/environment.ts";

/** Waits for snapshots of the embedded cloud. */
function wait(
  environment: TestEnvironment,
  snapshots: RecordedSnapshot[],
  onPoll?: (s: readonly WaitedSnapshot[]) => void,
) {
  const { cloud, runtime } = environment;
  const settings = environmentOf(cloud);
  const { time } = runtime;
  return waitForSnapshots(snapshots, connect(settings, settings, runtime), { time, ...(onPoll ? { onPoll } : {}) });
}

/** Adds a disk and a legacy snapshot that is still in creation. */
function addCreating({ cloud }: TestEnvironment): RecordedSnapshot {
  const { id: volumeId } = cloud.addVolume();
  const { id } = cloud.addSnapshot({ kind: "snapshot", volumeId, status: "creating" });
  return { kind: "snapshot", id, resourceId: volumeId };
}

test("invoke --wait returns after the last of several snapshots became available", async () => {
  const environment = await createTestEnvironment();
  const snapshots = [addCreating(environment), addCreating(environment)];
  let polls = 0;
  const result = await wait(environment, snapshots, () => {
    polls += 1;
    const finished = polls === 3 ? snapshots[0] : polls === 6 ? snapshots[1] : undefined;
    if (finished) environment.cloud.setSnapshotStatus(finished.id, "available");
  });
  expect(result.snapshots.map(({ state }) => state)).toEqual(["available", "available"]);
  expect(result.problem).toBeUndefined();
  expect(polls).toBe(7);
  expect(result.seconds).toBeGreaterThan(1);
});

test("invoke --wait ends when a snapshot failed", async () => {
  const environment = await createTestEnvironment();
  const snapshot = addCreating(environment);
  environment.cloud.setSnapshotStatus(snapshot.id, "error");
  const result = await wait(environment, [snapshot]);
  expect(result.snapshots.map(({ state }) => state)).toEqual(["failed"]);
});

test("invoke --wait gives a snapshot the state missing after one minute if no list contains the snapshot", async () => {
  const environment = await createTestEnvironment();
  const { id: resourceId } = environment.cloud.addVolume();
  const result = await wait(environment, [{ kind: "snapshot", id: "no-such-snapshot", resourceId }]);
  expect(result.snapshots.map(({ state }) => state)).toEqual(["missing"]);
  expect(result.seconds).toBeGreaterThan(59);
  expect(result.seconds).toBeLessThan(90);
});

test("invoke --wait ends after the maximum wait and says that the snapshots can still become available", async () => {
  const environment = await createTestEnvironment();
  const result = await wait(environment, [addCreating(environment)]);
  expect(result.snapshots.map(({ state }) => state)).toEqual(["creating"]);
  expect(result.seconds).toBeLessThanOrEqual(MAX_WAIT_MS / 1000);
  expect(result.seconds).toBeGreaterThan(MAX_WAIT_MS / 1000 - 30);
  expect(result.problem).toMatch(/^The maximum wait of 30 minutes is over\. .*can still become available/);
});

test("invoke --wait repeats a list request that failed", async () => {
  const environment = await createTestEnvironment();
  const snapshot = addCreating(environment);
  environment.cloud.setSnapshotStatus(snapshot.id, "available");
  environment.cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "status", status: 503 });
  const result = await wait(environment, [snapshot]);
  expect(result.snapshots.map(({ state }) => state)).toEqual(["available"]);
  expect(result.problem).toBeUndefined();
});

test("invoke --wait ends at once if the access key may not list snapshots", async () => {
  const environment = await createTestEnvironment();
  const snapshot = addCreating(environment);
  environment.cloud.fault({ operation: "evs.listSnapshots" }, { type: "expiredToken" });
  const result = await wait(environment, [snapshot]);
  expect(result.problem).toMatch(/^The list of snapshots cannot be read: /);
  expect(result.seconds).toBeLessThan(1);
});

test("invoke --wait derives the state of a snapshot group from its members", async () => {
  const environment = await createTestEnvironment();
  const { cloud } = environment;
  const server = cloud.addServer();
  cloud.addVolume({ serverId: server.id });
  const group = cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id, tags: MARKER });
  const [member] = cloud.snapshots("standard-snapshot");
  cloud.setSnapshotStatus(member?.id ?? "", "error");
  const result = await wait(environment, [{ kind: "snapshot-group", id: group.id, resourceId: server.id }]);
  expect(result.snapshots.map(({ state }) => state)).toEqual(["failed"]);
});

const MARKER = { "managed-by": "snapshot-functions", policy: "nightly", key: "a".repeat(32), content: "b".repeat(8) };

describe("the snapshots for which invoke --wait waits", () => {
  const record = (fields: object) =>
    ({ action: "create", outcome: "accepted", kind: "snapshot", ...fields }) as ResultRecord;

  test("invoke --wait waits once for each snapshot in a create record, also if an earlier request created the snapshot", () => {
    const records = [
      record({ snapshot_id: "s-1", resource_id: "v-1" }),
      record({ snapshot_id: "s-1", resource_id: "v-1", outcome: "existing" }),
      record({ snapshot_id: "s-2", resource_id: "v-2", outcome: "existing" }),
    ];
    expect(createdSnapshots(records)).toEqual([
      { kind: "snapshot", id: "s-1", resourceId: "v-1" },
      { kind: "snapshot", id: "s-2", resourceId: "v-2" },
    ]);
  });

  test("invoke --wait does not wait for failed targets, for the run, or for snapshots that prune-snapshots deletes", () => {
    const records = [
      record({ snapshot_id: "s-1", outcome: "failed" }),
      record({ outcome: "deferred" }),
      record({ action: "run", outcome: "done", kind: undefined }),
      record({ action: "prune", snapshot_id: "s-2", outcome: "deleted" }),
    ];
    expect(createdSnapshots(records)).toEqual([]);
  });
});
