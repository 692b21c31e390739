/** A policy on a schedule, from the timer's event to what is in the cloud afterwards. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud, Fault, FaultMatch, Kind } from "../../infra/local/cloud/index.ts";
import { creates } from "../support/creates.ts";
import {
  createTestEnvironment,
  expectWholeRecords,
  type Invocation,
  type Invoked,
  timerEvent,
} from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

type Json = Record<string, unknown>;
type Tags = Record<string, string>;

const URN = "urn:fss:eu-west-101:0123456789abcdef0123456789abcdef:function:default:scheduled-snapshots";

/**
 * A site on which FunctionGraph runs further invocations of the function, each in an instance of its own, and again as
 * often as `retries` says where one fails.
 */
async function createFixture({
  retries = 0,
  ...options
}: Parameters<typeof createTestEnvironment>[0] & { retries?: number } = {}) {
  const further: Invoked[] = [];
  const environment = await createTestEnvironment({
    timeoutSeconds: 900,
    functions: [URN],
    onInvokeAsync: async ({ payload, requestId }) => {
      for (let tries = 0; tries <= retries; tries += 1) {
        environment.runtime.inFlight = new Map();
        const invoked = await environment.invoke(scheduledSnapshots, payload, { requestId });
        further.push(invoked);
        if (invoked.error === undefined) break;
      }
    },
    ...options,
  });
  /** The event, and all that follows from it. */
  const deliver = async (event: unknown, how?: Invocation) => {
    const invoked = await environment.invoke(scheduledSnapshots, event, how);
    await environment.cloud.idle();
    expectWholeRecords(invoked);
    return invoked;
  };
  return {
    ...environment,
    further,
    deliver,
    fire: (policy: Json, how?: Invocation) => deliver(timerEvent({ policy: "nightly", ...policy }), how),
    disks: (count: number, tags: Tags = {}) =>
      Array.from({ length: count }, () => environment.cloud.addVolume({ tags }).id),
  };
}

const resourceOf = ({ volume_id, server_id, cluster_id }: Json) => String(volume_id ?? server_id ?? cluster_id);

/** What there are snapshots of: sorted, a resource as often as there are snapshots of it. */
const taken = (cloud: EmbeddedCloud, kind: Kind) =>
  cloud
    .snapshots(kind)
    .filter(({ snapshot_group_id }) => !snapshot_group_id)
    .map(resourceOf)
    .sort();

const sorted = (ids: readonly string[]) => [...ids].sort();
const of = ({ records }: Invoked, outcome: string) => records.filter((record) => record.outcome === outcome);
const resources = (records: Json[]) => records.map(({ resource_id }) => resource_id);
const NOBODY = "00000000-0000-4000-8000-000000000000";

