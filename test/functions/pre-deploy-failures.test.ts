/** Tests `pre-deploy` when snapshots fail, clusters are busy, or EVS and DWS reject requests. */
import { describe, expect, test } from "vitest";
import { MINUTE_MS, UNKNOWN_ID } from "../support/common.ts";
import { createFixture, diskTargets, outcomesOf, snapshotOf } from "../support/deployments.ts";
import { type Any, errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("a snapshot that fails", () => {
  test("pre-deploy responds 502 and names each failed snapshot until a call with retry_failed creates new snapshots", async () => {
    const { cloud, clock, addResources, post } = await createFixture();
    const { targets, ids } = addResources();
    for (const id of ids) cloud.endWith(id, "error");
    const first = await post({ targets });
    expect(first.status).toBe(202);
    clock.advance(10_000);
    for (let calls = 0; calls < 3; calls += 1) {
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(failed.body.status).toBe("failed");
      for (const id of ids) {
        const { snapshot_id, name } = snapshotOf(first, id);
        expect(snapshotOf(failed, id)).toMatchObject({
          outcome: "failed",
          snapshot_id,
          name,
          error: { reason: "SnapshotFailed" },
        });
        expect(snapshotOf(failed, id).error.message).toContain(snapshot_id);
        expect(snapshotOf(failed, id).error.message).toContain('"retry_failed": true');
      }
      expect(outcomes(failed)).toEqual([...ids.map(() => "create failed"), "run failed"]);
    }
    expect(cloud.count(/\.create/)).toBe(4);

    const retried = await post({ targets, retry_failed: true });
    expect(retried.status).toBe(202);
    expect(outcomesOf(retried)).toEqual(ids.map(() => "accepted"));
    for (const id of ids) expect(snapshotOf(retried, id).name).not.toBe(snapshotOf(first, id).name);
    expect(outcomesOf(await post({ targets, retry_failed: true }))).toEqual(ids.map(() => "existing"));
    clock.advance(10_000);
    for (const retry_failed of [false, true]) {
      const ready = await post({ targets, retry_failed });
      expect(ready.status).toBe(200);
      expect(ready.body.snapshots).toEqual(
        retried.body.snapshots.map(({ detail: _, ...one }: Any) => ({ ...one, outcome: "available" })),
      );
    }
    expect(cloud.count(/\.create/)).toBe(8);
  });

  test("pre-deploy responds 502 if one of three snapshots fails, and replaces only the failed snapshot if retry_failed is true", async () => {
    const { cloud, clock, addDisks, post } = await createFixture();
    const [good, bad, slow] = addDisks(3) as [string, string, string];
    cloud.endWith(bad, "error");
    cloud.endWith(slow, "stuck");
    await post(diskTargets(good, bad, slow));
    clock.advance(5_000);
    const failed = await post(diskTargets(good, bad, slow));
    expect(failed.status).toBe(502);
    expect(outcomesOf(failed)).toEqual(["available", "failed", "existing"]);
    const retried = await post({ ...diskTargets(good, bad, slow), retry_failed: true });
    expect(outcomesOf(retried)).toEqual(["available", "accepted", "existing"]);
    expect(cloud.count("evs.createSnapshot")).toBe(4);
  });

  test("pre-deploy always replaces a snapshot that is being deleted, but replaces a failed snapshot only if retry_failed is true", async () => {
    const { cloud, clock, addDisks, post } = await createFixture();
    const [bad, deleting] = addDisks(2) as [string, string];
    cloud.endWith(bad, "error");
    cloud.endWith(deleting, "deleting");
    await post(diskTargets(bad, deleting));
    clock.advance(3_000 * MINUTE_MS);
    expect(outcomesOf(await post({ ...diskTargets(deleting), max_age_minutes: 10_000 }))).toEqual(["accepted"]);
    expect((await post(diskTargets(bad))).status).toBe(502);
    expect(outcomesOf(await post({ ...diskTargets(bad), retry_failed: true }))).toEqual(["accepted"]);
    expect(cloud.count("evs.createSnapshot")).toBe(4);
  });

  test("pre-deploy stops waiting and responds 502 within 6 s if a snapshot fails and wait_seconds is 50", async () => {
    const { cloud, clock, addDisks, post } = await createFixture();
    const [bad] = addDisks(1) as [string];
    cloud.endWith(bad, "error");
    const began = clock.now();
    const failed = await post({ ...diskTargets(bad), wait_seconds: 50 });
    expect(failed.status).toBe(502);
    expect(clock.now() - began).toBeLessThan(6_000);
  });

  test("pre-deploy responds 502 if a member of a snapshot group failed, and creates a new group if retry_failed is true", async () => {
    const { cloud, clock, addResources, post } = await createFixture();
    const { targets, members, ids } = addResources();
    const server = ids[2];
    cloud.endWith(members[1] as string, "error");
    const group = { targets: [targets[2]] };
    await post(group);
    clock.advance(10_000);
    expect(cloud.snapshots("snapshot-group")[0]?.status).toBe("avaialble");
    const failed = await post(group);
    expect(failed.status).toBe(502);
    expect(snapshotOf(failed, server)).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });

    expect(outcomesOf(await post({ ...group, retry_failed: true }))).toEqual(["accepted"]);
    clock.advance(10_000);
    expect((await post(group)).status).toBe(200);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(2);
  });
});

