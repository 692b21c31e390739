import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { after, before } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { type PrunePolicy, prune, retentionOf } from "../../../../shared/snapshots/retention/prune.ts";
import {
  cloudError,
  cluster,
  createFixture,
  DAY_MS,
  DELETING,
  type DomainFixture,
  FAILED,
  HOUR_MS,
  markerOf,
  START,
  STUCK_DELETING,
  snapshot,
  snapshotOf,
  standard,
} from "../../../support/domain.ts";

const NIGHTLY: PrunePolicy = { policy: "nightly", retention: { keep_last: 1 } };

/** Returns good snapshots of a disk, one per day, newest first. */
const days = (resource: string, ...ids: string[]): FoundSnapshot[] =>
  ids.map((id, day) => snapshotOf(id, resource, { created: before(START, day * DAY_MS) }));
const left = ({ cloud }: DomainFixture) => cloud.of(snapshot).map(({ id }) => id);
const removals = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("remove"));

describe("prune", () => {
  test("prune applies the retention to all snapshots of the policy, by kind and resource", async () => {
    const fixture = createFixture();
    const other = snapshotOf("x", "disk-1", { marker: markerOf("x", { policy: "weekly" }) });
    const unmarked = snapshotOf("y", "disk-1", { marker: undefined });
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b"), ...days("disk-2", "c", "d"), other, unmarked);
    fixture.cloud.add(cluster, ...days("cluster-1", "e", "f"));
    expect(await prune(NIGHTLY, fixture.runContext)).toBe(6);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "c kept: keep_last",
      "e kept: keep_last",
      "b deleted: kept by no rule",
      "d deleted: kept by no rule",
      "f deleted: kept by no rule",
    ]);
    expect(left(fixture)).toEqual(["a", "c", "x", "y"]);
    expect(fixture.records[3]).toEqual({
      action: "prune",
      kind: "snapshot",
      resource_id: "disk-1",
      name: "nightly-b",
      snapshot_id: "b",
      policy: "nightly",
      outcome: "deleted",
      rule: "kept by no rule",
    });
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune rejects a retention without rules before it lists anything", async () => {
    for (const retention of [undefined, {}, { keep_last: 0 }, { min_keep: 3 }]) {
      const fixture = createFixture();
      await expect(prune({ policy: "nightly", retention }, fixture.runContext)).rejects.toMatchObject({
        reason: "InvalidRequest",
        message:
          "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none; prune would delete all but min_keep.",
      });
      expect(fixture.cloud.calls).toEqual([]);
    }
  });

  test("retentionOf uses UTC and no hold by default", () => {
    const options = retentionOf(NIGHTLY);
    expect(options.hold).toEqual([]);
    expect(options.wallClock(START)).toBe(START);
    expect(retentionOf({ ...NIGHTLY, time_zone: "Asia/Shanghai", hold: ["a"] }).wallClock(START)).toBe(
      START + 8 * HOUR_MS,
    );
  });

  test("prune keeps the snapshots in the policy's hold", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"));
    await prune({ ...NIGHTLY, hold: ["B"] }, fixture.runContext);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "b held: held by the policy",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune holds a snapshot with a time in the future and applies the rules to the others", async () => {
    const fixture = createFixture();
    const future = snapshotOf("f", "disk-1", { created: after(START, 365 * DAY_MS) });
    fixture.cloud.add(snapshot, future, ...days("disk-1", "a", "b", "c"));
    await prune({ policy: "nightly", retention: { keep_within_days: 2 } }, fixture.runContext);
    expect(fixture.outcomes()).toEqual([
      "f held: its creation time is in the future",
      "a kept: keep_within_days",
      "b kept: keep_within_days",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune only reports its plan in a dry run", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b"));
    expect(await prune({ ...NIGHTLY, dry_run: true }, fixture.runContext)).toBe(2);
    expect(fixture.outcomes()).toEqual(["a planned: keep_last: kept", "b planned: kept by no rule: deleted"]);
    expect(removals(fixture)).toEqual([]);
  });

  test("prune continues if a kind cannot be listed", async () => {
    const fixture = createFixture();
    fixture.cloud.at("listAll", undefined, cloudError("AccessDenied"));
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b"));
    expect(await prune(NIGHTLY, fixture.runContext)).toBe(2);
    expect(fixture.records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      { action: "prune", policy: "nightly", kind: standard.name },
    ]);
    expect(left(fixture)).toEqual(["a"]);
  });
});

