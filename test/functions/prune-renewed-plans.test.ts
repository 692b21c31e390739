/** Tests when `prune-snapshots` lists the snapshots a second time and plans the deletions anew. */
import { describe, expect, test } from "vitest";
import { expectSuccess, SEQUENTIAL, START_MS } from "../support/common.ts";
import { createChangingFixture, findRecord, KEEP_NEWEST, PLAN_CHANGED, summarizeRecords } from "../support/prunes.ts";
import { busyResponse, DELETE_OPERATIONS, LIST_OPERATIONS } from "../support/retention-seeds.ts";

describe("the other snapshots of a resource", () => {
  test.each([
    ["is rejected as busy", busyResponse("snapshot")],
    ["gets a 409 response", { type: "status", status: 409, body: { message: "in use" } }],
    [
      "gets a 404 response for the snapshot",
      { type: "status", status: 404, body: { itemNotFound: { code: 404, message: "gone" } } },
    ],
    ["gets an ambiguous 404 response", { type: "answer", status: 404, body: '{"code":404,"message":"no such thing"}' }],
  ] as const)(
    "prune-snapshots lists the snapshots of a resource a second time and makes a new plan after a delete request %s",
    async (_how, fault) => {
      const { cloud, add, change, prune, remainingIds, afterDeletion } = await createChangingFixture(SEQUENTIAL);
      const [fourth = "", third = "", second = "", newest = ""] = [4, 3, 2, 1].map((days) => add("snapshot", days));
      cloud.fault({ operation: DELETE_OPERATIONS.snapshot, nth: 1 }, fault);
      afterDeletion.set(1, () => {
        change(newest, { status: "error" });
        change(second, { status: "error" });
        change(fourth, { labels: { hold: "true" } });
      });
      const { records } = await prune();
      expect(findRecord(records, third)).toMatchObject({
        outcome: "kept",
        rule: "keep_last",
        detail: expect.stringMatching(PLAN_CHANGED),
      });
      expect(findRecord(records, fourth)).toMatchObject({ outcome: "held" });
      expect(remainingIds()).toEqual(expect.arrayContaining([newest, third, fourth]));
    },
  );

  test("prune-snapshots deletes the snapshots of a second disk at once while it waits to retry the deletion of a busy snapshot", async () => {
    const { cloud, clock, add, prune, remainingIds } = await createChangingFixture(SEQUENTIAL);
    const other = cloud.addVolume().id;
    const [third, second = "", newest] = [3, 2, 1].map((days) => add("snapshot", days));
    const [y = "", x] = [2, 1].map((days) => add("snapshot", days, {}, other));
    cloud.fault({ operation: DELETE_OPERATIONS.snapshot, resource: second, nth: 1 }, busyResponse("snapshot"));
    let deletedAt = 0;
    cloud.fault(
      { operation: DELETE_OPERATIONS.snapshot, resource: y },
      {
        type: "mutatePage",
        mutate: () => {
          deletedAt = clock.now();
        },
      },
    );
    const { result } = expectSuccess(await prune());
    expect(result.outcomes).toEqual({ kept: 2, deleted: 3 });
    expect(deletedAt).toBe(START_MS);
    expect(remainingIds()).toEqual([newest, x].sort());
    expect(third).toBeDefined();
  });

  test("prune-snapshots does not treat a deleted snapshot as a good snapshot although the next list response still shows it as available", async () => {
    const { cloud, add, change, prune, remainingIds, afterDeletion } = await createChangingFixture(SEQUENTIAL);
    const [third = "", second = "", newest = ""] = [3, 2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE_OPERATIONS.snapshot, resource: third, nth: 1 }, busyResponse("snapshot"));
    afterDeletion.set(2, () => change(newest, { status: "error" }));
    // The list response still shows the second snapshot although EVS has accepted its deletion.
    cloud.fault(
      { operation: LIST_OPERATIONS.snapshot, nth: 3 },
      {
        type: "mutatePage",
        mutate: (its) => its.snapshots().some(({ id }) => id === second) && its.removeSnapshot(second),
      },
    );
    afterDeletion.set(1, () => change(second, { status: "available" }));
    const { records } = await prune();
    expect(summarizeRecords(records, newest, second, third)).toEqual([
      "newest kept: keep_last",
      "second deleted: kept by no rule",
      "third kept: keep_last",
    ]);
    expect(remainingIds()).toEqual([newest, third].sort());
  });
});

test("prune-snapshots lists the EVS snapshots a second time if DWS throttles the list request for cluster snapshots and delays the run", async () => {
  const { cloud, add, change, prune, remainingIds } = await createChangingFixture();
  const [second = "", newest = ""] = [2, 1].map((days) => add("snapshot", days));
  const [secondCluster, newestCluster] = [2, 1].map((days) => add("cluster-snapshot", days));
  cloud.fault({ operation: LIST_OPERATIONS["cluster-snapshot"], nth: 1 }, { type: "throttle", window: "1 minute" });
  cloud.fault(
    { operation: LIST_OPERATIONS["cluster-snapshot"], nth: 2 },
    { type: "mutatePage", mutate: () => change(newest, { status: "error" }) },
  );
  const { records } = expectSuccess(await prune());
  expect(records.filter(({ snapshot_id }) => snapshot_id === second)).toMatchObject([
    { outcome: "kept", rule: "keep_last", detail: expect.stringMatching(PLAN_CHANGED) },
  ]);
  expect(remainingIds()).toEqual([newest, second, newestCluster].sort());
  expect(secondCluster).toBeDefined();
});

describe("the number of list requests", () => {
  test("prune-snapshots sends fewer than 12 list requests for 300 deletions in an account that is limited to 5 requests per second", async () => {
    const { cloud, add, prune, remainingIds } = await createChangingFixture({ rate: { perSecond: 5 } });
    const disks = Array.from({ length: 60 }, () => cloud.addVolume().id);
    for (const disk of disks) for (const days of [1, 2, 3, 4, 5, 6]) add("standard-snapshot", days, {}, disk);
    const { result } = expectSuccess(await prune());
    expect(result.outcomes).toEqual({ kept: 60, deleted: 300 });
    expect(remainingIds()).toHaveLength(60);
    expect(cloud.count(LIST_OPERATIONS["standard-snapshot"], 200)).toBeLessThan(12);
  });

  test("prune-snapshots reports Busy with the error code of EVS if a snapshot stays busy until the deadline", async () => {
    const { cloud, clock, add, prune, remainingIds } = await createChangingFixture();
    const [second = "", newest = ""] = [2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE_OPERATIONS.snapshot }, busyResponse("snapshot"));
    const deadline = clock.now() + 30_000;
    const { records } = await prune(KEEP_NEWEST, { remainingMs: 30_000 });
    expect(clock.now()).toBeLessThan(deadline);
    expect(findRecord(records, second)).toMatchObject({
      outcome: "failed",
      error: { reason: "Busy", code: "EVS.1047" },
    });
    expect(remainingIds()).toEqual([newest, second].sort());
  });
});
