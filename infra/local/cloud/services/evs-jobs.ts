/**
 * Implements the EVS request for the status of a job (SOURCES.md#evs-jobs). EVS serves v5 jobs under /v2 and other jobs under
 * /v1. The embedded cloud serves every job under both paths.
 */

import type { CloudState } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, type Route } from "../gateway/http.ts";
import type { Inventory } from "../inventory.ts";
import type { AnySnapshotRecord, Job, VolumeRecord } from "../records.ts";
import { refuse } from "./evs-common.ts";

export const jobRoutes: Route[] = [
  { operation: "evs.showJob", method: "GET", path: "/v1/{project_id}/jobs/{job_id}", handle: show },
  { operation: "evs.showJob", method: "GET", path: "/v2/{project_id}/jobs/{job_id}", handle: show },
];

/**
 * Starts a job that runs until the creation of a snapshot or of a snapshot group finishes. The job fails if the final status is
 * `error`. Returns the job id.
 */
export function startCreationJob(
  type: string,
  snapshot: AnySnapshotRecord,
  volumes: readonly VolumeRecord[],
  inventory: Inventory,
): string {
  const { readyAt, finalStatus } = snapshot;
  return startJob(type, volumes, inventory, (now) => {
    if (now < readyAt) return { status: "RUNNING", endedAt: undefined };
    if (finalStatus !== "error") return { status: "SUCCESS", endedAt: readyAt };
    return { status: "FAIL", endedAt: readyAt, reason: "The snapshot could not be created." };
  });
}

/** Starts a job that runs until the deletion of a snapshot finishes. Returns the job id. */
export function startDeletionJob(
  type: string,
  snapshot: AnySnapshotRecord,
  volumeIds: readonly string[],
  inventory: Inventory,
): string {
  const deletedAt = snapshot.deletedAt ?? inventory.now();
  const volumes = volumeIds.flatMap((id) => inventory.volumes.get(id) ?? []);
  return startJob(type, volumes, inventory, (now) =>
    now < deletedAt ? { status: "RUNNING", endedAt: undefined } : { status: "SUCCESS", endedAt: deletedAt },
  );
}

/**
 * Starts a job for disks. The job of one disk describes the disk, and the job of several disks has one part for each of them.
 * Which `entities` the real v5 jobs have is UNCONFIRMED.
 */
function startJob(
  type: string,
  volumes: readonly VolumeRecord[],
  inventory: Inventory,
  statusAt: Job["statusAt"],
): string {
  const parts = volumes.map(({ id, name, size, volumeType }) => {
    const entities = { volume_id: id, name, size, volume_type: volumeType };
    return inventory.startJob(type, { entities }, statusAt);
  });
  const [first] = parts;
  return first && parts.length === 1 ? first.id : inventory.startJob(type, { parts }, statusAt).id;
}

function show(call: Call, cloud: CloudState): ApiResponse {
  const job = cloud.inventory.jobs.get(call.params.job_id ?? "");
  return job ? ok(jobView(job, cloud.inventory.now())) : refuse(400, "Common.0011", "No jobs found.");
}

function jobView(job: Job, now: number): Record<string, unknown> {
  const { status, endedAt, reason } = job.statusAt(now);
  return {
    status,
    entities: job.parts.length > 0 ? { sub_jobs: job.parts.map((part) => jobView(part, now)) } : job.entities,
    job_id: job.id,
    job_type: job.type,
    begin_time: new Date(job.beganAt).toISOString(),
    end_time: endedAt === undefined ? "" : new Date(endedAt).toISOString(),
    error_code: reason === undefined ? null : "EVS.5500",
    fail_reason: reason ?? null,
  };
}