describe("a run", () => {
  test("takes targets of all four kinds, each with its options, its marker and its record", async () => {
    const { cloud, fire } = await createFixture();
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id });
    const archive = cloud.addVolume();
    const cluster = cloud.addCluster();
    const invoked = await fire({
      time_zone: "Europe/Berlin",
      targets: [
        { kind: "snapshot", volume_ids: [archive.id], description: "every night" },
        { kind: "standard-snapshot", volume_ids: [archive.id], incremental: false },
        { kind: "snapshot-group", server_ids: [server.id], description: "the whole server" },
        { kind: "cluster-snapshot", cluster_ids: [cluster.id], description: "all of it" },
      ],
    });
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toEqual({
      function: "scheduled-snapshots",
      policy: "nightly",
      targets: 4,
      outcomes: { accepted: 4 },
      deferred_to: [],
      topic: "delivered",
    });

    const name = expect.stringMatching(/^nightly-20261121T020000Z-[0-9a-f]{8}$/);
    const labels = {
      "managed-by": "snapshot-functions",
      policy: "nightly",
      key: expect.stringMatching(/^[0-9a-f]{32}$/),
      content: expect.stringMatching(/^[0-9a-f]{8}$/),
    };
    expect(cloud.snapshots("snapshot")).toEqual([
      expect.objectContaining({ name, volume_id: archive.id, description: "every night", metadata: labels }),
    ]);
    expect(cloud.snapshots("standard-snapshot")[0]).toMatchObject({
      name,
      volume_id: archive.id,
      incremental: false,
      instant_access: false,
      tags: labels,
    });
    expect(cloud.snapshots("snapshot-group")).toEqual([
      expect.objectContaining({ name, server_id: server.id, volume_ids: [disk.id], incremental: false, tags: labels }),
    ]);
    const [ofCluster] = cloud.snapshots("cluster-snapshot");
    expect(ofCluster).toMatchObject({ name, cluster_id: cluster.id });
    expect(ofCluster?.description).toMatch(
      /^all of it managed-by:snapshot-functions policy:nightly key:[0-9a-f]{32} content:[0-9a-f]{8}$/,
    );
    // `force` for a disk that may be attached; nothing is left to a default that the documents do not agree on.
    expect(creates({ cloud } as never).map(({ body }) => Object.values(body as Json)[0])).toEqual([
      expect.objectContaining({ force: true }),
      expect.objectContaining({ incremental: false, instant_access: false }),
      expect.objectContaining({ incremental: false, instant_access: false }),
      expect.not.objectContaining({ incremental: expect.anything() }),
    ]);

    expect(invoked.records.slice(0, -1)).toHaveLength(4);
    for (const record of invoked.records.slice(0, -1)) {
      expect(record).toMatchObject({
        function: "scheduled-snapshots",
        trigger: "timer",
        event_time: "2026-11-21T02:00:00.000Z",
        action: "create",
        outcome: "accepted",
        policy: "nightly",
        attempts: 1,
        level: "info",
      });
      const made = cloud.snapshots(record.kind).find(({ id }) => id === record.snapshot_id);
      expect(made).toMatchObject({ name: record.name });
      expect(resourceOf(made ?? {})).toBe(record.resource_id);
    }
    expect(cloud.logs.map(({ line }) => line)).toEqual(invoked.records);
  });

  test("waits for a disk that is being snapshotted, here by its own server's group", async () => {
    const { cloud, fire } = await createFixture();
    const server = cloud.addServer({ tags: { backup: "daily" } });
    const disk = cloud.addVolume({ serverId: server.id, tags: { backup: "daily" } });
    const tags = { backup: "daily" };
    const { error } = await fire({
      targets: ["snapshot-group", "standard-snapshot", "snapshot"].map((kind) => ({ kind, tags })),
    });
    expect(error).toBeUndefined();
    expect(taken(cloud, "snapshot-group")).toEqual([server.id]);
    expect(taken(cloud, "standard-snapshot")).toEqual([disk.id]);
    expect(taken(cloud, "snapshot")).toEqual([disk.id]);
    expect(cloud.count("evs.createStandardSnapshot", 409)).toBeGreaterThan(0);
  });

  const ESTATE = { disks: 1_000, servers: 20, clusters: 3 };
  const ALL = ESTATE.disks + ESTATE.servers + ESTATE.clusters;
  const estate = (cloud: EmbeddedCloud) => {
    const tags = { backup: "daily" };
    const servers = Array.from({ length: ESTATE.servers }, () => cloud.addServer({ tags }).id);
    const disks = Array.from(
      { length: ESTATE.disks },
      (_, index) => cloud.addVolume({ tags, serverId: servers[index % ESTATE.servers] as string }).id,
    );
    const clusters = Array.from({ length: ESTATE.clusters }, () => cloud.addCluster({ tags }).id);
    const policy = {
      targets: [
        { kind: "snapshot", tags },
        { kind: "snapshot-group", tags },
        { kind: "cluster-snapshot", tags: { backup: "*" } },
      ],
    };
    const exactlyOnce = () => {
      expect(taken(cloud, "snapshot")).toEqual(sorted(disks));
      expect(taken(cloud, "snapshot-group")).toEqual(sorted(servers));
      expect(taken(cloud, "cluster-snapshot")).toEqual(sorted(clusters));
    };
    return { policy, exactlyOnce };
  };

  test("over 1,000 disks, 20 servers and 3 clusters: exactly one snapshot each", { timeout: 60_000 }, async () => {
    const { cloud, fire, requests } = await createFixture({ variables: { SHARD_SIZE: "2000" } });
    const { policy, exactlyOnce } = estate(cloud);
    const invoked = await fire(policy);
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: ALL, outcomes: { accepted: ALL }, deferred_to: [] });
    exactlyOnce();
    expect(invoked.records).toHaveLength(ALL + 1);
    expect(new Set(resources(invoked.records.slice(0, -1))).size).toBe(ALL);
    expect(cloud.logs).toHaveLength(ALL + 1);
    // What exists is looked up in bulk: beside the creates there are a few lists.
    expect(requests().length - ALL).toBeLessThan(10);
  });

  test("the response of a run with 1,001 shards names 1,000 of them", { timeout: 60_000 }, async () => {
    const { fire, disks, cloud } = await createFixture({
      variables: { SHARD_SIZE: "1" },
      onInvokeAsync: async () => {},
    });
    disks(1_002, { backup: "daily" });
    const invoked = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(invoked.error).toBeUndefined();
    expect(invoked.result.outcomes).toEqual({ accepted: 1, deferred: 1_001 });
    expect(cloud.invocations).toHaveLength(1_001);
    expect(invoked.result.deferred_to).toEqual(cloud.invocations.slice(0, 1_000).map(({ requestId }) => requestId));
  });

  test("in shards of 100: the same, in 11 invocations", { timeout: 60_000 }, async () => {
    const { cloud, fire, further } = await createFixture({ variables: { SHARD_SIZE: "100" } });
    const { policy, exactlyOnce } = estate(cloud);
    const invoked = await fire(policy);
    expect(invoked.error).toBeUndefined();
    expect(further.map(({ error }) => error)).toEqual(further.map(() => undefined));
    exactlyOnce();

    expect(1 + further.length).toBe(11);
    expect(invoked.result).toMatchObject({ targets: ALL, outcomes: { accepted: 100, deferred: ALL - 100 } });
    expect(invoked.result.deferred_to).toEqual(cloud.invocations.map(({ requestId }) => requestId));
    // Each target is recorded as handed on, by the id of the invocation that then took it.
    for (const record of of(invoked, "deferred")) {
      const requestId = record.detail.split(" ").at(-1);
      const shard = further.find(({ records }) => records[0].request_id === requestId);
      expect(resources(of(shard as Invoked, "accepted"))).toContain(record.resource_id);
    }
    for (const shard of further) {
      expectWholeRecords(shard);
      expect(shard.result).toMatchObject({ policy: "nightly", deferred_to: [] });
      expect(Object.keys(shard.result.outcomes)).toEqual(["accepted"]);
    }
    const terminal = [invoked, ...further].flatMap((each) => of(each, "accepted"));
    expect(terminal).toHaveLength(ALL);
    expect(cloud.logs).toHaveLength(ALL + (ALL - 100) + 11);
  });
});

