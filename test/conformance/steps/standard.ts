/**
 * The requests to EVS v5, in the sequence of the Terraform provider: create, wait for the job, show, list until a page is empty,
 * change the tags, delete, and show until the response is 404.
 */
import { filters, type Step, stepsOf } from "./step.ts";

const evs = stepsOf("evs");
const GONE = { status: 404, code: "EVS.5404" };
const ALL = "all_granted_eps";
const TAGS = { tags: [{ key: "team", value: "storage" }] };

const SNAPSHOTS: Step[] = [
  evs(
    "CreateStandardSnapshot",
    { body: { snapshot: { volume_id: "$free", name: "standard", tags: { key: "value" }, incremental: true } } },
    { status: 202, keep: { standard: "snapshot_id", job: "job_id" } },
  ),
  evs(
    "CreateStandardSnapshot",
    { body: { snapshot: { volume_id: "$free", name: "again" } } },
    {
      status: 409,
      code: "EVS.2409",
    },
  ),
  evs("ShowJob", { job_id: "$job" }, { status: 200 }),
  evs("ShowJob", { job_id: "$job" }, { status: 200, advanceMs: 3000 }),
  evs("ShowStandardSnapshot", { snapshot_id: "$standard" }, { status: 200 }),
  ...filters("evs", "ListSnapshotsDetails", [
    [{ limit: "1000", offset: "0" }, 1],
    [{ limit: "1000", offset: "1" }, 0],
    [{ name: "standard", status: "available", sort_key: "created_at", sort_dir: "asc" }, 1],
    [{ volume_id: "$free", availability_zone: "$zone", snapshot_type: "user" }, 1],
    [{ ids: "$standard,$missing", enterprise_project_id: ALL }, 1],
    [{ tag_key: "key", tags: '{"key":"value"}' }, 1],
    [{ snapshot_chain_id: "elsewhere" }, 0],
  ]),
  evs("UpdateStandardSnapshot", { snapshot_id: "$standard", body: { snapshot: { name: "renamed" } } }, { status: 200 }),
  evs("BatchCreateSnapshotTags", { snapshot_id: "$standard", body: TAGS }, { status: 204 }),
  evs("ListSnapshotTags", {}, { status: 200, rows: 2 }),
  evs("BatchDeleteSnapshotTags", { snapshot_id: "$standard", body: TAGS }, { status: 204 }),
  evs("DeleteStandardSnapshot", { snapshot_id: "$standard" }, { status: 202 }),
  evs("ShowStandardSnapshot", { snapshot_id: "$standard" }, { advanceMs: 1000, ...GONE }),
];

const GROUPS: Step[] = [
  evs(
    "CreateSnapshotGroup",
    { body: { snapshot_group: { server_id: "$server", name: "group", tags: { key: "value" } } } },
    { status: 202, keep: { group: "snapshot_group_id", job: "job_id" } },
  ),
  evs("ShowJob", { job_id: "$job" }, { status: 200 }),
  evs("ShowJob", { job_id: "$job" }, { status: 200, advanceMs: 3000 }),
  evs("ShowSnapshotGroup", { snapshot_group_id: "$group" }, { status: 200 }),
  ...filters("evs", "ListSnapshotGroup", [
    [{ limit: 1000, offset: 0 }, 1],
    [{ limit: 1000, offset: 1 }, 0],
    [{ id: "$group", name: "group", server_id: "$server" }, 1],
    [{ tag_key: "key", tags: '[{"key":"key","value":"value"}]', enterprise_project_id: ALL }, 1],
    [{ status: "error", sort_key: "created_at", sort_dir: "asc" }, 0],
  ]),
  ...filters("evs", "ListSnapshotsDetails", [[{ snapshot_group_id: "$group" }, 2]]),
  evs("CountSnapshotsGroup", {}, { status: 200 }),
  evs(
    "UpdateSnapshotGroup",
    { snapshot_group_id: "$group", body: { snapshot_group: { name: "renamed" } } },
    {
      status: 200,
    },
  ),
  evs("BatchCreateSnapshotGroupTag", { snapshot_group_id: "$group", body: TAGS }, { status: 204 }),
  evs("ListSnapshotGroupTags", {}, { status: 200, rows: 2 }),
  evs("BatchDeleteSnapshotGroupTag", { snapshot_group_id: "$group", body: TAGS }, { status: 204 }),
  evs("DeleteSnapshotGroup", { snapshot_group_id: "$group" }, { status: 202 }),
  evs("ShowSnapshotGroup", { snapshot_group_id: "$group" }, { advanceMs: 1000, ...GONE }),
];

export const STANDARD_STEPS: Step[] = [...SNAPSHOTS, ...GROUPS];
