import { parseInstant } from "../../core/instant.ts";
import { readStringField, toStringMap } from "../../core/json.ts";
import { markerLabels, readMarkerLabels } from "../marker.ts";
import { type Kind, type State, stateOf } from "./kind.ts";

const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
]);

/** Defines snapshots of file shares, of a service that does not exist. The marker is in `tags`. */
export const shareSnapshotKind = {
  name: "share-snapshot",
  envelope: "snapshot",
  acceptedStatus: 202,
  stuckAfterMinutes: 60,
  uniqueNames: false,
  target: {
    idsField: "share_ids",
    idOption: "share_id",
    defaults: { incremental: true },
    description: { maxLength: 85 },
  },
  resourceOf: ({ share_id }) => String(share_id).toLowerCase(),
  mark: (options, marker) => ({ ...options, tags: { ...toStringMap(options.tags), ...markerLabels(marker) } }),
  read(raw) {
    const id = readStringField(raw, "id");
    const status = readStringField(raw, "status");
    if (!id || !status) return undefined;
    const labels = toStringMap(raw.tags);
    return {
      id,
      name: readStringField(raw, "name") ?? "",
      resource: readStringField(raw, "share_id")?.toLowerCase(),
      status,
      state: stateOf(status, STATES),
      created: parseInstant(raw.created_at),
      description: readStringField(raw, "description"),
      labels,
      marker: readMarkerLabels(labels),
      raw,
    };
  },
  readCreatedId: (response) => readStringField(response, "snapshot_id"),
  toResponse: ({ id }) => ({ snapshot_id: id }),
} as const satisfies Kind;