describe("a selection", () => {
  const KINDS = {
    snapshot: {
      ids: "volume_ids",
      add: (cloud: EmbeddedCloud, id: string, tags: Tags) => cloud.addVolume({ id, tags }),
    },
    "standard-snapshot": { ids: "volume_ids", add: () => {} },
    "snapshot-group": {
      ids: "server_ids",
      add: (cloud: EmbeddedCloud, id: string, tags: Tags) => cloud.addServer({ id, tags }),
    },
    "cluster-snapshot": {
      ids: "cluster_ids",
      add: (cloud: EmbeddedCloud, id: string, tags: Tags) => cloud.addCluster({ id, tags }),
    },
  } as const;
  type KindName = keyof typeof KINDS;

  /** Of keys and values so few that they often meet; `*` and two spellings of one word are values like any other. */
  const tags = fc.dictionary(fc.constantFrom("a", "b", "A", "__proto__"), fc.constantFrom("x", "X", "", "*"), {
    maxKeys: 3,
    noNullPrototype: true,
  });
  const filter = tags.filter((chosen) => Object.keys(chosen).length > 0);
  const id = (index: number) => `${String(index).padStart(8, "a")}-0000-4000-8000-000000000000`;
  const ids = fc.array(
    fc.tuple(fc.nat(9), fc.boolean()).map(([index, upper]) => (upper ? id(index).toUpperCase() : id(index))),
    { minLength: 1, maxLength: 4 },
  );
  const selector = fc
    .tuple(
      fc.constantFrom<KindName>("snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"),
      fc.record({ ids, tags: filter, exclude_tags: filter }, { requiredKeys: [] }),
    )
    .filter(([, { ids, tags }]) => ids !== undefined || tags !== undefined);
  const estates = fc.array(fc.tuple(fc.constantFrom("snapshot", "snapshot-group", "cluster-snapshot"), tags), {
    maxLength: 8,
  });

  /** What DESIGN 4.5 says of tags, word for word. */
  const has = (tags: Tags, [key, value]: [string, string]) =>
    Object.hasOwn(tags, key) && (value === "*" || tags[key] === value);

  test("is what ids and tags say: keys AND-ed, exclusions OR-ed, in order, each once", {
    timeout: 30_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(estates, fc.array(selector, { minLength: 1, maxLength: 4 }), async (estate, selectors) => {
        const { cloud, fire } = await createFixture();
        const all = new Map<string, { id: string; tags: Tags }[]>();
        for (const [index, [kind, tags]] of estate.entries()) {
          KINDS[kind as KindName].add(cloud, id(index), tags);
          all.set(KINDS[kind as KindName].ids, [
            // Lists give the newest first.
            ...(kind === "cluster-snapshot" ? (all.get("cluster_ids") ?? []) : []),
            { id: id(index), tags },
            ...(kind === "cluster-snapshot" ? [] : (all.get(KINDS[kind as KindName].ids) ?? [])),
          ]);
        }
        const expected = selectors.flatMap(([kind, { ids = [], tags, exclude_tags = {} }]) => {
          const there = all.get(KINDS[kind].ids) ?? [];
          const byTag = tags ? there.filter((one) => Object.entries(tags).every((pair) => has(one.tags, pair))) : [];
          return [...ids.map((one) => one.toLowerCase()), ...byTag.map((one) => one.id)]
            .filter((one) => {
              const its = there.find((other) => other.id === one)?.tags ?? {};
              return !Object.entries(exclude_tags).some((pair) => has(its, pair));
            })
            .map((one) => `${kind} ${one} ${there.some(({ id }) => id === one) ? "planned" : "failed"}`);
        });

        const { records, error } = await fire({
          dry_run: true,
          targets: selectors.map(([kind, { ids, ...filters }]) => ({
            kind,
            ...filters,
            ...(ids ? { [KINDS[kind].ids]: ids } : {}),
          })),
        });
        await cloud.close();
        expect(error === undefined).toBe(expected.every((one) => one.endsWith("planned")));
        expect(
          records.slice(0, -1).map(({ kind, resource_id, outcome }) => `${kind} ${resource_id} ${outcome}`),
        ).toEqual([...new Set(expected)]);
      }),
      { numRuns: 100 },
    );
  });

  test("reads all pages, however they are counted: disks by rows, servers by pages, clusters at once", async () => {
    const { cloud, fire } = await createFixture();
    const odd = { odd: "yes" };
    const some = (count: number, add: (tags: Tags) => { id: string }) =>
      Array.from({ length: count }, (_, index) => add(index % 2 ? odd : {}).id).filter((_, index) => index % 2);
    const expected = {
      snapshot: some(2_345, (tags) => cloud.addVolume({ tags })),
      "snapshot-group": some(2_010, (tags) => cloud.addServer({ tags })),
      "cluster-snapshot": some(120, (tags) => cloud.addCluster({ tags })),
    };
    const { result, records } = await fire({
      dry_run: true,
      targets: Object.keys(expected).map((kind) => ({ kind, tags: odd })),
    });
    expect(result.outcomes).toEqual({ planned: 1172 + 1005 + 60 });
    for (const [kind, ids] of Object.entries(expected)) {
      expect(sorted(resources(records.filter((record) => record.kind === kind)) as string[])).toEqual(sorted(ids));
    }
  });

  test("scheduled-snapshots lists disks once for both kinds of disk snapshots, and not at all if all targets are ids", async () => {
    const { cloud, fire, requests, disks } = await createFixture();
    const [disk] = disks(2, { backup: "daily" });
    const tags = { backup: "daily" };
    await fire({ dry_run: true, targets: ["snapshot", "standard-snapshot"].map((kind) => ({ kind, tags })) });
    expect(requests()).toEqual(["evs.listVolumes"]);
    expect(cloud.snapshots()).toEqual([]);
    await fire({ targets: [{ kind: "snapshot", volume_ids: [disk] }] });
    expect(cloud.count("evs.listVolumes")).toBe(1);
    expect(taken(cloud, "snapshot")).toEqual([disk]);
  });

  test("covers every enterprise project", async () => {
    const { cloud, fire } = await createFixture();
    const enterpriseProjectId = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
    const tags = { backup: "daily" };
    cloud.addVolume({ tags, enterpriseProjectId });
    cloud.addServer({ tags, enterpriseProjectId });
    cloud.addCluster({ tags, enterpriseProjectId });
    const kinds = ["snapshot", "snapshot-group", "cluster-snapshot"];
    const { result } = await fire({ dry_run: true, targets: kinds.map((kind) => ({ kind, tags })) });
    expect(result.outcomes).toEqual({ planned: 3 });
  });

  test.each<[what: string, operation: string, kind: string, add: (cloud: EmbeddedCloud) => string]>([
    ["disks", "evs.listVolumes", "snapshot", (cloud) => cloud.addVolume({ tags: { backup: "daily" } }).id],
    ["servers", "ecs.listServers", "snapshot-group", (cloud) => cloud.addServer({ tags: { backup: "daily" } }).id],
  ])("misses none of the %s when one goes while the list is read", async (_what, operation, kind, add) => {
    for (const page of [1, 2]) {
      const { cloud, fire } = await createFixture();
      const all = Array.from({ length: 1_100 }, () => add(cloud));
      const gone = all.at(-5) as string;
      cloud.fault(
        { operation, nth: page },
        {
          type: "mutatePage",
          mutate: (changed) => {
            changed.removeVolume(gone);
            changed.removeServer(gone);
          },
        },
      );
      const { records } = await fire({ dry_run: true, targets: [{ kind, tags: { backup: "*" } }] });
      const planned = resources(records.slice(0, -1));
      expect(all.filter((id) => id !== gone && !planned.includes(id))).toEqual([]);
      expect(new Set(planned).size).toBe(planned.length);
    }
  });

  test("that is empty is said, as a warning, and is no failure", async () => {
    const { cloud, fire, disks } = await createFixture();
    disks(3, { backup: "weekly" });
    const { result, error, records } = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ targets: 0, outcomes: {} });
    expect(records).toEqual([expect.objectContaining({ action: "run", outcome: "done", level: "warn", outcomes: {} })]);
    expect(records[0].detail).toContain("selected nothing");
    expect(cloud.snapshots()).toEqual([]);
  });

  test("whose list cannot be read is one failed record of its kind; the other targets are taken", async () => {
    const { cloud, fire, disks } = await createFixture();
    const [disk] = disks(1, { backup: "daily" }) as [string];
    cloud.addServer({ tags: { backup: "daily" } });
    cloud.fault({ operation: "ecs.listServers" }, { type: "status", status: 403 });
    const tags = { backup: "daily" };
    const invoked = await fire({ targets: ["snapshot-group", "snapshot"].map((kind) => ({ kind, tags })) });
    expect(taken(cloud, "snapshot")).toEqual([disk]);
    expect(of(invoked, "failed")).toEqual([
      expect.objectContaining({ kind: "snapshot-group", error: expect.objectContaining({ reason: "AccessDenied" }) }),
      expect.objectContaining({ action: "run" }),
    ]);
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { accepted: 1, failed: 1 } });
  });
});

