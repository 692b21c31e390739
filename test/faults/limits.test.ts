/** What cannot be excluded without a client token: how often it happens, and where it does not. */
import { afterAll, describe, expect, test } from "vitest";
import { wallClock } from "../../infra/local/cloud/index.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { addResource, CREATES, eventTime, jobOf, KINDS } from "./jobs.ts";
import { openProcessSite } from "./process.ts";
import { duplicates } from "./promises.ts";
import { ASKED, keep, type Rate } from "./report.ts";
import { chanceOf, openFaultySite } from "./site.ts";

const LIST_LAG_MS = 5_000;

describe("a redelivery within the lists' lag after a crash", () => {
  useFixedDate();
  const LATER_MS = [0, 1_000, 2_000, 3_000, 4_000, 5_000, 6_000];
  const CREATION_MS = [3_000, 60_000];
  const RUNS = ASKED.report === undefined ? 2 : 50;
  const rates: Rate[] = [];
  afterAll(() => keep("lag", rates));

  const cases = KINDS.flatMap((kind) => CREATION_MS.map((creationMs) => [kind, creationMs] as const));
  test.each(cases)("%s that takes %i ms", { timeout: 120_000 }, async (kind, creationMs) => {
    const random = chanceOf(7);
    for (const laterMs of LATER_MS) {
      const rate = { kind, laterMs, creationMs, doubled: 0, of: RUNS };
      for (let run = 0; run < RUNS; run += 1) {
        const site = await openFaultySite({ seed: run, creationMs });
        // Lists are late by anything up to 5 s.
        site.cloud.listLagMs = random() * LIST_LAG_MS;
        const job = jobOf(site, { trigger: "timer", kind });
        const created = () => site.cloud.count(CREATES[kind]) > 0;
        await crashAfter(site, job, created);
        site.clock.advance(laterMs);
        await site.instance().deliver(job.factory, job.event, job.how);
        if (duplicates(site, job).length > 0) rate.doubled += 1;
        await site.cloud.close();
      }
      rates.push(rate);
      // A cluster's name is free once; a disk is busy with its own snapshot; a list shows all after 5 s.
      const excluded =
        kind === "cluster-snapshot" || (kind !== "snapshot" && laterMs < creationMs) || laterMs >= LIST_LAG_MS;
      if (excluded) expect(rate.doubled).toBe(0);
    }
  });

  async function crashAfter(
    site: Awaited<ReturnType<typeof openFaultySite>>,
    { factory, event, how }: ReturnType<typeof jobOf>,
    created: () => boolean,
  ): Promise<void> {
    for (let request = 1; !created(); request += 1) {
      await site.instance().deliver(factory, event, { ...how, crash: { request, when: "after" } });
    }
  }
});

/** Waits in real time for busy disks: only where it is asked for. */
describe.skipIf(ASKED.report === undefined)("two first deliveries in two processes", () => {
  const LATER_MS = [0, 20, 50, 100, 200, 500, 1_000];
  const LATER_MS_WITH_LAG = [0, 1_000, 3_000, 4_500, 6_000];
  const RESOURCES = 40;
  const LATENCY_MS = 20;
  const rates: Rate[] = [];
  afterAll(() => keep("races", rates));

  const cases = [0, LIST_LAG_MS].flatMap((lagMs) => KINDS.map((kind) => [kind, lagMs] as const));
  test.each(cases)("%s, lists %i ms late", { timeout: 600_000 }, async (kind, lagMs) => {
    for (const laterMs of lagMs === 0 ? LATER_MS : LATER_MS_WITH_LAG) {
      const site = await openProcessSite({ clock: wallClock, delayMs: LATENCY_MS });
      site.cloud.listLagMs = lagMs;
      const policy = (tag: string) => ({ policy: "nightly", targets: [{ kind, tags: { [tag]: "*" } }] });
      const processes = [0, 1].map(() => site.start("scheduled-snapshots"));
      const how = { variables: { MAX_CONCURRENCY: String(RESOURCES) } };
      // Both are warm.
      const idle = { name: "scheduled-snapshots", event: timerEvent(policy("none"), eventTime(site)), how };
      await Promise.all(processes.map((process) => process.deliver(idle)));
      const targets = Array.from({ length: RESOURCES }, () => ({ kind, resource: addResource(site, kind) }));
      const job = { name: "scheduled-snapshots", event: timerEvent(policy("backup"), eventTime(site)), how };
      await Promise.all(
        processes.map(async (process, place) => {
          await new Promise((resolve) => setTimeout(resolve, place * laterMs));
          return process.deliver(job);
        }),
      );
      await Promise.all(processes.map((process) => process.end()));
      rates.push({ kind, lagMs, laterMs, doubled: duplicates(site, { targets }).length, of: RESOURCES });
      await site.cloud.close();
    }
  });
});
