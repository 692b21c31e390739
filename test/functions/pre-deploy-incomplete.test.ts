/** Tests `pre-deploy` when a list response has duplicate snapshots, unusual statuses or ids, or missing fields. */
import { describe, expect, test } from "vitest";
import type { Kind } from "../../infra/local/cloud/index.ts";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import { DAY_MS, KINDS } from "../support/common.ts";
import { createFixture, errorsOf, firstSnapshot, listOf, outcomesOf, without } from "../support/deployments.ts";
import { type Any, errorOf, type Json } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe.each(KINDS)("duplicates of a %s", (kind) => {
  const open = async () => {
    const fixture = await createFixture();
    const { id, targets } = fixture.addResource(kind);
    await fixture.post({ targets });
    fixture.clock.advance(10_000);
    const made = firstSnapshot(fixture.cloud, kind);
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
      fixture.changeRows(listOf(kind), (row) => (row.id === of ? { ...row, status: text } : row));
    return { ...fixture, id, targets, made: made.id as string, again, status };
  };

  test.each(["deleting", "error_deleting", "DELETING", "deleted", "delete_failed"])(
    `pre-deploy creates another ${kind} if the old one of the same deployment_id has the status %s`,
    async (text) => {
      const { cloud, clock, targets, made, status, post } = await open();
      clock.advance(400 * DAY_MS);
      status(made, text);
      expect(outcomesOf(await post({ targets }))).toEqual(["accepted"]);
      clock.advance(10_000);
      const ready = await post({ targets });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots[0].snapshot_id).not.toBe(made);
      expect(cloud.count(/\.create/)).toBe(2);
    },
  );

  test(`pre-deploy is ready with the younger of two duplicates of a ${kind} if the older one stays creating`, async () => {
    const { cloud, clock, targets, made, again, status, post } = await open();
    clock.advance(1_000);
    const younger = again();
    status(made, "creating");
    for (const wait_seconds of [0, 10]) {
      const ready = await post({ targets, wait_seconds });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots).toMatchObject([{ outcome: "available", snapshot_id: younger }]);
    }
    expect(cloud.count(/\.create/)).toBe(1);
  });

  test(`pre-deploy is ready with the available one of two duplicates of a ${kind} if the other one failed`, async () => {
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
      expect(ready.body.snapshots).toMatchObject([{ outcome: "available", snapshot_id: good }]);
    }
  });

  test(`pre-deploy is ready with the other duplicate of a ${kind} if the first one fails or takes longer`, async () => {
    for (const [first, second] of [
      ["error", "available"],
      ["creating", "available"],
    ] as const) {
      const { clock, targets, made, again, changeRows, post } = await open();
      const other = again();
      const began = clock.now();
      changeRows(listOf(kind), (row) => {
        const later = clock.now() - began >= 3_000;
        if (row.id === made) return { ...row, status: later ? first : "creating" };
        return row.id === other ? { ...row, status: later ? second : "creating" } : row;
      });
      const ready = await post({ targets, wait_seconds: 20 });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots).toMatchObject([{ outcome: "available", snapshot_id: other }]);
    }
  });

  test(`pre-deploy reports a Conflict if the older of two ${kind}s was created by a different request`, async () => {
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

describe.each(KINDS)("the status of a %s", (kind) => {
  const withStatus = async (text: unknown) => {
    const fixture = await createFixture();
    const { targets } = fixture.addResource(kind);
    await fixture.post({ targets });
    fixture.clock.advance(10_000);
    const { id } = firstSnapshot(fixture.cloud, kind);
    fixture.changeRows(listOf(kind), (row) => (row.id === id ? { ...row, status: text } : row));
    return { ...fixture, targets, id };
  };

  test.each(["failed", "error_creating", "ERROR", "CREATE_FAILED", "Creation failed", "error_restoring"])(
    `pre-deploy fails if the status of a ${kind} is %j, until retry_failed creates another one`,
    async (text) => {
      const { targets, id, post } = await withStatus(text);
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(failed.body.snapshots).toMatchObject([
        { outcome: "failed", snapshot_id: id, error: { reason: "SnapshotFailed" } },
      ]);
      expect(outcomesOf(await post({ targets, retry_failed: true }))).toEqual(["accepted"]);
    },
  );

  test.each(["constructor", "__proto__", "toString", "valueOf", "quantum", "ready", " available"])(
    `pre-deploy stays pending with a warning in the record of its run if the status of a ${kind} is %j`,
    async (text) => {
      const { cloud, targets, id, post } = await withStatus(text);
      const pending = await post({ targets, wait_seconds: 5, retry_failed: true });
      expect(pending.status).toBe(202);
      expect(pending.body.snapshots).toMatchObject([{ outcome: "unverified", snapshot_id: id }]);
      expect(pending.records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
      expect(cloud.count(/\.create/)).toBe(1);
    },
  );

  test.each([[undefined], [null], [""], [7], [{}], [["available"]]])(
    `pre-deploy is not ready if the status of a ${kind} is %j`,
    async (text) => {
      const { cloud, targets, post } = await withStatus(text);
      const refused = await post({ targets, wait_seconds: 5 });
      expect(refused.status).toBe(502);
      expect(errorOf(refused)).toMatchObject({ reason: "BadResponse" });
      expect(cloud.count(/\.create/)).toBe(1);
    },
  );
});

describe.each(KINDS)("the id of a %s", (kind) => {
  test.each<[what: string, id: unknown]>([
    ["an empty string", ""],
    ["a space", " "],
    ["500 line separators", "\u2028".repeat(500)],
    ["a path", "../snapshots"],
    ["a string of 65 characters", "x".repeat(65)],
    ["a number", 7],
    ["null", null],
    ["an array", ["a"]],
  ])(`pre-deploy is not ready if the id of an available ${kind} is %s`, async (_what, id) => {
    const { cloud, clock, changeRows, post, addResource } = await createFixture();
    const { targets } = addResource(kind);
    await post({ targets });
    clock.advance(10_000);
    changeRows(listOf(kind), (row) => ({ ...row, id }));
    const refused = await post({ targets, wait_seconds: 5 });
    expect(refused.status).toBe(502);
    expect(errorOf(refused)).toMatchObject({ reason: "BadResponse" });
    expect(cloud.count(/\.create/)).toBe(1);
  });
});

describe("a list without the resources of its snapshots", () => {
  test.each<[kind: Kind, field: string]>([
    ["snapshot", "volume_id"],
    ["standard-snapshot", "volume_id"],
    ["snapshot-group", "server_id"],
    ["cluster-snapshot", "cluster_id"],
  ])("pre-deploy accepts a %s without %s only for the target of the same request", async (kind, field) => {
    const { cloud, clock, changeRows, post, addResource } = await createFixture();
    const [one, other] = [addResource(kind), addResource(kind)];
    await post({ targets: one.targets });
    clock.advance(10_000);
    changeRows(listOf(kind), (row) => (row.snapshot_group_id ? row : without(field)(row)));
    const both = [...one.targets, ...other.targets];
    const second = await post({ targets: both });
    expect(outcomesOf(second)).toEqual(["available", "accepted"]);
    clock.advance(10_000);
    expect((await post({ targets: both })).status).toBe(200);
    expect(cloud.count(/\.create/)).toBe(2);
  });
});

describe("the message of an error", () => {
  const FAULTS: [reason: string, status: number, code: string, said: string][] = [
    ["QuotaExceeded", 413, "EVS.5413", "Insufficient snapshot quota."],
    ["AccessDenied", 403, "EVS.5403", "Policy doesn't allow this."],
    ["Throttled", 429, "APIGW.0308", "The throttling threshold has been reached"],
    ["NotFound", 404, "EVS.5404", "Volume could not be found."],
  ];

  test.each(FAULTS)(
    "pre-deploy reports %s with the same message in its response and its record, with advice that its caller can follow",
    async (...fault) => {
      const [reason, status, code, message] = fault;
      const body = JSON.stringify({ error: { code, message } });
      for (const operation of ["evs.createSnapshot", "evs.listSnapshots"]) {
        const { cloud, post, addResource } = await createFixture();
        cloud.fault({ operation }, { type: "answer", status, body });
        const refused = await post({ targets: addResource("snapshot").targets });
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
    const [disk, cluster] = [fixture.addResource("snapshot"), fixture.addResource("cluster-snapshot")];
    const targets = [...disk.targets, ...cluster.targets];
    await fixture.post({ targets: disk.targets });
    fixture.clock.advance(10_000);
    return {
      ...fixture,
      targets,
      began: fixture.clock.now(),
      made: firstSnapshot(fixture.cloud, "snapshot").id as string,
    };
  };

  test("pre-deploy is not ready if an available snapshot disappears while it waits, and the next call creates another one", async () => {
    const { cloud, clock, began, targets, made, changeRows, post } = await open();
    changeRows("snapshots", (row) => (row.id === made && clock.now() - began > 3_000 ? undefined : row));
    const pending = await post({ targets, wait_seconds: 20 });
    expect(pending.status).toBe(202);
    expect(outcomesOf(pending)).toEqual(["unverified", "available"]);
    expect(outcomesOf(await post({ targets }))).toEqual(["accepted", "available"]);
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