describe("a target that is gone", () => {
  test("is one failed record, not the end of the run", async () => {
    const { cloud, fire, disks } = await createFixture();
    const [first, second] = disks(2) as [string, string];
    const server = cloud.addServer();
    cloud.addVolume({ serverId: server.id });
    const cluster = cloud.addCluster();
    const invoked = await fire({
      targets: [
        { kind: "snapshot", volume_ids: [first, NOBODY] },
        { kind: "standard-snapshot", volume_ids: [NOBODY, second] },
        { kind: "snapshot-group", server_ids: [NOBODY, server.id] },
        { kind: "cluster-snapshot", cluster_ids: [NOBODY, cluster.id] },
      ],
    });
    expect(of(invoked, "accepted")).toHaveLength(4);
    const failed = of(invoked, "failed").slice(0, -1);
    expect(failed.map(({ kind, resource_id, error }) => [kind, resource_id, error.reason]).sort()).toEqual(
      ["cluster-snapshot", "snapshot", "snapshot-group", "standard-snapshot"].map((kind) => [kind, NOBODY, "NotFound"]),
    );
    // The platform shows nothing but the message: it is the summary.
    expect(JSON.parse(String(invoked.error?.message))).toEqual({
      function: "scheduled-snapshots",
      policy: "nightly",
      targets: 8,
      outcomes: { accepted: 4, failed: 4 },
      deferred_to: [],
      topic: "delivered",
    });
  });
});

