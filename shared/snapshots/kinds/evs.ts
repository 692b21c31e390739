import { parseInstant } from "../instant.ts";
import { type JsonObject, textAt, textMap } from "../json.ts";
import { type Marker, markerLabels, readMarkerLabels } from "../marker.ts";
import type { FoundSnapshot, State } from "./kind.ts";

/** EVS statuses (cloud-apis.md 1.3), v2 and v5 alike. The document of the groups spells one `avaialble`: both count. */
const STATES: Record<string, State> = {
  creating: "creating",
  available: "available",
  avaialble: "available",
  error: "failed",
  deleting: "deleting",
  deleted: "deleting",
  error_deleting: "deleting",
};

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
      state: STATES[status.toLowerCase()] ?? "unknown",
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
