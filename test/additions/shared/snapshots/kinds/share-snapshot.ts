import { parseInstant } from "../../core/instant.ts";
import { textAt, textMap } from "../../core/json.ts";
import { markerLabels, readMarkerLabels } from "../marker.ts";
import { type Kind, type State, stateOf } from "./kind.ts";

const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
]);

/** Defines snapshots of file shares, of a service that does not exist. The marker is in `tags`. */
export const shareSnapshot = {
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
  mark: (options, marker) => ({ ...options, tags: { ...textMap(options.tags), ...markerLabels(marker) } }),
  read(raw) {
    const id = textAt(raw, "id");
    const status = textAt(raw, "status");
    if (!id || !status) return undefined;
    const labels = textMap(raw.tags);
    return {
      id,
      name: textAt(raw, "name") ?? "",
      resource: textAt(raw, "share_id")?.toLowerCase(),
      status,
      state: stateOf(status, STATES),
      created: parseInstant(raw.created_at),
      description: textAt(raw, "description"),
      labels,
      marker: readMarkerLabels(labels),
      raw,
    };
  },
  createdId: (response) => textAt(response, "snapshot_id"),
  answer: ({ id }) => ({ snapshot_id: id }),
} as const satisfies Kind;
