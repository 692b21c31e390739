/** Tests what prune does with the other snapshots of a resource after one of its deletions failed. */
import { describe, expect, test } from "vitest";
import { dailySnapshots, deleteCalls, outcomesOfPrune, remainingIds } from "../../../support/daily-snapshots.ts";
import {
  changeSnapshot,
  cloudError,
  createFixture,
  type PlannedEvent,
  STATUS,
  snapshot,
} from "../../../support/domain.ts";

/** Creates a cloud with three snapshots of disk-1. prune keeps a, and deletes first b and then c. */
function createThree(...removals: PlannedEvent[]) {
  const fixture = createFixture({ concurrency: 1, seconds: 600, random: () => 0.999 });
  fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c"));
  fixture.cloud.onNextCalls("remove", ...removals);
  return fixture;
}

test("prune keeps the last snapshot that certainly exists if an earlier deletion of the resource failed and may have taken effect", async () => {
  const fixture = createThree(cloudError("AccessDenied"), () => {
    changeSnapshot(fixture.cloud, snapshot, "a", STATUS.failed);
    throw cloudError("Busy");
  });
  // The plan after the Busy error must not count b as a good snapshot, so c is the last one.
  expect((await outcomesOfPrune(fixture)).slice(-1)[0]).toMatch(/^c kept: keep_last/);
  expect(remainingIds(fixture)).toContain("c");
});

test("prune records the deletion that it postponed as failed with DeadlineExceeded if the first deletion takes until the cutoff", async () => {
  const fixture = createThree(async () => {
    await fixture.time.sleep(590_000);
    throw cloudError("Busy");
  });
  const outcomes = await outcomesOfPrune(fixture);
  expect(outcomes).toContain("c failed: kept by no rule: DeadlineExceeded");
  expect(outcomes).toContain("b failed: kept by no rule: Busy");
  expect(fixture.records.find(({ snapshot_id }) => snapshot_id === "c")?.error?.message).toBe(
    "The invocation's time ran out before this snapshot was deleted. The next run deletes it. Raise the function's timeout.",
  );
  expect(deleteCalls(fixture)).toHaveLength(1);
});

describe("the list request after a failed deletion fails", () => {
  const fourListsLater = (error: PlannedEvent): PlannedEvent[] => [undefined, undefined, undefined, undefined, error];

  test("prune records the error of the list request for a deletion that it would repeat, and for the postponed deletions", async () => {
    const fixture = createThree(cloudError("Busy"));
    fixture.cloud.onNextCalls("listAll", ...fourListsLater(cloudError("AccessDenied")));
    const detail = "Not deleted: the snapshots could not be listed again.";
    const outcomes = await outcomesOfPrune(fixture);
    expect(outcomes.slice(1).sort()).toEqual([
      `b failed: kept by no rule: ${detail}: AccessDenied`,
      `c failed: kept by no rule: ${detail}: AccessDenied`,
    ]);
  });

  test("prune records the error of the delete request for a deletion that it would not repeat", async () => {
    const fixture = createThree(cloudError("Conflict", { ambiguous: true }));
    fixture.cloud.onNextCalls("listAll", ...fourListsLater(cloudError("AccessDenied")));
    const outcomes = await outcomesOfPrune(fixture);
    expect(outcomes).toContain("b failed: kept by no rule: Conflict");
  });
});

describe("the age of a plan", () => {
  /** Returns the requests of a run whose first delete request takes this long. */
  const requestsAfter = async (milliseconds: number) => {
    const fixture = createThree(() => fixture.time.sleep(milliseconds));
    await outcomesOfPrune(fixture);
    return fixture.cloud
      .requests()
      .filter((request) => /snapshot( [abc])?$/.test(request) && !/-snapshot/.test(request));
  };

  test("prune uses a plan for 60 s, and lists the snapshots again before a later delete request", async () => {
    const removals = ["remove snapshot b", "remove snapshot c"];
    expect((await requestsAfter(60_000)).slice(1, 3)).toEqual(removals);
    const [first, second] = removals as [string, string];
    expect((await requestsAfter(60_001)).slice(1, 4)).toEqual([first, "listAll snapshot", second]);
  });
});
