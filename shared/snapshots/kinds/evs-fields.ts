import { parseInstant } from "../../core/instant.ts";
import { type JsonObject, readStringField, toStringMap } from "../../core/json.ts";
import { type Marker, markerLabels, readMarkerLabels } from "../marker.ts";
import { type FoundSnapshot, type State, stateOf } from "./kind.ts";

/**
 * Maps the statuses of EVS v2 and v5 to states. The map contains no statuses of failures and deletions, because `stateOf`
 * recognizes them by a word in the status. The documentation of snapshot groups spells one status `avaialble`
 * (SOURCES.md#evs-groups-status), so both spellings are accepted.
 */
const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
  ["avaialble", "available"],
]);

export const evsStateOf = (status: string): State => stateOf(status, STATES);

/**
 * The names of the response fields that contain the resource id and the labels of a snapshot, which include the labels that
 * identify it as created by this project. The EVS APIs use different names.
 */
interface EvsFieldNames {
  labels: "metadata" | "tags";
  resource: "volume_id" | "server_id";
}

/**
 * Creates the function that reads an EVS snapshot or snapshot group from an API response. The function returns undefined if the
 * id or the status is missing, because no decision about a snapshot is possible without them.
 */
export const createEvsReader =
  (fields: EvsFieldNames) =>
  (raw: JsonObject): FoundSnapshot | undefined => {
    const id = readStringField(raw, "id");
    const status = readStringField(raw, "status");
    if (!id || !status) return undefined;
    const labels = toStringMap(raw[fields.labels]);
    return {
      id,
      name: readStringField(raw, "name") ?? "",
      resource: readStringField(raw, fields.resource)?.toLowerCase() || undefined,
      status,
      state: evsStateOf(status),
      created: parseInstant(raw.created_at),
      description: readStringField(raw, "description"),
      labels,
      marker: readMarkerLabels(labels),
      raw,
    };
  };

/**
 * Creates a function that adds the marker labels of this project to create options, in the field `metadata` (EVS v2) or `tags` (v5).
 */
export const createEvsMarkerWriter =
  (field: EvsFieldNames["labels"]) =>
  (options: JsonObject, marker: Marker): JsonObject => ({
    ...options,
    [field]: { ...toStringMap(options[field]), ...markerLabels(marker) },
  });
