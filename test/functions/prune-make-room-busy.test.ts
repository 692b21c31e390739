/** Tests `make_room` when EVS rejects a delete request because the snapshot is busy. */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { DAY_MS, START_MS } from "../support/common.ts";
import { apig, createTestEnvironment, START, type TestEnvironmentOptions, timerEvent } from "../support/environment.ts";
import { addSnapshot, createMarker, idsOf, nightlyPolicy, type SnapshotChanges } from "../support/full-disks.ts";

describe("EVS rejects the first delete request as busy", () => {
  const BUSY = {
    type: "status",
    status: 400,
    body: { error: { code: "EVS.1047", message: "snapshot status must be available or error when delete snapshot!" } },
  } as const;

  /** Creates a test environment. Calls `change` after EVS has rejected the first delete request as busy. */
  async function createBusyEnvironment(options: TestEnvironmentOptions, change: (cloud: EmbeddedCloud) => void) {
    const environment = await createTestEnvironment({
      ...options,
      variables: { MAX_CONCURRENCY: "1", ...options?.variables },
    });
    const { cloud, runtime } = environment;
    cloud.fault({ operation: "evs.deleteSnapshot", nth: 1 }, BUSY);
    const { transport } = runtime;
    let deleteRequests = 0;
    runtime.transport = async (request) => {
      const response = await transport(request);
      if (request.method === "DELETE" && ++deleteRequests === 1) change(cloud);
      return response;
    };
    return environment;
  }

  /** Replaces a snapshot with a changed snapshot that has the same id. */
  function change(cloud: EmbeddedCloud, id: string, changes: SnapshotChanges, days: number) {
    const volumeId = cloud.snapshots("snapshot").find((one) => one.id === id)?.volume_id ?? "";
    cloud.removeSnapshot(id);
    const { hold, policy = "nightly", ...more } = changes;
    const metadata = { ...createMarker(policy), ...(hold === undefined ? {} : { hold }) };
    cloud.addSnapshot({ kind: "snapshot", id, volumeId, createdAt: START_MS - days * DAY_MS, metadata, ...more });
  }

  /** Adds five snapshots of another policy and two of the given policy to a disk, and returns the ids of those two. */
  function addSeven(cloud: EmbeddedCloud, volumeId: string, policy: string): [second: string, newest: string] {
    for (const days of [7, 6, 5, 4, 3]) addSnapshot(cloud, volumeId, days, { policy: "weekly" });
    return [addSnapshot(cloud, volumeId, 2, { policy }), addSnapshot(cloud, volumeId, 1, { policy })];
  }

  test("scheduled-snapshots with make_room keeps the second newest snapshot if the newest snapshot gets the status error before a rejected delete request is repeated", async () => {
    let newest = "";
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 900 }, (its) =>
      change(its, newest, { status: "error" }, 1),
    );
    const disk = cloud.addVolume();
    const [second, last] = addSeven(cloud, disk.id, "nightly");
    newest = last;
    const policy = nightlyPolicy(disk.id, { retention: { keep_last: 1 } });
    const { records } = await invoke(scheduledSnapshots, timerEvent(policy, START));
    expect(records.find(({ snapshot_id }) => snapshot_id === second)).toMatchObject({
      action: "prune",
      outcome: "kept",
      rule: "keep_last",
      detail: expect.stringMatching(/^The plan changed/),
    });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
    expect(records.at(-2)).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
  });

  test.each([
    ['gets the label "hold"', { hold: "yes" }],
    ["moves to another policy", { policy: "weekly" }],
    ["loses the labels that identify it as created by this project", { metadata: {} }],
    ["gets the status rollbacking", { status: "rollbacking" }],
  ])(
    "scheduled-snapshots with make_room deletes no snapshot that %s before a rejected delete request is repeated",
    async (_what, changes) => {
      let old: string[] = [];
      const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 900 }, (its) => {
        for (const [index, days] of [7, 6, 5, 4].entries()) change(its, old[index] ?? "", changes, days);
      });
      const disk = cloud.addVolume();
      old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
      const { records } = await invoke(scheduledSnapshots, timerEvent(nightlyPolicy(disk.id), START));
      expect(idsOf(cloud, disk.id).sort()).toEqual([...old].sort());
      expect(cloud.count("evs.deleteSnapshot")).toBe(1);
      const pruned = records.filter(({ action }) => action === "prune");
      expect(pruned.map(({ snapshot_id }) => snapshot_id)).toEqual([old[0]]);
      for (const { outcome } of pruned) expect(["held", "kept"]).toContain(outcome);
      expect(records.at(-2)).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
    },
  );

  test("disk-attached and pre-deploy keep the second newest snapshot if the newest snapshot gets the status error before a rejected delete request is repeated", async () => {
    let kept = "";
    const variables = { DISK_ATTACHED_RETENTION: '{"keep_last":1}' };
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 300, variables }, (its) =>
      change(its, kept, { status: "error", policy: "disk-attached" }, 1),
    );
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id, attachedAt: START_MS });
    const [second, newest] = addSeven(cloud, disk.id, "disk-attached");
    kept = newest;
    const { records } = await invoke(diskAttached, createRequestTrace(server.id, disk.id));
    expect(records.find(({ snapshot_id }) => snapshot_id === second)).toMatchObject({
      outcome: "kept",
      rule: "keep_last",
    });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);

    let its: string[] = [];
    const gate = await createBusyEnvironment({ timeoutSeconds: 60 }, (changed) =>
      change(changed, its[1] ?? "", { status: "error", policy: "pre-deploy" }, 1),
    );
    const otherDisk = gate.cloud.addVolume();
    its = addSeven(gate.cloud, otherDisk.id, "pre-deploy");
    const body = {
      deployment_id: "release-42",
      targets: [{ kind: "snapshot", volume_ids: [otherDisk.id] }],
      make_room: true,
      retention: { keep_last: 1 },
      wait_seconds: 50,
    };
    const response = await gate.invoke(preDeploy, apig(body));
    expect(JSON.parse(response.result.body).status).toBe("failed");
    expect(idsOf(gate.cloud, otherDisk.id)).toHaveLength(7);
  });
});
