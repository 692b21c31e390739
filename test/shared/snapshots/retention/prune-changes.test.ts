import { describe, expect, test } from "vitest";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import { days, ids, left, NIGHTLY } from "../../../support/days.ts";
import {
  cloudError,
  cluster,
  createFixture,
  type DomainFixture,
  FAILED,
  markerOf,
  snapshot,
  standard,
} from "../../../support/domain.ts";

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
  const CHANGED = "The plan changed: a later list shows that this snapshot must be kept. Before: kept by no rule.";

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
      "b deleted: failed, and a newer good one exists",
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
    const unread = "Not deleted, because the list could not be read again.";
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
