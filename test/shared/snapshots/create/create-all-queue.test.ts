/** Tests the work queue of `createAll`: its concurrency, its cutoff, and the targets whose snapshots another process created. */
import { describe, expect, test } from "vitest";
import { createAll } from "../../../../shared/snapshots/create/create-all.ts";
import type { MakeRoom } from "../../../../shared/snapshots/create/request.ts";
import { createTarget } from "../../../../shared/snapshots/policy.ts";
import {
  cloudError,
  cluster,
  createCalls,
  createFixture,
  createSeconds,
  type DomainFixture,
  lostResponse,
  MINUTE_MS,
  type PlannedEvent,
  STATUS,
  snapshot,
  startPlus,
} from "../../../support/domain.ts";
import { addOther, createMissing, LONG } from "../../../support/run-locks.ts";
import { createAllWithIndex, diskTarget, diskTargets, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

const createWithoutIndex = (fixture: DomainFixture, count: number, cutoffMs = MINUTE_MS, run = RUN) =>
  createAll(diskTargets(count), run, fixture.runContext, { cutoff: startPlus(cutoffMs) });

/** Returns a create request that fails with NotFound after `seconds`. */
const failAfter = (fixture: DomainFixture, seconds: number) => async () => {
  await fixture.time.sleep(seconds * 1_000);
  throw cloudError("NotFound");
};

describe("the work queue of createAll with a concurrency of 1", () => {
  test.each<[string, PlannedEvent]>([
    ["its disk is busy", cloudError("Busy")],
    ["its create response is lost", lostResponse()],
    ["its create request is throttled for 6 s", cloudError("Throttled", { retryAfterMs: 6_000 })],
  ])("createAll starts the second target while the first target waits because %s", async (_, event) => {
    const fixture = createFixture({ concurrency: 1, creates: [event] });
    await createWithoutIndex(fixture, 2);
    expect(createCalls(fixture)).toEqual([
      "0 s create snapshot disk-1",
      "0 s create snapshot disk-2",
      "6 s create snapshot disk-1",
    ]);
  });

  test.each([
    ["before", 999, ["disk-1", "disk-1", "disk-2"]],
    ["after", 1_000, ["disk-1", "disk-2", "disk-1"]],
  ])(
    "createAll repeats the create request of the first target %s it starts the second target if the repetition must wait for %i ms",
    async (_when, wait, order) => {
      const creates = [cloudError("Throttled", { retryAfterMs: wait })];
      const fixture = createFixture({ concurrency: 1, creates });
      await createWithoutIndex(fixture, 2);
      expect(createCalls(fixture).map((call) => call.split(" ").at(-1))).toEqual(order);
    },
  );

  test("createAll continues with the first target after the wait when the second target is finished", async () => {
    const fixture = createFixture({ concurrency: 1, creates: [cloudError("Busy")], createMs: 10_000 });
    await createWithoutIndex(fixture, 3);
    expect(createCalls(fixture)).toEqual([
      "0 s create snapshot disk-1",
      "0 s create snapshot disk-2",
      "10 s create snapshot disk-3",
      "20 s create snapshot disk-1",
    ]);
  });

  test("createAll starts the second target while the first target waits for a deletion", async () => {
    const fixture = createFixture({ concurrency: 1, creates: [cloudError("QuotaExceeded")] });
    const makeRoom: MakeRoom = async (_kind, _options, { time }) => {
      await time.sleep(5_000);
      return true;
    };
    await createWithoutIndex(fixture, 2, MINUTE_MS, { ...RUN, makeRoom });
    // createAll waits 6 s after the rejected create request, and then 5 s for the deletion.
    expect(createCalls(fixture)).toEqual([
      "0 s create snapshot disk-1",
      "0 s create snapshot disk-2",
      "11 s create snapshot disk-1",
    ]);
  });

  test("createAll does not wait beyond the cutoff", async () => {
    for (const [cutoffMs, seconds] of [
      [6_001, ["0", "6"]],
      [6_000, ["0"]],
    ] as const) {
      const fixture = createFixture({ concurrency: 1, creates: [cloudError("Busy")] });
      await createWithoutIndex(fixture, 1, cutoffMs);
      expect(createSeconds(fixture)).toEqual(seconds);
    }
  });

  test("createAll does not wait beyond the `maxWait` of the invocation, which can be earlier than the cutoff", async () => {
    const fixture = createFixture({ concurrency: 1, creates: [cloudError("Busy")] });
    fixture.runContext.retryBudget.maxWait = startPlus(6_000);
    await createWithoutIndex(fixture, 1);
    expect(createSeconds(fixture)).toEqual(["0"]);
  });

  test("createAll shares the retry tokens of the invocation among all targets", async () => {
    const fixture = createFixture({ concurrency: 1 });
    fixture.runContext.retryBudget.tokens = { tokens: 10 };
    fixture.cloud.onEveryCall("listFor", cloudError("CloudError"));
    await createWithoutIndex(fixture, 3);
    expect(fixture.cloud.requests()).toHaveLength(5);
    const fresh = createFixture({ concurrency: 1, creates: [cloudError("CloudError")] });
    await createWithoutIndex(fresh, 1);
    // The retry took 5 tokens. Each of the three requests that succeeded returned one token.
    expect(fresh.runContext.retryBudget.tokens).toEqual({ tokens: 247 });
  });
});

describe("createAll at the cutoff", () => {
  test("createAll does not start a target if the target before it finishes only at the cutoff", async () => {
    const run = async (cutoffMs: number) => {
      const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
      await createWithoutIndex(fixture, 2, cutoffMs);
      return fixture.outcomes();
    };
    expect(await run(10_001)).toEqual(["made-1 accepted", "made-2 accepted"]);
    expect(await run(10_000)).toEqual(["made-1 accepted", "disk-2 failed: DeadlineExceeded"]);
  });

  test("createAll with the run lock hands over to other invocations all targets that it has not started, even if a target finishes at the cutoff", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 1, createMs: 15_000 });
    const targets = diskTargets(5);
    const handedOver = await createMissing(fixture, targets, RUN, startPlus(36_000));
    expect(createSeconds(fixture)).toEqual(["0", "21"]);
    expect(handedOver).toEqual(targets.slice(2));
  });

  test("createAll records a busy disk as failed if other disks fill the work queue until the cutoff, and passes the disks for which no create request was sent to other invocations", async () => {
    const fixture = createFixture(LONG);
    // disk-1 waits for its place in the work queue from 6 s. disk-4 takes the place of disk-2 at 7 s and waits for the create request
    // of disk-3.
    fixture.cloud.onNextCalls("create", cloudError("Busy"), failAfter(fixture, 7), failAfter(fixture, 34));
    const targets = diskTargets(5);
    const handedOver = await createMissing(fixture, targets, RUN, startPlus(33_000));
    expect(createCalls(fixture)).toEqual([
      "0 s create snapshot disk-1",
      "0 s create snapshot disk-2",
      "7 s create snapshot disk-3",
    ]);
    expect(handedOver).toEqual(targets.slice(3));
    expect(fixture.outcomes()).toEqual(["disk-2 failed: NotFound", "disk-1 failed: Busy", "disk-3 failed: NotFound"]);
  });

  test("createAll lets pending timers run once per 100 targets", async () => {
    const pauses = async (count: number) => {
      const fixture = createFixture();
      const found = diskTargets(count).map((target, number) => snapshotCreatedFor(target, `s-${number}`));
      fixture.cloud.add(snapshot, ...found);
      await createAllWithIndex(fixture, diskTargets(count), { until: startPlus(30_000) });
      return fixture.time.slept.filter((milliseconds) => milliseconds === 0);
    };
    expect([await pauses(99), await pauses(100)]).toEqual([[], [0]]);
    const late = createFixture();
    await createWithoutIndex(late, 100, 0);
    expect(late.time.slept.filter((milliseconds) => milliseconds === 0)).toEqual([0]);
  });
});