describe("the same event again", () => {
  test("takes nothing twice, however its time is written; another time is another run", async () => {
    const { cloud, deliver, disks } = await createFixture();
    const all = disks(3, { backup: "daily" });
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    await deliver(timerEvent(policy, "2026-11-21T02:00:00Z"));
    for (const time of ["2026-11-21T02:00:00Z", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00.999Z"]) {
      expect((await deliver(timerEvent(policy, time))).result.outcomes).toEqual({ existing: 3 });
    }
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));
    expect((await deliver(timerEvent(policy, "2026-11-21T02:00:01Z"))).result.outcomes).toEqual({ accepted: 3 });
    expect((await deliver(timerEvent({ ...policy, policy: "hourly" }))).result.outcomes).toEqual({ accepted: 3 });
  });

  test("finds what is on the second page of a list that changes while it is read", async () => {
    const { cloud, fire, disks } = await createFixture();
    const all = disks(20, { backup: "daily" });
    const policy = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    await fire(policy);
    const volumeId = cloud.addVolume().id;
    const foreign = Array.from({ length: 1_000 }, () => cloud.addSnapshot({ kind: "snapshot", volumeId }).id);
    cloud.fault(
      { operation: "evs.listSnapshots", nth: 1 },
      { type: "mutatePage", mutate: (changed) => changed.removeSnapshot(foreign[500] as string) },
    );
    expect((await fire(policy)).result.outcomes).toEqual({ existing: 20 });
    expect(taken(cloud, "snapshot").filter((id) => id !== volumeId)).toEqual(sorted(all));
  });

  const FAULTS: Fault[] = [
    { type: "reset", after: true },
    { type: "reset", after: false },
    { type: "cut", after: true },
    { type: "status", status: 500, after: true },
    { type: "status", status: 503, after: false },
    { type: "notJson", after: true, html: true },
    { type: "emptyBody", after: true },
    { type: "throttle" },
    { type: "expiredToken" },
  ];
  const operations = [
    "evs.createSnapshot",
    "evs.createStandardSnapshot",
    "evs.createSnapshotGroup",
    "dws.createSnapshot",
    "evs.listSnapshots",
    "ecs.listServers",
    "functiongraph.invokeAsync",
  ];
  const trouble = fc.array(
    fc.record({
      operation: fc.constantFrom(...operations),
      nth: fc.integer({ min: 1, max: 6 }),
      fault: fc.constantFrom(...FAULTS),
    }),
    { maxLength: 5 },
  );

  test("and again, whatever went wrong before: one good snapshot per target", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        trouble,
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom("3", "500"),
        async (troubles, times, SHARD_SIZE) => {
          const { cloud, fire, disks, clock } = await createFixture({ retries: 5, variables: { SHARD_SIZE } });
          const tags = { backup: "daily" };
          const all = disks(5, tags);
          const server = cloud.addServer({ tags }).id;
          cloud.addVolume({ serverId: server });
          const cluster = cloud.addCluster({ tags }).id;
          const kinds = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];
          const policy = { targets: kinds.map((kind) => ({ kind, tags })) };
          for (const { operation, nth, fault } of troubles) cloud.fault({ operation, nth } as FaultMatch, fault);
          const deliveries = [await fire(policy)];
          while (deliveries.length < times || deliveries.at(-1)?.error) {
            clock.advance(60_000);
            deliveries.push(await fire(policy));
          }
          expect(deliveries.length).toBeLessThan(troubles.length + times + 1);
          clock.advance(60_000);
          expect(taken(cloud, "snapshot")).toEqual(sorted(all));
          expect(taken(cloud, "standard-snapshot")).toEqual(sorted(all));
          expect(taken(cloud, "snapshot-group")).toEqual([server]);
          expect(taken(cloud, "cluster-snapshot")).toEqual([cluster]);
          await cloud.close();
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("a further invocation", () => {
  const policy = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
  const shards = async (options: Parameters<typeof createFixture>[0] = {}) => {
    const fixture = await createFixture({ ...options, variables: { SHARD_SIZE: "2", ...options.variables } });
    return { ...fixture, all: fixture.disks(6, { backup: "daily" }) };
  };

  test("is the original event with ids in the tags' place, through the function's own URN", async () => {
    const { cloud, deliver, all } = await shards();
    const event = { ...timerEvent({ ...policy, policy: "nightly" }, "2026-11-21T10:00:00+08:00"), trigger_name: "T" };
    await deliver(event);
    expect(cloud.invocations.map(({ urn }) => urn)).toEqual([`${URN}:latest`, `${URN}:latest`]);
    const payloads = cloud.invocations.map(({ payload }) => payload as Json);
    expect(payloads).toEqual(["1/2", "2/2"].map((shard) => ({ ...event, shard, user_event: expect.any(String) })));
    const policies = payloads.map(({ user_event }) => JSON.parse(String(user_event)));
    const newestFirst = [...all].reverse();
    expect(policies).toEqual(
      [newestFirst.slice(2, 4), newestFirst.slice(4)].map((volume_ids) => ({
        policy: "nightly",
        targets: [{ kind: "snapshot", force: true, volume_ids }],
      })),
    );
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));
  });

  test("keeps kinds and options apart, each target with those of the first that names it", async () => {
    const { cloud, fire, disks, further } = await createFixture({ variables: { SHARD_SIZE: "5" } });
    const all = disks(9);
    const own = all.slice(0, 5);
    const [first, second, third, fourth] = all.slice(5) as [string, string, string, string];
    const server = cloud.addServer().id;
    cloud.addVolume({ serverId: server });
    const targets = [
      { kind: "snapshot", volume_ids: own },
      { kind: "snapshot", volume_ids: [first, second], description: "a" },
      { kind: "snapshot", volume_ids: [third, second, first], force: false },
      { kind: "standard-snapshot", volume_ids: [fourth] },
      // Its options are those of the one before, word for word.
      { kind: "snapshot-group", server_ids: [server], incremental: true, instant_access: false },
    ];
    const { error } = await fire({ targets, retention: { keep_last: 3 }, time_zone: "Asia/Tokyo" });
    expect(error).toBeUndefined();
    expect(further).toHaveLength(1);
    const user_event = String((cloud.invocations[0]?.payload as { user_event?: string } | undefined)?.user_event);
    expect(JSON.parse(user_event)).toEqual({
      policy: "nightly",
      targets: [
        { kind: "snapshot", volume_ids: [first, second], force: true, description: "a" },
        { kind: "snapshot", volume_ids: [third], force: false },
        { kind: "standard-snapshot", volume_ids: [fourth], incremental: true, instant_access: false },
        { kind: "snapshot-group", server_ids: [server], incremental: true, instant_access: false },
      ],
      retention: { keep_last: 3 },
      time_zone: "Asia/Tokyo",
    });
    // Not one of them is another request to the invocation that takes it: the whole policy again finds them all.
    expect((await fire({ targets }, { variables: { SHARD_SIZE: "500" } })).result.outcomes).toEqual({ existing: 10 });
  });

  test("is asked for again where FunctionGraph refuses it for now", async () => {
    const { cloud, fire, all } = await shards();
    cloud.fault({ operation: "functiongraph.invokeAsync", nth: 1, times: 2 }, { type: "throttle" });
    expect((await fire(policy)).result).toMatchObject({ outcomes: { accepted: 2, deferred: 4 } });
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));
  });

  test.each<[what: string, fault: Fault, runs: boolean, reason: string]>([
    ["refused with a 500", { type: "status", status: 500 }, false, "CloudError"],
    ["refused for good", { type: "status", status: 403 }, false, "AccessDenied"],
    ["acknowledged without an id", { type: "answer", status: 202, body: "{}" }, false, "BadResponse"],
    ["lost on its way", { type: "reset", after: false }, false, "Unreachable"],
    ["taken, but the answer is lost", { type: "reset", after: true }, true, "Unreachable"],
    ["taken, but the answer is cut", { type: "cut", after: true }, true, "BadResponse"],
  ])("that is %s: its targets are failed, the others done, and the event again makes it good", async (...given) => {
    const [, fault, runs, reason] = given;
    const { cloud, fire, all, further } = await shards();
    cloud.fault({ operation: "functiongraph.invokeAsync", nth: 1 }, fault);
    const invoked = await fire(policy);
    const summary = JSON.parse(String(invoked.error?.message));
    expect(summary.outcomes).toEqual({ accepted: 2, failed: 2, deferred: 2 });
    expect(summary.deferred_to).toHaveLength(1);
    for (const record of of(invoked, "failed").slice(0, -1)) {
      expect(record).toMatchObject({ error: { reason }, detail: expect.stringContaining("could not be handed on") });
    }
    expect(taken(cloud, "snapshot")).toHaveLength(runs ? 6 : 4);
    expect(further).toHaveLength(runs ? 2 : 1);

    expect((await fire(policy)).error).toBeUndefined();
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));
  });

  test("is not asked for without a region, of which its URN is made; what it is for is done all the same", async () => {
    const { cloud, fire } = await shards({ variables: { REGION: undefined } });
    const invoked = await fire(policy);
    expect(JSON.parse(String(invoked.error?.message)).outcomes).toEqual({ accepted: 2, failed: 4 });
    expect(of(invoked, "failed")[0].error).toMatchObject({ reason: "Misconfigured" });
    expect(of(invoked, "failed")[0].error.message).toMatch(/^REGION: expected/);
    expect(cloud.count("functiongraph.invokeAsync")).toBe(0);
  });

  test("carries what fits into 256 KB: 10,000 ids, SHARD_SIZE=10000, and the time is up", {
    timeout: 30_000,
  }, async () => {
    const { cloud, fire, disks, clock } = await createFixture({
      variables: { SHARD_SIZE: "10000" },
      onInvokeAsync: () => {},
    });
    const all = disks(10_000);
    // The list of what there is already takes so long that little can begin.
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "mutatePage", mutate: () => clock.advance(890_000) });
    const halves = [all.slice(0, 6_000), all.slice(6_000)];
    const { result } = await fire({
      targets: halves.map((volume_ids, half) => ({
        kind: "snapshot",
        volume_ids,
        description: `${half}${'"\\é'.repeat(20)}`,
      })),
    });
    const begun = taken(cloud, "snapshot");
    expect(result.outcomes).toEqual({ accepted: begun.length || undefined, deferred: 10_000 - begun.length });
    expect(begun.length).toBeLessThan(20);
    const sizes = cloud.invocations.map(({ payload }) => Buffer.byteLength(JSON.stringify(payload)));
    expect(Math.max(...sizes)).toBeLessThan(256 * 1024);
    expect(sizes.length).toBeLessThan(5);
    const handedOver = cloud.invocations.flatMap(({ payload }) =>
      JSON.parse((payload as { user_event: string }).user_event).targets.flatMap((one: Json) => one.volume_ids),
    );
    expect(sorted([...begun, ...handedOver])).toEqual(sorted(all));
  });

  test("takes what there was no time for; itself it hands on nothing", async () => {
    const { cloud, fire, deliver, clock, all, further } = await shards({ variables: { SHARD_SIZE: "500" } });
    const slow = cloud.fault(
      { operation: "evs.createSnapshot" },
      { type: "mutatePage", mutate: () => clock.advance(8_000) },
    );
    const how = { remainingMs: 40_000, variables: { MAX_CONCURRENCY: "1" } };
    const invoked = await fire(policy, how);
    expect(invoked.error).toBeUndefined();
    expect(invoked.result.outcomes).toEqual({ accepted: 4, deferred: 2 });
    expect(further).toHaveLength(1);
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));

    // A shard that runs out of time fails, for the platform to deliver it again.
    const event = cloud.invocations[0]?.payload as Json;
    const later = await deliver({ ...event, time: "2026-11-22T02:00:00Z" }, { ...how, remainingMs: 9_000 });
    expect(JSON.parse(String(later.error?.message))).toMatchObject({
      outcomes: { accepted: 1, failed: 1 },
      deferred_to: [],
    });
    for (const { error } of of(later, "failed").slice(0, -1)) {
      expect(error).toMatchObject({ reason: "DeadlineExceeded" });
      expect(error.message).toContain("before this target was begun");
    }
    slow.remove();
    const again = await deliver({ ...event, time: "2026-11-22T02:00:00Z" });
    expect(again.result.outcomes).toEqual({ existing: 1, accepted: 1 });
  });
});

