import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { DELETE, KINDS, type Kind, markerOf, resources, type Seed, seed } from "../support/retention-seeds.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const now = Date.parse(START);

const keepLast = (keep_last: number, changes: object = {}) => ({
  policy: "nightly",
  retention: { keep_last },
  ...changes,
});

/** An estate with one resource for each kind. */
async function createFixture(options: Parameters<typeof createTestEnvironment>[0] = {}) {
  const opened = await createTestEnvironment(options);
  const { cloud, clock, invoke } = opened;
  const { of, ...made } = resources(cloud, now - DAY_MS);
  const prune = (policy: object, how: Parameters<typeof invoke>[2] = {}) =>
    invoke(pruneSnapshots, timerEvent(policy, new Date(clock.now()).toISOString()), how);
  /** A snapshot that is so many days old. */
  const old = (kind: Kind, days: number, changes: Partial<Seed> = {}) =>
    seed(cloud, kind, of[kind], { at: now - days * DAY_MS, ...changes }).id;
  /** What is there once all deletions are over, without the members of groups. */
  const left = () => {
    clock.advance(HOUR_MS);
    return cloud
      .snapshots()
      .filter(({ snapshot_group_id }) => !snapshot_group_id)
      .map(({ id }) => id)
      .sort();
  };
  /** What was asked to be deleted, in that order. */
  const deleted = () =>
    cloud.requests.filter(({ method }) => method === "DELETE").map(({ path }) => path.split("/").at(-1));
  return { ...opened, ...made, of, prune, old, left, deleted };
}

const brief = ({ snapshot_id, outcome, rule, detail }: Record<string, string>) =>
  `${snapshot_id} ${outcome}: ${rule}${detail ? ` (${detail})` : ""}`;

