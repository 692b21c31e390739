/** The requests to EVS v2: legacy snapshots, disks, quotas and jobs. */
import { filters, refusedKeys, type Step, stepsOf } from "./step.ts";

const evs = stepsOf("evs");
const create = (snapshot: Record<string, unknown>) => ({ body: { snapshot } });
const GONE = { status: 404, code: "EVS.5404" };
const ALL = "all_granted_eps";

const SNAPSHOTS: Step[] = [
  evs("CreateSnapshot", create({ volume_id: "$free", name: "first", metadata: { key: "value" } }), {
    status: 202,
    keep: { first: "snapshot.id" },
  }),
  evs("ShowSnapshot", { snapshot_id: "$first" }, { status: 200 }),
  evs("CreateSnapshot", create({ volume_id: "$data", description: "of an attached disk" }), {
    status: 400,
    code: "EVS.5400",
  }),
  evs("CreateSnapshot", create({ volume_id: "$data", name: "second", description: "attached", force: true }), {
    status: 202,
    keep: { second: "snapshot.id" },
  }),
  evs("ShowSnapshot", { snapshot_id: "$first" }, { status: 200, advanceMs: 3000 }),
  ...filters("evs", "ListSnapshots", [
    [{}, 2],
    [{ limit: 1 }, 1],
    [{ limit: 1, offset: 1 }, 1],
    [{ offset: 2 }, 0],
    [{ name: "second" }, 1],
    [{ status: "available" }, 2],
    [{ status: "error" }, 0],
    [{ volume_id: "$free" }, 1],
    [{ availability_zone: "$zone" }, 2],
    [{ availability_zone: "elsewhere" }, 0],
    [{ id: "$first" }, 1],
    [{ dedicated_storage_name: "pool" }, 0],
    [{ dedicated_storage_id: "$first" }, 0],
    [{ service_type: "EVS" }, 2],
    [{ enterprise_project_id: ALL }, 2],
  ]),
  evs(
    "UpdateSnapshot",
    { snapshot_id: "$first", body: { snapshot: { name: "renamed", description: "new" } } },
    {
      status: 200,
    },
  ),
  evs("DeleteSnapshot", { snapshot_id: "$first" }, { status: 202 }),
  evs("ShowSnapshot", { snapshot_id: "$first" }, { advanceMs: 1000, ...GONE }),
  evs("DeleteSnapshot", { snapshot_id: "$first" }, GONE),
];

const byTags = (body: Record<string, unknown>) => ({ body });
const TEAM = [{ key: "team", values: ["storage"] }];

const VOLUMES: Step[] = [
  ...filters("evs", "ListVolumes", [
    [{}, 5],
    [{ limit: 2 }, 2],
    [{ limit: 2, offset: 4 }, 1],
    [{ marker: "$shared", limit: 10 }, 1],
    [{ sort_key: "size", sort_dir: "asc" }, 5],
    [{ name: "data" }, 1],
    [{ status: "in-use" }, 2],
    [{ metadata: '{"hw:passthrough":"true"}' }, 1],
    // The Go SDK sends a backslash before each double quote of this parameter, so the value has single quotes.
    [{ not_metadata: "{'hw:passthrough':'true'}" }, 4],
    [{ availability_zone: "$zone" }, 4],
    [{ multiattach: true }, 1],
    [{ service_type: "EVS" }, 5],
    [{ dedicated_storage_id: "$free" }, 0],
    [{ dedicated_storage_name: "pool" }, 0],
    [{ volume_type_id: "SSD" }, 5],
    [{ id: "$free" }, 1],
    [{ ids: "['$free','$data']" }, 2],
    [{ enterprise_project_id: ALL }, 5],
    [{ server_id: "$server" }, 2],
  ]),
  evs("ShowVolume", { volume_id: "$data" }, { status: 200 }),
  evs("ShowVolume", { volume_id: "$missing" }, GONE),
  evs("ShowVolumeTags", { volume_id: "$free" }, { status: 200, rows: 1 }),
  evs("ListVolumesByTags", byTags({ action: "filter", tags: TEAM, limit: 10, offset: 0 }), { status: 200, rows: 2 }),
  evs("ListVolumesByTags", byTags({ action: "filter", tags: [], matches: [{ key: "resource_name", value: "data" }] }), {
    status: 200,
    rows: 1,
  }),
  evs("ListVolumesByTags", byTags({ action: "count", tags: TEAM }), { status: 200 }),
  evs("ListVolumeTags", {}, { status: 200 }),
  evs("CinderListQuotas", { target_project_id: "$project", usage: "True" }, { status: 200 }),
];

export const EVS_STEPS: Step[] = [...SNAPSHOTS, ...VOLUMES, ...refusedKeys("evs", "ListSnapshots")];
