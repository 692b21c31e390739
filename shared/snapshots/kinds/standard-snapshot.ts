import { textAt } from "../../core/json.ts";
import { markEvs, readEvs } from "./evs-fields.ts";
import type { Kind } from "./kind.ts";

/** EVS v5 standard snapshot of one disk (seed 000). The marker is in `tags`. */
export const standardSnapshot = {
  name: "standard-snapshot",
  envelope: "snapshot",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  // Always sent, as the documents do not agree on the default of `incremental` (cloud-apis.md 2.1).
  target: {
    idsField: "volume_ids",
    idOption: "volume_id",
    defaults: { incremental: true, instant_access: false },
    description: { maxLength: 85 },
  },
  resourceOf: (options) => String(options.volume_id).toLowerCase(),
  mark: markEvs("tags"),
  read: readEvs({ labels: "tags", resource: "volume_id" }),
  createdId: (answer) => textAt(answer, "snapshot_id"),
  answer: ({ id }) => ({ snapshot_id: id }),
} as const satisfies Kind;
