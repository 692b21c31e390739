import { textAt } from "../json.ts";
import { markEvs, readEvs } from "./evs.ts";
import type { Kind } from "./kind.ts";

/**
 * EVS v5 snapshot consistency group (seed 003): the disks of one server, or named disks. The marker is in `tags`.
 * The API does not show a group's disks (cloud-apis.md 2.2), so a group without a server is found by its key alone.
 */
export const snapshotGroup = {
  kind: "snapshot-group",
  envelope: "snapshot_group",
  acceptedStatus: 202,
  uniqueNames: false,
  policy: {
    ids: "server_ids",
    id: "server_id",
    defaults: { incremental: false, instant_access: false },
    description: { "x-max-bytes": 255 },
  },
  resourceOf: (options) =>
    (
      textAt(options, "server_id") ??
      (Array.isArray(options.volume_ids) ? options.volume_ids : []).map(String).sort().join(",")
    ).toLowerCase(),
  mark: markEvs("tags"),
  read: readEvs({ labels: "tags", resource: "server_id" }),
  createdId: (answer) => textAt(answer, "snapshot_group_id"),
  answer: ({ id }) => ({ snapshot_group_id: id }),
} as const satisfies Kind;
