/** Tests when a process of a run loses the run lock, or does not acquire it because a list request failed. */
import { describe, expect, test } from "vitest";
import { hasCreatedSnapshots } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { Target } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  createCalls,
  createFixture,
  createSeconds,
  snapshot,
  snapshotOf,
  standard,
  startPlus,
} from "../../../support/domain.ts";
import { addOther, countByResource, createMissing, LONG } from "../../../support/run-locks.ts";
import { diskTarget, diskTargets, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("createAll while it holds the run lock", () => {
  test("if createAll has created no snapshot for 12 s, createAll creates the first of the remaining snapshots alone", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 1 });
    fixture.cloud.onNextCalls("create", undefined, async () => {
      await fixture.time.sleep(12_000);
      throw cloudError("NotFound");
    });
    await createMissing(fixture, diskTargets(5));
    expect(createSeconds(fixture)).toEqual(["0", "6", "18", "24", "24"]);
  });

  test("createAll keeps the run lock during its create requests, and for 12 s after each snapshot that it creates", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 1, createMs: 11_999 });
    await createMissing(fixture, diskTargets(5));
    expect(createSeconds(fixture)).toEqual(["0", "17.999", "29.998", "41.997", "53.996"]);
    const slow = createFixture({ ...LONG, concurrency: 1, createMs: 15_000 });
    await createMissing(slow, diskTargets(4));
    expect(createSeconds(slow)).toEqual(["0", "21", "36", "51"]);
  });

  test("createAll waits 20 s if it has lost the run lock and another process has created snapshots meanwhile", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 1 });
    fixture.cloud.onNextCalls("create", undefined, async () => {
      await fixture.time.sleep(12_000);
      addOther(fixture, 3);
      throw cloudError("NotFound");
    });
    await createMissing(fixture, diskTargets(4));
    expect(createCalls(fixture).slice(2)).toEqual(["38 s create snapshot disk-4"]);
    expect(fixture.outcomes()).toContain("other-3 existing");
  });
});

describe("createAll with list requests that fail", () => {
  test("createAll records every target as failed without waiting if every list request fails", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.onEveryCall("listAll", cloudError("AccessDenied"));
    await createMissing(fixture, diskTargets(3));
    expect(fixture.outcomes()).toEqual([1, 2, 3].map((number) => `disk-${number} failed: AccessDenied`));
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll records the other targets as failed if the list request after the first snapshot fails", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.onNextCalls("create", () => fixture.cloud.onEveryCall("listNewest", cloudError("AccessDenied")));
    await createMissing(fixture, diskTargets(3));
    expect(fixture.outcomes().sort()).toEqual([
      "disk-2 failed: AccessDenied",
      "disk-3 failed: AccessDenied",
      "made-1 accepted",
    ]);
  });

  test("createAll waits 20 s and then continues if the list requests during the wait fail", async () => {
    const fixture = createFixture(LONG);
    addOther(fixture, 1);
    fixture.cloud.onNextCalls("listNewest", cloudError("AccessDenied"));
    await createMissing(fixture, diskTargets(4));
    expect(createSeconds(fixture)).toEqual(["20", "26", "26"]);
  });
});

describe("createAll with a list of 2,001 snapshots, oldest first, so it lists the snapshots of each disk separately", () => {
  const createWithOld = (changes: Parameters<typeof createFixture>[0] = {}) => {
    const fixture = createFixture({ ...LONG, newestFirst: false, ...changes });
    const old = Array.from({ length: 2_001 }, (_, number) =>
      snapshotOf(`old-${number}`, "old", { created: startPlus(number - 100_000) }),
    );
    fixture.cloud.add(snapshot, ...old);
    return fixture;
  };

  test("createAll creates one duplicate if two processes start in the same moment and no list is sorted", async () => {
    const first = createWithOld({ listDelayMs: 3_000, createMs: 100 });
    const second = createFixture({ ...LONG, sharedWith: first });
    const targets = diskTargets(8);
    await Promise.all([createMissing(first, targets), createMissing(second, targets)]);
    const { old: _, "disk-1": duplicates, ...others } = countByResource(first);
    expect(duplicates).toBe(2);
    expect(Object.values(others)).toEqual([1, 1, 1, 1, 1, 1, 1]);
    expect(first.cloud.requests().filter((request) => request === "listAll snapshot")).toHaveLength(2);
  });

  test("createAll creates the second snapshot alone, too, if the list request for the first disk fails after 6 s", async () => {
    const fixture = createWithOld();
    fixture.cloud.onNextCalls("create", () => fixture.cloud.onNextCalls("listFor", cloudError("AccessDenied")));
    await createMissing(fixture, diskTargets(4));
    expect(createSeconds(fixture)).toEqual(["0", "6", "12", "12"]);
  });

  test("createAll lists the snapshots of the next disk every 5 s while another process creates snapshots", async () => {
    const fixture = createWithOld();
    addOther(fixture, 1);
    void fixture.time.sleep(3_000).then(() => addOther(fixture, 2));
    await createMissing(fixture, diskTargets(4));
    expect(fixture.cloud.calls).toContain("5 s listFor snapshot disk-2");
    // The list response at 5 s shows the snapshot of disk-2 for the first time, so the wait of 20 s ends at 25 s.
    expect(createSeconds(fixture)).toEqual(["25", "31"]);
  });
});

test("hasCreatedSnapshots returns true only if one of the given targets has a snapshot of the scheduled run", async () => {
  const fixture = createFixture(LONG);
  fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(2), "a"));
  fixture.cloud.add(standard, snapshotCreatedFor(diskTarget(3, standard), "b"));
  const hasCreated = (targets: readonly Target[]) =>
    hasCreatedSnapshots(targets, indexExistingSnapshots(RUN, fixture.runContext));
  expect(await hasCreated(diskTargets(1))).toBe(false);
  expect(await hasCreated(diskTargets(2))).toBe(true);
  expect(await hasCreated([diskTarget(1), diskTarget(3, standard)])).toBe(true);
  expect(await hasCreated([])).toBe(false);
});
