/** Tests that each create request of a large run is sent with the run lock, or alone while no other process creates snapshots. */
import { describe, expect, test } from "vitest";
import {
  cloudError,
  createCalls,
  createFixture,
  createSeconds,
  lostResponse,
  startPlus,
} from "../../../support/domain.ts";
import { addOther, createMissing, LONG } from "../../../support/run-locks.ts";
import { diskTargets, RUN } from "../../../support/runs.ts";

const BUSY = cloudError("Busy");

describe("createAll without the run lock", () => {
  test("createAll delays the retries of busy disks by 20 s if another process created a snapshot after the first attempt", async () => {
    const fixture = createFixture({ ...LONG, creates: [BUSY, BUSY, BUSY] });
    void fixture.time.sleep(3_000).then(() => addOther(fixture, 3));
    await createMissing(fixture, diskTargets(3));
    // The retries at 6 s list the snapshots and find the snapshot of the other process.
    expect(createSeconds(fixture)).toEqual(["0", "0", "0", "26", "32"]);
    expect(fixture.outcomes()).toContain("other-3 existing");
  });

  test("createAll does not send the retry of a busy disk while another process holds the run lock", async () => {
    const fixture = createFixture({ ...LONG, creates: [BUSY] });
    // disk-2 is created alone at 0 s, but another process has the older snapshot of disk-4, and creates the next one at 14 s.
    void fixture.time.sleep(100).then(() => addOther(fixture, 4, { created: startPlus(-5) }));
    void fixture.time.sleep(14_000).then(() => addOther(fixture, 5));
    await createMissing(fixture, diskTargets(6));
    expect(createCalls(fixture)).toEqual([
      "0 s create snapshot disk-1",
      "0 s create snapshot disk-2",
      "36 s create snapshot disk-3",
      "42 s create snapshot disk-1",
      "42 s create snapshot disk-6",
    ]);
  });

  test("createAll does not acquire the run lock if its create response is lost and another process created the listed snapshot", async () => {
    const fixture = createFixture({ ...LONG, creates: [lostResponse(), BUSY, BUSY] });
    void fixture.time.sleep(5_000).then(() => addOther(fixture, 1));
    await createMissing(fixture, diskTargets(3));
    // createAll finds the snapshot that the other process created of disk-1 at 6 s. The busy disks then wait 20 s.
    expect(fixture.outcomes()[0]).toBe("other-1 accepted");
    expect(createSeconds(fixture)).toEqual(["0", "0", "0", "26", "32"]);
  });

  test("createAll records a busy disk as failed if its retry waits for another create request until the cutoff", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 3, creates: [BUSY] });
    fixture.cloud.onNextCalls("create", () => fixture.time.sleep(50_000));
    const targets = diskTargets(3);
    const handedOver = await createMissing(fixture, targets, { ...RUN, again: true }, startPlus(40_000));
    expect(handedOver).toEqual(targets.slice(2));
    expect(fixture.outcomes()).toEqual(["disk-1 failed: DeadlineExceeded", "made-1 accepted"]);
    expect(fixture.records[0]).toMatchObject({ attempts: 1 });
  });
});

describe("createAll with the run lock", () => {
  test("createAll keeps the run lock while a create request takes 15 s, although it creates no snapshot for 13 s", async () => {
    const fixture = createFixture(LONG);
    const slow = () => fixture.time.sleep(15_000);
    const failed = async () => {
      await fixture.time.sleep(13_000);
      throw cloudError("NotFound");
    };
    fixture.cloud.onNextCalls("create", undefined, slow, failed);
    await createMissing(fixture, diskTargets(6));
    expect(createSeconds(fixture)).toEqual(["0", "6", "6", "19", "19", "19"]);
  });
});

test("createAll fails no target if list requests fail for 2 s", async () => {
  const fixture = createFixture(LONG);
  fixture.cloud.onEveryCall("listAll", () => {
    if (fixture.time.seconds() < 2) throw cloudError("CloudError", { status: 503 });
  });
  await createMissing(fixture, diskTargets(5));
  expect(fixture.outcomes()).toEqual([1, 2, 3, 4, 5].map((number) => `made-${number} accepted`));
  expect(createSeconds(fixture)).toEqual(["10", "16", "16", "16", "16"]);
});
