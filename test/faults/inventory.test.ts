/** Runs scheduled-snapshots over 2,000 disks at the cloud's rate limit, with a fault in every twentieth request. */
import { expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { onTheSitesDay } from "../support/creates.ts";
import { timerEvent } from "../support/environment.ts";
import { createRandom } from "../support/random.ts";
import { createFaultyEnvironment } from "./faulty-environment.ts";
import { OPTIONS, saveResult } from "./report.ts";

onTheSitesDay();

const DISKS = 2_000;
const PER_SECOND = 20;
const FAULT_RATE = 0.05;
const SEEDS = OPTIONS.report === undefined ? [1] : [1, 2, 3, 4, 5];

/** The faults of requests, all with the same probability. */
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

/** How many pages the lists have: three of 1,000 overlapping disks, and three of the snapshots, which are read every 30 s. */
const pagesIn = (seconds: number): number => 3 + 3 * (1 + Math.floor(seconds / 30));
/** How many calls deliver the records, 500 in each. */
const REPORTS = Math.ceil((DISKS + 1) / 500);

test.each(SEEDS)(
  "scheduled-snapshots creates 2,000 snapshots of 2,000 disks at 20 requests per second with 5% faults (seed %i)",
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
    expect(requests).toBeLessThanOrEqual(DISKS + pagesIn(seconds) + REPORTS + 2 * faults + throttled);
  },
);
