/** Tests the printed plan, the requests and the policy validation of `prune-snapshots`. */
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { expectSuccess, KINDS, SEQUENTIAL } from "../support/common.ts";
import { countInFlight, START, timerEvent } from "../support/environment.ts";
import { createFixture, keepLast } from "../support/prunes.ts";
import { DELETE_OPERATIONS, seedSnapshot } from "../support/retention-seeds.ts";

describe("the plan on stderr", () => {
  /** Runs `prune-snapshots` with `seeds` snapshots. Returns all lines on stderr, and those before the first delete request. */
  async function runAndReadPlan(how: object, seeds: number) {
    const {
      cloud,
      runtime,
      prune: _,
      addOld,
      resourceIds,
      invoke,
      ...fixture
    } = await createFixture({ timeoutSeconds: 900 });
    for (let index = 0; index < seeds; index += 1) addOld("standard-snapshot", 1 + index / 100);
    const lines: string[] = [];
    let before: string[] | undefined;
    const { transport } = runtime;
    runtime.transport = (request) => {
      if (request.method === "DELETE") before ??= [...lines];
      return transport(request);
    };
    const factory: typeof pruneSnapshots = (own) =>
      pruneSnapshots({ ...(own as typeof runtime), warn: (line) => void lines.push(line) });
    const invoked = await invoke(factory, timerEvent(keepLast(1, how), START));
    return { ...fixture, ...invoked, cloud, disk: resourceIds["standard-snapshot"], lines, before: before ?? [] };
  }

  test("prune-snapshots writes the planned deletions to stderr before its first delete request", async () => {
    const { records, lines, before, disk } = await runAndReadPlan({}, 4);
    expect(before).toHaveLength(1);
    expect(lines).toEqual(before);
    const { plan, ...line } = JSON.parse(before[0] ?? "");
    expect(line).toEqual({ level: "info", function: "prune-snapshots", request_id: records[0].request_id });
    const deleted = records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(plan).toEqual(
      deleted.map((snapshot_id) => ({
        kind: "standard-snapshot",
        resource_id: disk,
        snapshot_id,
        rule: "kept by no rule",
      })),
    );
    // The function writes five records: four for the snapshots and one for the run. The plan has no record.
    expect(records).toHaveLength(5);
  });

  test("prune-snapshots writes a plan of 411 deletions to stderr in lines of at most 200 deletions", async () => {
    const { before } = await runAndReadPlan({}, 412);
    expect(before.map((line) => JSON.parse(line).plan.length)).toEqual([200, 200, 11]);
  });

  test.each([
    ["a dry run", { dry_run: true }, 3],
    ["a run that deletes nothing", {}, 1],
  ])("prune-snapshots writes no plan to stderr in %s", async (_what, how, seeds) => {
    const { lines } = await runAndReadPlan(how, seeds);
    expect(lines).toEqual([]);
  });
});

describe("limits of the account", () => {
  test("prune-snapshots deletes 110 snapshots with fewer than 30 throttled requests in an account that is limited to 5 requests per second", async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture({ timeoutSeconds: 900, rate: { perSecond: 5 } });
    for (let index = 0; index < 120; index += 1) addOld("standard-snapshot", 1 + index);
    const { result } = expectSuccess(await prune(keepLast(10)));
    expect(result.outcomes).toEqual({ kept: 10, deleted: 110 });
    expect(remainingIds()).toHaveLength(10);
    expect(cloud.count(DELETE_OPERATIONS["standard-snapshot"], 429)).toBeLessThan(30);
  });

  test("prune-snapshots sends at most MAX_CONCURRENCY requests at a time", async () => {
    for (const limit of [1, 4]) {
      const { runtime, prune, addOld } = await createFixture({
        latencyMs: 3,
        variables: { MAX_CONCURRENCY: String(limit) },
      });
      for (let days = 1; days <= 25; days += 1) addOld("snapshot", days);
      const maxInFlight = countInFlight(runtime);
      await prune(keepLast(1));
      expect(maxInFlight()).toBe(limit);
    }
  });

  test("prune-snapshots stops sending requests and reports AccountSuspended for the remaining snapshots when EVS reports a suspended account", async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture(SEQUENTIAL);
    for (let days = 1; days <= 6; days += 1) addOld("snapshot", days);
    const body = { error: { code: "EVS.2145", message: "account suspended" } };
    cloud.fault({ operation: DELETE_OPERATIONS.snapshot, nth: 2 }, { type: "status", status: 403, body });
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, unverified: 1, failed: 4 });
    expect(records.filter((one) => one.error?.reason === "AccountSuspended")).toHaveLength(4);
    expect(cloud.count(DELETE_OPERATIONS.snapshot)).toBe(2);
    expect(remainingIds()).toHaveLength(5);
  });
});

