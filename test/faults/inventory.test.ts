/** Runs scheduled-snapshots for 2,000 disks at a rate limit of 20 requests per second. One request in twenty has a fault. */

import { expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { createRandom } from "../support/random.ts";
import { createFaultyEnvironment } from "./faulty-environment.ts";
import { OPTIONS, saveResult } from "./report.ts";

useFixedDate();

const DISKS = 2_000;
const PER_SECOND = 20;
const FAULT_RATE = 0.05;
const SEEDS = OPTIONS.report === undefined ? [1] : [1, 2, 3, 4, 5];

/** The faults that the test injects, all with the same probability. */
const FAULTS: Fault[] = [
  { type: "reset", after: false },
  { type: "reset", after: true },
  { type: "cut", after: true },
  { type: "notJson", after: true, html: true },
  { type: "emptyBody", after: true },
  { type: "status", status: 500, after: false },
  { type: "status", status: 503, after: true },
  { type: "status", status: 504, after: true },
];

const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };

/**
 * Returns the maximum number of list requests in a run: one per second while the run creates snapshots, and 20 more. Before each
 * repeated create request, the function also lists the snapshots of the disk.
 */
const maxListRequests = (seconds: number): number => seconds + 20;
/** The number of requests that send the result records to LTS. Each request contains at most 500 records. */
const MAX_LOG_REQUESTS = Math.ceil((DISKS + 1) / 500);

test.each(SEEDS)(
  "scheduled-snapshots creates one snapshot of each of 2,000 disks if the rate limit is 20 requests per second and one request in twenty has a fault (random seed %i)",
  { timeout: 60_000 },
  async (seed) => {
    const environment = await createFaultyEnvironment({ seed, rate: { perSecond: PER_SECOND } });
    const { cloud, clock } = environment;
    for (let index = 0; index < DISKS; index += 1) cloud.addVolume({ tags: { backup: "daily" } });
    cloud.listLagMs = 5_000;
    const random = createRandom(seed + 100);
    const value = FAULT_RATE / FAULTS.length;
    const armed = FAULTS.map((fault) => cloud.fault({ operation: /^evs\./, probability: { value, random } }, fault));
    const started = clock.now();

    const { invoked } = await environment.instance().deliver(scheduledSnapshots, timerEvent(policy), {
      variables: { SHARD_SIZE: String(DISKS) },
    });

    const seconds = Math.round((clock.now() - started) / 1000);
    const requests = cloud.count(/./);
    const faults = armed.reduce((sum, { hits }) => sum + hits, 0);
    const throttled = cloud.count(/./, 429);
    saveResult(`inventory-${seed}`, { seed, disks: DISKS, seconds, requests, faults, throttled });
    expect(invoked?.error).toBeUndefined();
    expect(invoked?.result).toMatchObject({ targets: DISKS, outcomes: { accepted: DISKS }, topic: "delivered" });
    expect(cloud.snapshots("snapshot")).toHaveLength(DISKS);
    expect(new Set(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).size).toBe(DISKS);
    expect(faults).toBeGreaterThan(DISKS * FAULT_RATE * 0.6);
    expect(requests).toBeLessThanOrEqual(
      DISKS + maxListRequests(seconds) + MAX_LOG_REQUESTS + 3 * (faults + throttled),
    );
  },
);
