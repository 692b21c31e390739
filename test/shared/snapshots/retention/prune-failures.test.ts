import { describe, expect, test } from "vitest";
import { before } from "../../../../shared/core/instant.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import { days, left, NIGHTLY, removals } from "../../../support/days.ts";
import {
  cloudError,
  cluster,
  createFixture,
  DAY_MS,
  DELETING,
  type DomainFixture,
  START,
  STUCK_DELETING,
  snapshot,
  snapshotOf,
} from "../../../support/domain.ts";

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
    expect(fixture.outcomes()[1]).toBe("b deleted: kept by no rule: It was gone already.");
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
      "b deleted: kept by no rule: It was gone already.",
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
      "c failed: kept by no rule: Not deleted, because the list could not be read again.: AccessDenied",
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
      "b deleted: kept by no rule: It was being deleted already.",
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
