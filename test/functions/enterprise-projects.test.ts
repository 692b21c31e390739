/**
 * Resources and snapshots of another enterprise project than the default one: a list that does not ask for all of them leaves
 * them out, and what a look does not see is made twice.
 */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.ts";
import { CREATES } from "../support/creates.ts";
import { apig, createTestEnvironment, START, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const enterpriseProjectId = "94f1ea84-1428-49b6-9920-8a9b8a29e4ca";
const tags = { backup: "daily" };
const HOUR_MS = 3_600_000;

/** A server with a disk and a cluster, none of them in the default project; the disk of a kind of its own beside them. */
function elsewhere(cloud: EmbeddedCloud) {
  const server = cloud.addServer({ tags, enterpriseProjectId });
  const member = cloud.addVolume({ serverId: server.id, enterpriseProjectId });
  const disk = cloud.addVolume({ tags, enterpriseProjectId });
  const cluster = cloud.addCluster({ tags, enterpriseProjectId });
  return { server, member, disk, cluster };
}

/** What the embedded cloud holds of a kind, but for the members of groups. */
const made = (cloud: EmbeddedCloud, kind: keyof typeof KINDS) =>
  cloud.snapshots(kind).filter((one) => !("snapshot_group_id" in one) || !one.snapshot_group_id);

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])("%s", (kind) => {
  test("an event that comes twice makes one; verify and prune see it", async () => {
    const environment = await createTestEnvironment();
    const { cloud, clock, runtime, invoke } = environment;
    elsewhere(cloud);
    const policy = { policy: "nightly", targets: [{ kind, tags }], retention: { keep_last: 1 } };
    const event = timerEvent(policy);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ accepted: 1 });
    // Another instance, which remembers nothing.
    runtime.inFlight.clear();
    clock.advance(60_000);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(made(cloud, kind)).toHaveLength(1);

    clock.advance(HOUR_MS);
    const later = () => new Date(clock.now()).toISOString();
    expect((await invoke(verifySnapshots, timerEvent({}, later()))).result.outcomes).toEqual({ available: 1 });
    await invoke(scheduledSnapshots, timerEvent(policy, later()));
    clock.advance(HOUR_MS);
    const pruned = await invoke(pruneSnapshots, timerEvent(policy, later()));
    expect(pruned.result.outcomes).toEqual({ kept: 1, deleted: 1 });
  });

  test("a gate that is asked twice starts one, and sees it become available", async () => {
    const { cloud, runtime, invoke } = await createTestEnvironment();
    elsewhere(cloud);
    const gate = { deployment_id: "web-1.4.2", targets: [{ kind, tags }] };
    const ask = async (wait_seconds: number) => {
      runtime.inFlight.clear();
      const { result } = await invoke(preDeploy, apig({ ...gate, wait_seconds }));
      return JSON.parse(result.body).status;
    };
    expect([await ask(0), await ask(50)]).toEqual(["pending", "ready"]);
    expect(made(cloud, kind)).toHaveLength(1);
  });
});

test.each(CREATES)("a call of $name that is repeated makes one", async ({ name, kind, envelope, factory }) => {
  const { cloud, runtime, invoke } = await createTestEnvironment();
  const { server, disk, cluster } = elsewhere(cloud);
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
  expect(made(cloud, kind)).toHaveLength(1);
});

test.each(["snapshot", "standard-snapshot"] as const)("a disk that is attached has one %s", async (kind) => {
  const { cloud, clock, runtime, invoke } = await createTestEnvironment({ variables: { DISK_ATTACHED_KIND: kind } });
  const server = cloud.addServer({ enterpriseProjectId });
  const disk = cloud.addVolume({ serverId: server.id, attachedAt: START, enterpriseProjectId });
  const trace = { trace_name: "attachVolume", service_type: "ECS", time: clock.now(), resource_id: server.id };
  for (const outcome of ["accepted", "existing"]) {
    runtime.inFlight.clear();
    clock.advance(30_000);
    // The record of the completion names the server alone.
    const { result } = await invoke(diskAttached, { cts: trace });
    expect(result.outcomes).toEqual({ [outcome]: 1 });
  }
  expect(made(cloud, kind).map(({ volume_id }) => volume_id)).toEqual([disk.id]);
});
