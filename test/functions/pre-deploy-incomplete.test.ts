/** Tests `pre-deploy` when a list response has duplicate snapshots, snapshots with an unusual status or id, or missing fields. */

import { describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import { DAY_MS, KINDS } from "../support/common.ts";
import {
  createFixture,
  errorsOf,
  firstSnapshot,
  listFieldOf,
  outcomesOf,
  removeFields,
} from "../support/deployments.ts";
import { type Any, errorOf } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import type { Kind } from "../support/kinds.ts";

useFixedDate();

/** Creates a test environment in which an earlier request created one snapshot of this kind, which is now available. */
async function createFinishedSnapshot(kind: Kind) {
  const fixture = await createFixture();
  const resource = fixture.addResource(kind);
  await fixture.post({ targets: resource.targets });
  fixture.clock.advance(10_000);
  const snapshot = firstSnapshot(fixture.cloud, kind);
  const setStatus = (snapshotId: string, status: unknown) =>
    fixture.changeRows(listFieldOf(kind), (row) => (row.id === snapshotId ? { ...row, status } : row));
  return { ...fixture, resource, targets: resource.targets, snapshot, firstId: snapshot.id as string, setStatus };
}

describe.each(KINDS)("duplicate snapshots of the kind %s", (kind) => {
  const createFixtureWithDuplicate = async () => {
    const fixture = await createFinishedSnapshot(kind);
    const { id } = fixture.resource;
    const { name, description, metadata, tags } = fixture.snapshot;
    const resource =
      kind === "snapshot-group" ? { serverId: id } : kind === "cluster-snapshot" ? { clusterId: id } : { volumeId: id };
    const seed: Any = { kind, name: `${name}-2`, description, metadata, tags, ...resource };
    fixture.clock.advance(1_000);
    return { ...fixture, secondId: fixture.cloud.addSnapshot(seed).id };
  };

  test.each(["deleting", "error_deleting", "DELETING", "deleted", "delete_failed"])(
    `pre-deploy creates another ${kind} if the existing ${kind} for the deployment_id has the status %j`,
    async (text) => {
      const { cloud, clock, targets, firstId, setStatus, post } = await createFinishedSnapshot(kind);
      clock.advance(400 * DAY_MS);
      setStatus(firstId, text);
      expect(outcomesOf(await post({ targets }))).toEqual(["accepted"]);
      clock.advance(10_000);
      const ready = await post({ targets });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots[0].snapshot_id).not.toBe(firstId);
      expect(cloud.count(/\.create/)).toBe(2);
    },
  );

  test(`pre-deploy responds 200 with the younger of two duplicate ${kind}s if the older ${kind} remains in the status "creating"`, async () => {
    const { cloud, targets, firstId, secondId, setStatus, post } = await createFixtureWithDuplicate();
    setStatus(firstId, "creating");
    for (const wait_seconds of [0, 10]) {
      const ready = await post({ targets, wait_seconds });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots).toMatchObject([{ outcome: "available", snapshot_id: secondId }]);
    }
    expect(cloud.count(/\.create/)).toBe(1);
  });

  test(`pre-deploy responds 200 with the available one of two duplicate ${kind}s if the other ${kind} failed`, async () => {
    const { targets, firstId, secondId, setStatus, post } = await createFixtureWithDuplicate();
    for (const [bad, good] of [
      [firstId, secondId],
      [secondId, firstId],
    ] as const) {
      setStatus(bad, "error");
      const ready = await post({ targets });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots).toMatchObject([{ outcome: "available", snapshot_id: good }]);
    }
  });

  test(`pre-deploy responds 200 with the younger of two duplicate ${kind}s if the older ${kind} fails or remains in the status "creating" while pre-deploy waits`, async () => {
    for (const firstStatus of ["error", "creating"]) {
      const { clock, targets, firstId, secondId, changeRows, post } = await createFixtureWithDuplicate();
      const began = clock.now();
      changeRows(listFieldOf(kind), (row) => {
        const isLater = clock.now() - began >= 3_000;
        if (row.id === firstId) return { ...row, status: isLater ? firstStatus : "creating" };
        return row.id === secondId ? { ...row, status: isLater ? "available" : "creating" } : row;
      });
      const ready = await post({ targets, wait_seconds: 20 });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots).toMatchObject([{ outcome: "available", snapshot_id: secondId }]);
    }
  });

  test(`pre-deploy reports Conflict if the older of two duplicate ${kind}s is being created and the request contains a different description`, async () => {
    const { cloud, targets, firstId, setStatus, post } = await createFixtureWithDuplicate();
    setStatus(firstId, "creating");
    const changed = [{ ...targets[0], description: "another" }];
    const conflict = await post({ targets: changed });
    expect(conflict.status).toBe(502);
    expect(errorsOf(conflict)).toMatchObject([{ reason: "Conflict" }]);
    expect(cloud.count(/\.create/)).toBe(1);
  });
});

