/** Tests which snapshots of each kind `prune-snapshots` keeps and deletes. */
import { describe, expect, test } from "vitest";
import { DAY_MS, expectSuccess, HOUR_MS, KINDS, listWithoutMembers, SEQUENTIAL, START_MS } from "../support/common.ts";
import { createFixture, findRecord, keepLast, summarizeRecord } from "../support/prunes.ts";
import { DELETE_OPERATIONS, markerOf } from "../support/retention-seeds.ts";

describe.each(KINDS)("a policy with snapshots of the kind %s", (kind) => {
  test(`prune-snapshots deletes each ${kind} that no retention rule keeps, and the record of each ${kind} names the rule that keeps it or says "kept by no rule"`, async () => {
    const { cloud, resourceIds, prune, addOld, remainingIds, deletedIds } = await createFixture();
    const [first = "", second = "", third = "", fourth = ""] = [4, 3, 2, 1].map((days) => addOld(kind, days));
    const { result, records } = expectSuccess(await prune(keepLast(2)));
    expect(result).toEqual({
      function: "prune-snapshots",
      policy: "nightly",
      targets: 4,
      outcomes: { kept: 2, deleted: 2 },
      deferred_to: [],
      topic: "delivered",
    });
    expect(records.slice(0, -1).map(summarizeRecord)).toEqual([
      `${fourth} kept: keep_last`,
      `${third} kept: keep_last`,
      `${second} deleted: kept by no rule`,
      `${first} deleted: kept by no rule`,
    ]);
    for (const record of records.slice(0, -1)) {
      expect(record).toMatchObject({
        action: "prune",
        kind,
        resource_id: resourceIds[kind],
        policy: "nightly",
        level: "info",
      });
    }
    expect(deletedIds()).toEqual([second, first]);
    expect(remainingIds()).toEqual([third, fourth].sort());
    expect(cloud.count(DELETE_OPERATIONS[kind], 202)).toBe(2);
  });

  test(`prune-snapshots with dry_run deletes no ${kind}, and plans the same deletions that the next run makes`, async () => {
    const { prune, addOld, remainingIds, deletedIds } = await createFixture();
    for (let days = 1; days <= 40; days += 1) addOld(kind, days, days % 7 === 3 ? { status: "error" } : {});
    addOld(kind, 12, { description: "hold: audit" });
    const policy = { policy: "nightly", retention: { keep_last: 2, keep_weekly: 3, keep_monthly: 2 } };
    const before = remainingIds();
    const dry = await prune({ ...policy, dry_run: true });
    expect(dry.result.outcomes).toEqual({ planned: 41 });
    expect(deletedIds()).toEqual([]);
    expect(remainingIds()).toEqual(before);
    const done = await prune(policy);
    const decisions = (records: typeof dry.records, field: "detail" | "outcome") =>
      records
        .slice(0, -1)
        .map((one) => `${one.snapshot_id} ${one[field]}: ${one.rule}`)
        .sort();
    expect(decisions(done.records, "outcome")).toEqual(decisions(dry.records, "detail"));
    expect(new Set(done.records.map(({ outcome }) => outcome))).toEqual(new Set(["kept", "deleted", "held", "done"]));
    const gone = done.records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(remainingIds()).toEqual(before.filter((id) => !gone.includes(id)));
  });

  test(`prune-snapshots deletes no ${kind} that is held, belongs to another policy or was created by another program`, async () => {
    const { prune, addOld, remainingIds } = await createFixture();
    const kept = [
      addOld(kind, 10, { policy: "nightly2" }),
      addOld(kind, 11, { policy: "Nightly" }),
      addOld(kind, 12, { marked: false, name: "nightly-20261101T020000Z-01234567" }),
      addOld(kind, 13, { description: "hold: before the migration" }),
      ...(kind === "cluster-snapshot"
        ? []
        : [addOld(kind, 14, { labels: { hold: "true" } }), addOld(kind, 15, { name: "autobk_snapshot_x" })]),
      addOld(kind, 16),
      addOld(kind, 17, { status: "rollbacking" }),
      addOld(kind, 18, { status: "creating" }),
      addOld(kind, 1),
    ];
    const held = kept.at(-4) ?? "";
    const unneeded = [addOld(kind, 20), addOld(kind, 21)];
    const { records } = expectSuccess(await prune(keepLast(1, { hold: [held.toUpperCase()] })));
    const deleted = records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(deleted.sort()).toEqual(unneeded.sort());
    expect(remainingIds()).toEqual(kept.sort());
  });

  test(`prune-snapshots deletes each unneeded ${kind} of a resource that no longer exists`, async () => {
    const { cloud, server, disk, cluster, prune, addOld, remainingIds } = await createFixture();
    const ids = [3, 2, 1].map((days) => addOld(kind, days));
    cloud.removeVolume(disk.id);
    cloud.removeServer(server.id);
    cloud.removeCluster(cluster.id);
    expect((await prune(keepLast(2))).result.outcomes).toEqual({ kept: 2, deleted: 1 });
    expect(remainingIds()).toEqual(ids.slice(1).sort());
    expect((await prune(keepLast(2))).result.outcomes).toEqual({ kept: 2 });
  });

  test(`prune-snapshots reads all list pages for 1,010 ${kind}s and sends requests only to the configured endpoint`, async () => {
    const { cloud, runtime, prune, addOld, remainingIds } = await createFixture({ timeoutSeconds: 900 });
    for (let index = 0; index < 1_010; index += 1) addOld(kind, 1 + index / 100);
    const hosts = new Set<string>();
    const { transport } = runtime;
    runtime.transport = (request) => {
      hosts.add(request.url.origin);
      return transport(request);
    };
    const { result } = expectSuccess(await prune(keepLast(990)));
    expect(result.outcomes).toEqual({ kept: 990, deleted: 20 });
    expect(remainingIds()).toHaveLength(990);
    expect([...hosts]).toEqual([cloud.url]);
  });

  test(`prune-snapshots deletes the younger of two duplicate ${kind}s before any other snapshot`, async () => {
    const { prune, addOld, deletedIds, remainingIds } = await createFixture(SEQUENTIAL);
    const ancient = addOld(kind, 50);
    const [a = "", b = ""] = [addOld(kind, 5, { key: "once" }), addOld(kind, 4.9999, { key: "once" })];
    const other = addOld(kind, 3);
    const newest = addOld(kind, 1);
    const { records } = await prune(keepLast(1));
    expect(deletedIds()).toEqual([b, other, a, ancient]);
    expect(findRecord(records, b)).toMatchObject({
      outcome: "deleted",
      rule: `twin of ${a}`,
    });
    expect(remainingIds()).toEqual([newest]);
  });

  test(`prune-snapshots keeps the younger of two duplicate ${kind}s while the older ${kind} is being created`, async () => {
    const { prune, addOld, remainingIds } = await createFixture();
    const ids = [addOld(kind, 5, { key: "once", status: "creating" }), addOld(kind, 4.9999, { key: "once" })];
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ kept: 2 });
    expect(remainingIds()).toEqual(ids.sort());
  });
});

