/** Tests `prune-snapshots` when snapshots change after it has decided which snapshots to delete. */
import { describe, expect, test } from "vitest";
import { KINDS, type Kind } from "../support/common.ts";
import { briefOf, CHANGED, type ChangingFixture, createChangingFixture } from "../support/prunes.ts";
import { busyAnswer, DELETE, LIST, type Seed } from "../support/retention-seeds.ts";

/** Faults after which `prune-snapshots` retries a deletion. */
const FAILURES: Record<string, (kind: Kind) => Parameters<ChangingFixture["cloud"]["fault"]>[1]> = {
  "is refused as busy": busyAnswer,
  "is throttled": () => ({ type: "throttle", window: "1 minute" }),
  "fails in the service": () => ({ type: "status", status: 503 }),
  "loses its connection": () => ({ type: "reset", after: false }),
  "gets no response": () => ({ type: "hang", after: false }),
  "gets a response that is not JSON": () => ({ type: "notJson", after: false, html: true }),
};

/** Changes after which the newest snapshot is no longer good. The first plan keeps that snapshot. */
const LOSSES: Record<string, (fixture: ChangingFixture, id: string) => void> = {
  fails: ({ change }, id) => change(id, { status: "error" }),
  "no longer exists": ({ cloud }, id) => cloud.removeSnapshot(id),
  "has an unknown status": ({ change }, id) => change(id, { status: "rollbacking" }),
  "loses its marker": ({ change }, id) => change(id, { marked: false }),
  "belongs to another policy": ({ change }, id) => change(id, { policy: "weekly" }),
};

describe.each(KINDS)("a %s that changes during a run", (kind) => {
  const cases = [
    ...Object.keys(FAILURES).map((failure) => [failure, "fails"]),
    ...Object.keys(LOSSES).map((loss) => ["is refused as busy", loss]),
  ];
  test.each(cases)(
    `prune-snapshots keeps the next good ${kind} if a deletion %s and the ${kind} that its plan keeps %s`,
    async (failure, loss) => {
      for (const MAX_CONCURRENCY of ["1", "8"]) {
        const fixture = await createChangingFixture({ variables: { MAX_CONCURRENCY } });
        const { cloud, add, prune, left, after } = fixture;
        const [c = "", b = "", a = ""] = [3, 2, 1].map((days) => add(kind, days));
        cloud.fault({ operation: DELETE[kind], resource: b, nth: 1 }, FAILURES[failure]?.(kind) as never);
        after.set(1, () => LOSSES[loss]?.(fixture, a));
        const { error, records } = await prune();
        expect(error).toBeUndefined();
        expect(briefOf(records, a, b, c)).toEqual([
          "a kept: keep_last",
          "b kept: keep_last",
          "c deleted: kept by no rule",
        ]);
        expect(records.find(({ snapshot_id }) => snapshot_id === b)?.detail).toMatch(CHANGED);
        expect(left()).toEqual(loss === "no longer exists" ? [b] : [a, b].sort());
      }
    },
  );

  test(`prune-snapshots keeps the last good ${kind} although the cloud has refused its deletion as busy three times before`, async () => {
    const { cloud, add, change, prune, left, after } = await createChangingFixture();
    const [b = "", a = ""] = [2, 1].map((days) => add(kind, days));
    cloud.fault({ operation: DELETE[kind], times: 3 }, busyAnswer(kind));
    after.set(3, () => change(a, { status: "error" }));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(briefOf(records, a, b)).toEqual(["a kept: keep_last", "b kept: keep_last"]);
    expect(cloud.count(DELETE[kind])).toBe(3);
    expect(left()).toEqual([a, b].sort());
  });
});

/** Changes of a snapshot after its deletion failed, with the outcome and rule that its record must have. */
const PROTECTED: Record<string, [change: Partial<Seed>, outcome: string, rule: RegExp, dws?: false]> = {
  "is held by a label": [{ labels: { hold: "true" } }, "held", /^held by its label$/, false],
  "is held by its description": [{ description: "hold: audit" }, "held", /^held by its description$/],
  "loses its marker": [{ marked: false }, "held", /marked/],
  "belongs to another policy": [{ policy: "weekly" }, "held", /marked/],
  "is being rolled back": [{ status: "rollbacking" }, "kept", /^in the status rollbacking$/i],
  "is creating": [{ status: "creating" }, "kept", /^in the status creating$/i],
};

