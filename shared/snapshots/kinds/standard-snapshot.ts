import { readStringField } from "../../core/json.ts";
import { createEvsMarkerWriter, createEvsReader } from "./evs-fields.ts";
import type { Kind } from "./kind.ts";

/** Reads a standard snapshot from a list response. */
export const readStandardSnapshot = /* @__PURE__ */ createEvsReader({ labels: "tags", resource: "volume_id" });

/**
 * Defines the kind `standard-snapshot`: an EVS v5 snapshot of one disk (SOURCES.md#evs-v5-create). The snapshot marker is in
 * `tags`.
 */
export const standardSnapshotKind = {
  name: "standard-snapshot",
  envelope: "snapshot",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  // Create requests always contain `incremental`, because its default value is UNCONFIRMED
  // (SOURCES.md#evs-v5-incremental-default).
  target: {
    idsField: "volume_ids",
    idOption: "volume_id",
    defaults: { incremental: true, instant_access: false },
    description: { maxLength: 85 },
  },
  resourceOf: (options) => String(options.volume_id).toLowerCase(),
  mark: /* @__PURE__ */ createEvsMarkerWriter("tags"),
  read: readStandardSnapshot,
  readCreatedId: (response) => readStringField(response, "snapshot_id"),
  toResponse: ({ id }) => ({ snapshot_id: id }),
} as const satisfies Kind;
