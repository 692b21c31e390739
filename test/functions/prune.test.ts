/** Tests which snapshots of each kind `prune-snapshots` keeps and deletes. */
import { describe, expect, test } from "vitest";
import type { Json } from "../support/environment.ts";
import { brief, createFixture, DAY_MS, HOUR_MS, keepLast, now, removeAfterList } from "../support/prunes.ts";
import { busyAnswer, DELETE, KINDS, markerOf } from "../support/retention-seeds.ts";

/** Expects records of three deletions, the last two of which found no snapshot. */
function expectGoneAlready(records: Json[], ids: string[]): void {
  expect(records.slice(1, -1).map(brief)).toEqual([
    `${ids[2]} deleted: kept by no rule`,
    `${ids[1]} deleted: kept by no rule (Already deleted.)`,
    `${ids[0]} deleted: kept by no rule (Already deleted.)`,
  ]);
}

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

  test(`prune-snapshots reports a ${kind} that no longer exists as deleted`, async () => {
    const { cloud, prune, old, left } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => old(kind, days));
    removeAfterList(cloud, ids.slice(0, 2));
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expectGoneAlready(records, ids);
    // EVS responds 404 EVS.5404, and DWS responds 400 DWS.0001.
    expect(cloud.count(DELETE[kind], kind === "cluster-snapshot" ? 400 : 404)).toBe(2);
    expect(left()).toEqual([ids[3]]);
  });

  test.each([
    ["the cluster (DWS.0015)", 403, { error_code: "DWS.0015", error_msg: "Cluster does not exist." }],
    ["the cluster (DWS.3027)", 404, { error_code: "DWS.3027", error_msg: "The cluster does not exist." }],
    ["a route", 404, { code: 404, message: "no route and no API found with those values" }],
    ["the API", 404, { error_code: "APIGW.0101", error_msg: "absent" }],
  ])(
    `prune-snapshots reports a failure and no deletion of a ${kind} if the cloud does not find %s`,
    async (_what, status, body) => {
      const { cloud, prune, old, left } = await createFixture();
      const ids = [3, 2, 1].map((days) => old(kind, days));
      cloud.fault({ operation: DELETE[kind] }, { type: "answer", status, body: JSON.stringify(body) });
      const { records } = await prune(keepLast(1));
      expect(records.map(({ outcome }) => outcome)).toEqual(["kept", "failed", "failed", "failed"]);
      expect(records[1].error.message).toContain(Object.values(body).at(-1));
      expect(left()).toEqual(ids.sort());
    },
  );

  test(`prune-snapshots reports a ${kind} as deleted after an ambiguous 404 if the list no longer shows it`, async () => {
    const { cloud, prune, old, left } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => old(kind, days));
    removeAfterList(cloud, ids.slice(0, 2));
    const body = JSON.stringify({ code: 404, message: "no such thing" });
    for (const id of ids.slice(0, 2)) {
      cloud.fault({ operation: DELETE[kind], resource: id }, { type: "answer", status: 404, body });
    }
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expectGoneAlready(records, ids);
    expect(left()).toEqual([ids[3]]);
  });

  test(`prune-snapshots reports a failure if the response to the deletion of a ${kind} has a status of success with an error`, async () => {
    const { cloud, prune, old, left } = await createFixture({ timeoutSeconds: 900 });
    const ids = [2, 1].map((days) => old(kind, days));
    const body = JSON.stringify({ error: { code: "EVS.1047", message: "snapshot status must be available" } });
    cloud.fault({ operation: DELETE[kind] }, { type: "answer", status: 202, body });
    const { records } = await prune(keepLast(1));
    expect(records[1]).toMatchObject({ outcome: "failed", snapshot_id: ids[0], error: { code: "EVS.1047" } });
    expect(left()).toEqual(ids.sort());
  });

  test(`prune-snapshots reports a ${kind} as deleted if the response is lost and the deletion takes 10 minutes`, async () => {
    const { cloud, clock, prune, old, left } = await createFixture({ deletionMs: 600_000 });
    const ids = [2, 1].map((days) => old(kind, days));
    cloud.fault({ operation: DELETE[kind], nth: 1 }, { type: "reset", after: true });
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(records.slice(0, -1).map((one) => [one.snapshot_id, one.outcome])).toEqual([
      [ids[1], "kept"],
      [ids[0], "deleted"],
    ]);
    // The function looks at the snapshot once and does not wait for the end of the deletion.
    expect(clock.now() - now).toBeLessThan(10_000);
    expect(left()).toEqual([ids[1]]);
  });

  test(`prune-snapshots writes one record for a ${kind} whose deletion loses its response`, async () => {
    for (const type of ["reset", "cut", "hang"] as const) {
      const { cloud, prune, old, left } = await createFixture();
      const ids = [3, 2, 1].map((days) => old(kind, days));
      cloud.fault({ operation: DELETE[kind], times: 1 }, { type, after: true });
      const { error, records } = await prune(keepLast(1));
      expect(error, type).toBeUndefined();
      expect(records.map(({ outcome }) => outcome).sort(), type).toEqual(["deleted", "deleted", "done", "kept"]);
      expect(left(), type).toEqual([ids[2]]);
    }
  });

  test(`prune-snapshots deletes the other snapshots before it retries a busy ${kind}`, async () => {
    const { cloud, prune, old, left, deleted } = await createFixture({ variables: { MAX_CONCURRENCY: "1" } });
    const ids = [5, 4, 3, 2, 1].map((days) => old(kind, days));
    cloud.fault({ operation: DELETE[kind], resource: ids[3], times: 2 }, busyAnswer(kind));
    const { error, result } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 1, deleted: 4 });
    expect(deleted()).toEqual([ids[3], ids[2], ids[1], ids[0], ids[3], ids[3]]);
    expect(left()).toEqual([ids[4]]);
  });

  test(`prune-snapshots fails a ${kind} that stays busy, deletes the others, and deletes it in the next run`, async () => {
    const { cloud, clock, prune, old, left } = await createFixture({ timeoutSeconds: 900 });
    const ids = [4, 3, 2, 1].map((days) => old(kind, days));
    const busy =
      kind === "cluster-snapshot"
        ? { status: 500, body: { error_code: "DWS.9999", error_msg: "DWS.7023" } }
        : { status: 400, body: { error: { code: "EVS.2043", message: "snapshot not available or backing-up" } } };
    const stuck = cloud.fault({ operation: DELETE[kind], resource: ids[1] }, { type: "status", ...busy });
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, deleted: 2, failed: 1 });
    expect(records.find(({ outcome }) => outcome === "failed")).toMatchObject({
      snapshot_id: ids[1],
      rule: "kept by no rule",
      error: { reason: "Busy" },
    });
    // The function does not wait for the busy snapshot until the invocation ends.
    expect(clock.now() - now).toBeLessThan(300_000);
    stuck.remove();
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ kept: 1, deleted: 1 });
    expect(left()).toEqual([ids[3]]);
  });

  test(`prune-snapshots deletes the other snapshots if the deletion of a ${kind} is refused`, async () => {
    const { cloud, prune, old, left } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => old(kind, days));
    const refuse = (id: string | undefined, status: number) =>
      cloud.fault({ operation: DELETE[kind], resource: id }, { type: "status", status, body: { message: "in use" } });
    refuse(ids[0], 409);
    refuse(ids[2], 403);
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, deleted: 1, failed: 2 });
    const reasons = Object.fromEntries(records.map((one) => [one.snapshot_id, one.error?.reason]));
    expect([reasons[ids[0] ?? ""], reasons[ids[2] ?? ""]]).toEqual(["Conflict", "AccessDenied"]);
    expect(left()).toEqual([ids[0], ids[2], ids[3]].sort());
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
  expect(cloud.snapshots().filter(({ snapshot_group_id }) => !snapshot_group_id)).toHaveLength(8);
});

test("prune-snapshots keeps automated snapshots of DWS, whatever their description is", async () => {
  const { cloud, cluster, prune, old, left } = await createFixture();
  const description = Object.entries(markerOf("nightly", "auto"))
    .map(([name, value]) => `${name}:${value}`)
    .join(" ");
  const createdAt = now - 50 * DAY_MS;
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
  const more = { kind: "standard-snapshot", volumeId: disk.id, createdAt: now - 50 * DAY_MS } as const;
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
