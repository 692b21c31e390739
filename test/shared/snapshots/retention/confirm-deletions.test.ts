/** Tests what prune records if the list response after its deletions is missing, late or incomplete. */
import { describe, expect, test } from "vitest";
import { REASONS } from "../../../../shared/core/errors.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../../shared/snapshots/kinds/kinds.generated.ts";
import { prune } from "../../../../shared/snapshots/retention/prune.ts";
import { dailySnapshots, deleteCalls, keepLast, outcomesOfPrune } from "../../../support/daily-snapshots.ts";
import {
  changeSnapshots,
  cloudError,
  createFixture,
  type DomainFixture,
  HOUR_MS,
  markerOf,
  type PlannedEvent,
  snapshot,
  startPlus,
} from "../../../support/domain.ts";
import { duplicatesOf } from "../../../support/duplicates.ts";

/** Plans an event for the list request after the deletions. The first list of prune sends one request for each kind of snapshot. */
const onSecondList = ({ cloud }: DomainFixture, event: PlannedEvent) =>
  cloud.onNextCalls("listAll", ...Object.keys(KINDS).map(() => undefined), event);

/** Creates a cloud with three snapshots of disk-1, of which prune keeps a. `event` happens at the list request after the deletions. */
function createThree(event?: PlannedEvent, seconds = 600) {
  const fixture = createFixture({ seconds });
  fixture.cloud.add(snapshot, ...dailySnapshots("disk-1", "a", "b", "c"));
  onSecondList(fixture, event);
  return fixture;
}

/** Removes the snapshots with these ids from the cloud. */
const without = ({ cloud }: DomainFixture, ...ids: string[]) =>
  cloud.snapshots.set(
    "snapshot",
    cloud.snapshotsOf(snapshot).filter(({ id }) => !ids.includes(id)),
  );

const unverified = (id: string, cause: string) =>
  `${id} unverified: kept by no rule: The delete request was accepted, but the snapshots could not be listed after it: ${cause}`;

describe("the list request 6 s after the deletions", () => {
  test("prune lists the snapshots once, 6 s after the last deletion, and records the deletions as deleted", async () => {
    const fixture = createThree();
    expect(await outcomesOfPrune(fixture)).toEqual([
      "a kept: keep_last",
      "b deleted: kept by no rule",
      "c deleted: kept by no rule",
    ]);
    expect(fixture.cloud.calls.filter((call) => call.endsWith("listAll snapshot"))).toEqual([
      "0 s listAll snapshot",
      "6 s listAll snapshot",
    ]);
  });

  test("prune records deletions as unverified, with the reason, if the list response lacks the snapshot that the plan keeps", async () => {
    const fixture = createThree(() => without(fixture, "a"));
    // An empty list response is an error of its own.
    fixture.cloud.add(snapshot, { ...(dailySnapshots("disk-2", "d")[0] as FoundSnapshot) });
    const cause = "The list is incomplete, because it lacks other snapshots of the same resource, which still exist.";
    expect((await outcomesOfPrune(fixture)).slice(-2)).toEqual([unverified("b", cause), unverified("c", cause)]);
  });

  test("prune records deletions as unverified if the list response lacks the kept snapshot and contains only a snapshot of another policy", async () => {
    const fixture = createThree(() => {
      changeSnapshots(fixture.cloud, snapshot, (found) => ({
        ...found,
        id: found.id === "a" ? "other" : found.id,
        marker: markerOf("a", { policy: "weekly" }),
      }));
    });
    expect((await outcomesOfPrune(fixture)).slice(-1)[0]).toMatch(/^c unverified: .*The list is incomplete/);
  });

  test("prune records deletions as unverified if the list response is empty", async () => {
    const fixture = createThree(() => without(fixture, "a", "b", "c"));
    const cause = `Expected a list of at least one snapshot, got an empty list. ${REASONS.BadResponse.advice}`;
    expect((await outcomesOfPrune(fixture)).slice(-1)).toEqual([unverified("c", cause)]);
  });

  test("prune repeats the list request after a transient error", async () => {
    const fixture = createThree(cloudError("CloudError"));
    expect((await outcomesOfPrune(fixture)).slice(-1)).toEqual(["c deleted: kept by no rule"]);
    expect(fixture.cloud.requests().filter((request) => request === "listAll snapshot")).toHaveLength(3);
  });

  test("prune records deletions as unverified at its cutoff if the list request has no response", async () => {
    const fixture = createThree(() => fixture.time.sleep(HOUR_MS));
    const cause = "The invocation's time ran out. Raise the function's timeout.";
    expect((await outcomesOfPrune(fixture)).slice(-2)).toEqual([unverified("b", cause), unverified("c", cause)]);
    expect(fixture.time.seconds()).toBeLessThan(600);
  });
});

test("prune without a retention records the deletion of a duplicate as unverified if the list response lacks the older snapshot", async () => {
  const fixture = createFixture({ seconds: 600 });
  const [old, young] = duplicatesOf(snapshot) as [FoundSnapshot, FoundSnapshot];
  const [other] = dailySnapshots("disk-2", "d") as [FoundSnapshot];
  fixture.cloud.add(snapshot, old, young, other);
  onSecondList(fixture, () => fixture.cloud.snapshots.set("snapshot", [other]));
  await prune({ policy: "nightly" }, fixture.runContext);
  expect(fixture.outcomes()[0]).toMatch(/^young unverified: twin of old: .*The list is incomplete/);
});

describe("a plan with more deletions than fit into memory", () => {
  const tooMany = (max: number) =>
    `Expected at most ${max} snapshots to delete, because more do not fit into memory. The next run deletes further snapshots. Give the function more memory.`;

  test("prune deletes as many snapshots as fit into memory, and records the other deletions as failed with Misconfigured", async () => {
    const fixture = createThree();
    await prune(keepLast(1), { ...fixture.runContext, maxTargets: 1 });
    expect(fixture.outcomes()).toEqual([
      "a kept: keep_last",
      "c failed: kept by no rule: Misconfigured",
      "b deleted: kept by no rule",
    ]);
    expect(fixture.records[1]?.error?.message).toBe(tooMany(1));
    expect(deleteCalls(fixture)).toHaveLength(1);
  });

  test("prune deletes all snapshots if exactly as many fit into memory, and counts duplicates, too", async () => {
    const fixture = createThree();
    const base = { created: startPlus(-10 * HOUR_MS) };
    fixture.cloud.add(snapshot, ...duplicatesOf(snapshot, {}, { created: startPlus(-9.9 * HOUR_MS) }, base));
    await prune(keepLast(1), { ...fixture.runContext, maxTargets: 3 });
    expect(fixture.records.filter(({ outcome }) => outcome === "failed")).toEqual([]);
    expect(deleteCalls(fixture)).toHaveLength(3);
    const second = createThree();
    second.cloud.add(snapshot, ...duplicatesOf(snapshot, {}, { created: startPlus(-9.9 * HOUR_MS) }, base));
    await prune(keepLast(1), { ...second.runContext, maxTargets: 2 });
    expect(second.records.filter(({ outcome }) => outcome === "failed")).toHaveLength(1);
    expect(deleteCalls(second)).toHaveLength(2);
  });
});
