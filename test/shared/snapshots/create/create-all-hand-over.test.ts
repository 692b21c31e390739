/** Tests which targets `createAll` hands over, and when. */
import { expect, test } from "vitest";
import { createAll } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { Target } from "../../../../shared/snapshots/policy.ts";
import type { Run } from "../../../../shared/snapshots/run-context.ts";
import { createFixture, type DomainFixture, startPlus } from "../../../support/domain.ts";
import { addOther, LONG } from "../../../support/run-locks.ts";
import { diskTargets, RUN } from "../../../support/runs.ts";

const CUTOFF = startPlus(48_000);
const createLong = () => createFixture({ ...LONG, seconds: 60, concurrency: 3 });

/** Creates the snapshots of six disks. Returns a line for each hand-over, such as `48 s disk-1 disk-2`. */
async function createSix(fixture: DomainFixture, run: Run = RUN): Promise<string[]> {
  const { runContext, time } = fixture;
  const handedOver: string[] = [];
  const fanOut = async (some: Target[]) =>
    void handedOver.push([`${time.seconds()} s`, ...some.map(({ resource }) => resource)].join(" "));
  const index = indexExistingSnapshots(run, runContext);
  await createAll(diskTargets(6), run, runContext, { cutoff: CUTOFF, fanOut, index });
  return handedOver;
}

test("if a create request takes until the deadline, createAll passes all targets without a create request to `fanOut` in one call, 0.1 s after the cutoff", async () => {
  const fixture = createLong();
  fixture.cloud.onNextCalls("create", () => fixture.time.sleep(60_000));
  expect(await createSix(fixture)).toEqual(["48.1 s disk-2 disk-3 disk-4 disk-5 disk-6"]);
  expect(fixture.outcomes()).toEqual(["made-1 accepted"]);
});

test("createAll without `fanOut` records targets as failed if they still wait for another create request at the cutoff", async () => {
  const { runContext, ...fixture } = createLong();
  fixture.cloud.onNextCalls("create", () => fixture.time.sleep(60_000));
  const index = indexExistingSnapshots(RUN, runContext);
  await createAll(diskTargets(4), RUN, runContext, { cutoff: CUTOFF, index });
  expect(fixture.outcomes()).toEqual([
    ...[2, 3, 4].map((number) => `disk-${number} failed: DeadlineExceeded`),
    "made-1 accepted",
  ]);
  expect(fixture.records[0]?.error?.message).toBe(
    "The invocation's time ran out before work on this target started. Raise the function's timeout or lower SHARD_SIZE.",
  );
});

test("0.1 s before the deadline, createAll records a target as existing if its create request has not finished but list responses show its snapshot", async () => {
  const fixture = createFixture({ ...LONG, seconds: 60, createMs: 5_000 });
  const { cloud, time, runContext } = fixture;
  // The create request of disk-2 does not return.
  cloud.onNextCalls("create", undefined, () => new Promise(() => {}));
  void time.sleep(15_000).then(() => addOther(fixture, 2));
  const index = indexExistingSnapshots(RUN, runContext);
  void createAll(diskTargets(6), RUN, runContext, { cutoff: CUTOFF, index });
  await time.sleep(59_899);
  const created = [1, 3, 4, 5, 6].map((number) => `disk-${number} accepted`);
  const results = () => fixture.records.map(({ resource_id, outcome }) => `${resource_id} ${outcome}`);
  expect(results()).toEqual(created);
  await time.sleep(2);
  expect(results()).toEqual([...created, "disk-2 existing"]);
  expect(fixture.outcomes().at(-1)).toBe("other-2 existing");
});