describe.each(KINDS)("the %ss of a policy", (kind) => {
  test("that no rule keeps are deleted; each has its record with the rule", async () => {
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

  test("are planned the same way by dry_run, which deletes nothing", async () => {
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

  test("are all that goes: not another policy's, nor what somebody else made or holds", async () => {
    const { prune, old, left } = await createFixture();
    const stays = [
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
    const held = stays.at(-4) ?? "";
    const goes = [old(kind, 20), old(kind, 21)];
    const { error, records } = await prune(keepLast(1, { hold: [held.toUpperCase()] }));
    expect(error).toBeUndefined();
    const gone = records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(gone.sort()).toEqual(goes.sort());
    expect(left()).toEqual(stays.sort());
  });

  test("that are gone already are deleted, in this service's own words", async () => {
    const { cloud, prune, old, left } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => old(kind, days));
    // Somebody deletes them between the plan and its first deletion.
    const mutate = (its: EmbeddedCloud) => {
      for (const id of ids.slice(0, 2)) its.removeSnapshot(id);
    };
    cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "mutatePage", mutate });
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(records.slice(1, -1).map(brief)).toEqual([
      `${ids[2]} deleted: kept by no rule`,
      `${ids[1]} deleted: kept by no rule (It was gone already.)`,
      `${ids[0]} deleted: kept by no rule (It was gone already.)`,
    ]);
    // EVS.5404, DWS.0001
    expect(cloud.count(DELETE[kind], kind === "cluster-snapshot" ? 400 : 404)).toBe(2);
    expect(left()).toEqual([ids[3]]);
  });

  test.each([
    ["an unknown cluster", 403, { error_code: "DWS.0015", error_msg: "Cluster does not exist." }],
    ["another unknown cluster", 404, { error_code: "DWS.3027", error_msg: "The cluster does not exist." }],
    ["a path that nobody serves", 404, { code: 404, message: "no route and no API found with those values" }],
    ["an API that is absent", 404, { error_code: "APIGW.0101", error_msg: "absent" }],
  ])(
    "are not said to be deleted for a 'not found' of something else, %s: they are still there",
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

  test("and were not found in such words are deleted where the list no longer has them", async () => {
    const { cloud, prune, old, left } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => old(kind, days));
    const mutate = (its: EmbeddedCloud) => {
      for (const id of ids.slice(0, 2)) its.removeSnapshot(id);
    };
    cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "mutatePage", mutate });
    const body = JSON.stringify({ code: 404, message: "no such thing" });
    for (const id of ids.slice(0, 2)) {
      cloud.fault({ operation: DELETE[kind], resource: id }, { type: "answer", status: 404, body });
    }
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(records.slice(1, -1).map(brief)).toEqual([
      `${ids[2]} deleted: kept by no rule`,
      `${ids[1]} deleted: kept by no rule (It was gone already.)`,
      `${ids[0]} deleted: kept by no rule (It was gone already.)`,
    ]);
    expect(left()).toEqual([ids[3]]);
  });

  test("are not deleted by an answer of success that has an error in it", async () => {
    const { cloud, prune, old, left } = await createFixture({ timeoutSeconds: 900 });
    const ids = [2, 1].map((days) => old(kind, days));
    const body = JSON.stringify({ error: { code: "EVS.1047", message: "snapshot status must be available" } });
    cloud.fault({ operation: DELETE[kind] }, { type: "answer", status: 202, body });
    const { records } = await prune(keepLast(1));
    expect(records[1]).toMatchObject({ outcome: "failed", snapshot_id: ids[0], error: { code: "EVS.1047" } });
    expect(left()).toEqual(ids.sort());
  });

  test("are deleted where the reply was lost and the deletion takes longer than the repeats", async () => {
    const { cloud, clock, prune, old, left } = await createFixture({ deletionMs: 600_000 });
    const ids = [2, 1].map((days) => old(kind, days));
    cloud.fault({ operation: DELETE[kind], nth: 1 }, { type: "reset", after: true });
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(records.slice(0, -1).map((one) => [one.snapshot_id, one.outcome])).toEqual([
      [ids[1], "kept"],
      [ids[0], "deleted"],
    ]);
    // It is looked at once, not waited for.
    expect(clock.now() - now).toBeLessThan(10_000);
    expect(left()).toEqual([ids[1]]);
  });

  test("are deleted although the reply was lost: one record each", async () => {
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

  test("that are busy hold up no other: they are tried again when all the others were", async () => {
    const { cloud, prune, old, left, deleted } = await createFixture({ variables: { MAX_CONCURRENCY: "1" } });
    const ids = [5, 4, 3, 2, 1].map((days) => old(kind, days));
    const body =
      kind === "cluster-snapshot"
        ? { error_code: "DWS.7023", error_msg: "Cluster status is not allowed to operation." }
        : { error: { code: "EVS.1047", message: "snapshot status must be available or error when delete snapshot!" } };
    const busy = { type: "status", status: kind === "cluster-snapshot" ? 403 : 400, body } as const;
    cloud.fault({ operation: DELETE[kind], resource: ids[3], times: 2 }, busy);
    const { error, result } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 1, deleted: 4 });
    expect(deleted()).toEqual([ids[3], ids[2], ids[1], ids[0], ids[3], ids[3]]);
    expect(left()).toEqual([ids[4]]);
  });

  test("that stay busy fail by themselves: the others are gone, the next run takes them", async () => {
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
    // It is not waited for until the invocation ends.
    expect(clock.now() - now).toBeLessThan(300_000);
    stuck.remove();
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ kept: 1, deleted: 1 });
    expect(left()).toEqual([ids[3]]);
  });

  test("whose deletion is refused do not stop the others", async () => {
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

  test("are judged though what they are of is gone", async () => {
    const { cloud, server, disk, cluster, prune, old, left } = await createFixture();
    const ids = [3, 2, 1].map((days) => old(kind, days));
    cloud.removeVolume(disk.id);
    cloud.removeServer(server.id);
    cloud.removeCluster(cluster.id);
    expect((await prune(keepLast(2))).result.outcomes).toEqual({ kept: 2, deleted: 1 });
    expect(left()).toEqual(ids.slice(1).sort());
    expect((await prune(keepLast(2))).result.outcomes).toEqual({ kept: 2 });
  });

  test("of a thousand and more are read to the end, and no link is followed", async () => {
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

  test("are deleted twins first, the younger of two", async () => {
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

  test("a younger twin stays while the older is being created", async () => {
    const { prune, old, left } = await createFixture();
    const ids = [old(kind, 5, { key: "once", status: "creating" }), old(kind, 4.9999, { key: "once" })];
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ kept: 2 });
    expect(left()).toEqual(ids.sort());
  });
});

describe("the plan", () => {
  /** The lines beside the records, and which of them there were when the first deletion was sent. */
  async function planOf(how: object, seeds: number) {
    const { cloud, runtime, prune: _, old, of, invoke, ...opened } = await createFixture({ timeoutSeconds: 900 });
    for (let index = 0; index < seeds; index += 1) old("standard-snapshot", 1 + index / 100);
    const lines: string[] = [];
    let before: string[] | undefined;
    const { transport } = runtime;
    runtime.transport = (request) => {
      if (request.method === "DELETE") before ??= [...lines];
      return transport(request);
    };
    const told: typeof pruneSnapshots = (own) =>
      pruneSnapshots({ ...(own as typeof runtime), warn: (line) => void lines.push(line) });
    const invoked = await invoke(told, timerEvent(keepLast(1, how), START));
    return { ...opened, ...invoked, cloud, disk: of["standard-snapshot"], lines, before: before ?? [] };
  }

  test("is told before anything is deleted, so that the log of an invocation that dies has it", async () => {
    const { records, lines, before, disk } = await planOf({}, 4);
    expect(before).toHaveLength(1);
    expect(lines).toEqual(before);
    const { plan, ...line } = JSON.parse(before[0] ?? "");
    expect(line).toEqual({ level: "info", function: "prune-snapshots", request_id: records[0].request_id });
    const deleted = records.filter(({ outcome }) => outcome === "deleted").map((one) => one.snapshot_id);
    expect(plan).toEqual(
      deleted.map((snapshot_id) => ({
        kind: "standard-snapshot",
        resource_id: disk,
        snapshot_id,
        rule: "kept by no rule",
      })),
    );
    // It is no record: each snapshot has one, and so has the run.
    expect(records).toHaveLength(5);
  });

  test("of hundreds comes in lines of 200", async () => {
    const { before } = await planOf({}, 412);
    expect(before.map((line) => JSON.parse(line).plan.length)).toEqual([200, 200, 11]);
  });

  test.each([
    ["of a dry run is in its records", { dry_run: true }, 3],
    ["that deletes nothing is none", {}, 1],
  ])("%s", async (_what, how, seeds) => {
    const { lines } = await planOf(how, seeds);
    expect(lines).toEqual([]);
  });
});

describe("what a policy holds", () => {
  test("by an id or a name that nothing has is said: it may be misspelt", async () => {
    const { prune, old, left } = await createFixture();
    const named = old("snapshot", 9, { name: "before-audit" });
    const [given, newest] = [old("cluster-snapshot", 8), old("snapshot", 1)];
    const { error, result, records } = await prune(
      keepLast(1, { hold: [` ${given.toUpperCase()} `, "Before-Audit", "before-adit", "4f0c"] }),
    );
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ held: 2, kept: 1 });
    expect(left()).toEqual([given, named, newest].sort());
    expect(records.at(-1)).toMatchObject({
      action: "run",
      level: "warn",
      detail: 'hold: expected ids or names of snapshots; none that was looked at has "before-adit", "4f0c".',
    });
  });

  test("may be a member of a group", async () => {
    const { cloud, prune, old } = await createFixture();
    old("snapshot-group", 5);
    old("snapshot-group", 1);
    const [member] = cloud.snapshots("standard-snapshot");
    const { records } = await prune(keepLast(1, { hold: [member?.id] }));
    expect(records.at(-1)).toMatchObject({ outcome: "done", level: "info", outcomes: { held: 1, kept: 1 } });
  });
});

