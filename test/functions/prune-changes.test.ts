/** Tests `prune-snapshots` when snapshots change after it has decided which snapshots to delete. */
import { describe, expect, test } from "vitest";
import { expectSuccess, KINDS, type Kind, SEQUENTIAL } from "../support/common.ts";
import {
  type ChangingFixture,
  createChangingFixture,
  findRecord,
  PLAN_CHANGED,
  summarizeRecords,
} from "../support/prunes.ts";
import { busyResponse, DELETE_OPERATIONS, LIST_OPERATIONS, type Seed } from "../support/retention-seeds.ts";

/** Faults of delete requests that `prune-snapshots` retries. Each key is a part of a test name. */
const FAILURES: Record<string, (kind: Kind) => Parameters<ChangingFixture["cloud"]["fault"]>[1]> = {
  "is rejected as busy": busyResponse,
  "is throttled": () => ({ type: "throttle", window: "1 minute" }),
  "gets a 503 response": () => ({ type: "status", status: 503 }),
  "loses its connection": () => ({ type: "reset", after: false }),
  "gets no response": () => ({ type: "hang", after: false }),
  "gets a response that is not JSON": () => ({ type: "notJson", after: false, html: true }),
};

/** Changes after which the newest snapshot is no longer a good snapshot of the policy. Each key is a part of a test name. */
const LOSSES: Record<string, (fixture: ChangingFixture, id: string) => void> = {
  fails: ({ change }, id) => change(id, { status: "error" }),
  disappears: ({ cloud }, id) => cloud.removeSnapshot(id),
  "gets an unknown status": ({ change }, id) => change(id, { status: "rollbacking" }),
  "loses its marker": ({ change }, id) => change(id, { marked: false }),
  "moves to another policy": ({ change }, id) => change(id, { policy: "weekly" }),
};

describe.each(KINDS)("the newest %s changes during a run", (kind) => {
  const cases = [
    ...Object.keys(FAILURES).map((failure) => [failure, "fails"]),
    ...Object.keys(LOSSES).map((loss) => ["is rejected as busy", loss]),
  ];
  test.each(cases)(
    `prune-snapshots keeps the second newest ${kind} if its delete request %s and the newest ${kind} %s before the retry`,
    async (failure, loss) => {
      for (const MAX_CONCURRENCY of ["1", "8"]) {
        const fixture = await createChangingFixture({ variables: { MAX_CONCURRENCY } });
        const { cloud, add, prune, remainingIds, afterDeletion } = fixture;
        const [third = "", second = "", newest = ""] = [3, 2, 1].map((days) => add(kind, days));
        cloud.fault(
          { operation: DELETE_OPERATIONS[kind], resource: second, nth: 1 },
          FAILURES[failure]?.(kind) as never,
        );
        afterDeletion.set(1, () => LOSSES[loss]?.(fixture, newest));
        const { records } = expectSuccess(await prune());
        expect(summarizeRecords(records, newest, second, third)).toEqual([
          "newest kept: keep_last",
          "second kept: keep_last",
          "third deleted: kept by no rule",
        ]);
        expect(findRecord(records, second)?.detail).toMatch(PLAN_CHANGED);
        expect(remainingIds()).toEqual(loss === "disappears" ? [second] : [newest, second].sort());
      }
    },
  );

  test(`prune-snapshots stops retrying the deletion of a ${kind} when this ${kind} becomes the last good snapshot of its resource`, async () => {
    const { cloud, add, change, prune, remainingIds, afterDeletion } = await createChangingFixture();
    const [second = "", newest = ""] = [2, 1].map((days) => add(kind, days));
    cloud.fault({ operation: DELETE_OPERATIONS[kind], times: 3 }, busyResponse(kind));
    afterDeletion.set(3, () => change(newest, { status: "error" }));
    const { records } = expectSuccess(await prune());
    expect(summarizeRecords(records, newest, second)).toEqual(["newest kept: keep_last", "second kept: keep_last"]);
    expect(cloud.count(DELETE_OPERATIONS[kind])).toBe(3);
    expect(remainingIds()).toEqual([newest, second].sort());
  });
});

/** Changes that protect a snapshot from deletion, with the outcome and the rule in the record of the changed snapshot. */
const PROTECTED: Record<string, [change: Partial<Seed>, outcome: string, rule: RegExp, dws?: false]> = {
  'now has the label "hold"': [{ labels: { hold: "true" } }, "held", /^held by its label$/, false],
  'now has a description that starts with "hold"': [
    { description: "hold: audit" },
    "held",
    /^held by its description$/,
  ],
  "has lost its marker": [{ marked: false }, "held", /marked/],
  "now belongs to another policy": [{ policy: "weekly" }, "held", /marked/],
  "is being rolled back": [{ status: "rollbacking" }, "kept", /^its status is rollbacking$/i],
  "is being created": [{ status: "creating" }, "kept", /^its status is creating$/i],
};

