/** Tests `pre-deploy` when the cloud's lists are incomplete, contradict each other or cannot be read. */
import { describe, expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import type { Kind } from "../../infra/local/cloud/index.ts";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import { apig, createTestEnvironment, errorOf, expectWholeRecords, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

type Json = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
type Any = any;
type Change = (row: Json) => Json | undefined;

const MINUTE_MS = 60_000;
const DAY_MS = 1_440 * MINUTE_MS;
const KINDS: Kind[] = ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"];

useFixedDate();

async function createFixture(options: Parameters<typeof createTestEnvironment>[0] = {}) {
  const environment = await createTestEnvironment(options);
  const changes: [list: string, change: Change][] = [];
  const { transport } = environment.runtime;
  environment.runtime.transport = async (request) => {
    const answer = await transport(request);
    return request.method === "GET" ? { ...answer, text: edited(answer.text, changes) } : answer;
  };
  const { cloud } = environment;
  return {
    ...environment,
    /** Changes each row of a list on its way to the function; undefined leaves the row out. The last change counts. */
    rows: (list: string, change: Change) => void changes.unshift([list, change]),
    post: async (body: Json) => {
      const invoked = await environment.invoke(preDeploy, apig({ deployment_id: "release-7", ...body }));
      expectWholeRecords(invoked);
      const { statusCode, body: text } = invoked.result;
      return { ...invoked, status: statusCode as number, answer: JSON.parse(text) as Any };
    },
    /** Adds a resource for a snapshot of that kind, and returns it with a target that names it. */
    resource(kind: Kind) {
      if (kind === "cluster-snapshot") {
        const { id } = cloud.addCluster();
        return { id, targets: [{ kind, cluster_ids: [id] }] };
      }
      if (kind === "snapshot-group") {
        const { id } = cloud.addServer();
        const disks = [0, 1, 2].map(() => cloud.addVolume({ serverId: id }).id);
        return { id, disks, targets: [{ kind, server_ids: [id] }] };
      }
      const { id } = cloud.addVolume();
      return { id, targets: [{ kind, volume_ids: [id] }] };
    },
  };
}

/** Returns the body after the first change for each of its lists. */
function edited(text: string, changes: [list: string, change: Change][]): string {
  const body = JSON.parse(text);
  for (const list of Object.keys(body)) {
    const change = changes.find(([name]) => name === list)?.[1];
    if (!Array.isArray(body[list]) || change === undefined) continue;
    body[list] = body[list].map(change).filter((row: unknown) => row !== undefined);
    if ("count" in body) body.count = body[list].length;
  }
  return JSON.stringify(body);
}

const listOf = (kind: Kind) => (kind === "snapshot-group" ? "snapshot_groups" : "snapshots");
const timeOf = (kind: Kind) => (kind === "cluster-snapshot" ? "started" : "created_at");
const without =
  (...fields: string[]): Change =>
  (row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)));
const said = ({ answer }: { answer: Any }) => answer.snapshots.map((one: Any) => one.outcome);
const errorsOf = ({ answer }: { answer: Any }) => answer.snapshots.map((one: Any) => one.error);
const single = (cloud: { snapshots(kind: Kind): Any[] }, kind: Kind) => cloud.snapshots(kind)[0];