describe("a group", () => {
  test("goes as a whole: its members are never deleted one by one", async () => {
    const { cloud, prune, old, deleted } = await createFixture({ groupTagsOnMembers: true });
    const ids = [3, 2, 1].map((days) => old("snapshot-group", days));
    const { result, records } = await prune(keepLast(1));
    expect(deleted()).toEqual([ids[1], ids[0]]);
    // The members carry the tags too, where the cloud has it so: they are held.
    expect(result.outcomes).toEqual({ kept: 1, deleted: 2, held: 3 });
    expect(records.filter(({ outcome }) => outcome === "held").map(({ rule }) => rule)).toEqual(
      Array(3).fill("a member of a group"),
    );
    expect(cloud.count("evs.deleteStandardSnapshot")).toBe(0);
  });

  test("leaves its members alone, where the cloud does not delete them along", async () => {
    const { cloud, prune, old, clock } = await createFixture({ groupDeleteCascades: false });
    for (const days of [2, 1]) old("snapshot-group", days);
    await prune(keepLast(1));
    clock.advance(HOUR_MS);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(1);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
    expect(cloud.count("evs.deleteStandardSnapshot")).toBe(0);
  });

  test("with a failed member does not count: the last good one stays", async () => {
    const { cloud, disk, prune, old, left } = await createFixture();
    const [good = "", newer = ""] = [old("snapshot-group", 2), old("snapshot-group", 1)];
    const member = cloud.snapshots("standard-snapshot").find(({ snapshot_group_id }) => snapshot_group_id === newer);
    cloud.removeSnapshot(member?.id ?? "");
    const more = { volumeId: disk.id, groupId: newer, status: "error", createdAt: now - DAY_MS };
    cloud.addSnapshot({ kind: "standard-snapshot", ...more });
    const { records } = await prune(keepLast(1));
    expect(records.slice(0, -1).map(brief)).toEqual([
      `${newer} kept: failed, and no newer good one exists`,
      `${good} kept: keep_last`,
    ]);
    expect(left()).toEqual([good, newer].sort());
  });

  test.each([
    ["a tag", { tags: { hold: "true" } }, []],
    ["its description", { description: "hold: audit" }, []],
    ["its id in the policy", {}, ["here"]],
  ])("of which a member is held by %s stays as a whole: the member would go with it", async (_how, member, hold) => {
    const { cloud, disk, prune, old, left } = await createFixture();
    const group = old("snapshot-group", 20);
    const [id = ""] = cloud.snapshots("standard-snapshot").map((one) => one.id);
    cloud.removeSnapshot(id);
    const createdAt = now - 20 * DAY_MS;
    cloud.addSnapshot({ kind: "standard-snapshot", id, volumeId: disk.id, groupId: group, createdAt, ...member });
    const newer = old("snapshot-group", 1);
    const { records } = await prune(keepLast(1, { hold: hold.map(() => id) }));
    expect(records.find(({ snapshot_id }) => snapshot_id === group)).toMatchObject({
      outcome: "held",
      rule: expect.stringContaining(`its member ${id} is held`),
    });
    expect(left()).toEqual([group, newer].sort());
    expect(cloud.snapshots("standard-snapshot").map((one) => one.id)).toContain(id);
  });

  test("with the last good snapshot of a disk stays, when the disk has left the server and newer groups lack it", async () => {
    const { cloud, server, disk, prune, old, left } = await createFixture();
    const leaver = cloud.addVolume({ serverId: server.id, attachedAt: now - 30 * DAY_MS });
    const [, both = ""] = [old("snapshot-group", 5), old("snapshot-group", 4)];
    cloud.detach(leaver.id);
    const without = [3, 2, 1].map((days) => old("snapshot-group", days));
    const { records } = await prune(keepLast(1));
    expect(records.filter(({ outcome }) => outcome === "kept").map(brief)).toEqual([
      `${without[2]} kept: keep_last`,
      `${both} kept: the last good one of disk ${leaver.id}`,
    ]);
    expect(left()).toEqual([both, without[2]].sort());
    const disks = cloud.snapshots("standard-snapshot").map(({ volume_id }) => volume_id);
    expect(new Set(disks)).toEqual(new Set([disk.id, leaver.id]));
  });

  test("that lost a member does not push out the one that has it", async () => {
    const { cloud, server, prune, old, left } = await createFixture();
    cloud.addVolume({ serverId: server.id, attachedAt: now - 30 * DAY_MS });
    const whole = old("snapshot-group", 2);
    const torn = old("snapshot-group", 1);
    const lost = cloud.snapshots("standard-snapshot").find(({ snapshot_group_id }) => snapshot_group_id === torn);
    cloud.removeSnapshot(lost?.id ?? "");
    const { records } = await prune(keepLast(1));
    expect(records[1]).toMatchObject({ snapshot_id: whole, rule: `the last good one of disk ${lost?.volume_id}` });
    expect(left()).toEqual([torn, whole].sort());
  });

  test("of single disks is one of those of the same disks", async () => {
    const { cloud, disk, prune, left } = await createFixture();
    const [b, c] = [cloud.addVolume(), cloud.addVolume()];
    const group = (days: number, volumeIds: string[]) => {
      const tags = markerOf("nightly", `${days} ${volumeIds.length}`);
      return cloud.addSnapshot({ kind: "snapshot-group", volumeIds, tags, createdAt: now - days * DAY_MS }).id;
    };
    const pairs = [group(3, [disk.id, b.id]), group(2, [b.id, disk.id])];
    const others = [group(9, [disk.id, b.id, c.id]), group(8, [c.id])];
    const { result } = await prune(keepLast(1));
    expect(result.outcomes).toEqual({ kept: 3, deleted: 1 });
    expect(left()).toEqual([pairs[1], ...others].sort());
  });
});