describe("the announcement of deletions", () => {
  test("prune announces the deletions before the first one, with younger duplicates first", async () => {
    const fixture = createFixture();
    const marker = markerOf("same");
    const duplicates = ["s", "t"].map((id, hour) =>
      snapshotOf(id, "disk-2", { marker, created: after(START, hour * HOUR_MS) }),
    );
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b"), ...duplicates);
    let before: string[] = [];
    fixture.cloud.at("remove", () => {
      before = [...fixture.announced];
    });
    await prune(NIGHTLY, fixture.runContext);
    expect(before).toEqual(["t: twin of s; b: kept by no rule"]);
    expect(fixture.announced).toEqual(before);
  });

  test("prune announces nothing if it deletes nothing or in a dry run", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...days("disk-1", "a"));
    await prune(NIGHTLY, fixture.runContext);
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b").slice(1));
    await prune({ ...NIGHTLY, dry_run: true }, fixture.runContext);
    expect(fixture.announced).toEqual([]);
  });
});

test("prune adds a notice for a hold that matches no snapshot of any policy or kind", async () => {
  const fixture = createFixture();
  const other = snapshotOf("x", "disk-1", { marker: markerOf("x", { policy: "weekly" }) });
  fixture.cloud.add(snapshot, ...days("disk-1", "a"), other);
  fixture.cloud.add(cluster, ...days("cluster-1", "e"));
  await prune({ ...NIGHTLY, hold: [" A ", "nightly-e", "x", "y", "nightly z"] }, fixture.runContext);
  expect(fixture.notices).toEqual([
    'hold: expected ids or names of existing snapshots, got "y", "nightly z". Correct or remove them.',
  ]);
  const unheld = createFixture();
  await prune(NIGHTLY, unheld.runContext);
  unheld.cloud.add(snapshot, ...days("disk-1", "a"));
  await prune({ ...NIGHTLY, hold: ["a"] }, unheld.runContext);
  expect(unheld.notices).toEqual([]);
});

describe("prune with younger duplicates", () => {
  test("prune deletes younger duplicates before all others, in case the time is short", async () => {
    const fixture = createFixture({ concurrency: 1 });
    const marker = markerOf("same");
    const duplicates = ["s", "t"].map((id, hour) =>
      snapshotOf(id, "disk-2", { marker, created: after(START, hour * HOUR_MS) }),
    );
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"), ...duplicates);
    await prune(NIGHTLY, fixture.runContext);
    expect(removals(fixture)).toEqual(["0 s remove snapshot t", "0 s remove snapshot b", "0 s remove snapshot c"]);
    expect(fixture.outcomes().filter((one) => one.includes("deleted"))).toEqual([
      "t deleted: twin of s",
      "b deleted: kept by no rule",
      "c deleted: kept by no rule",
    ]);
  });
});

