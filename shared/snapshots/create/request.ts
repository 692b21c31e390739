import type { Instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import type { RetryBudget } from "../../core/retry.ts";
import type { Kind, State } from "../kinds/kind.ts";
import type { EndFields } from "../reporting.ts";

/** A create request. `createOnce` creates at most one snapshot for it, even if the request is delivered several times. */
export interface SnapshotRequest {
  kind: Kind;
  /** The options of the create request, such as `volume_id`. They come from the HTTP caller or from the policy. */
  options: JsonObject;
  /** Requests with the same idempotency key, kind of snapshot and resource create only one snapshot; see `deriveKey`. */
  idempotencyKey: string;
  /** The project that contains the snapshot. Equal idempotency keys in two projects are unrelated. */
  projectId: string;
  /** The policy name in the labels that identify the snapshot as created by this project. */
  policy: string;
  /** The first part of a generated snapshot name. */
  label: string;
  /** The time in a generated snapshot name. Undefined: the name contains no time. */
  time?: Instant;
  makeRoom?: MakeRoom;
  /**
   * True if a snapshot with the same idempotency key satisfies the request even if it was created with other options. A run of a
   * policy sets this field, because tags can change between two deliveries of its event.
   */
  acceptsOtherOptions?: boolean;
}

/**
 * Deletes a snapshot of a resource that already has the maximum number of snapshots. `createOnce` calls the function after the service
 * rejected the create request with QuotaExceeded, and sends the create request again if the function returns true.
 *
 * @returns true if the resource has room now, or another process used the room; false if the kind of snapshot has no such maximum
 */
export type MakeRoom = (kind: Kind, options: JsonObject, retryBudget: RetryBudget) => Promise<boolean>;

/** The result of `createOnce`. */
export interface CreateResult {
  /** `accepted`: this call created the snapshot. `existing`: an earlier request created the snapshot. */
  outcome: "accepted" | "existing";
  snapshotId: string;
  name: string;
  jobId?: string;
  /** The HTTP status of the API's response to the create request. */
  status: number;
  /** The body of the API's response to the create request. */
  body: string;
  /** The number of create requests that were sent. */
  attempts: number;
  /** The state of the snapshot, if it is known. */
  state?: State;
  /** An explanation for the result record. */
  detail?: string;
  /**
   * True if `accepted` relies on a list response after an ambiguous create response. Another process may have created the snapshot.
   */
  isFromList?: boolean;
}

/** Returns the fields that complete the result record of a created or existing snapshot. */
export function toRecordFields({ outcome, name, snapshotId, jobId, attempts, state, detail }: CreateResult) {
  const fields: EndFields & { outcome: CreateResult["outcome"] } = {
    outcome,
    name,
    snapshot_id: snapshotId,
    job_id: jobId,
    attempts,
    ...(detail === undefined ? {} : { detail }),
  };
  // A snapshot with an unknown status prevents another create request, but may be unusable. Its outcome is therefore
  // `unverified`.
  return state === "unknown"
    ? { ...fields, outcome: "unverified" as const, detail: "The snapshot exists, and its status is unknown." }
    : fields;
}