describe("the account", () => {
  test("that throttles is waited for: everything that is to go goes, few requests in vain", async () => {
    const { cloud, prune, old, left } = await createFixture({ timeoutSeconds: 900, rate: { perSecond: 5 } });
    for (let index = 0; index < 120; index += 1) old("standard-snapshot", 1 + index);
    const { error, result } = await prune(keepLast(10));
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 10, deleted: 110 });
    expect(left()).toHaveLength(10);
    expect(cloud.count(DELETE["standard-snapshot"], 429)).toBeLessThan(30);
  });

  test("is not asked for more at a time than MAX_CONCURRENCY says", async () => {
    for (const limit of [1, 4]) {
      const { runtime, prune, old } = await createFixture({
        latencyMs: 3,
        variables: { MAX_CONCURRENCY: String(limit) },
      });
      for (let days = 1; days <= 25; days += 1) old("snapshot", days);
      let [under, most] = [0, 0];
      const { transport } = runtime;
      runtime.transport = async (request) => {
        under += 1;
        most = Math.max(most, under);
        return transport(request).finally(() => {
          under -= 1;
        });
      };
      await prune(keepLast(1));
      expect(most).toBe(limit);
    }
  });

  test("that is suspended is asked for nothing more: each that is left has that record", async () => {
    const { cloud, prune, old, left } = await createFixture({ variables: { MAX_CONCURRENCY: "1" } });
    for (let days = 1; days <= 6; days += 1) old("snapshot", days);
    const body = { error: { code: "EVS.2145", message: "account suspended" } };
    cloud.fault({ operation: DELETE.snapshot, nth: 2 }, { type: "status", status: 403, body });
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, deleted: 1, failed: 4 });
    expect(records.filter((one) => one.error?.reason === "AccountSuspended")).toHaveLength(4);
    expect(cloud.count(DELETE.snapshot)).toBe(2);
    expect(left()).toHaveLength(5);
  });
});