test("prune-snapshots reports DeadlineExceeded for snapshots that it cannot delete in time, and deletes them in the next run", async () => {
  const { cloud, clock, prune, addOld, remainingIds } = await createFixture(SEQUENTIAL);
  for (let days = 1; days <= 10; days += 1) addOld("snapshot", days);
  cloud.fault({ operation: DELETE_OPERATIONS.snapshot }, { type: "mutatePage", mutate: () => clock.advance(5_000) });
  const deadline = clock.now() + 30_000;
  const first = await prune(keepLast(1), { remainingMs: 30_000 });
  expect(clock.now()).toBeLessThan(deadline);
  const { kept, deleted, failed } = JSON.parse(first.error?.message ?? "").outcomes;
  expect(kept + deleted + failed).toBe(10);
  expect(deleted).toBeGreaterThan(1);
  expect(failed).toBeGreaterThan(1);
  expect(new Set(first.records.filter((one) => one.error).map((one) => one.error.reason))).toEqual(
    new Set(["DeadlineExceeded"]),
  );
  cloud.clearFaults();
  const second = await prune(keepLast(1));
  expect(second.result.outcomes).toEqual({ kept: 1, deleted: failed });
  expect(remainingIds()).toHaveLength(1);
});

describe("a list request that fails", () => {
  test("prune-snapshots keeps all cluster snapshots if DWS rejects the request that lists them, and prunes the remaining kinds of snapshots", async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    for (const kind of KINDS) for (const days of [2, 1]) addOld(kind, days);
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "status", status: 403, body: {} });
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 3, deleted: 3, failed: 1 });
    expect(records.find(({ outcome }) => outcome === "failed")).toMatchObject({
      action: "prune",
      kind: "cluster-snapshot",
      policy: "nightly",
      detail: "The snapshots of this kind could not be listed.",
      error: { reason: "AccessDenied" },
    });
    expect(remainingIds()).toHaveLength(5);
  });

  test("prune-snapshots succeeds in a region without standard snapshots", async () => {
    const { prune, addOld, remainingIds } = await createFixture({ withoutStandardSnapshots: true });
    for (const days of [2, 1]) addOld("snapshot", days);
    const { result } = expectSuccess(await prune(keepLast(1)));
    expect(result.outcomes).toEqual({ kept: 1, deleted: 1 });
    expect(remainingIds()).toHaveLength(1);
  });

  test.each([
    ["has an empty body", { type: "emptyBody", after: false } as const],
    ["is an object without rows", { type: "answer", status: 200, body: "{}" } as const],
    ["is an HTML page", { type: "notJson", after: false, html: true } as const],
    ["is a redirect", { type: "redirect", location: "http://127.0.0.1:1/" } as const],
  ])(
    "prune-snapshots deletes no legacy snapshots if the list response with the legacy snapshots %s",
    async (_what, fault) => {
      const { cloud, prune, addOld, remainingIds } = await createFixture();
      for (const days of [3, 2, 1]) addOld("snapshot", days);
      cloud.fault({ operation: "evs.listSnapshots" }, fault);
      const { error, records } = await prune(keepLast(1));
      expect(error).toBeDefined();
      expect(records[0]).toMatchObject({ kind: "snapshot", outcome: "failed", error: { reason: "BadResponse" } });
      expect(remainingIds()).toHaveLength(3);
    },
  );
});

