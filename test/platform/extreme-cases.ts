/** Creates the steps in which a function approaches its time limit or uses much memory. */
import assert from "node:assert/strict";
import { seedSnapshot } from "../support/retention-seeds.ts";
import { type FunctionCase, HOUR_MS, TAGS } from "./cases.ts";
import { get, timer } from "./events.ts";
import { outcomesOf, readHttp, readResult } from "./responses.ts";

/** Returns the first step of a function in a cloud that responds to no request. The function must report the failure itself. */
export const withoutResponses =
  (createSteps: FunctionCase): FunctionCase =>
  (cloud) => {
    const [step] = createSteps(cloud);
    cloud.fault({ operation: /./ }, { type: "hang", after: false });
    const check: ReturnType<FunctionCase>[number]["check"] = ({ invoked, records }) => {
      const isHttp = JSON.stringify(step?.event).includes('"httpMethod"');
      const isFailed = isHttp ? isFailedResponse(readHttp({ invoked })) : invoked.error !== undefined;
      assert.ok(isFailed, "the invocation failed");
      assert.equal(cloud.snapshots().length, existing, "the function neither created nor deleted a snapshot");
      assert.equal(records.at(-1).level, "error");
    };
    const existing = cloud.snapshots().length;
    return step === undefined ? [] : [{ ...step, title: "no response until the time limit", isTopicLost: true, check }];
  };

/** A report without lists is still a report, but it says that it is not complete. */
const isFailedResponse = ({ status, body }: ReturnType<typeof readHttp>) => status >= 500 || body.complete === false;

const DISKS = 600;
const SNAPSHOTS_PER_DISK = 5;

/** Adds disks with hourly snapshots to the embedded cloud. */
function addMany(cloud: Parameters<FunctionCase>[0]): void {
  const now = Date.now();
  for (let disk = 0; disk < DISKS; disk += 1) {
    const { id } = cloud.addVolume({ tags: TAGS });
    for (let hours = 1; hours <= SNAPSHOTS_PER_DISK; hours += 1)
      seedSnapshot(cloud, "snapshot", id, { at: now - hours * HOUR_MS - disk });
  }
}

/** Maps a function to a step with 600 disks and 3,000 snapshots, or with the creation of 50 snapshots. */
export const LARGE_CASES: Readonly<Record<string, FunctionCase>> = {
  "prune-snapshots": (cloud) => {
    addMany(cloud);
    return [
      {
        title: "3,000 snapshots",
        event: timer({ policy: "nightly", retention: { keep_last: SNAPSHOTS_PER_DISK } }),
        check(outcome) {
          readResult(outcome);
          assert.deepEqual([...new Set(outcomesOf(outcome))], ["kept"]);
          assert.equal(cloud.snapshots("snapshot").length, DISKS * SNAPSHOTS_PER_DISK);
        },
      },
    ];
  },
  "report-coverage": (cloud) => {
    addMany(cloud);
    return [
      {
        title: "3,000 snapshots of 600 disks",
        event: get({ format: "html" }),
        check(outcome) {
          const { status, text } = readHttp(outcome);
          assert.equal(status, 200);
          assert.ok(text.length > 100_000);
        },
      },
    ];
  },
  "scheduled-snapshots": (cloud) => {
    for (let disks = 0; disks < 50; disks += 1) cloud.addVolume({ tags: TAGS });
    return [
      {
        title: "50 disks",
        event: timer({ policy: "nightly", targets: [{ kind: "snapshot", tags: TAGS }] }),
        check(outcome) {
          assert.deepEqual(readResult(outcome).outcomes, { accepted: 50 });
          assert.equal(cloud.snapshots("snapshot").length, 50);
        },
      },
    ];
  },
  "verify-snapshots": (cloud) => {
    addMany(cloud);
    return [
      {
        title: "3,000 snapshots",
        event: timer({}),
        check(outcome) {
          assert.deepEqual(readResult(outcome).outcomes, { available: DISKS * SNAPSHOTS_PER_DISK });
        },
      },
    ];
  },
};
