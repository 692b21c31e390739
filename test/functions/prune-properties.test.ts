/** Tests `prune-snapshots` with random snapshots and policies. The variable `RUNS` sets the number of random cases. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { Fault, SnapshotView } from "../../infra/local/cloud/index.ts";
import {
  expectSuccess,
  HOUR_MS,
  isGood,
  KINDS,
  type Kind,
  listWithoutMembers,
  START_MS,
  WITHOUT_TOPIC,
} from "../support/common.ts";
import { createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import {
  addResources,
  busyResponse,
  DELETE_OPERATIONS,
  replaceSnapshot,
  type Seed,
  seedSnapshot,
} from "../support/retention-seeds.ts";

const RUNS = Number(process.env.RUNS ?? 60);

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

const resourceOf = ({ kind, volume_id, server_id, cluster_id }: SnapshotView) =>
  `${kind} ${volume_id ?? server_id ?? cluster_id}`;

test(`prune-snapshots deletes exactly the snapshots that its dry run plans to delete, and sends one delete request for each of them (${RUNS} random cases)`, {
  timeout: 3_600_000,
}, async () => {
  const { cloud, clock, invoke } = await createTestEnvironment({ variables: WITHOUT_TOPIC, timeoutSeconds: 900 });
  const { resourceIds } = addResources(cloud, START_MS - 1_000 * HOUR_MS);
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
          ...seedSnapshot(cloud, kind, resourceIds[kind], { ...one, at: START_MS - hours * HOUR_MS }),
          own: one.marked && one.policy === "nightly",
          held: one.description !== undefined,
        }));
        const before = listWithoutMembers(cloud);
        const hold = made[heldIndex] ? [made[heldIndex].id] : [];
        const body = { policy: "nightly", time_zone, hold, retention: rules };

        const plan = expectSuccess(await run({ ...body, dry_run: true }));
        expect(cloud.requests.filter(({ method }) => method !== "GET")).toEqual([]);
        const planned = plan.records.slice(0, -1);
        expect(planned.map((one) => one.snapshot_id).sort()).toEqual(
          made
            .filter(({ own }) => own)
            .map(({ id }) => id)
            .sort(),
        );
        const deletions = planned.filter(({ detail }) => detail === "deleted").map((one) => one.snapshot_id);

        const done = expectSuccess(await run(body));
        const asPlanned = planned.map((one) => `${one.snapshot_id} ${one.detail}: ${one.rule}`).sort();
        expect(
          done.records
            .slice(0, -1)
            .map((one) => `${one.snapshot_id} ${one.outcome}: ${one.rule}`)
            .sort(),
        ).toEqual(asPlanned);
        const requested = cloud.requests
          .filter(({ method }) => method === "DELETE")
          .map(({ path }) => path.split("/").at(-1));
        expect(requested.sort()).toEqual(deletions.sort());

        clock.advance(HOUR_MS);
        const after = listWithoutMembers(cloud);
        expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id).filter((id) => !deletions.includes(id)));
        for (const { id, own, held } of made)
          if (!own || held || hold.includes(id)) expect(deletions).not.toContain(id);
        const good = (list: SnapshotView[], resource: string) =>
          list.filter((one) => isGood(one) && resourceOf(one) === resource).length;
        for (const resource of new Set(before.map(resourceOf))) {
          const min = Math.min(good(before, resource), rules.min_keep ?? 1);
          expect(good(after, resource)).toBeGreaterThanOrEqual(min);
        }

        const again = await run(body);
        expect(again.records.filter(({ outcome }) => outcome === "deleted")).toEqual([]);
        expect(again.records).toHaveLength(done.records.length - deletions.length);
      },
    ),
    { numRuns: RUNS },
  );
});

/** Changes to a snapshot during a run of `prune-snapshots`. Six entries change nothing, so most snapshots remain unchanged. */
const CHANGES: Record<string, Partial<Seed> | "gone" | "nothing"> = {
  ...Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`nothing ${index}`, "nothing" as const])),
  gone: "gone",
  fails: { status: "error" },
  recovers: { status: "available" },
  "is rolled back": { status: "rollbacking" },
  "is held": { description: "hold: audit" },
  "is held by a label": { labels: { hold: "true" } },
  "loses its marker": { marked: false },
  "changes its policy": { policy: "weekly" },
};
const FAILURES = {
  busy: busyResponse,
  throttled: () => ({ type: "throttle", window: "1 minute" }),
  fault: () => ({ type: "status", status: 503 }),
  lost: () => ({ type: "reset", after: false }),
  "lost although it was done": () => ({ type: "reset", after: true }),
  refused: () => ({ type: "status", status: 409, body: { message: "in use" } }),
} as const satisfies Record<string, (kind: Kind) => Fault>;

