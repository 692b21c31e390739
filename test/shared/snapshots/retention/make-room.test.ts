import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { makeRoomBy } from "../../../../shared/snapshots/retention/make-room.ts";
import {
  cloudError,
  createFixture,
  DELETING,
  FAILED,
  HOUR_MS,
  markerOf,
  START,
  STUCK_DELETING,
  snapshot,
  standard,
} from "../../../support/domain.ts";
import { found, LIST, NIGHTLY, OPTIONS } from "../../../support/full-disk.ts";

const others = { marker: markerOf("other", { policy: "weekly" }) };

/** Makes room on a disk with the given snapshots. */
async function makeRoom(
  snapshots: FoundSnapshot[],
  { policy = NIGHTLY, count = undefined as number | undefined, seconds = 600, waitSeconds = 0, removeMs = 0 } = {},
) {
  const fixture = createFixture({ seconds });
  fixture.cloud.add(snapshot, ...snapshots);
  fixture.cloud.removeMs = removeMs;
  if (waitSeconds > 0) fixture.runContext.retryBudget.maxWait = after(START, waitSeconds * 1000);
  const counts: string[] = [];
  const counted = async (_kind: unknown, resource: string) => {
    counts.push(resource);
    return count as number;
  };
  const work = makeRoomBy(policy, fixture.runContext, count === undefined ? undefined : counted);
  const result = await work(snapshot, OPTIONS).catch((error) => error);
  expect(fixture.unbalancedRecords()).toBe(0);
  return {
    ...fixture,
    result,
    counts,
    asked: fixture.cloud.requests(),
    outcomes: fixture.outcomes(),
    calls: fixture.cloud.calls,
  };
}

const every = (count: number, changes: Partial<FoundSnapshot>) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index, changes]));

describe("makeRoomBy without need for room", () => {
  test("makeRoomBy does nothing for a kind without a maximum per resource", async () => {
    const fixture = createFixture();
    expect(await makeRoomBy(NIGHTLY, fixture.runContext)(standard, OPTIONS)).toBe(false);
    expect(fixture.cloud.calls).toEqual([]);
  });

  test("makeRoomBy does nothing if the bulk list shows that there is room", async () => {
    const { result, asked, counts } = await makeRoom([], { count: 6 });
    expect(result).toBe(false);
    expect(counts).toEqual(["disk-1"]);
    expect(asked).toEqual([]);
  });

  test("makeRoomBy does nothing if the list of the disk shows that there is room", async () => {
    expect(await makeRoom(found(6))).toMatchObject({ result: false, asked: [LIST] });
    expect(await makeRoom(found(6), { count: 7 })).toMatchObject({ result: false, asked: [LIST] });
  });

  test("makeRoomBy does nothing if a backup created one of the snapshots, because the cloud may not count it", async () => {
    const { result, asked, outcomes } = await makeRoom(
      found(7, { 0: { name: "autobk_snapshot_1" }, ...every(0, {}) }),
      {
        policy: { policy: "nightly", retention: { keep_last: 7 } },
      },
    );
    expect(result).toBe(false);
    expect(asked).toEqual([LIST]);
    expect(outcomes).toEqual([]);
  });
});

describe("makeRoomBy on a full disk", () => {
  test("makeRoomBy deletes by the policy's retention, writes the records of prune, and checks that the snapshots disappeared", async () => {
    const { result, asked, outcomes } = await makeRoom(found(7));
    expect(result).toBe(true);
    expect(outcomes).toEqual(["s-5 deleted: kept by no rule", "s-6 deleted: kept by no rule"]);
    expect(asked).toEqual([LIST, "remove snapshot s-5", "remove snapshot s-6", LIST]);
  });

  test("makeRoomBy lists the disk after 1 s, 2 s, 4 s, 8 s, and then every 10 s until the snapshots have disappeared", async () => {
    const { result, calls } = await makeRoom(found(7), { removeMs: 40_000 });
    expect(result).toBe(true);
    const looks = calls.filter((call) => call.includes("listFor"));
    expect(looks.map((call) => call.split(" ")[0])).toEqual(["0", "0", "1", "3", "7", "15", "25", "35", "45"]);
  });

  test("makeRoomBy deletes nothing more if enough snapshots are being deleted already", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, ...found(7, { 6: DELETING }));
    fixture.cloud.always("listFor", () => {
      if (fixture.time.seconds() >= 3) fixture.cloud.snapshots.set("snapshot", found(6));
    });
    expect(await makeRoomBy(NIGHTLY, fixture.runContext)(snapshot, OPTIONS)).toBe(true);
    expect(fixture.cloud.calls.map((call) => call.split(" ")[0])).toEqual(["0", "1", "3"]);
    expect(fixture.outcomes()).toEqual([]);
  });

  test("makeRoomBy prunes a disk with seven snapshots and another one that is being deleted", async () => {
    const { outcomes } = await makeRoom(found(8, { 7: DELETING }));
    expect(outcomes).toEqual(["s-5 deleted: kept by no rule", "s-6 deleted: kept by no rule"]);
  });

  test("makeRoomBy reports how many snapshots are being deleted if they do not disappear in time", async () => {
    const late = await makeRoom(found(7), { removeMs: 10_000_000, seconds: 60 });
    expect(late.result).toMatchObject({
      reason: "DeadlineExceeded",
      message: "There is no room on disk-1 yet: 2 of its 7 snapshots are being deleted. Repeat the request later.",
    });
    // A create needs the last 12 s.
    expect(late.time.seconds()).toBe(45);
  });

  test("makeRoomBy waits for at most 3 minutes, and no longer than the caller", async () => {
    const long = await makeRoom(found(7), { removeMs: 10_000_000 });
    expect(long.result).toMatchObject({ reason: "DeadlineExceeded" });
    expect(long.time.seconds()).toBe(175);
    const short = await makeRoom(found(7), { removeMs: 10_000_000, waitSeconds: 15 });
    expect(short.time.seconds()).toBe(7);
    expect((await makeRoom(found(7), { removeMs: 10_000_000, waitSeconds: 15.001 })).time.seconds()).toBe(15);
  });

  test("makeRoomBy lists the disk again after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...found(7));
    fixture.cloud.at("listFor", cloudError("CloudError"));
    expect(await makeRoomBy(NIGHTLY, fixture.runContext)(snapshot, OPTIONS)).toBe(true);
  });
});

