/** A whole estate in one run, at the cloud's rate limit, with a fault in every twentieth request. */
import { expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { ASKED, keep } from "./report.ts";
import { chanceOf, openFaultySite } from "./site.ts";

useFixedDate();

const DISKS = 2_000;
const PER_SECOND = 20;
const SHARE = 0.05;
const SEEDS = ASKED.report === undefined ? [1] : [1, 2, 3, 4, 5];

/** What can befall a request on its way, each as often as the others. */
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

/** Lists come in overlapping pages of 1,000: three of the disks, and of the snapshots, which are looked up every 30 s. */
const pagesIn = (seconds: number): number => 3 + 3 * (1 + Math.floor(seconds / 30));
/** The records go out in calls of 500. */
const REPORTS = Math.ceil((DISKS + 1) / 500);

test.each(SEEDS)(
  "2,000 disks at 20 requests a second and 5% faults: 2,000 snapshots (seed %i)",
  { timeout: 60_000 },
  async (seed) => {
    const site = await openFaultySite({ seed, rate: { perSecond: PER_SECOND } });
    const { cloud, clock } = site;
    for (let index = 0; index < DISKS; index += 1) cloud.addVolume({ tags: { backup: "daily" } });
    cloud.listLagMs = 5_000;
    const random = chanceOf(seed + 100);
    const value = SHARE / FAULTS.length;
    const armed = FAULTS.map((fault) => cloud.fault({ operation: /^evs\./, probability: { value, random } }, fault));
    const begun = clock.now();

    const { ended } = await site.instance().deliver(scheduledSnapshots, timerEvent(policy), {
      variables: { SHARD_SIZE: String(DISKS) },
    });

    const seconds = Math.round((clock.now() - begun) / 1000);
    const requests = cloud.count(/./);
    const faults = armed.reduce((sum, { hits }) => sum + hits, 0);
    const throttled = cloud.count(/./, 429);
    keep(`estate-${seed}`, { seed, disks: DISKS, seconds, requests, faults, throttled });
    expect(ended?.error).toBeUndefined();
    expect(ended?.result).toMatchObject({ targets: DISKS, outcomes: { accepted: DISKS }, topic: "delivered" });
    expect(cloud.snapshots("snapshot")).toHaveLength(DISKS);
    expect(new Set(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).size).toBe(DISKS);
    expect(faults).toBeGreaterThan(DISKS * SHARE * 0.6);
    expect(requests).toBeLessThanOrEqual(DISKS + pagesIn(seconds) + REPORTS + 2 * faults + throttled);
  },
);