describe("a cloud that does not answer", () => {
  test("costs no target its record, nor the function its answer in time; the event again makes it good", async () => {
    const { cloud, clock, fire, disks } = await createFixture();
    const all = disks(20, { backup: "daily" });
    const policy = { targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const hanging = cloud.fault({ operation: "evs.createSnapshot" }, { type: "hang", after: true });
    const invoked = await fire(policy, { remainingMs: 60_000, variables: { SHARD_SIZE: "15" } });
    expect(invoked.records.at(-1).duration_ms).toBeLessThan(60_000 - 2_000);
    expect(new Set(resources(invoked.records.slice(0, -1)))).toEqual(new Set(all));
    expect(invoked.records).toHaveLength(all.length + 1);
    expect(cloud.logs.length).toBeGreaterThanOrEqual(all.length + 1);
    hanging.remove();
    clock.advance(60_000);
    expect((await fire(policy)).error).toBeUndefined();
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));
  });

  test("is not waited for beyond the deadline where already its lists hang", async () => {
    const { cloud, clock, fire, disks } = await createFixture();
    const [disk] = disks(1) as [string];
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "hang", after: true });
    const deadline = clock.now() + 30_000;
    const invoked = await fire({ targets: [{ kind: "snapshot", volume_ids: [disk] }] }, { remainingMs: 30_000 });
    expect(clock.now()).toBeLessThan(deadline);
    expect(of(invoked, "failed")[0]).toMatchObject({ resource_id: disk, error: { reason: expect.any(String) } });
    expect(cloud.count("evs.createSnapshot")).toBe(0);
  });
});