describe.each(KINDS)("the status of a %s", (kind) => {
  const createSnapshotWithStatus = async (status: unknown) => {
    const fixture = await createFinishedSnapshot(kind);
    fixture.setStatus(fixture.firstId, status);
    return fixture;
  };

  test.each(["failed", "error_creating", "ERROR", "CREATE_FAILED", "Creation failed", "error_restoring"])(
    `pre-deploy responds 502 if a ${kind} has the status %j, and creates another ${kind} if retry_failed is true`,
    async (text) => {
      const { targets, firstId, post } = await createSnapshotWithStatus(text);
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(failed.body.snapshots).toMatchObject([
        { outcome: "failed", snapshot_id: firstId, error: { reason: "SnapshotFailed" } },
      ]);
      expect(outcomesOf(await post({ targets, retry_failed: true }))).toEqual(["accepted"]);
    },
  );

  test.each(["constructor", "__proto__", "toString", "valueOf", "quantum", "ready", " available"])(
    `pre-deploy responds 202 and writes a warning to its run record if a ${kind} has the unknown status %j`,
    async (text) => {
      const { cloud, targets, firstId, post } = await createSnapshotWithStatus(text);
      const pending = await post({ targets, wait_seconds: 5, retry_failed: true });
      expect(pending.status).toBe(202);
      expect(pending.body.snapshots).toMatchObject([{ outcome: "unverified", snapshot_id: firstId }]);
      expect(pending.records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
      expect(cloud.count(/\.create/)).toBe(1);
    },
  );

  test.each([[undefined], [null], [""], [7], [{}], [["available"]]])(
    `pre-deploy responds 502 with the reason BadResponse if the status of a ${kind} in a list response is %j`,
    async (text) => {
      const { cloud, targets, post } = await createSnapshotWithStatus(text);
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
  ])(
    `pre-deploy responds 502 with the reason BadResponse if the id of a ${kind} in a list response is %s`,
    async (_what, id) => {
      const { cloud, targets, changeRows, post } = await createFinishedSnapshot(kind);
      changeRows(listFieldOf(kind), (row) => ({ ...row, id }));
      const refused = await post({ targets, wait_seconds: 5 });
      expect(refused.status).toBe(502);
      expect(errorOf(refused)).toMatchObject({ reason: "BadResponse" });
      expect(cloud.count(/\.create/)).toBe(1);
    },
  );
});

describe("a list response without the resource ids of its snapshots", () => {
  test.each<[kind: Kind, field: string]>([
    ["snapshot", "volume_id"],
    ["standard-snapshot", "volume_id"],
    ["snapshot-group", "server_id"],
    ["cluster-snapshot", "cluster_id"],
  ])(
    'pre-deploy finds the %s from an earlier request although the list response omits the field "%s"',
    async (kind, field) => {
      const { cloud, clock, changeRows, post, addResource } = await createFixture();
      const [one, other] = [addResource(kind), addResource(kind)];
      await post({ targets: one.targets });
      clock.advance(10_000);
      changeRows(listFieldOf(kind), (row) => (row.snapshot_group_id ? row : removeFields(field)(row)));
      const both = [...one.targets, ...other.targets];
      const second = await post({ targets: both });
      expect(outcomesOf(second)).toEqual(["available", "accepted"]);
      clock.advance(10_000);
      expect((await post({ targets: both })).status).toBe(200);
      expect(cloud.count(/\.create/)).toBe(2);
    },
  );
});

describe("the message of an error", () => {
  const FAULTS: [reason: string, status: number, code: string, said: string][] = [
    ["QuotaExceeded", 413, "EVS.5413", "Insufficient snapshot quota."],
    ["AccessDenied", 403, "EVS.5403", "Policy doesn't allow this."],
    ["Throttled", 429, "APIGW.0308", "The throttling threshold has been reached"],
    ["NotFound", 404, "EVS.5404", "Volume could not be found."],
  ];

  test.each(FAULTS)(
    "pre-deploy reports %s with the same message in its response and in its record, and the message contains only advice for an HTTP caller",
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
  const createDiskAndCluster = async () => {
    const fixture = await createFixture();
    const [disk, cluster] = [fixture.addResource("snapshot"), fixture.addResource("cluster-snapshot")];
    const targets = [...disk.targets, ...cluster.targets];
    await fixture.post({ targets: disk.targets });
    fixture.clock.advance(10_000);
    return {
      ...fixture,
      targets,
      beganAt: fixture.clock.now(),
      snapshotId: firstSnapshot(fixture.cloud, "snapshot").id as string,
    };
  };

  test("pre-deploy responds 202 if a snapshot disappears while pre-deploy waits for a second snapshot, and replaces the missing snapshot in the next call", async () => {
    const { cloud, clock, beganAt, targets, snapshotId, changeRows, post } = await createDiskAndCluster();
    changeRows("snapshots", (row) => (row.id === snapshotId && clock.now() - beganAt > 3_000 ? undefined : row));
    const pending = await post({ targets, wait_seconds: 20 });
    expect(pending.status).toBe(202);
    expect(outcomesOf(pending)).toEqual(["unverified", "available"]);
    expect(outcomesOf(await post({ targets }))).toEqual(["accepted", "available"]);
    expect(cloud.count("evs.createSnapshot")).toBe(2);
  });

  test("pre-deploy responds 202 if EVS rejects the final list request, which checks that the snapshots still exist", async () => {
    const { cloud, targets, post } = await createDiskAndCluster();
    const denied = cloud.fault({ operation: "evs.listSnapshots", nth: 4, times: 99 }, { type: "status", status: 403 });
    expect((await post({ targets, wait_seconds: 20 })).status).toBe(202);
    denied.remove();
    expect((await post({ targets })).status).toBe(200);
  });

  test("pre-deploy responds 200 if all snapshots still exist when pre-deploy stops waiting", async () => {
    const { targets, post } = await createDiskAndCluster();
    expect((await post({ targets, wait_seconds: 20 })).status).toBe(200);
  });
});
