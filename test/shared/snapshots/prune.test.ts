import { describe, expect, test } from "vitest";
import { after } from "../../../shared/snapshots/instant.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { type PrunePolicy, prune, retentionOf } from "../../../shared/snapshots/prune.ts";
import {
  cluster,
  DAY_MS,
  DELETING,
  FAILED,
  HOUR_MS,
  markerOf,
  refusal,
  START,
  STUCK_DELETING,
  snapshot,
  snapshotOf,
  stage,
  standard,
} from "./domain.ts";

const NIGHTLY: PrunePolicy = { policy: "nightly", retention: { keep_last: 1 } };

/** Good ones of a disk, one a day, the newest first. */
const days = (resource: string, ...ids: string[]): FoundSnapshot[] =>
  ids.map((id, day) => snapshotOf(id, resource, { created: after(START, -day * DAY_MS) }));
const left = ({ cloud }: ReturnType<typeof stage>) => cloud.of(snapshot).map(({ id }) => id);
const removals = ({ cloud }: ReturnType<typeof stage>) => cloud.calls.filter((call) => call.includes("remove"));

describe("a policy's retention", () => {
  test("is over what is marked with the policy, disk by disk and kind by kind, wherever it is", async () => {
    const here = stage();
    const other = snapshotOf("x", "disk-1", { marker: markerOf("x", { policy: "weekly" }) });
    const unmarked = snapshotOf("y", "disk-1", { marker: undefined });
    here.cloud.add(snapshot, ...days("disk-1", "a", "b"), ...days("disk-2", "c", "d"), other, unmarked);
    here.cloud.add(cluster, ...days("cluster-1", "e", "f"));
    expect(await prune(NIGHTLY, here.means)).toBe(6);
    expect(here.told()).toEqual([
      "a kept: keep_last",
      "c kept: keep_last",
      "e kept: keep_last",
      "b deleted: kept by no rule",
      "d deleted: kept by no rule",
      "f deleted: kept by no rule",
    ]);
    expect(left(here)).toEqual(["a", "c", "x", "y"]);
    expect(here.records[3]).toEqual({
      action: "prune",
      kind: "snapshot",
      resource_id: "disk-1",
      name: "nightly-b",
      snapshot_id: "b",
      policy: "nightly",
      outcome: "deleted",
      rule: "kept by no rule",
    });
    expect(here.untidy()).toBe(0);
  });

  test("that keeps nothing is refused before anything is listed", async () => {
    for (const retention of [undefined, {}, { keep_last: 0 }, { min_keep: 3 }]) {
      const here = stage();
      await expect(prune({ policy: "nightly", retention }, here.means)).rejects.toMatchObject({
        reason: "InvalidRequest",
        message:
          "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none; that would delete all but min_keep.",
      });
      expect(here.cloud.calls).toEqual([]);
    }
  });

  test("has days of UTC and holds nothing, where the policy does not say", () => {
    const options = retentionOf(NIGHTLY);
    expect(options.hold).toEqual([]);
    expect(options.wallClock(START)).toBe(START);
    expect(retentionOf({ ...NIGHTLY, time_zone: "Asia/Shanghai", hold: ["a"] }).wallClock(START)).toBe(
      START + 8 * HOUR_MS,
    );
  });

  test("leaves what the policy holds", async () => {
    const here = stage();
    here.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"));
    await prune({ ...NIGHTLY, hold: ["B"] }, here.means);
    expect(here.told()).toEqual(["a kept: keep_last", "b held: held by the policy", "c deleted: kept by no rule"]);
  });

  test("is by the clock: what is dated later pushes nothing out", async () => {
    const here = stage();
    const future = snapshotOf("f", "disk-1", { created: after(START, 365 * DAY_MS) });
    here.cloud.add(snapshot, future, ...days("disk-1", "a", "b", "c"));
    await prune({ policy: "nightly", retention: { keep_within_days: 2 } }, here.means);
    expect(here.told()).toEqual([
      "f held: its time is in the future",
      "a kept: keep_within_days",
      "b kept: keep_within_days",
      "c deleted: kept by no rule",
    ]);
  });

  test("is only told, where the policy says so", async () => {
    const here = stage();
    here.cloud.add(snapshot, ...days("disk-1", "a", "b"));
    expect(await prune({ ...NIGHTLY, dry_run: true }, here.means)).toBe(2);
    expect(here.told()).toEqual(["a planned: keep_last: kept", "b planned: kept by no rule: deleted"]);
    expect(removals(here)).toEqual([]);
  });

  test("goes on where a kind cannot be listed", async () => {
    const here = stage();
    here.cloud.at("listAll", undefined, refusal("AccessDenied"));
    here.cloud.add(snapshot, ...days("disk-1", "a", "b"));
    expect(await prune(NIGHTLY, here.means)).toBe(2);
    expect(here.records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { action: "prune", policy: "nightly", kind: standard.kind },
    ]);
    expect(left(here)).toEqual(["a"]);
  });
});

