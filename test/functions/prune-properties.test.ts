/** What holds for every prune, on the embedded cloud, whatever is there. `RUNS=10000` runs it so often. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { SnapshotView } from "../../infra/local/cloud/index.ts";
import { openSite, START, timerEvent } from "../harness.ts";
import { KINDS, resources, seed } from "../retention/seeds.ts";

const RUNS = Number(process.env.RUNS ?? 60);
const HOUR_MS = 3_600_000;
const now = Date.parse(START);

const LTS_OFF = { LTS_ENDPOINT: undefined, LTS_LOG_GROUP_ID: undefined, LTS_LOG_STREAM_ID: undefined };

const snapshot = fc.record({
  kind: fc.constantFrom(...KINDS),
  hours: fc.integer({ min: 1, max: 24 * 60 }),
  policy: fc.constantFrom("nightly", "nightly", "nightly", "weekly"),
  marked: fc.constantFrom(true, true, true, true, false),
  status: fc.constantFrom("available", "available", "available", "available", "error", "creating", "rollbacking"),
  key: fc.option(fc.constantFrom("once", "twice"), { freq: 4, nil: undefined }),
  description: fc.option(fc.constant("hold: audit"), { freq: 8, nil: undefined }),
});
const count = (max: number) => fc.option(fc.integer({ min: 0, max }), { nil: undefined });
const policy = fc
  .record({
    time_zone: fc.constantFrom("UTC", "Europe/Berlin", "America/Santiago"),
    keep_last: fc.integer({ min: 0, max: 3 }),
    keep_daily: count(4),
    keep_weekly: count(3),
    keep_within_days: count(5),
    min_keep: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
    heldIndex: fc.nat(20),
  })
  .filter(({ keep_last, keep_daily, keep_weekly, keep_within_days }) =>
    [keep_last, keep_daily, keep_weekly, keep_within_days].some(Boolean),
  );

const isGood = ({ status }: SnapshotView) => ["available", "avaialble", "AVAILABLE"].includes(status);
const whole = ({ snapshot_group_id }: SnapshotView) => !snapshot_group_id;
const resourceOf = ({ kind, volume_id, server_id, cluster_id }: SnapshotView) =>
  `${kind} ${volume_id ?? server_id ?? cluster_id}`;

test(`what is planned is what is done, to nothing but the policy's own, once (${RUNS} runs)`, {
  timeout: 3_600_000,
}, async () => {
  const { cloud, clock, invoke } = await openSite({ variables: LTS_OFF, timeoutSeconds: 900 });
  const { of } = resources(cloud, now - 1_000 * HOUR_MS);
  const run = (body: object) => invoke(pruneSnapshots, timerEvent(body, START));
  await fc.assert(
    fc.asyncProperty(
      fc.array(snapshot, { maxLength: 14 }),
      policy,
      async (seeds, { time_zone, heldIndex, ...rules }) => {
        for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
        cloud.requests.length = 0;
        clock.set(START);
        const made = seeds.map(({ kind, hours, ...one }) => ({
          ...seed(cloud, kind, of[kind], { ...one, at: now - hours * HOUR_MS }),
          ours: one.marked && one.policy === "nightly",
          held: one.description !== undefined,
        }));
        const before = cloud.snapshots().filter(whole);
        const hold = made[heldIndex] ? [made[heldIndex].id] : [];
        const body = { policy: "nightly", time_zone, hold, retention: rules };

        const plan = await run({ ...body, dry_run: true });
        expect(plan.error).toBeUndefined();
        expect(cloud.requests.filter(({ method }) => method !== "GET")).toEqual([]);
        const planned = plan.records.slice(0, -1);
        expect(planned.map((one) => one.snapshot_id).sort()).toEqual(
          made
            .filter(({ ours }) => ours)
            .map(({ id }) => id)
            .sort(),
        );
        const goes = planned.filter(({ detail }) => detail === "deleted").map((one) => one.snapshot_id);

        const done = await run(body);
        expect(done.error).toBeUndefined();
        const asPlanned = planned.map((one) => `${one.snapshot_id} ${one.detail}: ${one.rule}`).sort();
        expect(
          done.records
            .slice(0, -1)
            .map((one) => `${one.snapshot_id} ${one.outcome}: ${one.rule}`)
            .sort(),
        ).toEqual(asPlanned);
        const asked = cloud.requests
          .filter(({ method }) => method === "DELETE")
          .map(({ path }) => path.split("/").at(-1));
        expect(asked.sort()).toEqual(goes.sort());

        clock.advance(HOUR_MS);
        const after = cloud.snapshots().filter(whole);
        expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id).filter((id) => !goes.includes(id)));
        for (const { id, ours, held } of made) if (!ours || held || hold.includes(id)) expect(goes).not.toContain(id);
        const good = (list: SnapshotView[], resource: string) =>
          list.filter((one) => isGood(one) && resourceOf(one) === resource).length;
        for (const resource of new Set(before.map(resourceOf))) {
          const least = Math.min(good(before, resource), rules.min_keep ?? 1);
          expect(good(after, resource)).toBeGreaterThanOrEqual(least);
        }

        const again = await run(body);
        expect(again.records.filter(({ outcome }) => outcome === "deleted")).toEqual([]);
        expect(again.records).toHaveLength(done.records.length - goes.length);
      },
    ),
    { numRuns: RUNS },
  );
});