test("what there is no time for is left for the next run, with its record", async () => {
  const { cloud, clock, prune, old, left } = await createFixture({ variables: { MAX_CONCURRENCY: "1" } });
  for (let days = 1; days <= 10; days += 1) old("snapshot", days);
  cloud.fault({ operation: DELETE.snapshot }, { type: "mutatePage", mutate: () => clock.advance(5_000) });
  const deadline = clock.now() + 30_000;
  const first = await prune(keepLast(1), { remainingMs: 30_000 });
  expect(clock.now()).toBeLessThan(deadline);
  const { kept, deleted, failed } = JSON.parse(first.error?.message ?? "").outcomes;
  expect(kept + deleted + failed).toBe(10);
  expect(deleted).toBeGreaterThan(1);
  expect(failed).toBeGreaterThan(1);
  expect(new Set(first.records.filter((one) => one.error).map((one) => one.error.reason))).toEqual(
    new Set(["DeadlineExceeded"]),
  );
  cloud.clearFaults();
  const second = await prune(keepLast(1));
  expect(second.result.outcomes).toEqual({ kept: 1, deleted: failed });
  expect(left()).toHaveLength(1);
});

describe("a kind that cannot be listed", () => {
  test("keeps all that it has, and does not stop the others", async () => {
    const { cloud, prune, old, left } = await createFixture();
    for (const kind of KINDS) for (const days of [2, 1]) old(kind, days);
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "status", status: 403, body: {} });
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 3, deleted: 3, failed: 1 });
    expect(records.find(({ outcome }) => outcome === "failed")).toMatchObject({
      action: "prune",
      kind: "cluster-snapshot",
      policy: "nightly",
      detail: "These snapshots could not be listed.",
      error: { reason: "AccessDenied" },
    });
    expect(left()).toHaveLength(5);
  });

  test("as the region does not have it is nothing to speak of", async () => {
    const { prune, old, left } = await createFixture({ withoutStandardSnapshots: true });
    for (const days of [2, 1]) old("snapshot", days);
    const { error, result } = await prune(keepLast(1));
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ kept: 1, deleted: 1 });
    expect(left()).toHaveLength(1);
  });

  test.each([
    ["an empty answer", { type: "emptyBody", after: false } as const],
    ["a list without its array", { type: "answer", status: 200, body: "{}" } as const],
    ["a row without a status", { type: "answer", status: 200, body: '{"count":1,"snapshots":[{"id":"x"}]}' } as const],
    ["a proxy's page", { type: "notJson", after: false, html: true } as const],
    ["a redirect", { type: "redirect", location: "http://127.0.0.1:1/" } as const],
  ])("as it comes as %s: nothing of it goes", async (_what, fault) => {
    const { cloud, prune, old, left } = await createFixture();
    for (const days of [3, 2, 1]) old("snapshot", days);
    cloud.fault({ operation: "evs.listSnapshots" }, fault);
    const { error, records } = await prune(keepLast(1));
    expect(error).toBeDefined();
    expect(records[0]).toMatchObject({ kind: "snapshot", outcome: "failed", error: { reason: "BadResponse" } });
    expect(left()).toHaveLength(3);
  });
});