describe("the account", () => {
  test("is not asked for more at a time than MAX_CONCURRENCY says", async () => {
    for (const limit of [1, 3, 8]) {
      const { runtime, fire, disks } = await createFixture({
        latencyMs: 3,
        variables: { MAX_CONCURRENCY: String(limit) },
      });
      disks(30, { backup: "daily" });
      let now = 0;
      let most = 0;
      const { transport } = runtime;
      runtime.transport = async (request) => {
        now += 1;
        most = Math.max(most, now);
        return transport(request).finally(() => {
          now -= 1;
        });
      };
      await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
      expect(most).toBe(limit);
    }
  });

  test("that is throttled is waited for: every target once, few requests in vain", async () => {
    const { cloud, fire, disks, clock } = await createFixture({ rate: { perSecond: 10 } });
    const all = disks(200, { backup: "daily" });
    const began = clock.now();
    const { result } = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(result.outcomes).toEqual({ accepted: 200 });
    expect(taken(cloud, "snapshot")).toEqual(sorted(all));
    expect(clock.now() - began).toBeLessThan(120_000);
  });

  test.each(["EVS.2144", "EVS.2145"])(
    "that is suspended (%s) in the middle of it gets no further call",
    async (code) => {
      const { cloud, fire, disks } = await createFixture({ variables: { MAX_CONCURRENCY: "4" } });
      disks(30, { backup: "daily" });
      const body = JSON.stringify({ error: { code, message: "The account is suspended." } });
      cloud.fault({ operation: "evs.createSnapshot", nth: 11, times: 1_000 }, { type: "answer", status: 403, body });
      const cluster = cloud.addCluster();
      const tags = { backup: "daily" };
      const invoked = await fire({
        targets: [
          { kind: "snapshot", tags },
          { kind: "cluster-snapshot", cluster_ids: [cluster.id] },
        ],
      });
      expect(JSON.parse(String(invoked.error?.message)).outcomes).toEqual({ accepted: 10, failed: 21 });
      // Those that were under way at that moment.
      expect(cloud.count("evs.createSnapshot")).toBeLessThanOrEqual(10 + 4);
      expect(cloud.count("dws.createSnapshot")).toBe(0);
      for (const record of of(invoked, "failed").slice(0, -1)) {
        expect(record.error).toMatchObject({ reason: "AccountSuspended", code });
      }
    },
  );

  test("that is suspended while a target waits to be tried again gets no further call for that one either", async () => {
    const { cloud, fire, disks } = await createFixture({ variables: { MAX_CONCURRENCY: "2" } });
    // The list begins with the newest one.
    const [left, refused, waiting] = disks(3, { backup: "daily" });
    const ofDisk = (id?: string) => ({ operation: "evs.createSnapshot", resource: id, times: 1 });
    const suspended = JSON.stringify({ error: { code: "EVS.2145", message: "The account is suspended." } });
    cloud.fault(ofDisk(waiting), { type: "throttle", retryAfter: 20 });
    cloud.fault(ofDisk(refused), { type: "answer", status: 403, body: suspended });
    const invoked = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(cloud.count("evs.createSnapshot")).toBe(2);
    const records = of(invoked, "failed").slice(0, -1);
    expect(records.map(({ error }) => error.reason)).toEqual(Array(3).fill("AccountSuspended"));
    const attempts = new Map(records.map((record) => [record.resource_id, record.attempts]));
    expect([waiting, refused, left].map((id) => attempts.get(id))).toEqual([1, 1, 0]);
  });

  test("that is suspended while targets are handed on gets no further hand-over", async () => {
    const { cloud, fire, disks } = await createFixture({ variables: { SHARD_SIZE: "2" } });
    disks(10, { backup: "daily" });
    const body = JSON.stringify({ error_code: "APIGW.0310", error_msg: "The project is unavailable." });
    cloud.fault({ operation: "functiongraph.invokeAsync", nth: 2, times: 100 }, { type: "answer", status: 403, body });
    const invoked = await fire({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect(JSON.parse(String(invoked.error?.message)).outcomes).toEqual({ deferred: 2, failed: 8 });
    expect(cloud.count("functiongraph.invokeAsync")).toBe(2);
    // Those of the one that was handed on.
    expect(cloud.count("evs.createSnapshot")).toBe(2);
    for (const { error } of of(invoked, "failed").slice(0, -1)) expect(error.reason).toBe("AccountSuspended");
  });

  test("that is suspended from the start gets one call", async () => {
    const { cloud, fire, requests } = await createFixture();
    const body = JSON.stringify({ error: { code: "EVS.2145", message: "The account is suspended." } });
    cloud.fault({ operation: "evs.listVolumes" }, { type: "answer", status: 403, body });
    const invoked = await fire({
      targets: [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "standard-snapshot", volume_ids: [cloud.addVolume().id] },
      ],
    });
    expect(of(invoked, "failed").map(({ kind, error }) => [kind, error?.reason])).toEqual([
      ["snapshot", "AccountSuspended"],
      ["standard-snapshot", "AccountSuspended"],
      [undefined, undefined],
    ]);
    expect(requests()).toEqual(["evs.listVolumes"]);
  });
});

describe("a dry run", () => {
  test("plans, and takes nothing", async () => {
    const { cloud, fire, disks, requests } = await createFixture({ variables: { SHARD_SIZE: "2" } });
    const all = disks(5, { backup: "daily" });
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    const { result, records } = await fire({ targets, dry_run: true });
    expect(result).toMatchObject({ targets: 5, outcomes: { planned: 5 }, deferred_to: [] });
    expect(sorted(resources(records.slice(0, -1)) as string[])).toEqual(sorted(all));
    expect(requests()).toEqual(["evs.listVolumes"]);
    expect(cloud.snapshots()).toEqual([]);
  });

  const KINDS: [kind: Kind, field: string, list: string, add: (cloud: EmbeddedCloud) => { id: string }][] = [
    ["snapshot", "volume_ids", "evs.listVolumes", (cloud) => cloud.addVolume()],
    ["standard-snapshot", "volume_ids", "evs.listVolumes", (cloud) => cloud.addVolume()],
    ["snapshot-group", "server_ids", "ecs.listServers", (cloud) => cloud.addServer()],
    ["cluster-snapshot", "cluster_ids", "dws.listClusters", (cloud) => cloud.addCluster()],
  ];
  test.each(KINDS)(
    "a dry run of a %s fails for an id that does not exist, and plans an id that does, in whichever case",
    async (kind, field, list, add) => {
      const { cloud, fire, requests } = await createFixture();
      const { id } = add(cloud);
      const { error, records } = await fire({
        dry_run: true,
        targets: [
          { kind, [field]: [NOBODY, id.toUpperCase(), NOBODY] },
          { kind, [field]: [id] },
        ],
      });
      expect(records).toEqual([
        expect.objectContaining({ kind, resource_id: NOBODY, outcome: "failed", level: "error" }),
        expect.objectContaining({ kind, resource_id: id, outcome: "planned" }),
        expect.objectContaining({ action: "run", outcome: "failed", outcomes: { failed: 1, planned: 1 } }),
      ]);
      expect(records[0].error).toEqual({
        reason: "NotFound",
        message: `${field}: expected the id of something that exists, got "${NOBODY}". Check the id and PROJECT_ID.`,
      });
      expect(error?.message).toContain('"failed":1');
      expect(requests()).toEqual([list]);
      expect(cloud.snapshots()).toEqual([]);
    },
  );

  test.each(KINDS)(
    "a dry run of a %s fails for each id where the resources cannot be listed, and plans none",
    async (kind, field, list, add) => {
      const { cloud, fire } = await createFixture();
      const ids = [add(cloud), add(cloud)].map(({ id }) => id);
      cloud.fault({ operation: list }, { type: "status", status: 403 });
      const filters = [{}, { exclude_tags: { scratch: "*" } }, { tags: { backup: "daily" } }];
      for (const [place, filter] of filters.entries()) {
        const { records } = await fire({ dry_run: true, targets: [{ kind, [field]: ids, ...filter }] });
        const failed = of({ records } as Invoked, "failed").slice(0, -1);
        // The failed list also leaves open what the tags select, which adds one record without a resource.
        expect(sorted(resources(failed).map(String))).toEqual(sorted([...ids, ...(place === 2 ? ["undefined"] : [])]));
        expect(failed.every(({ error }) => error.reason === "AccessDenied")).toBe(true);
        expect(of({ records } as Invoked, "planned")).toEqual([]);
      }
    },
  );

  test("a dry run plans the other kinds if the resources of one kind cannot be listed", async () => {
    const { cloud, fire, disks } = await createFixture();
    const [disk] = disks(1);
    cloud.fault({ operation: "ecs.listServers" }, { type: "status", status: 403 });
    const { result, records } = await fire({
      dry_run: true,
      targets: [
        { kind: "snapshot-group", server_ids: [NOBODY] },
        { kind: "snapshot", volume_ids: [disk] },
      ],
    });
    expect(result).toBeUndefined();
    expect(records.map(({ kind, outcome }) => [kind, outcome])).toEqual([
      ["snapshot-group", "failed"],
      ["snapshot", "planned"],
      [undefined, "failed"],
    ]);
  });
});

describe("the summary", () => {
  const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];

  test("says that the topic is off", async () => {
    const names = ["LTS_ENDPOINT", "LTS_LOG_GROUP_ID", "LTS_LOG_STREAM_ID"];
    const { cloud, fire, disks } = await createFixture({
      variables: Object.fromEntries(names.map((name) => [name, undefined])),
    });
    disks(2, { backup: "daily" });
    const { result, records } = await fire({ targets });
    expect(result).toMatchObject({ outcomes: { accepted: 2 }, topic: "off" });
    expect(records).toHaveLength(3);
    expect(cloud.logs).toEqual([]);
  });

  test("says that the topic failed; the records are on stdout, and the work is not undone", async () => {
    const { cloud, fire, disks } = await createFixture();
    disks(2, { backup: "daily" });
    cloud.fault({ operation: "lts.reportLogs" }, { type: "status", status: 500 });
    const { result, error, records, warnings } = await fire({ targets });
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ outcomes: { accepted: 2 }, topic: "failed" });
    expect(records).toHaveLength(3);
    expect(JSON.parse(warnings[0] ?? "")).toMatchObject({ level: "error", reason: "CloudError" });
    expect(cloud.snapshots("snapshot")).toHaveLength(2);
  });
});

