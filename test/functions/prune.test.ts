/** Tests which snapshots of each kind `prune-snapshots` keeps and deletes. */
import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, KINDS, listWithoutMembers, START_MS } from "../support/common.ts";
import { brief, createFixture, keepLast } from "../support/prunes.ts";
import { DELETE, markerOf } from "../support/retention-seeds.ts";

describe.each(KINDS)("a policy with %ss", (kind) => {
  test(`prune-snapshots deletes each ${kind} that no rule keeps, and writes a record with the rule of each one`, async () => {
    const { cloud, of, prune, old, left, deleted } = await createFixture();
    const [first = "", second = "", third = "", fourth = ""] = [4, 3, 2, 1].map((days) => old(kind, days));
    const { error, result, records } = await prune(keepLast(2));
    expect(error).toBeUndefined();
    expect(result).toEqual({
      function: "prune-snapshots",
      policy: "nightly",
      targets: 4,
      outcomes: { kept: 2, deleted: 2 },
      deferred_to: [],
      topic: "delivered",
    });
    expect(records.slice(0, -1).map(brief)).toEqual([
      `${fourth} kept: keep_last`,
      `${third} kept: keep_last`,
      `${second} deleted: kept by no rule`,
      `${first} deleted: kept by no rule`,
    ]);
    for (const record of records.slice(0, -1)) {
      expect(record).toMatchObject({ action: "prune", kind, resource_id: of[kind], policy: "nightly", level: "info" });
    }
    expect(deleted()).toEqual([second, first]);
    expect(left()).toEqual([third, fourth].sort());
    expect(cloud.count(DELETE[kind], 202)).toBe(2);
  });

  test(`prune-snapshots with dry_run plans the same deletions of ${kind}s and deletes nothing`, async () => {
    const { prune, old, left, deleted } = await createFixture();
    for (let days = 1; days <= 40; days += 1) old(kind, days, days % 7 === 3 ? { status: "error" } : {});
    old(kind, 12, { description: "hold: audit" });
    const policy = { policy: "nightly", retention: { keep_last: 2, keep_weekly: 3, keep_monthly: 2 } };
    const before = left();
    const dry = await prune({ ...policy, dry_run: true });
    expect(dry.result.outcomes).toEqual({ planned: 41 });
    expect(deleted()).toEqual([]);
    expect(left()).toEqual(before);
    const done = await prune(policy);
    const decisions = (records: typeof dry.records, field: "detail" | "outcome") =>
      records
        .slice(0, -1)
        .map((one) => `${one.snapshot_id} ${one[field]}: ${one.rule}`)
        .sort();
    expect(decisions(done.records, "outcome")).toEqual(decisions(dry.records, "detail"));
    expect(new Set(done.records.map(({ outcome }) => outcome))).toEqual(new Set(["kept", "deleted", "held", "done"]));
    const gone = done.records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(left()).toEqual(before.filter((id) => !gone.includes(id)));
  });

  test(`prune-snapshots deletes no ${kind} of another policy or another creator, and none that is held`, async () => {
    const { prune, old, left } = await createFixture();
    const kept = [
      old(kind, 10, { policy: "nightly2" }),
      old(kind, 11, { policy: "Nightly" }),
      old(kind, 12, { marked: false, name: "nightly-20261101T020000Z-01234567" }),
      old(kind, 13, { description: "hold: before the migration" }),
      ...(kind === "cluster-snapshot"
        ? []
        : [old(kind, 14, { labels: { hold: "true" } }), old(kind, 15, { name: "autobk_snapshot_x" })]),
      old(kind, 16),
      old(kind, 17, { status: "rollbacking" }),
      old(kind, 18, { status: "creating" }),
      old(kind, 1),
    ];
    const held = kept.at(-4) ?? "";
    const unneeded = [old(kind, 20), old(kind, 21)];
    const { error, records } = await prune(keepLast(1, { hold: [held.toUpperCase()] }));
    expect(error).toBeUndefined();
    const deleted = records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(deleted.sort()).toEqual(unneeded.sort());
    expect(left()).toEqual(kept.sort());
  });

  test(`prune-snapshots applies the policy to each ${kind} whose resource no longer exists`, async () => {
    const { cloud, server, disk, cluster, prune, old, left } = await createFixture();
    const ids = [3, 2, 1].map((days) => old(kind, days));
    cloud.removeVolume(disk.id);
    cloud.removeServer(server.id);
    cloud.removeCluster(cluster.id);
    expect((await prune(keepLast(2))).result.outcomes).toEqual({ kept: 2, deleted: 1 });
    expect(left()).toEqual(ids.slice(1).sort());
    expect((await prune(keepLast(2))).result.outcomes).toEqual({ kept: 2 });
  });

  test(`prune-snapshots reads all pages of 1,010 ${kind}s and follows no link to another host`, async () => {
    const { cloud, runtime, prune, old, left } = await createFixture({ timeoutSeconds: 900 });
    for (let index = 0; index < 1_010; index += 1) old(kind, 1 + index / 100);
    const hosts = new Set<string>();
    const { transport } = runtime;
    runtime.transport = (request) => {
      hosts.add(request.url.origin);
      return transport(request);
    };
    const { error, result } = await prune(keepLast(990));
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 990, deleted: 20 });
    expect(left()).toHaveLength(990);
    expect([...hosts]).toEqual([cloud.url]);
  });

  test(`prune-snapshots deletes the younger duplicate of a ${kind} before other snapshots`, async () => {
    const { prune, old, deleted, left } = await createFixture({ variables: { MAX_CONCURRENCY: "1" } });
    const ancient = old(kind, 50);
    const [a = "", b = ""] = [old(kind, 5, { key: "once" }), old(kind, 4.9999, { key: "once" })];
    const other = old(kind, 3);
    const newest = old(kind, 1);
    const { records } = await prune(keepLast(1));
    expect(deleted()).toEqual([b, other, a, ancient]);
    expect(records.find(({ snapshot_id }) => snapshot_id === b)).toMatchObject({
      outcome: "deleted",
      rule: `twin of ${a}`,
    });
    expect(left()).toEqual([newest]);
  });

  test(`prune-snapshots keeps the younger duplicate of a ${kind} while the older one is creating`, async () => {
    const { prune, old, left } = await createFixture();
    const ids = [old(kind, 5, { key: "once", status: "creating" }), old(kind, 4.9999, { key: "once" })];
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ kept: 2 });
    expect(left()).toEqual(ids.sort());
  });
});

