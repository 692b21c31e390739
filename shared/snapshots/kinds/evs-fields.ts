import { parseInstant } from "../../core/instant.ts";
import { type JsonObject, textAt, textMap } from "../../core/json.ts";
import { type Marker, markerLabels, readMarkerLabels } from "../marker.ts";
import { type FoundSnapshot, type State, stateOf } from "./kind.ts";

/**
 * The statuses of EVS that no word about a failure or a deletion explains, v2 and v5 alike. The document of the groups
 * spells one `avaialble`: both count.
 */
const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
  ["avaialble", "available"],
]);

export const evsStateOf = (status: string): State => stateOf(status, STATES);

/** Where an EVS API keeps the labels that carry the marker, and what a snapshot is of. */
interface EvsFields {
  labels: "metadata" | "tags";
  resource: "volume_id" | "server_id";
}

/** Reads an EVS snapshot or group; undefined where id or status are missing, because all else depends on them. */
export const readEvs =
  (fields: EvsFields) =>
  (raw: JsonObject): FoundSnapshot | undefined => {
    const id = textAt(raw, "id");
    const status = textAt(raw, "status");
    if (!id || !status) return undefined;
    const labels = textMap(raw[fields.labels]);
    return {
      id,
      name: textAt(raw, "name") ?? "",
      resource: textAt(raw, fields.resource)?.toLowerCase() || undefined,
      status,
      state: evsStateOf(status),
      created: parseInstant(raw.created_at),
      description: textAt(raw, "description"),
      labels,
      marker: readMarkerLabels(labels),
      raw,
    };
  };

/** The options with the marker among their metadata or tags. */
export const markEvs =
  (field: EvsFields["labels"]) =>
  (options: JsonObject, marker: Marker): JsonObject => ({
    ...options,
    [field]: { ...textMap(options[field]), ...markerLabels(marker) },
  });
