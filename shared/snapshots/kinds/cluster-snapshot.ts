import { parseInstant } from "../../core/instant.ts";
import { readStringField } from "../../core/json.ts";
import { describeWithMarker, readMarkerText } from "../marker.ts";
import { type Kind, type State, stateOf } from "./kind.ts";

/**
 * Maps DWS statuses to states (SOURCES.md#dws-statuses). `RESTORING` is missing, so its state is `unknown` and no function
 * deletes the snapshot.
 */
const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
  ["unavailable", "failed"],
]);

/** The maximum number of characters in the description of a DWS snapshot (SOURCES.md#dws-create-constraints). */
const DESCRIPTION_LIMIT = 256;

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
  // SOURCES.md#dws-cluster-frozen describes this restriction.
  caution: "While DWS creates the snapshot, the cluster cannot be restarted, scaled or reconfigured.",
  // 120 characters leave room for the snapshot marker with the longest policy name. Without the marker, prune would not find
  // the snapshot.
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
  read(raw) {
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
  },
  readCreatedId: ({ snapshot: created }) => readStringField(Object(created), "id"),
  toResponse: ({ id }) => ({ snapshot: { id } }),
} as const satisfies Kind;