describe("a snapshot with an unknown status", () => {
  test.each(["rollbacking", "backing-up", "quantum"])(
    "pre-deploy responds 202 and creates no more snapshots if its snapshots have the unknown status %j",
    async (status) => {
      const { cloud, clock, addResources, post } = await createFixture();
      const { targets, ids } = addResources();
      for (const id of ids) cloud.endWith(id, status);
      await post({ targets });
      clock.advance(30 * MINUTE_MS);
      const pending = await post({ targets, retry_failed: true });
      expect(pending.status).toBe(202);
      expect(outcomesOf(pending)).toEqual(ids.map(() => "unverified"));
      expect(cloud.count(/\.create/)).toBe(4);
    },
  );
});

describe("a busy cluster", () => {
  test.each(["GROWING", "SNAPSHOTTING", "REBOOTING"])(
    "pre-deploy reports Busy and advises to repeat the call later if a cluster has the task status %j",
    async (taskStatus) => {
      const { cloud, addDisks, post } = await createFixture();
      const cluster = cloud.addCluster({ taskStatus }).id;
      const [disk] = addDisks(1) as [string];
      const targets = [{ kind: "cluster-snapshot", cluster_ids: [cluster] }, ...diskTargets(disk).targets];
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(snapshotOf(failed, cluster)).toMatchObject({
        outcome: "failed",
        error: { reason: "Busy", code: "DWS.7023", status: 403 },
      });
      expect(snapshotOf(failed, cluster).error.message).toContain("Wait, then repeat the request");
      expect(snapshotOf(failed, disk)).toMatchObject({ outcome: "accepted" });

      // The caller follows the advice and repeats the call when the cluster is idle.
      cloud.setCluster(cluster, { taskStatus: undefined });
      const repeated = await post({ targets });
      expect(repeated.status).toBe(202);
      expect(snapshotOf(repeated, cluster)).toMatchObject({ outcome: "accepted" });
    },
  );

  test("pre-deploy with wait_seconds repeats the create request for a busy cluster until the cluster is idle", async () => {
    const { cloud, post } = await createFixture({ random: () => 0.5 });
    const cluster = cloud.addCluster({ taskStatus: "REBOOTING" }).id;
    cloud.fault(
      { operation: "dws.createSnapshot", nth: 2 },
      { type: "mutatePage", mutate: (changed) => changed.setCluster(cluster, { taskStatus: undefined }) },
    );
    const targets = [{ kind: "cluster-snapshot", cluster_ids: [cluster] }];
    expect((await post({ targets, wait_seconds: 50 })).status).toBe(200);
  });
});