describe.each(KINDS)("the deletion of a %s is rejected as busy", (kind) => {
  const cases = Object.keys(PROTECTED).filter(
    (name) => kind !== "cluster-snapshot" || PROTECTED[name]?.[3] === undefined,
  );
  test.each(cases)(
    `prune-snapshots does not retry the deletion of a busy ${kind} if the next list response shows that the snapshot %s`,
    async (name) => {
      const [changes, outcome, rule] = PROTECTED[name] as (typeof PROTECTED)[string];
      for (const MAX_CONCURRENCY of ["1", "8"]) {
        const { cloud, add, change, prune, remainingIds, afterDeletion } = await createChangingFixture({
          variables: { MAX_CONCURRENCY },
        });
        const [third = "", second = "", newest = ""] = [3, 2, 1].map((days) => add(kind, days));
        cloud.fault({ operation: DELETE_OPERATIONS[kind], resource: second, nth: 1 }, busyResponse(kind));
        afterDeletion.set(1, () => change(second, changes));
        const { records } = expectSuccess(await prune());
        expect(records.filter(({ snapshot_id }) => snapshot_id === second)).toMatchObject([
          { outcome, rule: expect.stringMatching(rule), detail: expect.stringMatching(PLAN_CHANGED) },
        ]);
        expect(cloud.count(DELETE_OPERATIONS[kind])).toBe(2);
        expect(remainingIds()).toEqual([newest, second].sort());
        expect(findRecord(records, third)?.outcome).toBe("deleted");
      }
    },
  );

  test(`prune-snapshots reports a busy ${kind} as deleted if the next list response omits the snapshot or shows that the snapshot is being deleted`, async () => {
    for (const isDeleting of kind === "cluster-snapshot" ? [false] : [false, true]) {
      const { cloud, add, change, prune, remainingIds, afterDeletion } = await createChangingFixture();
      const [second = "", newest = ""] = [2, 1].map((days) => add(kind, days));
      cloud.fault({ operation: DELETE_OPERATIONS[kind], nth: 1 }, busyResponse(kind));
      afterDeletion.set(1, () => (isDeleting ? change(second, { status: "deleting" }) : cloud.removeSnapshot(second)));
      const { records } = expectSuccess(await prune());
      expect(findRecord(records, second)).toMatchObject({
        outcome: "deleted",
        rule: "kept by no rule",
        detail: expect.stringMatching(/^Already /),
      });
      expect(remainingIds()).toEqual(isDeleting ? [newest, second].sort() : [newest]);
    }
  });

  test(`prune-snapshots stops deleting ${kind}s and reports AccessDenied if the list request after a busy response is rejected`, async () => {
    const { cloud, add, prune, remainingIds, afterDeletion } = await createChangingFixture(SEQUENTIAL);
    const [third = "", second = "", newest = ""] = [3, 2, 1].map((days) => add(kind, days));
    cloud.fault({ operation: DELETE_OPERATIONS[kind], nth: 1 }, busyResponse(kind));
    afterDeletion.set(1, () =>
      cloud.fault({ operation: LIST_OPERATIONS[kind] }, { type: "status", status: 403, body: {} }),
    );
    const { error, records } = await prune();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, failed: 2 });
    for (const id of [second, third]) {
      expect(findRecord(records, id)).toMatchObject({
        outcome: "failed",
        error: { reason: "AccessDenied" },
      });
    }
    expect(cloud.count(DELETE_OPERATIONS[kind])).toBe(1);
    expect(remainingIds()).toEqual([newest, second, third].sort());
  });
});

test("prune-snapshots reports a snapshot as deleted if EVS rejects the deletion because the snapshot is already being deleted", async () => {
  const { cloud, add, change, prune, afterDeletion } = await createChangingFixture();
  const [second = "", newest = ""] = [2, 1].map((days) => add("snapshot", days));
  const message = "Snapshot status is: deleting";
  cloud.fault(
    { operation: DELETE_OPERATIONS.snapshot, resource: second },
    { type: "status", status: 400, body: { error: { code: "EVS.5400", message } } },
  );
  afterDeletion.set(1, () => change(second, { status: "deleting" }));
  const { records } = expectSuccess(await prune());
  expect(findRecord(records, second)).toMatchObject({
    outcome: "deleted",
    detail: "Already being deleted.",
  });
  expect(findRecord(records, newest)).toMatchObject({ outcome: "kept" });
});

test("if EVS rejects a deletion because the snapshot is being deleted but then lists the snapshot as available, prune-snapshots reports the deletion as failed", async () => {
  const { cloud, add, prune } = await createChangingFixture();
  const [second = ""] = [2, 1].map((days) => add("snapshot", days));
  const message = "Snapshot status is: deleting";
  cloud.fault(
    { operation: DELETE_OPERATIONS.snapshot, resource: second },
    { type: "status", status: 400, body: { error: { code: "EVS.5400", message } } },
  );
  const { records } = await prune();
  expect(findRecord(records, second)).toMatchObject({ outcome: "failed" });
});

test("prune-snapshots reports BadResponse for busy snapshots if the next list response contains no snapshots", async () => {
  const { cloud, runtime, add, prune, remainingIds } = await createChangingFixture();
  const [third = "", second = "", newest = ""] = [3, 2, 1].map((days) => add("snapshot", days));
  for (const resource of [second, third])
    cloud.fault({ operation: DELETE_OPERATIONS.snapshot, resource }, busyResponse("snapshot"));
  const { transport } = runtime;
  let listRequests = 0;
  runtime.transport = async (request) => {
    const response = await transport(request);
    if (!request.url.pathname.includes("/cloudsnapshots/detail")) return response;
    listRequests += 1;
    return listRequests === 1 ? response : { ...response, text: JSON.stringify({ snapshots: [], count: 0 }) };
  };
  const { error, records } = await prune();
  expect(error?.name).toBe("TargetsFailed");
  for (const id of [second, third]) {
    expect(findRecord(records, id)).toMatchObject({
      outcome: "failed",
      error: { reason: "BadResponse" },
    });
  }
  expect(remainingIds()).toEqual([newest, second, third].sort());
});
