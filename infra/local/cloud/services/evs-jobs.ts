/**
 * Implements the EVS request for the status of a job (SOURCES.md#evs-jobs). EVS serves v5 jobs under /v2 and other jobs under
 * /v1. The embedded cloud serves every job under both paths.
 */

import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, type Route } from "../gateway/http.ts";
import type { Inventory } from "../inventory.ts";
import type { AnySnapshotRecord } from "../records.ts";
import { refuse } from "./evs-common.ts";

export const jobRoutes: Route[] = [
  { operation: "evs.showJob", method: "GET", path: "/v1/{project_id}/jobs/{job_id}", handle: show },
  { operation: "evs.showJob", method: "GET", path: "/v2/{project_id}/jobs/{job_id}", handle: show },
];

/**
 * Starts a job that runs until the creation of a snapshot finishes. The job fails if the final status of the snapshot is
 * `error`. Returns the job id.
 */
export function startCreationJob(type: string, snapshot: AnySnapshotRecord, inventory: Inventory): string {
  const { readyAt, finalStatus } = snapshot;
  return inventory.startJob(type, (now) => {
    if (now < readyAt) return { status: "RUNNING", endedAt: undefined };
    if (finalStatus !== "error") return { status: "SUCCESS", endedAt: readyAt };
    return { status: "FAIL", endedAt: readyAt, reason: "The snapshot could not be created." };
  }).id;
}

/** Starts a job that runs until the deletion of a snapshot finishes. Returns the job id. */
export function startDeletionJob(type: string, snapshot: AnySnapshotRecord, inventory: Inventory): string {
  const deletedAt = snapshot.deletedAt ?? inventory.now();
  return inventory.startJob(type, (now) =>
    now < deletedAt ? { status: "RUNNING", endedAt: undefined } : { status: "SUCCESS", endedAt: deletedAt },
  ).id;
}

function show(call: Call, cloud: CloudState): ApiResponse {
  const job = cloud.inventory.jobs.get(call.params.job_id ?? "");
  if (!job) return refuse(400, "Common.0011", "No jobs found.");
  const { status, endedAt, reason } = job.statusAt(cloud.inventory.now());
  return ok({
    status,
    // Which `entities` a v5 job has is UNCONFIRMED, so this object is empty.
    entities: {},
    job_id: job.id,
    job_type: job.type,
    begin_time: new Date(job.beganAt).toISOString(),
    end_time: endedAt === undefined ? "" : new Date(endedAt).toISOString(),
    error_code: reason === undefined ? null : "EVS.5500",
    fail_reason: reason ?? null,
  });
}
