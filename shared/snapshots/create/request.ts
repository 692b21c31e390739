import type { Instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Kind, State } from "../kinds/kind.ts";
import type { EndFields } from "../reporting.ts";

/** A request for a snapshot that must be created at most once. */
export interface SnapshotRequest {
  kind: Kind;
  /** The create options of the API, from the caller or the policy. */
  options: JsonObject;
  /** Identifies the snapshot together with its kind and resource; see `deriveKey`. */
  idempotencyKey: string;
  /** The project of the snapshot. Equal idempotency keys of two projects are unrelated. */
  projectId: string;
  /** The policy in the marker. */
  policy: string;
  /** The beginning of a generated name. */
  label: string;
  /** The time in a generated name. */
  time?: Instant;
  makeRoom?: MakeRoom;
}

/**
 * Deletes snapshots of a resource that has the maximum number of snapshots. Called before each create.
 *
 * @returns whether the call waited, so the caller must list the snapshots again
 */
export type MakeRoom = (kind: Kind, options: JsonObject) => Promise<boolean>;

export interface CreateResult {
  /** `accepted`: this call created the snapshot. `existing`: an earlier request created it. */
  outcome: "accepted" | "existing";
  snapshotId: string;
  name: string;
  jobId?: string;
  /** The HTTP status and the body of the API's response to the create. */
  status: number;
  body: string;
  /** How many create requests were sent. */
  attempts: number;
  /** The state of an existing snapshot. */
  state?: State;
}

/** Returns the fields of a snapshot's record. */
export function toRecordFields({ outcome, name, snapshotId, jobId, attempts, state }: CreateResult) {
  const end: EndFields & { outcome: CreateResult["outcome"] } = {
    outcome,
    name,
    snapshot_id: snapshotId,
    job_id: jobId,
    attempts,
  };
  // Such a snapshot prevents another create, but it does not count as good.
  const detail = "The snapshot exists, and its status is unknown.";
  return state === "unknown" ? { ...end, outcome: "unverified" as const, detail } : end;
}