describe("an event that is malformed", () => {
  const good = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
  const { user_event: _, ...withoutUserEvent } = timerEvent(good);
  const { time: __, ...withoutTime } = timerEvent(good);
  const TIMER = "Expected a TIMER event: ";
  const USER_EVENT = "user_event: expected a string that holds a JSON object, got ";

  test.each<[what: string, event: unknown, message: string]>([
    ["nothing", undefined, `${TIMER}`],
    ["null", null, `${TIMER}`],
    ["a text", JSON.stringify(timerEvent(good)).slice(0, 60), `${TIMER}`],
    ["a long text", "x".repeat(5_000_000), `${TIMER}`],
    ["a list", [timerEvent(good)], `${TIMER}`],
    ["a policy without its event", good, `${TIMER}`],
    ["another trigger's name", { ...timerEvent(good), trigger_type: "KAFKA" }, `${TIMER}`],
    ["a trace", { cts: { trace_name: "attachVolume", time: 1 } }, 'got an event of the trigger "cts"'],
    ["a CloudEvent", { specversion: "1.0", source: "HC.ECS", data: {} }, 'got an event of the trigger "eventgrid"'],
    ["no time", withoutTime, "time: expected a time such as 2023-06-01T08:30:00+08:00, got nothing."],
    ["a time in words", { ...timerEvent(good), time: "tomorrow" }, 'got "tomorrow"'],
    ["a time that is a number", { ...timerEvent(good), time: 1_795_226_400 }, "got the number 1795226400."],
    ["no user_event", withoutUserEvent, `${USER_EVENT}nothing`],
    ["a user_event that is empty", timerEvent(""), `${USER_EVENT}""`],
    ["a user_event that is no JSON", timerEvent("nightly"), `${USER_EVENT}"nightly": Unexpected token`],
    ["a user_event that was cut off", timerEvent(JSON.stringify(good).slice(0, 40)), "in JSON at position 40"],
    ["a user_event that is a list", timerEvent([good]), USER_EVENT],
    ["a list in user_event's place", { ...timerEvent(good), user_event: [JSON.stringify(good)] }, USER_EVENT],
    ["a number in user_event's place", { ...timerEvent(good), user_event: 5 }, `${USER_EVENT}the number 5.`],
    ["null in user_event", timerEvent("null"), `${USER_EVENT}"null"`],
  ])("%s: one rejected record, a message that says what was expected, no call", async (_what, event, message) => {
    const { cloud, deliver, requests } = await createFixture();
    const { error, records } = await deliver(event);
    expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create rejected", "run failed"]);
    expect(error?.message).toContain(message);
    expect(error?.message.length).toBeLessThan(500);
    expect(records[0].error).toMatchObject({ reason: "InvalidRequest", message: error?.message });
    expect(requests()).toEqual([]);
    expect(cloud.logs.map(({ line }) => line)).toEqual(records);
  });
});

describe("a policy", () => {
  const good = { kind: "snapshot", tags: { backup: "daily" } };
  const bad = (change: Json) => ({ targets: [{ ...good, ...change }] });

  test.each<[what: string, policy: Json, ...messages: string[]]>([
    ["without a name", { policy: undefined, targets: [good] }, "policy: required, but missing."],
    [
      "with a name that begins with a digit",
      { policy: "1st", targets: [good] },
      "policy: expected a letter followed by",
    ],
    [
      "with a name of 39 characters",
      { policy: "n".repeat(39), targets: [good] },
      "policy: expected a letter followed by",
    ],
    ["named as backups name theirs", { policy: "autobk_snapshot_x", targets: [good] }, "policy: expected a letter"],
    ["without targets", {}, "targets: required, but missing."],
    ["with no target", { targets: [] }, "targets: expected at least 1 item, got 0."],
    ["with targets that are no list", { targets: good }, "targets: expected an array, got an object."],
    ["with a kind that nobody knows", bad({ kind: "backup" }), 'targets[0].kind: expected "snapshot" or'],
    ["with a target without a kind", bad({ kind: undefined }), "targets[0].kind: required, but missing."],
    ["with neither ids nor tags", bad({ tags: undefined }), "targets[0]: expected volume_ids or tags, got neither."],
    ["with exclusions alone", bad({ tags: undefined, exclude_tags: { a: "b" } }), "expected volume_ids or tags"],
    ["with no tag", bad({ tags: {} }), "targets[0].tags: expected at least 1 field, got 0."],
    ["with no ids", bad({ volume_ids: [] }), "targets[0].volume_ids: expected at least 1 item, got 0."],
    ["with an id that is none", bad({ volume_ids: ["../x"] }), "targets[0].volume_ids[0]: expected a UUID, got"],
    ["with another kind's ids", bad({ server_ids: [NOBODY] }), "targets[0].server_ids: unknown field. Allowed: "],
    ["with another kind's option", bad({ incremental: true }), "targets[0].incremental: unknown field. Allowed: "],
    ["with tags that are no texts", bad({ tags: { a: 1 } }), "targets[0].tags.a: expected a string, got the number 1."],
    [
      "with a description that is too long",
      bad({ description: "x".repeat(86) }),
      "expected at most 85 characters, got 86.",
    ],
    ["with a force that is a text", bad({ force: "yes" }), 'targets[0].force: expected true or false, got "yes".'],
    ["with a field that nobody knows", { targets: [good], retain: 3 }, "retain: unknown field. Allowed: "],
    [
      "with retention that nobody can keep",
      { targets: [good], retention: { min_keep: 0, keep_daily: 1.5, keep_hourly: 2 } },
      "retention.min_keep: expected at least 1, got 0.",
      "retention.keep_daily: expected an integer, got the number 1.5.",
      "retention.keep_hourly: unknown field. Allowed: ",
    ],
    [
      "with a zone that nobody knows",
      { targets: [good], time_zone: "Mars/Olympus" },
      "time_zone: expected an IANA name",
    ],
    ["with a zone that is empty", { targets: [good], time_zone: "" }, "time_zone: expected an IANA name"],
  ])("%s is refused, with every fault and its path", async (_what, policy, ...messages) => {
    const { fire, requests } = await createFixture();
    const { error, records } = await fire(policy);
    expect(records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(["create rejected", "run failed"]);
    for (const message of messages) expect(error?.message).toContain(message);
    expect(requests()).toEqual([]);
  });

  test("takes the same id as often as it is named, in whichever case, once", async () => {
    const { cloud, fire } = await createFixture();
    const { id } = cloud.addVolume({ id: "ABCDEFAB-0000-4000-8000-000000000000".toLowerCase() });
    const volume_ids = [id, id.toUpperCase(), id];
    const { result } = await fire({
      targets: [
        { kind: "snapshot", volume_ids },
        { kind: "snapshot", volume_ids },
      ],
    });
    expect(result).toMatchObject({ targets: 1, outcomes: { accepted: 1 } });
    expect(cloud.snapshots()).toHaveLength(1);
  });
});
