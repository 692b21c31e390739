/** Tests changes after `prune-snapshots` has made its plan. It retries a deletion only if a plan from a new list requires it. */
import { describe, expect, test } from "vitest";
import type { Invocation, TestEnvironmentOptions } from "../support/environment.ts";
import { createFixture, DAY_MS, keepLast, now } from "../support/prunes.ts";
import { alter, busyAnswer, DELETE, KINDS, type Kind, LIST, type Seed, seed } from "../support/retention-seeds.ts";

const NIGHTLY = keepLast(1);
const CHANGED = /^The plan changed/;

/** Creates a fixture whose snapshots can change, with hooks that run when the cloud has responded to the nth deletion. */
async function createChangingFixture(options: TestEnvironmentOptions = {}) {
  const fixture = await createFixture({ timeoutSeconds: 900, ...options });
  const { cloud, runtime, of } = fixture;
  const seeds = new Map<string, { kind: Kind; resource: string; one: Seed }>();
  const add = (kind: Kind, days: number, changes: Partial<Seed> = {}, resource = of[kind]) => {
    const one = { at: now - days * DAY_MS, key: `${seeds.size}`, ...changes };
    const { id } = seed(cloud, kind, resource, one);
    seeds.set(id, { kind, resource, one });
    return id;
  };
  const change = (id: string, changes: Partial<Seed>) => {
    const { kind, resource, one } = seeds.get(id) ?? { kind: "snapshot", resource: "", one: { at: now } };
    alter(cloud, kind, resource, id, { ...one, ...changes });
  };
  let deletions = 0;
  const after = new Map<number, () => void>();
  const { transport } = runtime;
  runtime.transport = async (request) => {
    if (request.method !== "DELETE") return transport(request);
    deletions += 1;
    const hook = after.get(deletions);
    try {
      return await transport(request);
    } finally {
      hook?.();
    }
  };
  const prune = (policy: object = NIGHTLY, how: Invocation = {}) => fixture.prune(policy, how);
  return { ...fixture, add, change, prune, after };
}

type ChangingFixture = Awaited<ReturnType<typeof createChangingFixture>>;

const briefOf = (records: Record<string, string>[], ...names: string[]) =>
  records
    .filter(({ snapshot_id }) => snapshot_id)
    .map(({ snapshot_id = "", outcome, rule }) => `${"abcdef"[names.indexOf(snapshot_id)]} ${outcome}: ${rule}`)
    .sort();

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
  "is being rolled back": [{ status: "rollbacking" }, "kept", /^its status is rollbacking$/i],
  "is creating": [{ status: "creating" }, "kept", /^its status is creating$/i],
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
        detail: expect.stringMatching(/^Already /),
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
    detail: "Already being deleted.",
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