describe.each(KINDS)("%s: a creation time that does not tell the age", (kind) => {
  const absent = without(timeOf(kind));
  const dated =
    (time: unknown): Change =>
    (row) => ({ ...row, [timeOf(kind)]: time });

  test.each<[what: string, change: Change]>([
    ["is absent", absent],
    ["is null", dated(null)],
    ["is a number", dated(1_795_226_400_000)],
    ["is no date", dated("recently")],
    ["is a day that there is not", dated("2026-02-30T00:00:00")],
    ["is the year 1", dated("0001-01-01T00:00:00Z")],
    ["is 1970", dated("1970-01-01T00:00:00.000000")],
    ["is before EVS had snapshots", dated("2014-12-31T23:59:59Z")],
    ["is two years ahead", dated("2029-11-21T02:00:00Z")],
  ])(
    "pre-deploy refuses a deployment_id that was used 400 days ago if the creation time of its snapshot %s",
    async (_what, change) => {
      const { cloud, clock, rows, post, resource } = await createFixture();
      const { targets } = resource(kind);
      expect((await post({ targets })).status).toBe(202);
      clock.advance(400 * DAY_MS);
      rows(listOf(kind), change);
      for (const more of [{}, { max_age_minutes: 1e9 }, { wait_seconds: 50 }, { retry_failed: true }]) {
        const refused = await post({ targets, ...more });
        expect(refused.status).toBe(409);
        expect(errorOf(refused)).toMatchObject({ reason: "Conflict", code: "Conflict" });
        expect(errorOf(refused).message).toContain(single(cloud, kind).id);
        expect(errorOf(refused).message).toContain("Use a new deployment_id");
        expect(errorOf(refused).message).not.toContain("raise max_age_minutes");
        expect(outcomes(refused)).toEqual(["create failed", "run failed"]);
      }
      expect(cloud.count(/\.create/)).toBe(1);
      expect((await post({ targets, deployment_id: "release-8" })).status).toBe(202);
    },
  );

  test("pre-deploy refuses a creation time 16 minutes ahead and accepts one 10 minutes ahead", async () => {
    const { clock, rows, post, resource } = await createFixture();
    const { targets } = resource(kind);
    await post({ targets });
    clock.advance(MINUTE_MS);
    const ahead = (minutes: number) => new Date(clock.now() + minutes * MINUTE_MS).toISOString().slice(0, 19);
    rows(listOf(kind), dated(`${ahead(16)}Z`));
    expect((await post({ targets })).status).toBe(409);
    rows(listOf(kind), dated(`${ahead(10)}Z`));
    expect((await post({ targets })).status).toBe(200);
  });

  test("pre-deploy is ready in the call that creates a snapshot without a time, and refuses the id in the next call", async () => {
    const { cloud, rows, post, resource } = await createFixture();
    const { targets } = resource(kind);
    rows(listOf(kind), absent);
    const ready = await post({ targets, wait_seconds: 50 });
    expect(ready.status).toBe(200);
    expect(said(ready)).toEqual(["available"]);
    const refused = await post({ targets });
    expect(refused.status).toBe(409);
    expect(errorOf(refused).message).toContain("wait_seconds");
    expect(cloud.count(/\.create/)).toBe(1);
  });

  test("pre-deploy stays pending while a snapshot is creating without a time, and is ready once the list shows a time", async () => {
    const { clock, rows, post, resource } = await createFixture();
    const { targets } = resource(kind);
    await post({ targets });
    rows(listOf(kind), absent);
    clock.advance(1_000);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(said(pending)).toEqual(["existing"]);
    clock.advance(MINUTE_MS);
    rows(listOf(kind), (row) => row);
    expect((await post({ targets })).status).toBe(200);
  });

  test("pre-deploy refuses the id when a snapshot becomes available without a time in a later call", async () => {
    const { clock, rows, post, resource } = await createFixture();
    const { targets } = resource(kind);
    await post({ targets });
    clock.advance(1_000);
    rows(listOf(kind), absent);
    const refused = await post({ targets, wait_seconds: 50 });
    expect(refused.status).toBe(409);
    expect(errorOf(refused)).toMatchObject({ reason: "Conflict" });
    expect(refused.records[0]).toMatchObject({ outcome: "failed", error: { reason: "Conflict" } });
  });
});

