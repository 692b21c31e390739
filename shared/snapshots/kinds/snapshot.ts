import { readStringField } from "../../core/json.ts";
import { createEvsMarkerWriter, createEvsReader } from "./evs-fields.ts";
import type { Kind } from "./kind.ts";

/** The fields in the EVS v2 response to a create request (SOURCES.md#evs-v2-snapshot-fields). */
const RESPONSE_FIELDS = [
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

/** Reads a legacy snapshot from a list response. */
export const readLegacySnapshot = /* @__PURE__ */ createEvsReader({ labels: "metadata", resource: "volume_id" });

/**
 * Defines the kind `snapshot`: an EVS v2 snapshot of one disk, also called legacy snapshot (SOURCES.md#evs-v2-create). The
 * snapshot marker is in `metadata`.
 */
export const snapshotKind = {
  name: "snapshot",
  envelope: "snapshot",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  // A disk can have at most 7 legacy snapshots. Snapshots that a backup created do not count
  // (SOURCES.md#evs-legacy-per-disk-limit).
  maxPerResource: 7,
  // Without `force`, EVS can reject a create request for an attached disk (SOURCES.md#evs-force-attached).
  target: { idsField: "volume_ids", idOption: "volume_id", defaults: { force: true }, description: { maxLength: 85 } },
  resourceOf: (options) => String(options.volume_id).toLowerCase(),
  mark: /* @__PURE__ */ createEvsMarkerWriter("metadata"),
  read: readLegacySnapshot,
  readCreatedId: ({ snapshot: created }) => readStringField(Object(created), "id"),
  toResponse: ({ raw }) => ({
    snapshot: Object.fromEntries(RESPONSE_FIELDS.filter((name) => name in raw).map((name) => [name, raw[name]])),
  }),
} as const satisfies Kind;
