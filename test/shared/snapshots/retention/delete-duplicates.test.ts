/** Tests how prune deletes duplicates: the list request before each delete request, retries, errors and the order of deletions. */
import { describe, expect, test } from "vitest";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { type PrunePolicy, prune } from "../../../../shared/snapshots/retention/prune.ts";
import { dailySnapshots, deleteCalls, keepLast } from "../../../support/daily-snapshots.ts";
import {
  changeSnapshot,
  cloudError,
  createFixture,
  type DomainFixture,
  HOUR_MS,
  lostResponse,
  markerOf,
  STATUS,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";
import { duplicatesOf, marker } from "../../../support/duplicates.ts";

const DUPLICATES_ONLY: PrunePolicy = { policy: "nightly" };
const RENEWED = "The plan changed after another list request. Previous rule: twin of old.";

/** Adds two duplicates to a cloud and calls `prune` without a retention. `arrange` plans what happens in the cloud. */
async function pruneDuplicates(arrange: (fixture: DomainFixture) => void, policy = DUPLICATES_ONLY, seconds = 600) {
  const fixture = createFixture({ seconds });
  fixture.cloud.add(snapshot, ...duplicatesOf(snapshot));
  arrange(fixture);
  await prune(policy, fixture.runContext);
  return fixture;
}
const change = ({ cloud }: DomainFixture, id: string, changes: Partial<FoundSnapshot>) =>
  changeSnapshot(cloud, snapshot, id, changes);
const remove = ({ cloud }: DomainFixture, id: string) =>
  void cloud.snapshots.set(
    snapshot.name,
    cloud.snapshotsOf(snapshot).filter((found) => found.id !== id),
  );

describe("the list request before the deletion of a duplicate", () => {
  test("prune lists the snapshots of the resource immediately before it deletes a duplicate", async () => {
    const fixture = await pruneDuplicates(() => {});
    expect(fixture.cloud.requests().slice(-3)).toEqual([
      "listFor snapshot res-1",
      "remove snapshot young",
      "listAll snapshot",
    ]);
  });

  const CHANGES: [string, (fixture: DomainFixture) => void, string][] = [
    [
      "keeps a duplicate that has lost its marker",
      (fixture) => change(fixture, "young", { marker: undefined }),
      `young kept: possible twin of old, but their markers differ: ${RENEWED}`,
    ],
    [
      "keeps a duplicate of a snapshot that now belongs to another policy",
      (fixture) => change(fixture, "old", { marker: { ...marker, policy: "weekly" } }),
      `young kept: possible twin of old, but their markers differ: ${RENEWED}`,
    ],
    [
      "keeps a duplicate of a snapshot that now has another idempotency key",
      (fixture) => change(fixture, "old", { marker: markerOf("twice") }),
      `young kept: possible twin of old, but their markers differ: ${RENEWED}`,
    ],
    [
      "keeps a duplicate of a snapshot that now has another request hash",
      (fixture) => change(fixture, "old", { marker: { ...marker, requestHash: "76543210" } }),
      `young kept: possible twin of old, but their markers differ: ${RENEWED}`,
    ],
    [
      "keeps a duplicate of a snapshot that now belongs to another resource",
      (fixture) => change(fixture, "old", { resource: undefined }),
      `young kept: possible twin of old, but the resource of old is unknown: ${RENEWED}`,
    ],
    [
      "keeps a duplicate of a snapshot that no longer exists",
      (fixture) => remove(fixture, "old"),
      `young kept: possible twin of old, but old is no longer listed: ${RENEWED}`,
    ],
    [
      "keeps a duplicate of a snapshot that has failed",
      (fixture) => change(fixture, "old", STATUS.failed),
      `young kept: possible twin of old, but old has the status error: ${RENEWED}`,
    ],
    [
      "reports a duplicate as deleted that no longer exists",
      (fixture) => remove(fixture, "young"),
      "young deleted: twin of old: Already deleted.",
    ],
    [
      "reports a duplicate as deleted that is being deleted",
      (fixture) => change(fixture, "young", STATUS.deleting),
      "young deleted: twin of old: Already being deleted.",
    ],
  ];
  test.each(CHANGES)("prune sends no delete request and %s", async (_what, changeCloud, outcome) => {
    const fixture = await pruneDuplicates((arranged) =>
      arranged.cloud.onNextCalls("listFor", () => changeCloud(arranged)),
    );
    expect(deleteCalls(fixture)).toEqual([]);
    expect(fixture.outcomes()).toEqual([outcome]);
  });

  test("prune sends no delete request if the snapshots of the resource cannot be listed again", async () => {
    const fixture = await pruneDuplicates(({ cloud }) => cloud.onNextCalls("listFor", cloudError("AccessDenied")));
    expect(deleteCalls(fixture)).toEqual([]);
    expect(fixture.outcomes()).toEqual([
      "young failed: twin of old: Not deleted: the snapshots could not be listed again.: AccessDenied",
    ]);
  });
});

describe("a delete request for a duplicate that fails", () => {
  test("prune lists the snapshots again before it repeats the deletion of a busy duplicate", async () => {
    const fixture = await pruneDuplicates(({ cloud }) => cloud.onNextCalls("remove", cloudError("Busy")));
    expect(fixture.cloud.requests().slice(-6)).toEqual([
      "listFor snapshot res-1",
      "remove snapshot young",
      "listAll snapshot",
      "listFor snapshot res-1",
      "remove snapshot young",
      "listAll snapshot",
    ]);
    expect(fixture.outcomes()).toEqual(["young deleted: twin of old"]);
  });

  test("prune does not repeat the deletion of a duplicate if the original has failed since the first delete request", async () => {
    const fixture = await pruneDuplicates((arranged) => {
      arranged.cloud.onNextCalls("remove", cloudError("Busy"));
      arranged.cloud.onNextCalls("listFor", undefined, () => change(arranged, "old", STATUS.failed));
    });
    expect(deleteCalls(fixture)).toHaveLength(1);
    expect(fixture.outcomes()).toEqual([`young kept: possible twin of old, but old has the status error: ${RENEWED}`]);
  });

  test("prune reports a duplicate as deleted if the response to the successful delete request was lost", async () => {
    const fixture = await pruneDuplicates(({ cloud }) => cloud.onNextCalls("remove", { afterwards: lostResponse() }));
    expect(deleteCalls(fixture)).toHaveLength(1);
    expect(fixture.outcomes()).toEqual(["young deleted: twin of old: Already deleted."]);
  });

  test("prune believes a NotFound response to a delete request only if the list no longer contains the duplicate", async () => {
    const deleted = await pruneDuplicates((arranged) =>
      arranged.cloud.onNextCalls("remove", () => remove(arranged, "young")),
    );
    expect(deleted.outcomes()).toEqual(["young deleted: twin of old: Already deleted."]);
    const existing = await pruneDuplicates(({ cloud }) => cloud.onEveryCall("remove", cloudError("NotFound")));
    expect(existing.outcomes()).toEqual(["young failed: twin of old: NotFound"]);
    expect(deleteCalls(existing)).toHaveLength(1);
  });

  test("prune reports the error of a delete request that must not be repeated", async () => {
    const fixture = await pruneDuplicates(({ cloud }) => cloud.onNextCalls("remove", cloudError("AccessDenied")));
    expect(deleteCalls(fixture)).toHaveLength(1);
    expect(fixture.outcomes()).toEqual(["young failed: twin of old: AccessDenied"]);
  });

  test("prune reports DeadlineExceeded and sends no delete request if listing takes until the deadline", async () => {
    const slow = ({ cloud, time }: DomainFixture) => {
      cloud.onEveryCall("listAll", () => time.sleep(14_000));
      cloud.onEveryCall("listFor", () => time.sleep(3_000));
    };
    const fixture = await pruneDuplicates(slow, DUPLICATES_ONLY, 60);
    expect(fixture.outcomes()).toEqual(["young failed: twin of old: DeadlineExceeded"]);
    expect(deleteCalls(fixture)).toEqual([]);
  });
});

describe("the other deletions of a run that deletes duplicates", () => {
  test("prune announces the deletions of duplicates and other snapshots once, before its first delete request", async () => {
    let announced: string[] = [];
    const fixture = await pruneDuplicates((arranged) => {
      arranged.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b"));
      arranged.cloud.onNextCalls("remove", () => {
        announced = [...arranged.announced];
      });
    }, keepLast(1));
    expect(announced).toEqual(["young: twin of old; b: kept by no rule"]);
    expect(fixture.announced).toEqual(announced);
    expect(deleteCalls(fixture).map((call) => call.split(" ").at(-1))).toEqual(["young", "b"]);
  });

  test("prune makes a new plan for the other snapshots if a rule for a duplicate no longer holds", async () => {
    const fixture = await pruneDuplicates((arranged) => {
      arranged.cloud.add(
        snapshot,
        snapshotOf("older", "res-1", { created: startPlus(-9 * HOUR_MS) }),
        snapshotOf("oldest", "res-1", { created: startPlus(-10 * HOUR_MS) }),
      );
      arranged.cloud.onNextCalls("listFor", () => {
        change(arranged, "old", STATUS.failed);
        change(arranged, "young", STATUS.failed);
      });
    }, keepLast(1));
    expect(fixture.outcomes()).toContain(
      "older kept: keep_last: The plan changed after another list request. Previous rule: kept by no rule.",
    );
    expect(deleteCalls(fixture).map((call) => call.split(" ").at(-1))).toEqual(["oldest"]);
  });

  test("prune makes a new plan for the other snapshots if the deletion of a duplicate had to be repeated", async () => {
    const fixture = await pruneDuplicates((arranged) => {
      arranged.cloud.add(snapshot, snapshotOf("older", "res-1", { created: startPlus(-9 * HOUR_MS) }));
      arranged.cloud.onNextCalls("remove", cloudError("Busy"));
      arranged.cloud.onNextCalls("listFor", undefined, () => change(arranged, "older", { description: "hold" }));
    }, keepLast(1));
    expect(fixture.outcomes()).toContain("young deleted: twin of old");
    expect(fixture.outcomes()).toContain(
      "older held: held by its description: The plan changed after another list request. Previous rule: kept by no rule.",
    );
    expect(deleteCalls(fixture).map((call) => call.split(" ").at(-1))).toEqual(["young", "young"]);
  });

  test("prune keeps a snapshot that becomes held after the first list request, even if only duplicates were deleted before", async () => {
    const fixture = await pruneDuplicates((arranged) => {
      arranged.cloud.add(snapshot, snapshotOf("older", "res-1", { created: startPlus(-9 * HOUR_MS) }));
      arranged.cloud.onNextCalls("listFor", () => change(arranged, "older", { labels: { hold: "true" } }));
    }, keepLast(1));
    expect(deleteCalls(fixture).map((call) => call.split(" ").at(-1))).toEqual(["young"]);
    expect(fixture.outcomes()).toContain(
      "older held: held by its label: The plan changed after another list request. Previous rule: kept by no rule.",
    );
  });

  test("prune does not count a deleted duplicate as a good snapshot although a late list response still contains it", async () => {
    const fixture = await pruneDuplicates((arranged) => {
      const { cloud } = arranged;
      const [, young] = cloud.snapshotsOf(snapshot);
      cloud.add(snapshot, snapshotOf("older", "res-1", { created: startPlus(-9 * HOUR_MS) }));
      cloud.onNextCalls("remove", undefined, cloudError("Busy"));
      // The first four list requests are for the four kinds of snapshots.
      cloud.onNextCalls("listAll", undefined, undefined, undefined, undefined, () => {
        cloud.add(snapshot, young as FoundSnapshot);
        change(arranged, "old", STATUS.failed);
      });
    }, keepLast(1));
    expect(fixture.outcomes()).toEqual([
      "old kept: keep_last",
      "older kept: keep_last: The plan changed after another list request. Previous rule: kept by no rule.",
      expect.stringMatching(/^young unverified: twin of old: The delete request was accepted/),
    ]);
  });

  test("prune deletes a snapshot that no retention rule keeps although an older snapshot of its request is still in creation", async () => {
    const fixture = await pruneDuplicates((arranged) => {
      change(arranged, "old", STATUS.creating);
      arranged.cloud.add(snapshot, snapshotOf("new", "res-1"));
    }, keepLast(1));
    expect(fixture.outcomes()).toContain("young deleted: kept by no rule");
  });

  test("prune keeps a duplicate that min_keep keeps", async () => {
    const policy = { policy: "nightly", retention: { keep_last: 1, min_keep: 2 } };
    const fixture = await pruneDuplicates(() => {}, policy);
    expect(fixture.outcomes()).toEqual(["young kept: min_keep", "old kept: keep_last"]);
  });
});

test("prune names at most 20 kept duplicates in the notice of a run without a retention", async () => {
  const fixture = createFixture();
  for (let disk = 0; disk < 23; disk += 1) {
    const base = { resource: `disk-${disk}`, ...STATUS.creating };
    const pair = duplicatesOf(snapshot, {}, {}, base).map((found) => ({ ...found, id: `${found.id}-${disk}` }));
    fixture.cloud.add(snapshot, ...pair);
  }
  await prune(DUPLICATES_ONLY, fixture.runContext);
  expect(fixture.notices).toEqual([
    expect.stringMatching(/: young-\d+ \([^;]*\)(; young-\d+ \([^;]*\)){19} and 3 more\.$/),
  ]);
});