test(`prune-snapshots keeps the last good snapshot of each resource, and each snapshot that is put on hold or leaves its policy during the run (${RUNS} random cases)`, {
  timeout: 3_600_000,
}, async () => {
  const { cloud, clock, runtime, invoke } = await createTestEnvironment({
    variables: { ...WITHOUT_TOPIC, MAX_CONCURRENCY: "1" },
    timeoutSeconds: 900,
  });
  const { resourceIds } = addResources(cloud, START_MS - 1_000 * HOUR_MS);
  let afterDeletion: (path: string) => void = () => {};
  const { transport } = runtime;
  runtime.transport = async (request) => {
    try {
      return await transport(request);
    } finally {
      if (request.method === "DELETE") afterDeletion(request.url.pathname);
    }
  };
  const past = fc.record({
    hours: fc.integer({ min: 1, max: 24 * 10 }),
    marked: fc.constantFrom(...Array(9).fill(true), false),
    status: fc.constantFrom(...Array(8).fill("available"), "error", "creating"),
    key: fc.constantFrom(...Array(4).fill(undefined), "once"),
    description: fc.constantFrom(...Array(9).fill(undefined), "hold: audit"),
  });
  const changes = fc.record({
    failure: fc.constantFrom(...(Object.keys(FAILURES) as (keyof typeof FAILURES)[])),
    times: fc.integer({ min: 1, max: 3 }),
    changeNames: fc.array(fc.constantFrom(...Object.keys(CHANGES)), { minLength: 8, maxLength: 8 }),
  });
  let kept = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(past, { minLength: 6, maxLength: 14 }),
      fc.subarray(KINDS, { minLength: 1, maxLength: 2 }),
      fc.record({
        keep_last: fc.integer({ min: 1, max: 2 }),
        keep_daily: count(2),
        min_keep: fc.constantFrom(1, 1, 2),
      }),
      fc.tuple(...KINDS.map(() => changes)),
      async (seeds, kinds, retention, changesOf) => {
        for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
        cloud.clearFaults();
        clock.set(START);
        const made = seeds.map(({ hours, ...one }, index) => {
          const kind = kinds[index % kinds.length] as Kind;
          const given: Seed = { ...one, key: one.key ?? `${index}`, at: START_MS - hours * HOUR_MS };
          return { kind, given, id: seedSnapshot(cloud, kind, resourceIds[kind], given).id };
        });
        // After the first deletion of each kind, `good` stores whether the kind still has a good snapshot, and `untouchable`
        // stores the ids of the snapshots that the function must not delete.
        const good = new Map<Kind, boolean>();
        const untouchable: string[] = [];
        const isOwn = (one: SnapshotView) =>
          [one.metadata?.policy, one.tags?.policy, one.description ?? ""].some(
            (text) => text === "nightly" || text?.includes("policy:nightly "),
          ) && [one.metadata?.key, one.tags?.key, one.description?.includes("managed-by")].some(Boolean);
        const isHeld = (one: SnapshotView) =>
          one.description?.startsWith("hold") || one.metadata?.hold === "true" || one.tags?.hold === "true";
        for (const [index, kind] of KINDS.entries()) {
          const { failure, times } = changesOf[index] as (typeof changesOf)[number];
          cloud.fault({ operation: DELETE_OPERATIONS[kind], nth: 1, times }, FAILURES[failure](kind));
        }
        afterDeletion = (path) => {
          const kind = made.find(({ id }) => path.endsWith(id))?.kind ?? "snapshot";
          if (good.has(kind)) return;
          const places = changesOf[KINDS.indexOf(kind)]?.changeNames ?? [];
          for (const [index, { id, given }] of made.filter((one) => one.kind === kind).entries()) {
            const what = CHANGES[places[index % places.length] ?? ""] ?? "nothing";
            const there = cloud.snapshots(kind).find((one) => one.id === id);
            if (what === "nothing" || there === undefined || there.status === "deleting") continue;
            if (what === "gone") cloud.removeSnapshot(id);
            else
              replaceSnapshot(cloud, kind, resourceIds[kind], id, {
                ...given,
                ...(kind === "cluster-snapshot" ? without(what) : what),
              });
          }
          const there = listWithoutMembers(cloud, kind);
          good.set(
            kind,
            there.some((one) => isGood(one) && isOwn(one)),
          );
          untouchable.push(
            ...there
              .filter((one) => isHeld(one) || !isOwn(one) || /rollback|creating/i.test(one.status))
              .map(({ id }) => id),
          );
        };
        const { records } = await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention }, START));
        clock.advance(HOUR_MS);
        const left = listWithoutMembers(cloud);
        for (const [kind, was] of good) {
          const is = left.some((one) => one.kind === kind && isGood(one) && isOwn(one));
          expect([kind, is]).toEqual([kind, was]);
        }
        const ids = left.map(({ id }) => id);
        expect(untouchable.filter((id) => !ids.includes(id))).toEqual([]);
        const recorded = records.flatMap((one) => one.snapshot_id ?? []);
        expect(new Set(recorded).size).toBe(recorded.length);
        for (const { snapshot_id, outcome } of records) {
          if (outcome === "deleted") expect(ids).not.toContain(snapshot_id);
        }
        kept += records.filter(({ detail }) => detail?.startsWith("The plan changed")).length;
      },
    ),
    { numRuns: RUNS },
  );
  // On average, every tenth case must have a deletion that the function cancels because its plan changed. Otherwise this test
  // proves nothing.
  expect(kept).toBeGreaterThan(RUNS / 10);
});

/** Removes `labels` from the changes of a cluster snapshot, because cluster snapshots have no labels. */
const without = ({ labels: _, ...changes }: Partial<Seed>): Partial<Seed> => changes;