describe("makeRoomBy if no snapshot may be deleted", () => {
  const full = (advice: string) => ({
    reason: "QuotaExceeded",
    message: `Expected fewer than 7 snapshots of disk-1, or some that may be deleted; got 7. ${advice}, or delete some by hand.`,
  });

  test("makeRoomBy reports how many snapshots the retention may keep if it keeps them all", async () => {
    const { result, asked } = await makeRoom(found(7, every(2, others)), {
      policy: { policy: "nightly", retention: { keep_last: 5 } },
    });
    expect(result).toMatchObject(
      full(
        '5 of them belong to the policy "nightly", whose retention keeps them. Let it keep at most 6 with the others',
      ),
    );
    expect(asked).toEqual([LIST]);
  });

  test("makeRoomBy reports that no snapshot belongs to the policy if others created them all", async () => {
    const { result } = await makeRoom(found(7, { ...every(7, others), 3: { marker: undefined } }));
    expect(result).toMatchObject({
      reason: "QuotaExceeded",
      message: expect.stringContaining('got 7. 0 of them belong to the policy "nightly"'),
    });
  });

  test("makeRoomBy reports that snapshots could not be deleted and writes a record for each", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...found(7));
    fixture.cloud.always("remove", cloudError("AccessDenied"));
    const error = await makeRoomBy(NIGHTLY, fixture.runContext)(snapshot, OPTIONS).catch((thrown) => thrown);
    expect(error).toMatchObject(full("The snapshots to delete still exist. Check their records and their status"));
    expect(fixture.outcomes()).toEqual([
      "s-5 failed: kept by no rule: AccessDenied",
      "s-6 failed: kept by no rule: AccessDenied",
    ]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("makeRoomBy does not wait for a snapshot whose deletion failed before", async () => {
    const stuck = await makeRoom(found(7, every(2, { ...STUCK_DELETING, ...others })));
    expect(stuck.result).toMatchObject({ reason: "QuotaExceeded" });
    expect(stuck.time.seconds()).toBe(0);
    const capitals = await makeRoom(found(7, { 0: { ...DELETING, status: "ERROR_DELETING" } }), {
      policy: { policy: "nightly", retention: { keep_last: 7 } },
    });
    expect(capitals.result).toMatchObject({ reason: "QuotaExceeded" });
  });
});

describe("makeRoomBy with failed snapshots", () => {
  const old = { ...FAILED, created: after(START, HOUR_MS) };

  test("makeRoomBy deletes failed snapshots if no other may be deleted, because the disk has no room for a newer good one", async () => {
    const { result, outcomes } = await makeRoom(found(7, every(2, old)));
    expect(result).toBe(true);
    expect(outcomes).toEqual([
      "s-1 deleted: failed, and there is no room for a newer one",
      "s-0 deleted: failed, and there is no room for a newer one",
    ]);
  });

  test("makeRoomBy keeps failed snapshots if another snapshot may be deleted", async () => {
    const { outcomes } = await makeRoom(found(7, { 0: old }));
    expect(outcomes).toEqual(["s-6 deleted: kept by no rule"]);
  });

  test("makeRoomBy keeps failed snapshots that are held", async () => {
    const { result, outcomes } = await makeRoom(found(7, every(2, old)), {
      policy: { ...NIGHTLY, hold: ["s-0", "s-1"] },
    });
    expect(result).toMatchObject({ reason: "QuotaExceeded" });
    expect(outcomes).toEqual([]);
  });
});
