/** EVS jobs: cloud-apis.md 1.6. v5 jobs are asked for under /v2, the others under /v1; here both paths show all. */

import type { CloudState } from "../cloud-state.ts";
import { type Answer, type Call, ok, type Route } from "../gateway/http.ts";
import type { AnySnapshot, Inventory } from "../inventory.ts";
import { refuse } from "./evs-common.ts";

export const jobRoutes: Route[] = [
  { operation: "evs.showJob", method: "GET", path: "/v1/{project_id}/jobs/{job_id}", handle: show },
  { operation: "evs.showJob", method: "GET", path: "/v2/{project_id}/jobs/{job_id}", handle: show },
];

/** Runs as long as the snapshot is being created. In a status that nobody knows the job itself still succeeded. */
export function snapshotJob(type: string, snapshot: AnySnapshot, estate: Inventory): string {
  const { readyAt, endStatus } = snapshot;
  return estate.startJob(type, (now) => {
    if (now < readyAt) return { status: "RUNNING", endedAt: undefined };
    if (endStatus !== "error") return { status: "SUCCESS", endedAt: readyAt };
    return { status: "FAIL", endedAt: readyAt, reason: "The snapshot could not be created." };
  }).id;
}

export function deletionJob(type: string, snapshot: AnySnapshot, estate: Inventory): string {
  const goneAt = snapshot.goneAt ?? estate.now();
  return estate.startJob(type, (now) =>
    now < goneAt ? { status: "RUNNING", endedAt: undefined } : { status: "SUCCESS", endedAt: goneAt },
  ).id;
}

function show(call: Call, cloud: CloudState): Answer {
  const job = cloud.estate.jobs.get(call.params.job_id ?? "");
  if (!job) return refuse(400, "Common.0011", "No jobs found.");
  const { status, endedAt, reason } = job.outcome(cloud.estate.now());
  return ok({
    status,
    // What the entities of a v5 job are is UNCONFIRMED: nobody can rely on them.
    entities: {},
    job_id: job.id,
    job_type: job.type,
    begin_time: new Date(job.beganAt).toISOString(),
    end_time: endedAt === undefined ? "" : new Date(endedAt).toISOString(),
    error_code: reason === undefined ? null : "EVS.5500",
    fail_reason: reason ?? null,
  });
}
