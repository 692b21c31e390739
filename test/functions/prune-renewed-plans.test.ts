/** Tests when `prune-snapshots` lists the snapshots again and decides anew which snapshots to delete. */
import { describe, expect, test } from "vitest";
import { START_MS } from "../support/common.ts";
import { briefOf, CHANGED, createChangingFixture, NIGHTLY } from "../support/prunes.ts";
import { busyAnswer, DELETE, LIST } from "../support/retention-seeds.ts";

describe("other deletions of a resource", () => {
  test.each([
    ["is refused as busy", busyAnswer("snapshot")],
    ["is refused with a 409", { type: "status", status: 409, body: { message: "in use" } }],
    ["is not found", { type: "status", status: 404, body: { itemNotFound: { code: 404, message: "gone" } } }],
    ["does not find another resource", { type: "answer", status: 404, body: '{"code":404,"message":"no such thing"}' }],
  ] as const)("prune-snapshots renews the plan of a resource after a deletion that %s", async (_how, fault) => {
    const { cloud, add, change, prune, left, after } = await createChangingFixture({
      variables: { MAX_CONCURRENCY: "1" },
    });
    const [d = "", c = "", b = "", a = ""] = [4, 3, 2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE.snapshot, nth: 1 }, fault);
    after.set(1, () => {
      change(a, { status: "error" });
      change(b, { status: "error" });
      change(d, { labels: { hold: "true" } });
    });
    const { records } = await prune();
    expect(records.find(({ snapshot_id }) => snapshot_id === c)).toMatchObject({
      outcome: "kept",
      rule: "keep_last",
      detail: expect.stringMatching(CHANGED),
    });
    expect(records.find(({ snapshot_id }) => snapshot_id === d)).toMatchObject({ outcome: "held" });
    expect(left()).toEqual(expect.arrayContaining([a, c, d]));
  });

  test("prune-snapshots deletes the snapshots of another resource at once while a busy one waits", async () => {
    const { cloud, clock, add, prune, left } = await createChangingFixture({ variables: { MAX_CONCURRENCY: "1" } });
    const other = cloud.addVolume().id;
    const [c, b = "", a] = [3, 2, 1].map((days) => add("snapshot", days));
    const [y = "", x] = [2, 1].map((days) => add("snapshot", days, {}, other));
    cloud.fault({ operation: DELETE.snapshot, resource: b, nth: 1 }, busyAnswer("snapshot"));
    let deletedAt = 0;
    cloud.fault(
      { operation: DELETE.snapshot, resource: y },
      { type: "mutatePage", mutate: () => (deletedAt = clock.now()) },
    );
    const { error, result } = await prune();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 2, deleted: 3 });
    expect(deletedAt).toBe(START_MS);
    expect(left()).toEqual([a, x].sort());
    expect(c).toBeDefined();
  });

  test("prune-snapshots does not count a snapshot that it has deleted although a late list still shows it", async () => {
    const { cloud, add, change, prune, left, after } = await createChangingFixture({
      variables: { MAX_CONCURRENCY: "1" },
    });
    const [c = "", b = "", a = ""] = [3, 2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE.snapshot, resource: c, nth: 1 }, busyAnswer("snapshot"));
    after.set(2, () => change(a, { status: "error" }));
    // The cloud has accepted the deletion of b, but the list still shows b.
    cloud.fault(
      { operation: LIST.snapshot, nth: 2 },
      { type: "mutatePage", mutate: (its) => its.snapshots().some(({ id }) => id === b) && its.removeSnapshot(b) },
    );
    after.set(1, () => change(b, { status: "available" }));
    const { records } = await prune();
    expect(briefOf(records, a, b, c)).toEqual(["a kept: keep_last", "b deleted: kept by no rule", "c kept: keep_last"]);
    expect(left()).toEqual([a, c].sort());
  });
});

test("prune-snapshots renews the plan of a kind that was listed before the list of another kind had to wait", async () => {
  const { cloud, add, change, prune, left } = await createChangingFixture();
  const [b = "", a = ""] = [2, 1].map((days) => add("snapshot", days));
  const [f, e] = [2, 1].map((days) => add("cluster-snapshot", days));
  cloud.fault({ operation: LIST["cluster-snapshot"], nth: 1 }, { type: "throttle", window: "1 minute" });
  cloud.fault(
    { operation: LIST["cluster-snapshot"], nth: 2 },
    { type: "mutatePage", mutate: () => change(a, { status: "error" }) },
  );
  const { error, records } = await prune();
  expect(error).toBeUndefined();
  expect(records.filter(({ snapshot_id }) => snapshot_id === b)).toMatchObject([
    { outcome: "kept", rule: "keep_last", detail: expect.stringMatching(CHANGED) },
  ]);
  expect(left()).toEqual([a, b, e].sort());
  expect(f).toBeDefined();
});

describe("the cost of renewed plans", () => {
  test("prune-snapshots in a throttled account lists a few times more, not once per deletion", async () => {
    const { cloud, add, prune, left } = await createChangingFixture({ rate: { perSecond: 5 } });
    const disks = Array.from({ length: 60 }, () => cloud.addVolume().id);
    for (const disk of disks) for (const days of [1, 2, 3, 4, 5, 6]) add("standard-snapshot", days, {}, disk);
    const { error, result } = await prune();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 60, deleted: 300 });
    expect(left()).toHaveLength(60);
    expect(cloud.count(LIST["standard-snapshot"], 200)).toBeLessThan(12);
  });

  test("prune-snapshots reports Busy with the service's code when a deletion stays busy until the time is up", async () => {
    const { cloud, clock, add, prune, left } = await createChangingFixture();
    const [b = "", a = ""] = [2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE.snapshot }, busyAnswer("snapshot"));
    const deadline = clock.now() + 30_000;
    const { records } = await prune(NIGHTLY, { remainingMs: 30_000 });
    expect(clock.now()).toBeLessThan(deadline);
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "failed",
      error: { reason: "Busy", code: "EVS.1047" },
    });
    expect(left()).toEqual([a, b].sort());
  });
});
