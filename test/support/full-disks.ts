/** Creates disks with old snapshots for tests of `make_room`, and policies that set `make_room`. */
import { randomUUID } from "node:crypto";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { DAY_MS, START_MS } from "./common.ts";
import type { Json } from "./environment.ts";

export interface Changes {
  policy?: string;
  hold?: string;
  status?: string;
  description?: string;
  metadata?: Record<string, string>;
}

/** Adds a snapshot that a policy created this number of days ago, and returns its id. */
export function addSnapshot(cloud: EmbeddedCloud, volumeId: string, days: number, changes: Changes = {}) {
  const { policy = "nightly", hold, ...more } = changes;
  return cloud.addSnapshot({
    kind: "snapshot",
    volumeId,
    name: `${policy}-${days}`,
    createdAt: START_MS - days * DAY_MS,
    metadata: { ...marker(policy), ...(hold === undefined ? {} : { hold }) },
    ...more,
  }).id;
}

export const marker = (policy: string) => ({
  "managed-by": "snapshot-functions",
  policy,
  key: randomUUID().replaceAll("-", ""),
  content: "01234567",
});

export const nightly = (volumeId: string, changes = {}) => ({
  policy: "nightly",
  targets: [{ kind: "snapshot", volume_ids: [volumeId] }],
  retention: { keep_last: 3 },
  make_room: true,
  ...changes,
});

export const idsOf = (cloud: EmbeddedCloud, volumeId: string) =>
  cloud
    .snapshots("snapshot")
    .filter(({ volume_id, status }) => volume_id === volumeId && status !== "deleting")
    .map(({ id }) => id);

export const brief = ({ action, outcome, rule, snapshot_id, error }: Json) => ({
  action,
  outcome,
  ...(rule === undefined ? {} : { rule }),
  ...(snapshot_id === undefined ? {} : { snapshot_id }),
  ...(error === undefined ? {} : { reason: (error as { reason: string }).reason }),
});