describe("prune if a deletion fails", () => {
  const two = (event: Parameters<DomainFixture["cloud"]["at"]>[1], seconds = 600) => {
    const fixture = createFixture({ concurrency: 1, seconds, random: () => 0.999 });
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"));
    if (event !== undefined) fixture.cloud.at("remove", event);
    return fixture;
  };

  test("prune continues after a failed deletion", async () => {
    const fixture = two(cloudError("AccessDenied"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "b failed: kept by no rule: AccessDenied",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune reports a snapshot that no longer exists as deleted", async () => {
    const fixture = two(cloudError("NotFound"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes()[1]).toBe("b deleted: kept by no rule: Already deleted.");
    expect(removals(fixture)).toHaveLength(2);
  });

  test("prune lists the kind after an ambiguous NotFound and reports an existing snapshot as failed with the cloud's message", async () => {
    const fixture = two(cloudError("NotFound", { ambiguous: true }));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual(["b failed: kept by no rule: NotFound", "c deleted: kept by no rule"]);
    expect(fixture.cloud.requests().slice(-2)).toEqual(["listAll snapshot", "remove snapshot c"]);
    expect(removals(fixture)).toHaveLength(2);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune lists the kind after an ambiguous NotFound and reports a missing snapshot as deleted", async () => {
    const fixture = two(() => {
      fixture.cloud.snapshots.set("snapshot", days("disk-1", "a", "-", "c"));
      throw cloudError("NotFound", { ambiguous: true });
    });
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual([
      "b deleted: kept by no rule: Already deleted.",
      "c deleted: kept by no rule",
    ]);
  });

  test("prune lists each kind after ambiguous errors and writes one record per snapshot", async () => {
    const fixture = two(undefined);
    fixture.cloud.add(cluster, ...days("cluster-1", "e", "f"));
    fixture.cloud.always("remove", cloudError("NotFound", { ambiguous: true }));
    await prune(NIGHTLY, fixture.runContext);
    expect(
      fixture
        .outcomes()
        .filter((line) => line.includes("failed"))
        .sort(),
    ).toEqual(["b", "c", "f"].map((id) => `${id} failed: kept by no rule: NotFound`));
    // A deletion is not repeated if the snapshot exists after NotFound.
    expect(removals(fixture)).toHaveLength(3);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune does not repeat a deletion after an ambiguous NotFound", async () => {
    const fixture = two(undefined);
    fixture.cloud.at("remove", cloudError("Busy"), cloudError("NotFound", { ambiguous: true }));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1).sort()).toEqual([
      "b deleted: kept by no rule",
      "c failed: kept by no rule: NotFound",
    ]);
    expect(removals(fixture)).toHaveLength(3);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune does not report a deletion as successful if the list after an ambiguous NotFound fails", async () => {
    const fixture = two(cloudError("NotFound", { ambiguous: true }));
    fixture.cloud.at("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual([
      "c failed: kept by no rule: Not deleted: the snapshots could not be listed again.: AccessDenied",
      "b failed: kept by no rule: NotFound",
    ]);
    expect(removals(fixture)).toHaveLength(1);
  });

  test("prune waits once for a snapshot that is already being deleted, and reports it as deleted", async () => {
    const going = (status: typeof DELETING) => {
      const fixture = two(() => {
        fixture.cloud.snapshots.set("snapshot", [
          ...days("disk-1", "a", "-", "c"),
          snapshotOf("b", "disk-1", { ...status, created: before(START, DAY_MS) }),
        ]);
        throw cloudError("Busy");
      });
      return fixture;
    };
    const fixture = going(DELETING);
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual([
      "b deleted: kept by no rule: Already being deleted.",
      "c deleted: kept by no rule",
    ]);
    expect(fixture.time.slept).toHaveLength(1);
    // A snapshot whose deletion failed does not disappear.
    const stuck = going(STUCK_DELETING);
    stuck.cloud.always("remove", cloudError("Busy"));
    await prune(NIGHTLY, stuck.runContext);
    expect(stuck.outcomes()).toContain("b failed: kept by no rule: Busy");
  });

  test("prune repeats a deletion after a transient error once a list must show whether the cloud deleted the snapshot", async () => {
    const fixture = two(cloudError("CloudError"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual(["c deleted: kept by no rule", "b deleted: kept by no rule"]);
    expect(fixture.cloud.requests().slice(-4)).toEqual([
      "remove snapshot b",
      "listAll snapshot",
      "remove snapshot c",
      "remove snapshot b",
    ]);
    expect(fixture.time.seconds()).toBeGreaterThanOrEqual(6);
    expect(fixture.time.seconds()).toBeLessThan(7);
  });

  test("prune tries a deletion with transient errors four times", async () => {
    const fixture = two(undefined);
    fixture.cloud.always("remove", cloudError("CloudError"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual([
      "b failed: kept by no rule: CloudError",
      "c failed: kept by no rule: CloudError",
    ]);
    expect(removals(fixture)).toHaveLength(8);
  });

  test("prune repeats a busy deletion after all other resources, and defers the rest of its resource to a new list", async () => {
    const fixture = two(cloudError("Busy"));
    fixture.cloud.add(snapshot, ...days("disk-2", "x", "y"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(2)).toEqual([
      "y deleted: kept by no rule",
      "c deleted: kept by no rule",
      "b deleted: kept by no rule",
    ]);
    expect(fixture.cloud.calls.slice(4).map((call) => call.replace(/^9\.99\d/, "9.99"))).toEqual([
      "0 s remove snapshot b",
      "0 s remove snapshot y",
      "9.99 s listAll snapshot",
      "9.99 s remove snapshot c",
      "9.99 s remove snapshot b",
    ]);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune leaves a busy snapshot for the next run after four tries, with the rule of its deletion", async () => {
    const fixture = two(undefined);
    fixture.cloud.always("remove", cloudError("Busy"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual(["b failed: kept by no rule: Busy", "c failed: kept by no rule: Busy"]);
    expect(removals(fixture)).toHaveLength(8);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune does not wait for a busy snapshot beyond the deadline", async () => {
    const fixture = two(undefined, 25);
    fixture.cloud.always("remove", cloudError("Busy"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1).sort()).toEqual([
      "b failed: kept by no rule: Busy",
      "c failed: kept by no rule: Busy",
    ]);
    expect(removals(fixture)).toHaveLength(3);
    expect(fixture.time.seconds()).toBeLessThan(13);
  });

  test("prune records a deletion that it did not start in time", async () => {
    const fixture = two(() => fixture.time.sleep(48_000), 60);
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual([
      "b deleted: kept by no rule",
      "c failed: kept by no rule: DeadlineExceeded",
    ]);
    expect(fixture.records.at(-1)?.error?.message).toBe(
      "The invocation's time ran out before this snapshot was deleted. The next run deletes it. Raise the function's timeout.",
    );
    expect(removals(fixture)).toHaveLength(1);
  });

  test("prune starts deletions until 12 s before the deadline", async () => {
    const fixture = two(() => fixture.time.sleep(47_999), 60);
    await prune(NIGHTLY, fixture.runContext);
    expect(left(fixture)).toEqual(["a"]);
  });
});

test("prune deletes as many snapshots at a time as the concurrency limit allows", async () => {
  const fixture = createFixture({ concurrency: 3, seconds: 600 });
  fixture.cloud.add(snapshot, ...days("disk-1", "a", "b", "c", "d", "e"));
  fixture.cloud.always("remove", () => fixture.time.sleep(1_000));
  await prune(NIGHTLY, fixture.runContext);
  expect(removals(fixture).map((call) => call.split(" ")[0])).toEqual(["0", "0", "0", "1"]);
});

test("prune deletes a failed snapshot once a newer good one exists", async () => {
  const fixture = createFixture();
  fixture.cloud.add(
    snapshot,
    ...days("disk-1", "a"),
    snapshotOf("f", "disk-1", { ...FAILED, created: before(START, 1) }),
  );
  await prune(NIGHTLY, fixture.runContext);
  expect(fixture.outcomes()).toEqual(["a kept: keep_last", "f deleted: failed, and a newer good snapshot exists"]);
});

describe("prune repeats a failed deletion only if a plan from a new list still asks for it", () => {
  const three = (seconds = 600) => {
    const fixture = createFixture({ concurrency: 1, seconds, random: () => 0.999 });
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"));
    return fixture;
  };
  const set = (fixture: DomainFixture, id: string, changes: Partial<FoundSnapshot>) =>
    fixture.cloud.snapshots.set(
      "snapshot",
      fixture.cloud.of(snapshot).map((one) => (one.id === id ? { ...one, ...changes } : one)),
    );
  const CHANGED = "The plan changed after another list request. Before: kept by no rule.";

  test.each([
    ["Busy", undefined],
    ["Throttled", undefined],
    ["CloudError", undefined],
    ["Unreachable", undefined],
    ["BadResponse", undefined],
    ["Conflict", "c"],
    ["AccessDenied", "c"],
    ["NotFound", "c"],
  ] as const)(
    "prune keeps the last good snapshot after a deletion fails with %s and the snapshot that its plan kept fails",
    async (reason, last) => {
      const fixture = three();
      fixture.cloud.at("remove", () => {
        set(fixture, "a", FAILED);
        // A snapshot whose deletion fails permanently is still good. Make b fail too, so c is the last good one.
        if (last !== undefined) set(fixture, "b", FAILED);
        throw cloudError(reason);
      });
      await prune(NIGHTLY, fixture.runContext);
      expect(left(fixture)).toContain(last ?? "b");
      expect(fixture.outcomes()).toContain(`${last ?? "b"} kept: keep_last: ${CHANGED}`);
      expect(fixture.records.filter(({ snapshot_id }) => snapshot_id === "b")).toHaveLength(1);
      expect(fixture.unbalancedRecords()).toBe(0);
    },
  );

  test("prune records a repeated deletion with the rule of the new plan", async () => {
    const fixture = three();
    fixture.cloud.at("remove", () => {
      set(fixture, "b", FAILED);
      throw cloudError("Busy");
    });
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1)).toEqual([
      "c deleted: kept by no rule",
      "b deleted: failed, and a newer good snapshot exists",
    ]);
  });

  test("prune does not count a snapshot whose deletion was accepted, although a late list shows it", async () => {
    const fixture = three();
    const [, b] = fixture.cloud.of(snapshot);
    fixture.cloud.at("remove", undefined, () => {
      // The deletion of c is refused as busy. The deletion of b was accepted, but a late list still shows b.
      set(fixture, "a", FAILED);
      fixture.cloud.add(snapshot, b as FoundSnapshot);
      throw cloudError("Busy");
    });
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "b deleted: kept by no rule",
      `c kept: keep_last: ${CHANGED}`,
    ]);
  });

  test("prune counts a snapshot that a new plan keeps as good in the plans after it", async () => {
    const fixture = three();
    fixture.cloud.at("remove", () => {
      set(fixture, "a", FAILED);
      throw cloudError("Busy");
    });
    fixture.cloud.at("remove", cloudError("Busy"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      `b kept: keep_last: ${CHANGED}`,
      "c deleted: kept by no rule",
    ]);
    expect(left(fixture)).toEqual(["a", "b"]);
  });

  test("prune holds a busy snapshot that loses its marker or belongs to another policy by the next list", async () => {
    for (const marker of [undefined, markerOf("b", { policy: "weekly" })]) {
      const fixture = three();
      fixture.cloud.at("remove", () => {
        set(fixture, "b", { marker });
        throw cloudError("Busy");
      });
      await prune(NIGHTLY, fixture.runContext);
      expect(fixture.outcomes().slice(1)).toEqual([
        `b held: no longer marked with this policy: ${CHANGED}`,
        "c deleted: kept by no rule",
      ]);
    }
  });

  test("prune fails the deletions of a kind with the list's error if the list cannot be read again", async () => {
    const fixture = three();
    fixture.cloud.at("remove", cloudError("Busy"));
    fixture.cloud.at("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied"));
    await prune(NIGHTLY, fixture.runContext);
    const unread = "Not deleted: the snapshots could not be listed again.";
    expect(fixture.outcomes().slice(1)).toEqual(
      ["c", "b"].map((id) => `${id} failed: kept by no rule: ${unread}: AccessDenied`),
    );
    expect(left(fixture)).toEqual(["a", "b", "c"]);
  });

  test("prune plans one kind again although the list of another fails", async () => {
    const fixture = three();
    fixture.cloud.add(cluster, ...days("cluster-1", "e", "f"));
    fixture.cloud.at("remove", cloudError("Busy"), cloudError("Busy"));
    fixture.cloud.at("listAll", undefined, undefined, undefined, undefined, cloudError("AccessDenied"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().filter((line) => line.startsWith("f"))).toEqual(["f deleted: kept by no rule"]);
    expect(left(fixture)).toEqual(["a", "b", "c"]);
  });

  test("prune lists a kind again before its first deletion if it waited for the list of another kind after it", async () => {
    const fixture = three();
    fixture.cloud.add(standard, ...days("disk-1", "x", "y"));
    fixture.cloud.at("listAll", undefined, undefined, undefined, cloudError("Throttled"), () => {
      set(fixture, "a", FAILED);
      set(fixture, "c", { labels: { hold: "true" } });
    });
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "x kept: keep_last",
      `b kept: keep_last: ${CHANGED}`,
      `c held: held by its label: ${CHANGED}`,
      "y deleted: kept by no rule",
    ]);
    expect(fixture.announced).toEqual(["b: kept by no rule; c: kept by no rule; y: kept by no rule"]);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune reads no list after the deadline and leaves the other deletions for the next run", async () => {
    const fixture = createFixture({ concurrency: 2, seconds: 60 });
    for (let disk = 0; disk < 20; disk += 1) fixture.cloud.add(snapshot, ...days(`disk-${disk}`, ...ids(disk)));
    fixture.cloud.always("remove", () => fixture.time.sleep(30_000));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.records.filter(({ outcome }) => outcome === "deleted")).toHaveLength(4);
    expect(fixture.records.filter(({ error }) => error?.reason === "DeadlineExceeded")).toHaveLength(36);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot")).toHaveLength(1);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune reports a deletion that is busy until the deadline as Busy", async () => {
    const fixture = three(30);
    fixture.cloud.always("remove", cloudError("Busy"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1).sort()).toEqual([
      "b failed: kept by no rule: Busy",
      "c failed: kept by no rule: Busy",
    ]);
  });

  test("prune does not repeat a deletion with an unknown outcome if a list could not show the outcome in time", async () => {
    const fixture = three(11);
    fixture.cloud.at("remove", cloudError("CloudError"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1).sort()).toEqual([
      "b failed: kept by no rule: CloudError",
      "c deleted: kept by no rule",
    ]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("prune reads few lists for hundreds of throttled deletions", async () => {
    let count = 0;
    const fixture = createFixture({ concurrency: 8, seconds: 600, random: () => 0.5 });
    for (let disk = 0; disk < 300; disk += 1) fixture.cloud.add(snapshot, ...days(`disk-${disk}`, ...ids(disk)));
    fixture.cloud.always("remove", () => {
      count += 1;
      if (count % 10 === 0) throw cloudError("Throttled", { retryAfterMs: 1_000 });
    });
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.cloud.of(snapshot)).toHaveLength(300);
    expect(fixture.records.filter(({ outcome }) => outcome === "deleted")).toHaveLength(600);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot").length).toBeLessThanOrEqual(5);
  });

  test("prune stops after ten rounds in an account that throttles every deletion, and writes a record for each", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 100_000, random: () => 0.5 });
    fixture.cloud.add(snapshot, ...days("disk-1", "a", "b", "c"));
    fixture.cloud.always("remove", cloudError("Throttled"));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.outcomes().slice(1).sort()).toEqual([
      expect.stringMatching(/^b failed: kept by no rule.*: Throttled$/),
      expect.stringMatching(/^c failed: kept by no rule.*: Throttled$/),
    ]);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot").length).toBeLessThanOrEqual(11);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("prune deletes the rest of a resource although many of its deletions fail permanently", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 600 });
    fixture.cloud.add(snapshot, ...days("disk-1", ..."abcdefghijkl"));
    fixture.cloud.at("remove", ...Array.from({ length: 9 }, () => cloudError("Conflict")));
    await prune(NIGHTLY, fixture.runContext);
    expect(fixture.records.filter(({ outcome }) => outcome === "failed")).toHaveLength(9);
    expect(fixture.records.filter(({ outcome }) => outcome === "deleted")).toHaveLength(2);
    expect(fixture.cloud.requests().filter((call) => call === "listAll snapshot").length).toBeLessThanOrEqual(4);
  });
});