describe("other deletions of a resource", () => {
  test.each([
    ["is refused as busy", busyAnswer("snapshot")],
    ["is refused with a 409", { type: "status", status: 409, body: { message: "in use" } }],
    ["is not found", { type: "status", status: 404, body: { itemNotFound: { code: 404, message: "gone" } } }],
    ["does not find another resource", { type: "answer", status: 404, body: '{"code":404,"message":"no such thing"}' }],
  ] as const)("prune-snapshots renews the plan of a resource after a deletion that %s", async (_how, fault) => {
    const { cloud, add, change, prune, left, after } = await createChangingFixture({
      variables: { MAX_CONCURRENCY: "1" },
    });
    const [d = "", c = "", b = "", a = ""] = [4, 3, 2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE.snapshot, nth: 1 }, fault);
    after.set(1, () => {
      change(a, { status: "error" });
      change(b, { status: "error" });
      change(d, { labels: { hold: "true" } });
    });
    const { records } = await prune();
    expect(records.find(({ snapshot_id }) => snapshot_id === c)).toMatchObject({
      outcome: "kept",
      rule: "keep_last",
      detail: expect.stringMatching(CHANGED),
    });
    expect(records.find(({ snapshot_id }) => snapshot_id === d)).toMatchObject({ outcome: "held" });
    expect(left()).toEqual(expect.arrayContaining([a, c, d]));
  });

  test("prune-snapshots deletes the snapshots of another resource at once while a busy one waits", async () => {
    const { cloud, clock, add, prune, left } = await createChangingFixture({ variables: { MAX_CONCURRENCY: "1" } });
    const other = cloud.addVolume().id;
    const [c, b = "", a] = [3, 2, 1].map((days) => add("snapshot", days));
    const [y = "", x] = [2, 1].map((days) => add("snapshot", days, {}, other));
    cloud.fault({ operation: DELETE.snapshot, resource: b, nth: 1 }, busyAnswer("snapshot"));
    let deletedAt = 0;
    cloud.fault(
      { operation: DELETE.snapshot, resource: y },
      {
        type: "mutatePage",
        mutate: () => {
          deletedAt = clock.now();
        },
      },
    );
    const { error, result } = await prune();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 2, deleted: 3 });
    expect(deletedAt).toBe(now);
    expect(left()).toEqual([a, x].sort());
    expect(c).toBeDefined();
  });

  test("prune-snapshots does not count a snapshot that it has deleted although a late list still shows it", async () => {
    const { cloud, add, change, prune, left, after } = await createChangingFixture({
      variables: { MAX_CONCURRENCY: "1" },
    });
    const [c = "", b = "", a = ""] = [3, 2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE.snapshot, resource: c, nth: 1 }, busyAnswer("snapshot"));
    after.set(2, () => change(a, { status: "error" }));
    // The cloud has accepted the deletion of b, but the list still shows b.
    cloud.fault(
      { operation: LIST.snapshot, nth: 2 },
      { type: "mutatePage", mutate: (its) => its.snapshots().some(({ id }) => id === b) && its.removeSnapshot(b) },
    );
    after.set(1, () => change(b, { status: "available" }));
    const { records } = await prune();
    expect(briefOf(records, a, b, c)).toEqual(["a kept: keep_last", "b deleted: kept by no rule", "c kept: keep_last"]);
    expect(left()).toEqual([a, c].sort());
  });
});

describe("a snapshot group whose members change after its deletion was refused as busy", () => {
  const group = async () => {
    const fixture = await createChangingFixture();
    const { cloud, add, after } = fixture;
    const [b = "", a = ""] = [2, 1].map((days) => add("snapshot-group", days));
    cloud.fault({ operation: DELETE["snapshot-group"], nth: 1 }, busyAnswer("snapshot-group"));
    const replaceMember = (groupId: string, changes: object | undefined) => {
      const member = cloud.snapshots("standard-snapshot").find((one) => one.snapshot_group_id === groupId);
      cloud.removeSnapshot(member?.id ?? "");
      if (changes === undefined) return;
      const { id = "", volume_id: volumeId = "" } = member ?? {};
      cloud.addSnapshot({ kind: "standard-snapshot", id, volumeId, groupId, createdAt: now - DAY_MS, ...changes });
    };
    return { ...fixture, a, b, replaceMember, after };
  };

  test.each([
    ["held by its label", { tags: { hold: "yes" } }],
    ["held by its description", { description: "hold: audit" }],
  ])("prune-snapshots keeps a group whose deletion was refused as busy when a member is %s", async (how, changes) => {
    const { a, b, replaceMember, after, prune, left } = await group();
    after.set(1, () => replaceMember(b, changes));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "held",
      rule: expect.stringContaining(how),
      detail: expect.stringMatching(CHANGED),
    });
    expect(left()).toEqual([a, b].sort());
  });

  test.each([
    ["in the status error", { status: "error" }, "keep_last"],
    ["missing", undefined, "keep_last"],
  ])(
    "prune-snapshots keeps a group whose deletion was refused as busy when the member of the newer group is %s",
    async (_how, changes, rule) => {
      const { a, b, replaceMember, after, prune, left } = await group();
      after.set(1, () => replaceMember(a, changes));
      const { error, records } = await prune();
      expect(error).toBeUndefined();
      expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({ outcome: "kept", rule });
      expect(left()).toEqual([a, b].sort());
    },
  );

  test("prune-snapshots keeps a busy group that becomes the last good one of a disk because the newer group loses a member", async () => {
    const fixture = await createChangingFixture();
    const { cloud, server, add, after, prune, left } = fixture;
    const second = cloud.addVolume({ serverId: server.id, attachedAt: now - 30 * DAY_MS });
    const [b = "", a = ""] = [2, 1].map((days) => add("snapshot-group", days));
    cloud.fault({ operation: DELETE["snapshot-group"], nth: 1 }, busyAnswer("snapshot-group"));
    const lost = cloud
      .snapshots("standard-snapshot")
      .find((one) => one.snapshot_group_id === a && one.volume_id === second.id);
    after.set(1, () => cloud.removeSnapshot(lost?.id ?? ""));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "kept",
      rule: `the last good one of disk ${second.id}`,
    });
    expect(left()).toEqual([a, b].sort());
  });

  test("prune-snapshots keeps a busy group of single disks that loses a member, because no newer group has the same disks", async () => {
    const { cloud, disk, prune, left, after } = await createChangingFixture();
    const other = cloud.addVolume();
    const add = (days: number) =>
      cloud.addSnapshot({
        kind: "snapshot-group",
        volumeIds: [disk.id, other.id],
        createdAt: now - days * DAY_MS,
        tags: { "managed-by": "snapshot-functions", policy: "nightly", key: `${days}`.repeat(32), content: "01234567" },
      }).id;
    const [b, a] = [add(2), add(1)];
    cloud.fault({ operation: DELETE["snapshot-group"], nth: 1 }, busyAnswer("snapshot-group"));
    const member = cloud
      .snapshots("standard-snapshot")
      .find((one) => one.snapshot_group_id === b && one.volume_id === other.id);
    after.set(1, () => cloud.removeSnapshot(member?.id ?? ""));
    const { error, records } = await prune();
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({ outcome: "kept", rule: "keep_last" });
    expect(left()).toEqual([a, b].sort());
  });
});