describe.each(KINDS)("a deletion of a %s that was refused as busy", (kind) => {
  const cases = Object.keys(PROTECTED).filter(
    (name) => kind !== "cluster-snapshot" || PROTECTED[name]?.[3] === undefined,
  );
  test.each(cases)(`prune-snapshots keeps a ${kind} that %s after its deletion was refused as busy`, async (name) => {
    const [changes, outcome, rule] = PROTECTED[name] as (typeof PROTECTED)[string];
    for (const MAX_CONCURRENCY of ["1", "8"]) {
      const { cloud, add, change, prune, left, after } = await createChangingFixture({
        variables: { MAX_CONCURRENCY },
      });
      const [c = "", b = "", a = ""] = [3, 2, 1].map((days) => add(kind, days));
      cloud.fault({ operation: DELETE[kind], resource: b, nth: 1 }, busyAnswer(kind));
      after.set(1, () => change(b, changes));
      const { error, records } = await prune();
      expect(error).toBeUndefined();
      expect(records.filter(({ snapshot_id }) => snapshot_id === b)).toMatchObject([
        { outcome, rule: expect.stringMatching(rule), detail: expect.stringMatching(CHANGED) },
      ]);
      expect(cloud.count(DELETE[kind])).toBe(2);
      expect(left()).toEqual([a, b].sort());
      expect(records.find(({ snapshot_id }) => snapshot_id === c)?.outcome).toBe("deleted");
    }
  });

  test(`prune-snapshots reports a busy ${kind} as deleted if the next list does not show it or shows its deletion`, async () => {
    for (const going of kind === "cluster-snapshot" ? [false] : [false, true]) {
      const { cloud, add, change, prune, left, after } = await createChangingFixture();
      const [b = "", a = ""] = [2, 1].map((days) => add(kind, days));
      cloud.fault({ operation: DELETE[kind], nth: 1 }, busyAnswer(kind));
      after.set(1, () => (going ? change(b, { status: "deleting" }) : cloud.removeSnapshot(b)));
      const { error, records } = await prune();
      expect(error).toBeUndefined();
      expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
        outcome: "deleted",
        rule: "kept by no rule",
        detail: expect.stringMatching(/already\.$/),
      });
      expect(left()).toEqual(going ? [a, b].sort() : [a]);
    }
  });

  test(`prune-snapshots deletes nothing more of a resource and reports the error of the list if it cannot list each ${kind} again`, async () => {
    const { cloud, add, prune, left, after } = await createChangingFixture({ variables: { MAX_CONCURRENCY: "1" } });
    const [c = "", b = "", a = ""] = [3, 2, 1].map((days) => add(kind, days));
    cloud.fault({ operation: DELETE[kind], nth: 1 }, busyAnswer(kind));
    after.set(1, () => cloud.fault({ operation: LIST[kind] }, { type: "status", status: 403, body: {} }));
    const { error, records } = await prune();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, failed: 2 });
    for (const id of [b, c]) {
      expect(records.find(({ snapshot_id }) => snapshot_id === id)).toMatchObject({
        outcome: "failed",
        error: { reason: "AccessDenied" },
      });
    }
    expect(cloud.count(DELETE[kind])).toBe(1);
    expect(left()).toEqual([a, b, c].sort());
  });
});

test("prune-snapshots reports a snapshot as deleted if its deletion is refused because another deletion is in progress", async () => {
  const { cloud, add, change, prune, after } = await createChangingFixture();
  const [b = "", a = ""] = [2, 1].map((days) => add("snapshot", days));
  const message = "Snapshot status is: deleting";
  cloud.fault(
    { operation: DELETE.snapshot, resource: b },
    { type: "status", status: 400, body: { error: { code: "EVS.5400", message } } },
  );
  after.set(1, () => change(b, { status: "deleting" }));
  const { error, records } = await prune();
  expect(error).toBeUndefined();
  expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
    outcome: "deleted",
    detail: "It was being deleted already.",
  });
  expect(records.find(({ snapshot_id }) => snapshot_id === a)).toMatchObject({ outcome: "kept" });
});

test("prune-snapshots reports a refused deletion as failed if the list does not show another deletion in progress", async () => {
  const { cloud, add, prune } = await createChangingFixture();
  const [b = ""] = [2, 1].map((days) => add("snapshot", days));
  const message = "Snapshot status is: deleting";
  cloud.fault(
    { operation: DELETE.snapshot, resource: b },
    { type: "status", status: 400, body: { error: { code: "EVS.5400", message } } },
  );
  const { records } = await prune();
  expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({ outcome: "failed" });
});

test("prune-snapshots does not report snapshots as deleted because a later list is empty", async () => {
  const { cloud, runtime, add, prune, left } = await createChangingFixture();
  const [c = "", b = "", a = ""] = [3, 2, 1].map((days) => add("snapshot", days));
  for (const resource of [b, c]) cloud.fault({ operation: DELETE.snapshot, resource }, busyAnswer("snapshot"));
  const { transport } = runtime;
  let lists = 0;
  runtime.transport = async (request) => {
    const answer = await transport(request);
    if (!request.url.pathname.includes("/cloudsnapshots/detail")) return answer;
    lists += 1;
    return lists === 1 ? answer : { ...answer, text: JSON.stringify({ snapshots: [], count: 0 }) };
  };
  const { error, records } = await prune();
  expect(error?.name).toBe("TargetsFailed");
  for (const id of [b, c]) {
    expect(records.find(({ snapshot_id }) => snapshot_id === id)).toMatchObject({
      outcome: "failed",
      error: { reason: "BadResponse" },
    });
  }
  expect(left()).toEqual([a, b, c].sort());
});
