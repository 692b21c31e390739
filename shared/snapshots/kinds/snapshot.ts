import { textAt } from "../../core/json.ts";
import { markEvs, readEvs } from "./evs-fields.ts";
import type { Kind } from "./kind.ts";

/** The fields of `SnapshotDetails` (seed 001, table 6): what the API itself answers to a create. */
const ANSWERED = [
  "status",
  "description",
  "created_at",
  "metadata",
  "volume_id",
  "size",
  "id",
  "name",
  "updated_at",
  "os-extended-snapshot-attributes:project_id",
  "os-extended-snapshot-attributes:progress",
];

/** EVS v2 `cloudsnapshots` of one disk (seeds 001 and 002). The marker is in `metadata`. */
export const snapshot = {
  name: "snapshot",
  envelope: "snapshot",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  // cloud-apis.md 1.7: of those that no backup made.
  maxPerResource: 7,
  // `force`: without it a disk that is attached may be refused (cloud-apis.md 1.1).
  target: { idsField: "volume_ids", idOption: "volume_id", defaults: { force: true }, description: { maxLength: 85 } },
  resourceOf: (options) => String(options.volume_id).toLowerCase(),
  mark: markEvs("metadata"),
  read: readEvs({ labels: "metadata", resource: "volume_id" }),
  createdId: ({ snapshot: created }) => textAt(Object(created), "id"),
  answer: ({ raw }) => ({
    snapshot: Object.fromEntries(ANSWERED.filter((name) => name in raw).map((name) => [name, raw[name]])),
  }),
} as const satisfies Kind;