test("prune-snapshots renews the plan of a kind that was listed before the list of another kind had to wait", async () => {
  const { cloud, add, change, prune, left } = await createChangingFixture();
  const [b = "", a = ""] = [2, 1].map((days) => add("snapshot", days));
  const [f, e] = [2, 1].map((days) => add("cluster-snapshot", days));
  cloud.fault({ operation: LIST["cluster-snapshot"], nth: 1 }, { type: "throttle", window: "1 minute" });
  cloud.fault(
    { operation: LIST["cluster-snapshot"], nth: 2 },
    { type: "mutatePage", mutate: () => change(a, { status: "error" }) },
  );
  const { error, records } = await prune();
  expect(error).toBeUndefined();
  expect(records.filter(({ snapshot_id }) => snapshot_id === b)).toMatchObject([
    { outcome: "kept", rule: "keep_last", detail: expect.stringMatching(CHANGED) },
  ]);
  expect(left()).toEqual([a, b, e].sort());
  expect(f).toBeDefined();
});

describe("the cost of renewed plans", () => {
  test("prune-snapshots in a throttled account lists a few times more, not once per deletion", async () => {
    const { cloud, add, prune, left } = await createChangingFixture({ rate: { perSecond: 5 } });
    const disks = Array.from({ length: 60 }, () => cloud.addVolume().id);
    for (const disk of disks) for (const days of [1, 2, 3, 4, 5, 6]) add("standard-snapshot", days, {}, disk);
    const { error, result } = await prune();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 60, deleted: 300 });
    expect(left()).toHaveLength(60);
    expect(cloud.count(LIST["standard-snapshot"], 200)).toBeLessThan(12);
  });

  test("prune-snapshots reports Busy with the service's code when a deletion stays busy until the time is up", async () => {
    const { cloud, clock, add, prune, left } = await createChangingFixture();
    const [b = "", a = ""] = [2, 1].map((days) => add("snapshot", days));
    cloud.fault({ operation: DELETE.snapshot }, busyAnswer("snapshot"));
    const deadline = clock.now() + 30_000;
    const { records } = await prune(NIGHTLY, { remainingMs: 30_000 });
    expect(clock.now()).toBeLessThan(deadline);
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "failed",
      error: { reason: "Busy", code: "EVS.1047" },
    });
    expect(left()).toEqual([a, b].sort());
  });
});
