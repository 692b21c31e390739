/** The requests to ECS: servers, their disks, and jobs. */
import { filters, refusedKeys, type Step, stepsOf } from "./step.ts";

const ecs = stepsOf("ecs");
const ON_SERVER = { server_id: "$server" };
const GONE = { status: 404, code: "Ecs.0114" };
const ROLE = [{ key: "role", values: ["web"] }];

export const ECS_STEPS: Step[] = [
  ...filters("ecs", "ListServersDetails", [
    [{}, 2],
    [{ limit: 1 }, 1],
    [{ limit: 1, offset: 2 }, 1],
    [{ marker: "$idle" }, 1],
    [{ name: "idle" }, 1],
    [{ status: "ACTIVE" }, 1],
    [{ tags: "role=web" }, 1],
    [{ "not-tags": "role=web" }, 1],
    [{ ip: "192.168." }, 2],
    [{ ip_eq: "192.168.0.1" }, 0],
    [{ flavor: "elsewhere" }, 0],
    [{ reservation_id: "elsewhere" }, 0],
    [{ server_id: "$server" }, 1],
    [{ enterprise_project_id: "all_granted_eps" }, 2],
  ]),
  ecs("ShowServer", ON_SERVER, { status: 200 }),
  ecs("ShowServer", { server_id: "$missing" }, GONE),
  ecs("ListServerBlockDevices", ON_SERVER, { status: 200, rows: 2 }),
  ecs("ShowServerBlockDevice", { ...ON_SERVER, volume_id: "$data" }, { status: 200 }),
  ecs("ListServerVolumeAttachments", ON_SERVER, { status: 200, rows: 2 }),
  ecs("ListServerVolumeAttachments", { server_id: "$missing" }, GONE),
  ecs(
    "ListServersByTag",
    { body: { action: "filter", tags: ROLE, limit: "10", offset: "0" } },
    {
      status: 200,
      rows: 1,
    },
  ),
  ecs("ListServersByTag", { body: { action: "count", tags: ROLE } }, { status: 200 }),
  ecs(
    "AttachServerVolume",
    { ...ON_SERVER, body: { volumeAttachment: { volumeId: "$spare", device: "/dev/vdf" } } },
    {
      status: 200,
      keep: { job: "job_id" },
    },
  ),
  ecs("ShowJob", { job_id: "$job" }, { status: 200 }),
  ecs("DetachServerVolume", { ...ON_SERVER, volume_id: "$spare" }, { status: 200, keep: { job: "job_id" } }),
  ecs("ShowJob", { job_id: "$job" }, { status: 200 }),
  ...refusedKeys("ecs", "ListServersDetails"),
];