describe("failures of EVS", () => {
  test("pre-deploy reports NotFound for a disk that does not exist, and still creates the snapshot of an existing disk", async () => {
    const { cloud, addDisks, post } = await createFixture();
    const [disk] = addDisks(1) as [string];
    const failed = await post(diskTargets(UNKNOWN_ID, disk));
    expect(failed.status).toBe(502);
    expect(snapshotOf(failed, UNKNOWN_ID)).toMatchObject({
      outcome: "failed",
      error: { reason: "NotFound", code: "EVS.5404" },
    });
    expect(snapshotOf(failed, disk)).toMatchObject({ outcome: "accepted" });
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("pre-deploy responds 202 in a throttled account until repeated calls have created all 20 snapshots", async () => {
    const { cloud, clock, addDisks, post } = await createFixture({ rate: { perSecond: 6 } });
    const request = diskTargets(...addDisks(20));
    const counts: number[] = [];
    let last = await post(request);
    while (last.status !== 200) {
      expect(last.status).toBe(202);
      for (const one of last.body.snapshots) {
        if (one.outcome === "deferred") expect(one.error).toMatchObject({ reason: "Throttled", code: "APIGW.0308" });
      }
      counts.push(cloud.snapshots().length);
      expect(counts.length).toBeLessThan(20);
      clock.advance(5_000);
      last = await post(request);
    }
    expect(counts[0]).toBeLessThan(20);
    expect(cloud.snapshots()).toHaveLength(20);
    expect(new Set(cloud.snapshots().map(({ volume_id }) => volume_id)).size).toBe(20);
  });

  test("pre-deploy responds 429 with the header Retry-After if EVS throttles its first list request", async () => {
    const { cloud, addDisks, post } = await createFixture();
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "throttle", retryAfter: 7 });
    const refused = await post(diskTargets(...addDisks(2)));
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ "retry-after": "7" });
    expect(errorOf(refused)).toMatchObject({ reason: "Throttled", code: "APIGW.0308" });
    expect(outcomes(refused)).toEqual(["create failed", "create failed", "run failed"]);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("pre-deploy stops sending create requests and reports AccountSuspended for the remaining disks when EVS reports a suspended account", async () => {
    const { cloud, clock, addDisks, post } = await createFixture({ variables: { MAX_CONCURRENCY: "2" } });
    const [existing, ...others] = addDisks(12) as [string, ...string[]];
    await post(diskTargets(existing));
    clock.advance(5_000);
    const body = JSON.stringify({ error: { code: "EVS.2145", message: "The account is suspended." } });
    cloud.fault({ operation: "evs.createSnapshot", nth: 3, times: 100 }, { type: "answer", status: 403, body });
    const failed = await post(diskTargets(...others, existing));
    expect(failed.status).toBe(502);
    expect(outcomesOf(failed)).toEqual(["accepted", "accepted", ...others.slice(2).map(() => "failed"), "available"]);
    for (const id of others.slice(2)) {
      expect(snapshotOf(failed, id).error).toMatchObject({ reason: "AccountSuspended", code: "EVS.2145" });
    }
    expect(cloud.count("evs.createSnapshot")).toBeLessThanOrEqual(1 + 2 + 2);
  });

  test("pre-deploy defers the targets that it cannot handle before its deadline, and creates their snapshots in the next call", async () => {
    const { cloud, clock, addDisks, post } = await createFixture();
    const request = diskTargets(...addDisks(10));
    const slow = cloud.fault(
      { operation: "evs.createSnapshot" },
      { type: "mutatePage", mutate: () => clock.advance(9_000) },
    );
    const first = await post(request, { variables: { MAX_CONCURRENCY: "1" } });
    expect(first.status).toBe(202);
    expect(new Set(outcomesOf(first))).toEqual(new Set(["accepted", "deferred"]));
    for (const one of first.body.snapshots) {
      if (one.outcome === "deferred") expect(one.detail).toContain("Repeat the call.");
    }
    slow.remove();
    expect((await post({ ...request, wait_seconds: 10 })).status).toBe(200);
    expect(cloud.snapshots()).toHaveLength(10);
  });

  test("pre-deploy responds within 60 s if EVS never responds to create requests, and creates the missing snapshots in the next call", async () => {
    const { cloud, clock, addDisks, post } = await createFixture({ timeoutSeconds: 900 });
    const request = diskTargets(...addDisks(20));
    const hanging = cloud.fault({ operation: "evs.createSnapshot" }, { type: "hang", after: true });
    const began = clock.now();
    const first = await post(request);
    expect(clock.now() - began).toBeLessThan(60_000);
    expect(first.body.snapshots).toHaveLength(20);
    hanging.remove();
    clock.advance(MINUTE_MS);
    expect((await post({ ...request, wait_seconds: 20 })).status).toBe(200);
    expect(cloud.snapshots()).toHaveLength(20);
  });

  test("pre-deploy defers every target if its list requests use up its time, and creates the snapshots in the next call", async () => {
    const { cloud, clock, addDisks, post } = await createFixture();
    const request = diskTargets(...addDisks(3));
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "mutatePage", mutate: () => clock.advance(500) });
    const first = await post(request, { remainingMs: 4_000 });
    expect(first.status).toBe(202);
    expect(outcomesOf(first)).toEqual(["deferred", "deferred", "deferred"]);
    expect(cloud.snapshots()).toEqual([]);
    expect(outcomesOf(await post(request))).toEqual(["accepted", "accepted", "accepted"]);
  });

  test("pre-deploy continues to wait for its snapshots if EVS rejects a list request during the wait", async () => {
    const { cloud, addDisks, post } = await createFixture();
    const request = diskTargets(...addDisks(2));
    cloud.fault({ operation: "evs.listSnapshots", nth: 2, times: 2 }, { type: "status", status: 403 });
    const done = await post({ ...request, wait_seconds: 20 });
    expect(done.status).toBe(200);
    expect(cloud.snapshots()).toHaveLength(2);
  });

  test("pre-deploy responds 202 and writes a warning to stderr if LTS does not accept its records", async () => {
    const { cloud, addDisks, post } = await createFixture();
    cloud.fault({ operation: "lts.reportLogs" }, { type: "status", status: 500 });
    const { status, warnings } = await post(diskTargets(...addDisks(2)));
    expect(status).toBe(202);
    expect(warnings).toHaveLength(1);
  });
});
