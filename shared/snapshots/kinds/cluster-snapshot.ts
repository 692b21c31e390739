import { parseInstant } from "../../core/instant.ts";
import { type JsonObject, readStringField } from "../../core/json.ts";
import { describeWithMarker, readMarkerText } from "../marker.ts";
import { type FoundSnapshot, type Kind, type State, stateOf } from "./kind.ts";

/**
 * Maps DWS statuses to states (SOURCES.md#dws-statuses). A snapshot with the status `RESTORING` has the state `unknown`, because
 * the map does not contain this status. No function deletes a snapshot in the state `unknown`.
 */
const STATES = /* @__PURE__ */ new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
  ["unavailable", "failed"],
]);

/** The maximum number of characters in the description of a DWS snapshot (SOURCES.md#dws-create-constraints). */
const DESCRIPTION_LIMIT = 256;

/** Reads a cluster snapshot from a list response. */
export function readClusterSnapshot(raw: JsonObject): FoundSnapshot | undefined {
  const id = readStringField(raw, "id");
  const status = readStringField(raw, "status");
  if (!id || !status) return undefined;
  const description = readStringField(raw, "description");
  return {
    id,
    name: readStringField(raw, "name") ?? "",
    resource: readStringField(raw, "cluster_id")?.toLowerCase(),
    status,
    state: stateOf(status, STATES),
    created: parseInstant(raw.started),
    description,
    labels: {},
    marker: readMarkerText(description),
    raw,
  };
}

/**
 * Defines the kind `cluster-snapshot`: a DWS snapshot of one cluster (SOURCES.md#dws-create). DWS snapshots have neither tags
 * nor metadata, so the snapshot marker is appended to the description.
 */
export const clusterSnapshotKind = {
  name: "cluster-snapshot",
  envelope: "snapshot",
  acceptedStatus: 200,
  stuckAfterMinutes: 360,
  uniqueNames: true,
  // DWS deletes its automated snapshots itself (SOURCES.md#dws-manual-deletion).
  requiredType: "manual",
  // Source of the warning: SOURCES.md#dws-cluster-frozen.
  caution: "While DWS creates the snapshot, the cluster cannot be restarted, scaled or reconfigured.",
  // The snapshot marker is appended to the description. If the description has at most 120 characters, even the marker with the
  // longest policy name fits. Without the marker, prune would not find the snapshot.
  target: {
    idsField: "cluster_ids",
    idOption: "cluster_id",
    defaults: {},
    description: {
      maxLength: 120,
      pattern: "^(?![\\s\\S]*managed-by:)[^!<>'=&\"]*$",
      "x-expected": "a string without managed-by: and without any of the characters !<>'=&\"",
    },
  },
  resourceOf: (options) => String(options.cluster_id).toLowerCase(),
  mark: (options, marker) => ({
    ...options,
    description: describeWithMarker(
      typeof options.description === "string" ? options.description : undefined,
      marker,
      DESCRIPTION_LIMIT,
    ),
  }),
  read: readClusterSnapshot,
  readCreatedId: ({ snapshot: created }) => readStringField(Object(created), "id"),
  toResponse: ({ id }) => ({ snapshot: { id } }),
} as const satisfies Kind;