describe("a group of a server with three disks", () => {
  const open = async (options: Parameters<typeof createTestEnvironment>[0] = {}) => {
    const fixture = await createFixture(options);
    const { id, disks = [], targets } = fixture.resource("snapshot-group");
    const memberOf = (disk: string | undefined) =>
      fixture.cloud.snapshots("standard-snapshot").find(({ volume_id }) => volume_id === disk)?.id ?? "";
    return { ...fixture, server: id, disks: disks as [string, string, string], targets, memberOf };
  };

  test("pre-deploy fails if a group has no member for one disk, until retry_failed creates another group", async () => {
    const { cloud, clock, disks, server, targets, post, memberOf } = await open();
    await post({ targets });
    clock.advance(10_000);
    cloud.removeSnapshot(memberOf(disks[1]));
    for (const wait_seconds of [0, 10]) {
      const failed = await post({ targets, wait_seconds });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)).toMatchObject([{ reason: "SnapshotFailed" }]);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${disks[1]} is missing`);
      expect(errorsOf(failed)[0].message).toContain(server);
      expect(failed.records[0].error.message).toBe(errorsOf(failed)[0].message);
    }
    expect(said(await post({ targets, retry_failed: true }))).toEqual(["accepted"]);
    clock.advance(10_000);
    expect((await post({ targets })).status).toBe(200);
    expect(cloud.count("evs.createSnapshotGroup")).toBe(2);
  });

  test("pre-deploy repeats a create that failed instead of falling back on the incomplete group", async () => {
    const { cloud, clock, post, resource } = await createFixture();
    const { targets, disks = [] } = resource("snapshot-group");
    expect((await post({ targets, wait_seconds: 20 })).status).toBe(200);
    const old = single(cloud, "snapshot-group");
    cloud.removeMember(old.id, String(disks[1]));
    clock.advance(MINUTE_MS);
    cloud.fault({ operation: "evs.createSnapshotGroup", nth: 1 }, { type: "status", status: 503 });
    const retried = await post({ targets, wait_seconds: 40, retry_failed: true });
    expect(retried.status).toBe(200);
    expect(retried.answer.snapshots[0].snapshot_id).not.toBe(old.id);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(2);
  });

  test("pre-deploy names every disk without a member if a group has no members", async () => {
    const { cloud, clock, disks, targets, post, memberOf } = await open();
    await post({ targets });
    clock.advance(10_000);
    for (const disk of disks) cloud.removeSnapshot(memberOf(disk));
    const failed = await post({ targets });
    expect(failed.status).toBe(502);
    for (const disk of disks) expect(errorsOf(failed)[0].message).toContain(disk);
  });

  test("pre-deploy waits for a group member that the list shows late", async () => {
    const { clock, disks, targets, post, rows } = await open({ creationMs: 1_000 });
    await post({ targets });
    const created = clock.now();
    const late: Change = (row) => (row.volume_id === disks[2] && clock.now() - created < 5_000 ? undefined : row);
    rows("snapshots", late);
    clock.advance(2_000);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(said(pending)).toEqual(["existing"]);
    expect((await post({ targets, wait_seconds: 10 })).status).toBe(200);
  });

  test("pre-deploy stops waiting and fails if the list does not show a group member within 6 s", async () => {
    const { clock, disks, targets, post, rows } = await open({ creationMs: 1_000 });
    const began = clock.now();
    rows("snapshots", (row) => (row.volume_id === disks[2] ? undefined : row));
    const failed = await post({ targets, wait_seconds: 50 });
    expect(failed.status).toBe(502);
    expect(clock.now() - began).toBeLessThan(10_000);
  });

  test("pre-deploy needs no group member for a disk that was attached after the group was created", async () => {
    const { cloud, clock, server, targets, post } = await open();
    await post({ targets });
    clock.advance(10_000);
    cloud.addVolume({ serverId: server });
    expect((await post({ targets })).status).toBe(200);
  });

  test.each([undefined, null, "", "recently", "2029-11-21T02:00:00", "1970-01-01T00:00:00"])(
    "pre-deploy needs a group member for a disk whose attached_at is %j",
    async (attached_at) => {
      const { cloud, clock, server, targets, post, rows } = await open();
      await post({ targets });
      clock.advance(10_000);
      const late = cloud.addVolume({ serverId: server }).id;
      rows("volumes", (row) => ({
        ...row,
        attachments: (row.attachments as Json[]).map((one) => ({ ...one, attached_at })),
      }));
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${late} is missing`);
    },
  );

  test("pre-deploy ignores the attachment of a shared disk to another server than that of the group", async () => {
    for (const later of [true, false]) {
      const { cloud, clock, server, targets, post, rows } = await open();
      const other = cloud.addServer().id;
      const shared = cloud.addVolume({ multiattach: true, serverId: later ? other : undefined }).id;
      if (!later) cloud.attach(shared, server);
      clock.advance(MINUTE_MS);
      await post({ targets });
      clock.advance(MINUTE_MS);
      cloud.attach(shared, later ? server : other);
      expect((await post({ targets })).status).toBe(200);
      rows("snapshots", (row) => (row.volume_id === shared ? undefined : row));
      expect((await post({ targets })).status).toBe(later ? 200 : 502);
    }
  });

  test("pre-deploy needs no group member for a disk that is attached to other servers only", async () => {
    const { clock, targets, post, rows } = await open();
    await post({ targets });
    clock.advance(10_000);
    rows("volumes", (row) => ({ ...row, attachments: [{ server_id: "another" }] }));
    // None of the server's own disks is left to compare with.
    expect((await post({ targets })).status).toBe(202);
  });

  test("pre-deploy needs a group member for a disk of the server that lists no attachments", async () => {
    const { cloud, clock, server, targets, post, rows } = await open();
    await post({ targets });
    clock.advance(10_000);
    cloud.addVolume({ serverId: server });
    rows("volumes", without("attachments"));
    expect((await post({ targets })).status).toBe(502);
  });

  test("pre-deploy does not count a group member without volume_id or of another disk", async () => {
    for (const volume_id of [undefined, null, "", "00000000-0000-4000-8000-000000000000"]) {
      const { clock, disks, targets, post, rows } = await open();
      await post({ targets });
      clock.advance(10_000);
      rows("snapshots", (row) => (row.volume_id === disks[0] ? { ...row, volume_id } : row));
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${disks[0]} is missing`);
    }
  });

  test("pre-deploy is not ready if the disks of a group's server cannot be read, and is ready once they can", async () => {
    const { cloud, clock, targets, post } = await open();
    await post({ targets });
    clock.advance(10_000);
    const denied = cloud.fault({ operation: "evs.listVolumes" }, { type: "status", status: 403 });
    const refused = await post({ targets, wait_seconds: 10 });
    expect(refused.status).toBe(502);
    expect(errorOf(refused)).toMatchObject({ reason: "AccessDenied" });
    denied.remove();
    expect((await post({ targets })).status).toBe(200);
    expect(cloud.count("evs.createSnapshotGroup")).toBe(1);
  });

  test("pre-deploy is not ready if the list shows no disk of a group's server", async () => {
    const { cloud, clock, server, targets, post, rows } = await open();
    await post({ targets });
    clock.advance(10_000);
    rows("volumes", () => undefined);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(said(pending)).toEqual(["unverified"]);
    expect(pending.answer.snapshots[0]).toMatchObject({
      resource_id: server,
      detail: expect.stringContaining("the list of disks shows none that its server had by then"),
    });
    expect(cloud.count("evs.createSnapshotGroup")).toBe(1);
  });
});

describe.each(KINDS)("%s: several under the same deployment_id", (kind) => {
  const open = async () => {
    const fixture = await createFixture();
    const { id, targets } = fixture.resource(kind);
    await fixture.post({ targets });
    fixture.clock.advance(10_000);
    const made = single(fixture.cloud, kind);
    /** Adds a second snapshot with the same marker. */
    const again = (changes: Json = {}) => {
      const { name: _, ...labels } = { name: 0, metadata: made.metadata, tags: made.tags };
      const seed: Any = {
        kind,
        name: `${made.name}-2`,
        description: made.description,
        ...labels,
        ...(kind === "snapshot-group"
          ? { serverId: id }
          : kind === "cluster-snapshot"
            ? { clusterId: id }
            : { volumeId: id }),
        ...changes,
      };
      return fixture.cloud.addSnapshot(seed).id;
    };
    const status = (of: string, text: string) =>
      fixture.rows(listOf(kind), (row) => (row.id === of ? { ...row, status: text } : row));
    return { ...fixture, id, targets, made: made.id as string, again, status };
  };

  test.each(["deleting", "error_deleting", "DELETING", "deleted", "delete_failed"])(
    "pre-deploy creates another snapshot if the old one of the same deployment_id is %s",
    async (text) => {
      const { cloud, clock, targets, made, status, post } = await open();
      clock.advance(400 * DAY_MS);
      status(made, text);
      expect(said(await post({ targets }))).toEqual(["accepted"]);
      clock.advance(10_000);
      const ready = await post({ targets });
      expect(ready.status).toBe(200);
      expect(ready.answer.snapshots[0].snapshot_id).not.toBe(made);
      expect(cloud.count(/\.create/)).toBe(2);
    },
  );

  test("pre-deploy is ready with the younger of two duplicates if the older one stays creating", async () => {
    const { cloud, clock, targets, made, again, status, post } = await open();
    clock.advance(1_000);
    const younger = again();
    status(made, "creating");
    for (const wait_seconds of [0, 10]) {
      const ready = await post({ targets, wait_seconds });
      expect(ready.status).toBe(200);
      expect(ready.answer.snapshots).toMatchObject([{ outcome: "available", snapshot_id: younger }]);
    }
    expect(cloud.count(/\.create/)).toBe(1);
  });

  test("pre-deploy is ready with the available one of two duplicates if the other one failed", async () => {
    const { clock, targets, made, again, status, post } = await open();
    clock.advance(1_000);
    const younger = again();
    for (const [bad, good] of [
      [made, younger],
      [younger, made],
    ] as const) {
      status(bad, "error");
      const ready = await post({ targets });
      expect(ready.status).toBe(200);
      expect(ready.answer.snapshots).toMatchObject([{ outcome: "available", snapshot_id: good }]);
    }
  });

  test("pre-deploy is ready with the other duplicate if the one that it waits for fails or takes longer", async () => {
    for (const [first, second] of [
      ["error", "available"],
      ["creating", "available"],
    ] as const) {
      const { clock, targets, made, again, rows, post } = await open();
      const other = again();
      const began = clock.now();
      rows(listOf(kind), (row) => {
        const later = clock.now() - began >= 3_000;
        if (row.id === made) return { ...row, status: later ? first : "creating" };
        return row.id === other ? { ...row, status: later ? second : "creating" } : row;
      });
      const ready = await post({ targets, wait_seconds: 20 });
      expect(ready.status).toBe(200);
      expect(ready.answer.snapshots).toMatchObject([{ outcome: "available", snapshot_id: other }]);
    }
  });

  test("pre-deploy reports a Conflict if the older of two snapshots was created by a different request", async () => {
    const { cloud, targets, made, again, status, post } = await open();
    again();
    status(made, "creating");
    const changed = [{ ...targets[0], description: "another" }];
    const conflict = await post({ targets: changed });
    expect(conflict.status).toBe(502);
    expect(errorsOf(conflict)).toMatchObject([{ reason: "Conflict" }]);
    expect(cloud.count(/\.create/)).toBe(1);
  });
});

describe.each(KINDS)("%s: the status", (kind) => {
  const withStatus = async (text: unknown) => {
    const fixture = await createFixture();
    const { targets } = fixture.resource(kind);
    await fixture.post({ targets });
    fixture.clock.advance(10_000);
    const { id } = single(fixture.cloud, kind);
    fixture.rows(listOf(kind), (row) => (row.id === id ? { ...row, status: text } : row));
    return { ...fixture, targets, id };
  };

  test.each(["failed", "error_creating", "ERROR", "CREATE_FAILED", "Creation failed", "error_restoring"])(
    "pre-deploy fails if the status of a snapshot is %s, until retry_failed creates another one",
    async (text) => {
      const { targets, id, post } = await withStatus(text);
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(failed.answer.snapshots).toMatchObject([
        { outcome: "failed", snapshot_id: id, error: { reason: "SnapshotFailed" } },
      ]);
      expect(said(await post({ targets, retry_failed: true }))).toEqual(["accepted"]);
    },
  );

  test.each(["constructor", "__proto__", "toString", "valueOf", "quantum", "ready", " available"])(
    "pre-deploy stays pending if the status of a snapshot is %s, and its run record is a warning",
    async (text) => {
      const { cloud, targets, id, post } = await withStatus(text);
      const pending = await post({ targets, wait_seconds: 5, retry_failed: true });
      expect(pending.status).toBe(202);
      expect(pending.answer.snapshots).toMatchObject([{ outcome: "unverified", snapshot_id: id }]);
      expect(pending.records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
      expect(cloud.count(/\.create/)).toBe(1);
    },
  );

  test.each([undefined, null, "", 7, {}, ["available"]])(
    "pre-deploy is not ready if the status of a snapshot is %j",
    async (text) => {
      const { cloud, targets, post } = await withStatus(text);
      const refused = await post({ targets, wait_seconds: 5 });
      expect(refused.status).toBe(502);
      expect(errorOf(refused)).toMatchObject({ reason: "BadResponse" });
      expect(cloud.count(/\.create/)).toBe(1);
    },
  );
});

describe.each(KINDS)("%s: the id", (kind) => {
  test.each<[what: string, id: unknown]>([
    ["empty", ""],
    ["a space", " "],
    ["500 line separators", "\u2028".repeat(500)],
    ["a path", "../snapshots"],
    ["of 65 characters", "x".repeat(65)],
    ["a number", 7],
    ["null", null],
    ["an array", ["a"]],
  ])("pre-deploy is not ready if the id of an available snapshot is %s", async (_what, id) => {
    const { cloud, clock, rows, post, resource } = await createFixture();
    const { targets } = resource(kind);
    await post({ targets });
    clock.advance(10_000);
    rows(listOf(kind), (row) => ({ ...row, id }));
    const refused = await post({ targets, wait_seconds: 5 });
    expect(refused.status).toBe(502);
    expect(errorOf(refused)).toMatchObject({ reason: "BadResponse" });
    expect(cloud.count(/\.create/)).toBe(1);
  });
});

describe("a list that does not say what its snapshots are of", () => {
  test.each<[kind: Kind, field: string]>([
    ["snapshot", "volume_id"],
    ["standard-snapshot", "volume_id"],
    ["snapshot-group", "server_id"],
    ["cluster-snapshot", "cluster_id"],
  ])("pre-deploy counts a %s without %s for the target of its own request only", async (kind, field) => {
    const { cloud, clock, rows, post, resource } = await createFixture();
    const [one, other] = [resource(kind), resource(kind)];
    await post({ targets: one.targets });
    clock.advance(10_000);
    rows(listOf(kind), (row) => (row.snapshot_group_id ? row : without(field)(row)));
    const both = [...one.targets, ...other.targets];
    const second = await post({ targets: both });
    expect(said(second)).toEqual(["available", "accepted"]);
    clock.advance(10_000);
    expect((await post({ targets: both })).status).toBe(200);
    expect(cloud.count(/\.create/)).toBe(2);
  });
});

describe("the message of a refusal", () => {
  const FAULTS: [reason: string, status: number, code: string, said: string][] = [
    ["QuotaExceeded", 413, "EVS.5413", "Insufficient snapshot quota."],
    ["AccessDenied", 403, "EVS.5403", "Policy doesn't allow this."],
    ["Throttled", 429, "APIGW.0308", "The throttling threshold has been reached"],
    ["NotFound", 404, "EVS.5404", "Volume could not be found."],
  ];

  test.each(FAULTS)(
    "pre-deploy gives the same message for %s in its answer and its record, with advice that its caller can follow",
    async (...fault) => {
      const [reason, status, code, message] = fault;
      const body = JSON.stringify({ error: { code, message } });
      for (const operation of ["evs.createSnapshot", "evs.listSnapshots"]) {
        const { cloud, post, resource } = await createFixture();
        cloud.fault({ operation }, { type: "answer", status, body });
        const refused = await post({ targets: resource("snapshot").targets });
        const error = operation === "evs.createSnapshot" ? errorsOf(refused)[0] : errorOf(refused);
        expect(error).toMatchObject({ reason, code });
        expect(error.message).toContain(
          `: ${status} ${code}: ${message.replace(/\.$/, "")}. ${REASONS[reason as Reason].advice}`,
        );
        expect(error.message).not.toMatch(/make_room|[A-Z]{2,}_[A-Z]{2,}|agency|prune-snapshots/);
        expect(refused.records[0].error.message).toBe(error.message);
      }
    },
  );
});

describe("a snapshot that disappears while pre-deploy waits for another one", () => {
  const open = async () => {
    const fixture = await createFixture();
    const [disk, cluster] = [fixture.resource("snapshot"), fixture.resource("cluster-snapshot")];
    const targets = [...disk.targets, ...cluster.targets];
    await fixture.post({ targets: disk.targets });
    fixture.clock.advance(10_000);
    return { ...fixture, targets, began: fixture.clock.now(), made: single(fixture.cloud, "snapshot").id as string };
  };

  test("pre-deploy is not ready if an available snapshot disappears while it waits, and the next call creates another one", async () => {
    const { cloud, clock, began, targets, made, rows, post } = await open();
    rows("snapshots", (row) => (row.id === made && clock.now() - began > 3_000 ? undefined : row));
    const pending = await post({ targets, wait_seconds: 20 });
    expect(pending.status).toBe(202);
    expect(said(pending)).toEqual(["unverified", "available"]);
    expect(said(await post({ targets }))).toEqual(["accepted", "available"]);
    expect(cloud.count("evs.createSnapshot")).toBe(2);
  });

  test("pre-deploy is not ready if an available snapshot cannot be looked up again after waiting", async () => {
    const { cloud, targets, post } = await open();
    const denied = cloud.fault({ operation: "evs.listSnapshots", nth: 2, times: 99 }, { type: "status", status: 403 });
    expect((await post({ targets, wait_seconds: 20 })).status).toBe(202);
    denied.remove();
    expect((await post({ targets })).status).toBe(200);
  });

  test("pre-deploy is ready if an available snapshot still exists after waiting", async () => {
    const { targets, post } = await open();
    expect((await post({ targets, wait_seconds: 20 })).status).toBe(200);
  });
});
