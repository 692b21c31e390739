/**
 * Tests resources and snapshots of an enterprise project other than the default one. A list omits them unless the request
 * asks for all enterprise projects, and a function that misses an existing snapshot creates a duplicate.
 */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.ts";
import { createCompletionTrace } from "../support/attachments.ts";
import { CREATES } from "../support/creates.ts";
import { apig, createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const enterpriseProjectId = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
const tags = { backup: "daily" };
const HOUR_MS = 3_600_000;

/** Adds a server with a disk, another disk and a cluster, none of them in the default enterprise project. */
function addResources(cloud: EmbeddedCloud) {
  const server = cloud.addServer({ tags, enterpriseProjectId });
  const member = cloud.addVolume({ serverId: server.id, enterpriseProjectId });
  const disk = cloud.addVolume({ tags, enterpriseProjectId });
  const cluster = cloud.addCluster({ tags, enterpriseProjectId });
  return { server, member, disk, cluster };
}

/** Returns the snapshots of a kind without the members of groups. */
const snapshotsOf = (cloud: EmbeddedCloud, kind: keyof typeof KINDS) =>
  cloud.snapshots(kind).filter((one) => !("snapshot_group_id" in one) || !one.snapshot_group_id);

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])("%s", (kind) => {
  test(`the timer functions create, verify and prune one ${kind} of another enterprise project`, async () => {
    const environment = await createTestEnvironment();
    const { cloud, clock, runtime, invoke } = environment;
    addResources(cloud);
    const policy = { policy: "nightly", targets: [{ kind, tags }], retention: { keep_last: 1 } };
    const event = timerEvent(policy);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ accepted: 1 });
    // Another instance does not remember the first delivery.
    runtime.inFlight.clear();
    clock.advance(60_000);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(snapshotsOf(cloud, kind)).toHaveLength(1);

    clock.advance(HOUR_MS);
    const later = () => new Date(clock.now()).toISOString();
    expect((await invoke(verifySnapshots, timerEvent({}, later()))).result.outcomes).toEqual({ available: 1 });
    await invoke(scheduledSnapshots, timerEvent(policy, later()));
    clock.advance(HOUR_MS);
    const pruned = await invoke(pruneSnapshots, timerEvent(policy, later()));
    expect(pruned.result.outcomes).toEqual({ kept: 1, deleted: 1 });
  });

  test(`pre-deploy creates one ${kind} of another enterprise project and is ready when it is available`, async () => {
    const { cloud, runtime, invoke } = await createTestEnvironment();
    addResources(cloud);
    const gate = { deployment_id: "web-1.4.2", targets: [{ kind, tags }] };
    const ask = async (wait_seconds: number) => {
      runtime.inFlight.clear();
      const { result } = await invoke(preDeploy, apig({ ...gate, wait_seconds }));
      return JSON.parse(result.body).status;
    };
    expect([await ask(0), await ask(50)]).toEqual(["pending", "ready"]);
    expect(snapshotsOf(cloud, kind)).toHaveLength(1);
  });
});

test.each(CREATES.map((create) => [create.name, create] as const))(
  "%s creates one snapshot of another enterprise project for a repeated request",
  async (name, { kind, envelope, factory }) => {
    const { cloud, runtime, invoke } = await createTestEnvironment();
    const { server, disk, cluster } = addResources(cloud);
    const options = {
      snapshot: { volume_id: disk.id },
      "standard-snapshot": { volume_id: disk.id },
      "snapshot-group": { server_id: server.id },
      "cluster-snapshot": { cluster_id: cluster.id, name: "before-update" },
    }[kind];
    for (const outcome of ["accepted", "existing"]) {
      runtime.inFlight.clear();
      const { result } = await invoke(factory, apig({ [envelope]: options }, { "idempotency-key": "once" }));
      expect(result.headers["x-snapshot-outcome"], name).toBe(outcome);
    }
    expect(snapshotsOf(cloud, kind)).toHaveLength(1);
  },
);

test.each(["snapshot", "standard-snapshot"] as const)(
  "disk-attached creates one %s of another enterprise project",
  async (kind) => {
    const { cloud, clock, runtime, invoke } = await createTestEnvironment({ variables: { DISK_ATTACHED_KIND: kind } });
    const server = cloud.addServer({ enterpriseProjectId });
    const disk = cloud.addVolume({ serverId: server.id, attachedAt: START, enterpriseProjectId });
    const trace = createCompletionTrace(server.id, clock.now());
    for (const outcome of ["accepted", "existing"]) {
      runtime.inFlight.clear();
      clock.advance(30_000);
      const { result } = await invoke(diskAttached, trace);
      expect(result.outcomes).toEqual({ [outcome]: 1 });
    }
    expect(snapshotsOf(cloud, kind).map(({ volume_id }) => volume_id)).toEqual([disk.id]);
  },
);
