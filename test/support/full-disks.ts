/** Creates disks with old snapshots for tests of `make_room`, and policies that set `make_room`. */
import { randomUUID } from "node:crypto";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { DAY_MS, START_MS } from "./common.ts";
import {
  createTestEnvironment,
  type Invocation,
  type Json,
  type TestEnvironmentOptions,
  timerEvent,
} from "./environment.ts";
import { markerOf } from "./retention-seeds.ts";

/** Fields of a snapshot that replace the defaults of {@link addSnapshot}. */
export interface SnapshotChanges {
  policy?: string;
  hold?: string;
  status?: string;
  description?: string;
  metadata?: Record<string, string>;
}

/** Creates a test environment with a disk. The returned function `schedule` runs the policy `nightly` for the disk. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const disk = environment.cloud.addVolume();
  /** Invokes `scheduled-snapshots` with the changed policy `nightly`. */
  const schedule = (changes: object = {}, how: Invocation = {}) =>
    environment.invoke(scheduledSnapshots, timerEvent(nightlyPolicy(disk.id, changes)), how);
  return { ...environment, disk, schedule };
}

/**
 * Adds a legacy snapshot to a disk and returns the snapshot id. The snapshot is `days` days old, and its labels say that the policy
 * created it.
 */
export function addSnapshot(cloud: EmbeddedCloud, volumeId: string, days: number, changes: SnapshotChanges = {}) {
  const { policy = "nightly", hold, ...more } = changes;
  return cloud.addSnapshot({
    kind: "snapshot",
    volumeId,
    name: `${policy}-${days}`,
    createdAt: START_MS - days * DAY_MS,
    metadata: { ...createMarker(policy), ...(hold === undefined ? {} : { hold }) },
    ...more,
  }).id;
}

/** Returns the labels that mark a snapshot as created by a function under this policy, with a random idempotency key. */
export const createMarker = (policy: string) => markerOf(policy, randomUUID());

/** Returns a policy with `make_room` that creates a snapshot of the disk and keeps three snapshots. */
export const nightlyPolicy = (volumeId: string, changes = {}) => ({
  policy: "nightly",
  targets: [{ kind: "snapshot", volume_ids: [volumeId] }],
  retention: { keep_last: 3 },
  make_room: true,
  ...changes,
});

/** Returns the ids of the legacy snapshots of a disk, without those that are being deleted. */
export const idsOf = (cloud: EmbeddedCloud, volumeId: string) =>
  cloud
    .snapshots("snapshot")
    .filter(({ volume_id, status }) => volume_id === volumeId && status !== "deleting")
    .map(({ id }) => id);

/** Returns the fields of a record that most tests compare. The error is replaced by its reason. */
export const summarizeRecord = ({ action, outcome, rule, snapshot_id, error }: Json) => ({
  action,
  outcome,
  ...(rule === undefined ? {} : { rule }),
  ...(snapshot_id === undefined ? {} : { snapshot_id }),
  ...(error === undefined ? {} : { reason: (error as { reason: string }).reason }),
});