describe("what is about to be deleted", () => {
  test("is announced before the first of it is, twins first", async () => {
    const here = stage();
    const marker = markerOf("same");
    const twins = ["s", "t"].map((id, hour) =>
      snapshotOf(id, "disk-2", { marker, created: after(START, hour * HOUR_MS) }),
    );
    here.cloud.add(snapshot, ...days("disk-1", "a", "b"), ...twins);
    let before: string[] = [];
    here.cloud.at("remove", () => {
      before = [...here.announced];
    });
    await prune(NIGHTLY, here.means);
    expect(before).toEqual(["t: twin of s; b: kept by no rule"]);
    expect(here.announced).toEqual(before);
  });

  test("is not announced where nothing is, or where it is only planned", async () => {
    const here = stage();
    here.cloud.add(snapshot, ...days("disk-1", "a"));
    await prune(NIGHTLY, here.means);
    here.cloud.add(snapshot, ...days("disk-1", "a", "b").slice(1));
    await prune({ ...NIGHTLY, dry_run: true }, here.means);
    expect(here.announced).toEqual([]);
  });
});

test("a hold that is of nothing is remarked; one that is of another policy's, or of any kind, is not", async () => {
  const here = stage();
  const other = snapshotOf("x", "disk-1", { marker: markerOf("x", { policy: "weekly" }) });
  here.cloud.add(snapshot, ...days("disk-1", "a"), other);
  here.cloud.add(cluster, ...days("cluster-1", "e"));
  await prune({ ...NIGHTLY, hold: [" A ", "nightly-e", "x", "y", "nightly z"] }, here.means);
  expect(here.remarks).toEqual([
    'hold: expected ids or names of snapshots; none that was looked at has "y", "nightly z".',
  ]);
  const unheld = stage();
  await prune(NIGHTLY, unheld.means);
  unheld.cloud.add(snapshot, ...days("disk-1", "a"));
  await prune({ ...NIGHTLY, hold: ["a"] }, unheld.means);
  expect(unheld.remarks).toEqual([]);
});

describe("younger twins", () => {
  test("go before all others, so that the time is theirs where it is short", async () => {
    const here = stage({ concurrency: 1 });
    const marker = markerOf("same");
    const twins = ["s", "t"].map((id, hour) =>
      snapshotOf(id, "disk-2", { marker, created: after(START, hour * HOUR_MS) }),
    );
    here.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"), ...twins);
    await prune(NIGHTLY, here.means);
    expect(removals(here)).toEqual(["0 s remove snapshot t", "0 s remove snapshot b", "0 s remove snapshot c"]);
    expect(here.told().filter((one) => one.includes("deleted"))).toEqual([
      "t deleted: twin of s",
      "b deleted: kept by no rule",
      "c deleted: kept by no rule",
    ]);
  });
});