describe("a list that changes while it is read", () => {
  test("is read again: what moved to another page is not missed, and what is new is not old", async () => {
    const { cloud, prune, old, left } = await createFixture({ timeoutSeconds: 900 });
    const ids = Array.from({ length: 1_100 }, (_, index) => old("snapshot", 1 + index / 50));
    // Two are deleted by somebody while the first page is on its way: the rows of the second move up.
    const mutate = (its: EmbeddedCloud) => {
      for (const id of ids.slice(0, 2)) its.removeSnapshot(id);
    };
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "mutatePage", mutate });
    const { error, records } = await prune(keepLast(1_000));
    expect(error).toBeUndefined();
    const told = new Set(records.map(({ snapshot_id }) => snapshot_id));
    expect(ids.filter((id) => !told.has(id))).toEqual([]);
    expect(left().length).toBeGreaterThanOrEqual(998);
  });
});

describe("a policy", () => {
  test.each([
    ["without a retention", {}],
    ["with an empty one", { retention: {} }],
    ["with rules of 0", { retention: { keep_last: 0, keep_daily: 0 } }],
    ["with min_keep alone", { retention: { min_keep: 3 } }],
  ])("%s is refused: it would delete all", async (_what, changes) => {
    const { cloud, prune, old, left } = await createFixture();
    for (const days of [2, 1]) old("snapshot", days);
    const { error, records } = await prune({ policy: "nightly", ...changes });
    expect(error?.reason).toBe("InvalidRequest");
    expect(error?.message).toContain("retention: expected at least one of keep_last");
    expect(records).toMatchObject([
      { action: "prune", outcome: "rejected", error: { reason: "InvalidRequest" } },
      { action: "run", outcome: "failed" },
    ]);
    expect(cloud.count(/evs|dws/)).toBe(0);
    expect(left()).toHaveLength(2);
  });

  test.each([
    ["an unknown zone", { time_zone: "Europe/Atlantis" }, "time_zone: expected an IANA name"],
    ["a negative count", { retention: { keep_last: -1 } }, "retention.keep_last"],
    ["half a snapshot", { retention: { keep_last: 1.5 } }, "retention.keep_last"],
    ["min_keep of 0", { retention: { keep_last: 1, min_keep: 0 } }, "retention.min_keep"],
    ["a rule that nobody knows", { retention: { keep_hourly: 3 } }, "retention.keep_hourly"],
    ["no name", { policy: undefined }, "policy"],
  ])("with %s is refused", async (_what, changes, says) => {
    const { cloud, prune, old } = await createFixture();
    old("snapshot", 1);
    const { error, records } = await prune(keepLast(1, changes));
    expect(error?.message).toContain(says);
    expect(records[0]).toMatchObject({ outcome: "rejected" });
    expect(cloud.count(/evs|dws/)).toBe(0);
  });

  test("of a schedule is taken as it is: targets, make_room and all", async () => {
    const { prune, old } = await createFixture();
    for (const days of [2, 1]) old("snapshot", days);
    const targets = [{ kind: "snapshot", tags: { backup: "daily" } }];
    const { result } = await prune(keepLast(1, { targets, make_room: true, hold: [], time_zone: "Asia/Tokyo" }));
    expect(result.outcomes).toEqual({ kept: 1, deleted: 1 });
  });

  test("has its days in its own zone", async () => {
    const kept = async (time_zone: string) => {
      const { cloud, of, prune } = await createFixture();
      const ids = ["19T22:30", "19T23:30", "20T22:30", "20T23:30"].map(
        (time) => seed(cloud, "snapshot", of.snapshot, { at: Date.parse(`2026-11-${time}:00Z`) }).id,
      );
      const { records } = await prune({ policy: "nightly", time_zone, retention: { keep_daily: 2 } });
      const told = records.filter(({ outcome }) => outcome === "kept").map((one) => one.snapshot_id);
      return ids.map((id) => told.includes(id));
    };
    expect(await kept("UTC")).toEqual([false, true, false, true]);
    expect(await kept("Europe/Berlin")).toEqual([false, false, true, true]);
  });

  test("whose snapshots are all gone, or never were, has nothing to say but that it ran", async () => {
    const { prune } = await createFixture();
    const { result, records } = await prune(keepLast(1));
    expect(result).toMatchObject({ targets: 0, outcomes: {} });
    expect(records).toMatchObject([{ action: "run", outcome: "done" }]);
  });
});