describe("list pages that change during a run", () => {
  test("prune-snapshots finds every remaining snapshot if two snapshots are deleted between two list pages", async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture({ timeoutSeconds: 900 });
    const ids = Array.from({ length: 1_100 }, (_, index) => addOld("snapshot", 1 + index / 50));
    // Another client deletes two snapshots when the first page has been read, so two rows move from the second page to the first.
    const mutate = (its: EmbeddedCloud) => {
      for (const id of ids.slice(0, 2)) its.removeSnapshot(id);
    };
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "mutatePage", mutate });
    const { records } = expectSuccess(await prune(keepLast(1_000)));
    const recorded = new Set(records.map(({ snapshot_id }) => snapshot_id));
    expect(ids.filter((id) => !recorded.has(id))).toEqual([]);
    expect(remainingIds().length).toBeGreaterThanOrEqual(998);
  });
});

describe("the policy of an event", () => {
  test.each([
    ["with an empty retention", { retention: {} }],
    ["whose retention rules are all 0", { retention: { keep_last: 0, keep_daily: 0 } }],
    ["whose only retention rule is min_keep", { retention: { min_keep: 3 } }],
  ])("prune-snapshots rejects a policy %s instead of deleting every snapshot", async (_what, changes) => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    for (const days of [2, 1]) addOld("snapshot", days);
    const { error, records } = await prune({ policy: "nightly", ...changes });
    expect(error?.reason).toBe("InvalidRequest");
    expect(error?.message).toContain("retention: expected at least one of keep_last");
    expect(records).toMatchObject([
      { action: "prune", outcome: "rejected", error: { reason: "InvalidRequest" } },
      { action: "run", outcome: "failed" },
    ]);
    expect(cloud.count(/evs|dws/)).toBe(0);
    expect(remainingIds()).toHaveLength(2);
  });

  test.each([
    ["an unknown time zone", { time_zone: "Europe/Atlantis" }, "time_zone: expected an IANA name"],
    ["a negative keep_last", { retention: { keep_last: -1 } }, "retention.keep_last"],
    ["a fraction as keep_last", { retention: { keep_last: 1.5 } }, "retention.keep_last"],
    ["a min_keep of 0", { retention: { keep_last: 1, min_keep: 0 } }, "retention.min_keep"],
    ["an unknown retention rule", { retention: { keep_hourly: 3 } }, "retention.keep_hourly"],
    ["no name", { policy: undefined }, "policy"],
  ])("prune-snapshots rejects a policy with %s", async (_what, changes, message) => {
    const { cloud, prune, addOld } = await createFixture();
    addOld("snapshot", 1);
    const { error, records } = await prune(keepLast(1, changes));
    expect(error?.message).toContain(message);
    expect(records[0]).toMatchObject({ outcome: "rejected" });
    expect(cloud.count(/evs|dws/)).toBe(0);
  });

  test("prune-snapshots accepts a policy that also has the fields of scheduled-snapshots, such as targets and make_room", async () => {
    const { prune, addOld } = await createFixture();
    for (const days of [2, 1]) addOld("snapshot", days);
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    const { result } = await prune(keepLast(1, { targets, make_room: true, hold: [], time_zone: "Asia/Tokyo" }));
    expect(result.outcomes).toEqual({ kept: 1, deleted: 1 });
  });

  test("prune-snapshots applies keep_daily to calendar days in the policy's time zone", async () => {
    const kept = async (time_zone: string) => {
      const { cloud, resourceIds, prune } = await createFixture();
      const ids = ["19T22:30", "19T23:30", "20T22:30", "20T23:30"].map(
        (time) => seedSnapshot(cloud, "snapshot", resourceIds.snapshot, { at: Date.parse(`2026-11-${time}:00Z`) }).id,
      );
      const { records } = await prune({ policy: "nightly", time_zone, retention: { keep_daily: 2 } });
      const keptIds = records.filter(({ outcome }) => outcome === "kept").map((one) => one.snapshot_id);
      return ids.map((id) => keptIds.includes(id));
    };
    expect(await kept("UTC")).toEqual([false, true, false, true]);
    expect(await kept("Europe/Berlin")).toEqual([false, false, true, true]);
  });

  test("prune-snapshots writes only its run record if no snapshot belongs to the policy", async () => {
    const { prune } = await createFixture();
    const { result, records } = await prune(keepLast(1));
    expect(result).toMatchObject({ targets: 0, outcomes: {} });
    expect(records).toMatchObject([{ action: "run", outcome: "done" }]);
  });
});