test("prune-snapshots succeeds in two simultaneous runs that delete the same snapshots", async () => {
  const { cloud, clock, prune, old } = await createFixture();
  for (const kind of KINDS) for (let days = 1; days <= 5; days += 1) old(kind, days);
  const [one, two] = await Promise.all([prune(keepLast(2)), prune(keepLast(2))]);
  expect([one.error, two.error]).toEqual([undefined, undefined]);
  expect(one.result.outcomes).toEqual({ kept: 8, deleted: 12 });
  expect(two.result.outcomes).toEqual({ kept: 8, deleted: 12 });
  clock.advance(HOUR_MS);
  expect(listWithoutMembers(cloud)).toHaveLength(8);
});

test("prune-snapshots keeps automated snapshots of DWS, whatever their description is", async () => {
  const { cloud, cluster, prune, old, left } = await createFixture();
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
  const ids = [2, 1].map((days) => old("cluster-snapshot", days));
  const { result } = await prune(keepLast(1));
  expect(result.outcomes).toEqual({ kept: 1, deleted: 1, held: 1 });
  expect(left()).toEqual([auto.id, ids[1]].sort());
});

test("prune-snapshots keeps automatic and copied standard snapshots, whatever their tags are", async () => {
  const { cloud, disk, prune, old, left } = await createFixture();
  const more = { kind: "standard-snapshot", volumeId: disk.id, createdAt: START_MS - 50 * DAY_MS } as const;
  const kept = (["auto", "copy"] as const).map(
    (snapshotType) => cloud.addSnapshot({ ...more, snapshotType, tags: markerOf("nightly", "once") }).id,
  );
  const ids = [2, 1].map((days) => old("standard-snapshot", days));
  old("standard-snapshot", 3, { key: "once" });
  const { records } = await prune(keepLast(1));
  expect(records.filter(({ outcome }) => outcome === "deleted").map(({ rule }) => rule)).toEqual([
    "kept by no rule",
    "kept by no rule",
  ]);
  expect(left()).toEqual([...kept, ids[1]].sort());
});