const ids = (disk: number): string[] => ["a", "b", "c"].map((letter) => `${letter}${disk}`);

test("prune deletes or reports as failed exactly the planned deletions if deletions fail at random and nothing else changes", async () => {
  const one = fc.record({
    disk: fc.constantFrom("disk-1", "disk-2"),
    hours: fc.integer({ min: 1, max: 24 * 40 }),
    state: fc.constantFrom({}, {}, {}, {}, FAILED),
    key: fc.constantFrom("", "", "", "once", "twice"),
  });
  const retention = fc.record(
    {
      keep_last: fc.integer({ min: 1, max: 3 }),
      keep_within_days: fc.nat(4),
      keep_daily: fc.nat(5),
      keep_weekly: fc.nat(4),
      keep_monthly: fc.nat(2),
      min_keep: fc.integer({ min: 1, max: 3 }),
    },
    { requiredKeys: ["keep_last"] },
  );
  const failures = fc.array(
    fc.constantFrom(undefined, undefined, undefined, "Busy", "Throttled", "CloudError", "Unreachable", "lost"),
    { maxLength: 12 },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(one, { maxLength: 25 }), retention, failures, async (seeds, rules, reasons) => {
      const fixture = createFixture({ seconds: 3_600, concurrency: 3, random: () => 0.5 });
      const found = seeds.map(({ disk, hours, state, key }, index) =>
        snapshotOf(`s${index}`, disk, {
          created: before(START, hours * HOUR_MS),
          marker: markerOf(key || `${index}`),
          ...state,
        }),
      );
      fixture.cloud.add(snapshot, ...found);
      const policy = { policy: "nightly", retention: rules };
      await prune({ ...policy, dry_run: true }, fixture.runContext);
      const planned = fixture.records.filter(({ detail }) => detail === "deleted");
      fixture.records.length = 0;
      fixture.cloud.at(
        "remove",
        ...reasons.map((reason) => {
          if (reason === "lost") return { afterwards: cloudError("Unreachable") };
          return reason === undefined ? undefined : cloudError(reason);
        }),
      );
      await prune(policy, fixture.runContext);
      const ended = (...outcomes: string[]) =>
        fixture.records.filter(({ outcome }) => outcomes.includes(outcome)).map(({ snapshot_id }) => snapshot_id);
      // After four failures in a row, a deletion is left for the next run.
      const other = planned.filter(({ snapshot_id }) => !ended("deleted", "failed").includes(snapshot_id));
      // After the older duplicate is deleted, the next plan can keep the younger one.
      expect(other.filter(({ rule }) => !rule?.startsWith("twin"))).toEqual([]);
      expect(ended("deleted", "failed").length + other.length).toBe(planned.length);
      expect(left(fixture)).toEqual(found.map(({ id }) => id).filter((id) => !ended("deleted").includes(id)));
      expect(fixture.unbalancedRecords()).toBe(0);
    }),
    { numRuns: 300 },
  );
});
