/** Adds snapshots to the embedded cloud as the functions would have created them in the past. */
import { instant } from "../../../shared/core/instant.ts";
import type { JsonObject } from "../../../shared/core/json.ts";
import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import { deriveKey, hashRequest, snapshotName } from "../../../shared/snapshots/marker.ts";
import { createTarget } from "../../../shared/snapshots/policy.ts";
import type { EmbeddedCloud, SeededSnapshot } from "../cloud/index.ts";
import { idFor } from "./sample-inventory.ts";

/** A snapshot that a function created in the past. */
export interface PastSnapshot {
  kind: "snapshot" | "standard-snapshot" | "snapshot-group" | "cluster-snapshot";
  /** The id of the disk, server or cluster. */
  resource: string;
  policy: string;
  /** When the timer fired or the deployment began, in epoch milliseconds. */
  time: number;
  /** The deployment for which pre-deploy created the snapshot. Undefined if scheduled-snapshots created the snapshot. */
  deployment?: string;
  /** How long after `time` the snapshot was created, in milliseconds. Default 0. */
  delayMs?: number;
  /** True if the creation of the snapshot failed. Default false. */
  failed?: boolean;
  /** The name that a user gave the snapshot later. Default: the name that the function generated. */
  name?: string;
  /** Tags that a user added to the snapshot later. */
  tags?: Record<string, string>;
}

/**
 * Adds a snapshot with the name, the idempotency key and the request hash that the function would have written.
 *
 * @returns the id of the snapshot, which depends only on the arguments
 */
export function addPastSnapshot(cloud: EmbeddedCloud, past: PastSnapshot): string {
  const { resource, policy, time, deployment, delayMs = 0, failed = false } = past;
  const kind: Kind = KINDS[past.kind];
  const key =
    deployment === undefined
      ? deriveKey("schedule", policy, String(Math.floor(time / 1000)))
      : deriveKey("deployment", deployment);
  const { options } = createTarget(kind, resource);
  const label = deployment === undefined ? policy : `d-${deployment}`;
  const generatedName = snapshotName(label, deployment === undefined ? instant(time) : undefined, {
    kind: kind.name,
    resource,
    key,
    attempt: 1,
  });
  const marked: JsonObject = kind.mark(options, {
    policy,
    idempotencyKey: key,
    requestHash: hashRequest(kind.name, options),
  });
  const id = idFor(`${kind.name} ${resource} ${key} ${delayMs}`);
  const common = { id, name: past.name ?? generatedName, createdAt: time + delayMs };
  const labels = (value: unknown) => ({ ...(value as Record<string, string>), ...past.tags });
  const failedStatus = (status: string) => (failed ? { status } : {});
  const seeded = (): SeededSnapshot => {
    switch (past.kind) {
      case "snapshot":
        return {
          ...common,
          ...failedStatus("error"),
          kind: past.kind,
          volumeId: resource,
          metadata: labels(marked.metadata),
        };
      case "standard-snapshot":
        return { ...common, ...failedStatus("error"), kind: past.kind, volumeId: resource, tags: labels(marked.tags) };
      case "snapshot-group":
        return {
          ...common,
          ...failedStatus("error"),
          kind: past.kind,
          serverId: resource,
          tags: labels(marked.tags),
          memberId: (volumeId) => idFor(`${id} ${volumeId}`),
        };
      case "cluster-snapshot":
        return {
          ...common,
          ...failedStatus("UNAVAILABLE"),
          kind: past.kind,
          clusterId: resource,
          description: String(marked.description),
        };
    }
  };
  return cloud.addSnapshot(seeded()).id;
}