test("two prunes at the same time delete each one once between them, and both succeed", async () => {
  const { cloud, clock, prune, old } = await createFixture();
  for (const kind of KINDS) for (let days = 1; days <= 5; days += 1) old(kind, days);
  const [one, two] = await Promise.all([prune(keepLast(2)), prune(keepLast(2))]);
  expect([one.error, two.error]).toEqual([undefined, undefined]);
  expect(one.result.outcomes).toEqual({ kept: 8, deleted: 12 });
  expect(two.result.outcomes).toEqual({ kept: 8, deleted: 12 });
  clock.advance(HOUR_MS);
  expect(cloud.snapshots().filter(({ snapshot_group_id }) => !snapshot_group_id)).toHaveLength(8);
});

test("DWS's own automated snapshots stay, whatever their description says", async () => {
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

test("standard snapshots that EVS made by itself, or somebody copied, stay with all their tags", async () => {
  const { cloud, disk, prune, old, left } = await createFixture();
  const more = { kind: "standard-snapshot", volumeId: disk.id, createdAt: now - 50 * DAY_MS } as const;
  const stays = (["auto", "copy"] as const).map(
    (snapshotType) => cloud.addSnapshot({ ...more, snapshotType, tags: markerOf("nightly", "once") }).id,
  );
  const ids = [2, 1].map((days) => old("standard-snapshot", days));
  old("standard-snapshot", 3, { key: "once" });
  const { records } = await prune(keepLast(1));
  expect(records.filter(({ outcome }) => outcome === "deleted").map(({ rule }) => rule)).toEqual([
    "kept by no rule",
    "kept by no rule",
  ]);
  expect(left()).toEqual([...stays, ids[1]].sort());
});