describe("createAll while another process creates snapshots of the same run", () => {
  test("createAll records a target as existing if its create request fails, but list responses show its snapshot", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 2 });
    fixture.cloud.onNextCalls("create", failAfter(fixture, 10), cloudError("Busy"));
    void fixture.time.sleep(3_000).then(() => addOther(fixture, 1));
    await createMissing(fixture, diskTargets(2));
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "other-1 existing"]);
  });

  test("createAll records a target as failed if its create request fails and list responses show only a failed snapshot", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 2, creates: [cloudError("NotFound")] });
    addOther(fixture, 1, STATUS.failed);
    await createMissing(fixture, diskTargets(1));
    expect(fixture.outcomes()).toEqual(["disk-1 failed: NotFound"]);
    expect(fixture.records[0]).toMatchObject({ attempts: 1 });
  });

  test("createAll records targets that it has not started as existing if list responses show their snapshots", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 1, createMs: 10_000 });
    void fixture.time.sleep(5_000).then(() => addOther(fixture, 3));
    const targets = diskTargets(4);
    expect(await createMissing(fixture, targets, RUN, startPlus(20_000))).toEqual(targets.slice(3));
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "made-2 accepted", "other-3 existing"]);
  });

  test("if a target has two snapshots that have not failed, createAll names both in a notice, the older snapshot first", async () => {
    const fixture = createFixture({ ...LONG, concurrency: 3 });
    for (const number of [1, 2, 3]) addOther(fixture, number);
    const older = { created: startPlus(-1_000) };
    fixture.cloud.add(
      snapshot,
      snapshotCreatedFor(diskTarget(1), "older", older),
      snapshotCreatedFor(diskTarget(2), "failed", STATUS.failed),
    );
    await createMissing(fixture, diskTargets(3));
    expect(fixture.notices).toEqual([
      "Two deliveries created duplicates: snapshots older and other-1 of disk-1. prune-snapshots deletes the younger ones.",
    ]);
  });

  test.each([
    [20, ", cluster-snapshots a-20 and b-20 of cluster-20. prune"],
    [22, ", cluster-snapshots a-20 and b-20 of cluster-20 and 2 more. prune"],
  ])("createAll names at most 20 targets in the notice if %i targets have duplicates", async (count, end) => {
    const fixture = createFixture(LONG);
    const targets = Array.from({ length: count }, (_, index) => createTarget(cluster, `cluster-${index + 1}`));
    for (const [index, target] of targets.entries())
      fixture.cloud.add(
        cluster,
        snapshotCreatedFor(target, `a-${index + 1}`),
        snapshotCreatedFor(target, `b-${index + 1}`),
      );
    await createMissing(fixture, targets);
    expect(fixture.notices[0]).toContain(end);
    expect(fixture.notices[0]).not.toContain("cluster-21");
  });

  test("createAll lists the snapshots 6 s after its last target to find duplicates, unless this reaches the cutoff", async () => {
    const lastCall = async (cutoffMs: number, event?: PlannedEvent) => {
      const fixture = createFixture(LONG);
      for (const number of [1, 2]) addOther(fixture, number);
      fixture.cloud.onNextCalls("create", async () => {
        await fixture.time.sleep(5_000);
        fixture.cloud.onNextCalls("listNewest", undefined, event);
      });
      await createMissing(fixture, diskTargets(3), RUN, startPlus(cutoffMs));
      expect(fixture.outcomes()).toEqual(["other-1 existing", "other-2 existing", "made-1 accepted"]);
      return fixture.cloud.calls.at(-1);
    };
    // The wait for the other process ends at 20 s, the create request at 25 s, and acquiring the run lock at 31 s.
    expect(await lastCall(37_001)).toBe("37 s listNewest snapshot");
    expect(await lastCall(37_000)).toBe("31 s listNewest snapshot");
    // A failed list request does not change the records.
    expect(await lastCall(40_000, cloudError("AccessDenied"))).toBe("37 s listNewest snapshot");
  });
});