test("prune-snapshots succeeds in both of two simultaneous runs that delete the same snapshots", async () => {
  const { cloud, clock, prune, addOld } = await createFixture();
  for (const kind of KINDS) for (let days = 1; days <= 5; days += 1) addOld(kind, days);
  const [one, two] = await Promise.all([prune(keepLast(2)), prune(keepLast(2))]);
  expect([one.error, two.error]).toEqual([undefined, undefined]);
  expect(one.result.outcomes).toEqual({ kept: 8, deleted: 12 });
  expect(two.result.outcomes).toEqual({ kept: 8, deleted: 12 });
  clock.advance(HOUR_MS);
  expect(listWithoutMembers(cloud)).toHaveLength(8);
});

test("prune-snapshots keeps a snapshot that DWS created automatically although its description contains the marker of the policy", async () => {
  const { cloud, cluster, prune, addOld, remainingIds } = await createFixture();
  const description = Object.entries(markerOf("nightly", "auto"))
    .map(([name, value]) => `${name}:${value}`)
    .join(" ");
  const createdAt = START_MS - 50 * DAY_MS;
  const auto = cloud.addSnapshot({
    kind: "cluster-snapshot",
    clusterId: cluster.id,
    type: "AUTO",
    description,
    createdAt,
  });
  const ids = [2, 1].map((days) => addOld("cluster-snapshot", days));
  const { result } = await prune(keepLast(1));
  expect(result.outcomes).toEqual({ kept: 1, deleted: 1, held: 1 });
  expect(remainingIds()).toEqual([auto.id, ids[1]].sort());
});

test("prune-snapshots keeps standard snapshots that EVS created automatically or copied although their tags identify them as snapshots of the policy", async () => {
  const { cloud, disk, prune, addOld, remainingIds } = await createFixture();
  const more = { kind: "standard-snapshot", volumeId: disk.id, createdAt: START_MS - 50 * DAY_MS } as const;
  const kept = (["auto", "copy"] as const).map(
    (snapshotType) => cloud.addSnapshot({ ...more, snapshotType, tags: markerOf("nightly", "once") }).id,
  );
  const ids = [2, 1].map((days) => addOld("standard-snapshot", days));
  addOld("standard-snapshot", 3, { key: "once" });
  const { records } = await prune(keepLast(1));
  expect(records.filter(({ outcome }) => outcome === "deleted").map(({ rule }) => rule)).toEqual([
    "kept by no rule",
    "kept by no rule",
  ]);
  expect(remainingIds()).toEqual([...kept, ids[1]].sort());
});
