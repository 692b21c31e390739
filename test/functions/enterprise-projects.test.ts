/**
 * Tests resources and snapshots that are not in the default enterprise project. A list response omits them unless the list
 * request asks for all enterprise projects. A function that does not find an existing snapshot creates a duplicate.
 */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { createCompletionTrace } from "../support/attachments.ts";
import { byName, CREATES } from "../support/creates.ts";
import { apig, createTestEnvironment, outcomeHeader, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const enterpriseProjectId = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
const tags = { backup: "daily" };
const HOUR_MS = 3_600_000;

/** Adds a server with an attached disk, an unattached disk and a cluster to an enterprise project that is not the default. */
function addResources(cloud: EmbeddedCloud) {
  const server = cloud.addServer({ tags, enterpriseProjectId });
  cloud.addVolume({ serverId: server.id, enterpriseProjectId });
  const disk = cloud.addVolume({ tags, enterpriseProjectId });
  const cluster = cloud.addCluster({ tags, enterpriseProjectId });
  return { server, disk, cluster };
}

/** Returns the snapshots of a kind, except standard snapshots that are part of a snapshot group. */
const snapshotsOf = (cloud: EmbeddedCloud, kind: keyof typeof KINDS) =>
  cloud.snapshots(kind).filter(({ snapshot_group_id }) => !snapshot_group_id);

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])("%s", (kind) => {
  test(`scheduled-snapshots, verify-snapshots and prune-snapshots find an existing ${kind} if its resource is not in the default enterprise project`, async () => {
    const { cloud, clock, runtime, invoke } = await createTestEnvironment();
    addResources(cloud);
    const policy = { policy: "nightly", targets: [{ kind, tags }], retention: { keep_last: 1 } };
    const event = timerEvent(policy);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ accepted: 1 });
    // The redelivery runs in another instance, which does not know about the first delivery.
    runtime.inFlight.clear();
    clock.advance(60_000);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(snapshotsOf(cloud, kind)).toHaveLength(1);

    clock.advance(HOUR_MS);
    const now = () => new Date(clock.now()).toISOString();
    expect((await invoke(verifySnapshots, timerEvent({}, now()))).result.outcomes).toEqual({ available: 1 });
    await invoke(scheduledSnapshots, timerEvent(policy, now()));
    clock.advance(HOUR_MS);
    const pruned = await invoke(pruneSnapshots, timerEvent(policy, now()));
    expect(pruned.result.outcomes).toEqual({ kept: 1, deleted: 1 });
  });

  test(`pre-deploy creates no second ${kind} in a repeated call if the resource is not in the default enterprise project`, async () => {
    const { cloud, runtime, invoke } = await createTestEnvironment();
    addResources(cloud);
    const statusAfter = async (wait_seconds: number) => {
      runtime.inFlight.clear();
      const { result } = await invoke(
        preDeploy,
        apig({ deployment_id: "web-1.4.2", targets: [{ kind, tags }], wait_seconds }),
      );
      return JSON.parse(result.body).status;
    };
    expect([await statusAfter(0), await statusAfter(50)]).toEqual(["pending", "ready"]);
    expect(snapshotsOf(cloud, kind)).toHaveLength(1);
  });
});

test.each(byName(CREATES))(
  "%s creates no second snapshot for a repeated Idempotency-Key if the resource is not in the default enterprise project",
  async (_name, { kind, envelope, factory }) => {
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
      const response = await invoke(factory, apig({ [envelope]: options }, { "idempotency-key": "once" }));
      expect(outcomeHeader(response)).toBe(outcome);
    }
    expect(snapshotsOf(cloud, kind)).toHaveLength(1);
  },
);

test.each(["snapshot", "standard-snapshot"] as const)(
  "disk-attached creates no second %s for a redelivered CTS trace if the disk is not in the default enterprise project",
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
