/** Tests `make_room` when EVS rejects a delete request because the snapshot is busy. */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { DAY_MS, START_MS } from "../support/common.ts";
import { apig, createTestEnvironment, START, type TestEnvironmentOptions, timerEvent } from "../support/environment.ts";
import { addSnapshot, type Changes, idsOf, marker, nightly } from "../support/full-disks.ts";

describe("a busy snapshot whose deletion would make room", () => {
  const BUSY = {
    type: "status",
    status: 400,
    body: { error: { code: "EVS.1047", message: "snapshot status must be available or error when delete snapshot!" } },
  } as const;

  /** Creates a test environment that runs `change` after the cloud has refused the first deletion. */
  async function createBusyEnvironment(options: TestEnvironmentOptions, change: (cloud: EmbeddedCloud) => void) {
    const environment = await createTestEnvironment({
      ...options,
      variables: { MAX_CONCURRENCY: "1", ...options?.variables },
    });
    const { cloud, runtime } = environment;
    cloud.fault({ operation: "evs.deleteSnapshot", nth: 1 }, BUSY);
    const { transport } = runtime;
    let deletions = 0;
    runtime.transport = async (request) => {
      const answer = await transport(request);
      if (request.method === "DELETE" && ++deletions === 1) change(cloud);
      return answer;
    };
    return environment;
  }

  /** Changes a snapshot. */
  function change(cloud: EmbeddedCloud, id: string, changes: Changes, days: number) {
    const volumeId = cloud.snapshots("snapshot").find((one) => one.id === id)?.volume_id ?? "";
    cloud.removeSnapshot(id);
    const { hold, policy = "nightly", ...more } = changes;
    const metadata = { ...marker(policy), ...(hold === undefined ? {} : { hold }) };
    cloud.addSnapshot({ kind: "snapshot", id, volumeId, createdAt: START_MS - days * DAY_MS, metadata, ...more });
  }

  test("scheduled-snapshots with make_room keeps the last good snapshot of a disk if the snapshot that its plan kept fails", async () => {
    let old: string[] = [];
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 900 }, (its) =>
      change(its, old[6] ?? "", { status: "error" }, 1),
    );
    const disk = cloud.addVolume();
    old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    const { error, records } = await invoke(
      scheduledSnapshots,
      timerEvent(nightly(disk.id, { retention: { keep_last: 1 } }), START),
    );
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === old[5])).toMatchObject({
      action: "prune",
      outcome: "kept",
      rule: "keep_last",
      detail: expect.stringMatching(/^The plan changed/),
    });
    expect(idsOf(cloud, disk.id)).toEqual(expect.arrayContaining([old[6], old[5]]));
    expect(idsOf(cloud, disk.id)).toHaveLength(3);
    expect(records.at(-2)).toMatchObject({ action: "create", outcome: "accepted" });
  });

  test.each([
    ["held", { hold: "yes" }],
    ["owned by another policy", { policy: "weekly" }],
    ["no longer marked", { metadata: {} }],
    ["being rolled back", { status: "rollbacking" }],
  ])("scheduled-snapshots deletes no snapshot that is %s in the next list", async (_what, changes) => {
    let old: string[] = [];
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 900 }, (its) => {
      for (const [index, days] of [7, 6, 5, 4].entries()) change(its, old[index] ?? "", changes, days);
    });
    const disk = cloud.addVolume();
    old = Array.from({ length: 7 }, (_, index) => addSnapshot(cloud, disk.id, 7 - index));
    const { records } = await invoke(scheduledSnapshots, timerEvent(nightly(disk.id), START));
    expect(idsOf(cloud, disk.id).sort()).toEqual([...old].sort());
    expect(cloud.count("evs.deleteSnapshot")).toBe(1);
    const pruned = records.filter(({ action }) => action === "prune");
    expect(pruned.map(({ snapshot_id }) => snapshot_id).sort()).toEqual(old.slice(0, 4).sort());
    for (const { outcome } of pruned) expect(["held", "kept"]).toContain(outcome);
    expect(records.at(-2)).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
  });

  test("pre-deploy and disk-attached make a new plan from a new list of the disk after a busy deletion", async () => {
    let kept = "";
    const variables = { DISK_ATTACHED_RETENTION: '{"keep_last":1}' };
    const { cloud, invoke } = await createBusyEnvironment({ timeoutSeconds: 300, variables }, (its) =>
      change(its, kept, { status: "error", policy: "disk-attached" }, 1),
    );
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id, attachedAt: START_MS });
    const old = [7, 6, 5, 4, 3, 2, 1].map((days) => addSnapshot(cloud, disk.id, days, { policy: "disk-attached" }));
    kept = old[6] ?? "";
    const { error, records } = await invoke(diskAttached, createRequestTrace(server.id, disk.id));
    expect(error).toBeUndefined();
    expect(records.find(({ snapshot_id }) => snapshot_id === old[5])).toMatchObject({
      outcome: "kept",
      rule: "keep_last",
    });
    expect(idsOf(cloud, disk.id)).toEqual(expect.arrayContaining([old[6], old[5]]));

    let newest = "";
    const gate = await createBusyEnvironment({ timeoutSeconds: 60 }, (its) =>
      change(its, newest, { status: "error", policy: "pre-deploy" }, 1),
    );
    const other = gate.cloud.addVolume();
    const its = [7, 6, 5, 4, 3, 2, 1].map((days) => addSnapshot(gate.cloud, other.id, days, { policy: "pre-deploy" }));
    newest = its[6] ?? "";
    const body = {
      deployment_id: "release-42",
      targets: [{ kind: "snapshot", volume_ids: [other.id] }],
      make_room: true,
      retention: { keep_last: 1 },
      wait_seconds: 50,
    };
    const answer = await gate.invoke(preDeploy, apig(body));
    expect(JSON.parse(answer.result.body).status).toBe("ready");
    expect(idsOf(gate.cloud, other.id)).toEqual(expect.arrayContaining([its[6], its[5]]));
  });
});