describe("one that cannot be deleted", () => {
  const two = (event: Parameters<ReturnType<typeof stage>["cloud"]["at"]>[1], seconds = 600) => {
    const here = stage({ concurrency: 1, seconds, random: () => 0.999 });
    here.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"));
    if (event !== undefined) here.cloud.at("remove", event);
    return here;
  };

  test("does not stop the others", async () => {
    const here = two(refusal("AccessDenied"));
    await prune(NIGHTLY, here.means);
    expect(here.told()).toEqual([
      "a kept: keep_last",
      "b failed: kept by no rule: AccessDenied",
      "c deleted: kept by no rule",
    ]);
  });

  test("as it is gone already is what was wanted", async () => {
    const here = two(refusal("NotFound"));
    await prune(NIGHTLY, here.means);
    expect(here.told()[1]).toBe("b deleted: kept by no rule: It was gone already.");
    expect(removals(here)).toHaveLength(2);
  });

  test("as something else was not found is looked at: what is there stays, with the cloud's words", async () => {
    const here = two(refusal("NotFound", { open: true }));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual(["c deleted: kept by no rule", "b failed: kept by no rule: NotFound"]);
    expect(here.cloud.asked().slice(-1)).toEqual(["listAll snapshot"]);
    expect(removals(here)).toHaveLength(2);
    expect(here.untidy()).toBe(0);
  });

  test("as something else was not found is deleted, where it is gone by then", async () => {
    const here = two(() => {
      here.cloud.snapshots.set("snapshot", days("disk-1", "a", "-", "c"));
      throw refusal("NotFound", { open: true });
    });
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual([
      "c deleted: kept by no rule",
      "b deleted: kept by no rule: It was gone already.",
    ]);
  });

  test("of several kinds are each looked at among their own, and have one record", async () => {
    const here = two(undefined);
    here.cloud.add(cluster, ...days("cluster-1", "e", "f"));
    here.cloud.always("remove", refusal("NotFound", { open: true }));
    await prune(NIGHTLY, here.means);
    expect(
      here
        .told()
        .filter((line) => line.includes("failed"))
        .sort(),
    ).toEqual(["b", "c", "f"].map((id) => `${id} failed: kept by no rule: NotFound`));
    // What is there although it was not found is not tried again.
    expect(removals(here)).toHaveLength(3);
    expect(here.untidy()).toBe(0);
  });

  test("is not tried again with those that are busy, where something else was not found", async () => {
    const here = two(undefined);
    here.cloud.at("remove", refusal("Busy"), refusal("NotFound", { open: true }));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1).sort()).toEqual(["b deleted: kept by no rule", "c failed: kept by no rule: NotFound"]);
    expect(removals(here)).toHaveLength(3);
    expect(here.untidy()).toBe(0);
  });

  test("where it cannot be looked is not said to be deleted", async () => {
    const here = two(refusal("NotFound", { open: true }));
    here.cloud.at("listAll", undefined, undefined, undefined, undefined, refusal("AccessDenied"));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual(["c deleted: kept by no rule", "b failed: kept by no rule: NotFound"]);
  });

  test("as it is being deleted, by an earlier call or by somebody else, is not waited for", async () => {
    const going = (status: typeof DELETING) => {
      const here = two(() => {
        here.cloud.snapshots.set("snapshot", [
          ...days("disk-1", "a", "-", "c"),
          snapshotOf("b", "disk-1", { ...status, created: after(START, -DAY_MS) }),
        ]);
        throw refusal("Busy");
      });
      return here;
    };
    const here = going(DELETING);
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual([
      "c deleted: kept by no rule",
      "b deleted: kept by no rule: It was being deleted already.",
    ]);
    expect(here.time.seconds()).toBe(0);
    // One whose deletion failed is not going anywhere.
    const stuck = going(STUCK_DELETING);
    stuck.cloud.always("remove", refusal("Busy"));
    await prune(NIGHTLY, stuck.means);
    expect(stuck.told()).toContain("b failed: kept by no rule: Busy");
  });

  test("for a fault that passes is tried again, at once", async () => {
    const here = two(refusal("CloudError"));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual(["b deleted: kept by no rule", "c deleted: kept by no rule"]);
    expect(here.cloud.asked().slice(-3)).toEqual(["remove snapshot b", "remove snapshot b", "remove snapshot c"]);
  });

  test("for a fault that stays is tried four times", async () => {
    const here = two(undefined);
    here.cloud.always("remove", refusal("CloudError"));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual([
      "b failed: kept by no rule: CloudError",
      "c failed: kept by no rule: CloudError",
    ]);
    expect(removals(here)).toHaveLength(8);
  });

  test("as it is busy waits until all others were tried, and holds up none of them", async () => {
    const here = two(refusal("Busy"));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual(["c deleted: kept by no rule", "b deleted: kept by no rule"]);
    const [first, second, third] = removals(here);
    expect([first, second]).toEqual(["0 s remove snapshot b", "0 s remove snapshot c"]);
    expect(third).toMatch(/^9\.99\d s remove snapshot b$/);
    expect(here.untidy()).toBe(0);
  });

  test("as it stays busy is left for the next run after four tries, with the rule by which it was to go", async () => {
    const here = two(undefined);
    here.cloud.always("remove", refusal("Busy"));
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual(["b failed: kept by no rule: Busy", "c failed: kept by no rule: Busy"]);
    expect(removals(here)).toHaveLength(8);
    expect(here.untidy()).toBe(0);
  });

  test("as it stays busy is not waited for beyond the end", async () => {
    const here = two(undefined, 25);
    here.cloud.always("remove", refusal("Busy"));
    await prune(NIGHTLY, here.means);
    expect(removals(here)).toHaveLength(4);
    expect(here.time.seconds()).toBeLessThan(13);
  });

  test("in time has a record that says so", async () => {
    const here = two(() => here.time.sleep(48_000), 60);
    await prune(NIGHTLY, here.means);
    expect(here.told().slice(1)).toEqual(["b deleted: kept by no rule", "c failed: kept by no rule: DeadlineExceeded"]);
    expect(here.records.at(-1)?.error?.message).toBe(
      "The invocation's time ran out before this was deleted; the next run does it. Raise the function's timeout.",
    );
    expect(removals(here)).toHaveLength(1);
  });

  test("is deleted up to the last moment at which that can end in order", async () => {
    const here = two(() => here.time.sleep(47_999), 60);
    await prune(NIGHTLY, here.means);
    expect(left(here)).toEqual(["a"]);
  });
});

test("several are deleted at a time, as many as allowed", async () => {
  const here = stage({ concurrency: 3, seconds: 600 });
  here.cloud.add(snapshot, ...days("disk-1", "a", "b", "c", "d", "e"));
  here.cloud.always("remove", () => here.time.sleep(1_000));
  await prune(NIGHTLY, here.means);
  expect(removals(here).map((call) => call.split(" ")[0])).toEqual(["0", "0", "0", "1"]);
});

test("what failed goes too, once there is a newer good one", async () => {
  const here = stage();
  here.cloud.add(snapshot, ...days("disk-1", "a"), snapshotOf("f", "disk-1", { ...FAILED, created: after(START, -1) }));
  await prune(NIGHTLY, here.means);
  expect(here.told()).toEqual(["a kept: keep_last", "f deleted: failed, and a newer good one exists"]);
});
