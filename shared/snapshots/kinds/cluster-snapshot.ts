import { parseInstant } from "../../core/instant.ts";
import { textAt } from "../../core/json.ts";
import { describeWithMarker, readMarkerText } from "../marker.ts";
import { type Kind, type State, stateOf } from "./kind.ts";

/** Maps DWS statuses to states (SOURCES.md#dws-statuses). `RESTORING` is missing because a snapshot in it must not be touched. */
const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
  ["unavailable", "failed"],
]);

/** The maximum number of characters of a description (SOURCES.md#dws-create-constraints). */
const DESCRIPTION_LIMIT = 256;

/**
 * Defines DWS snapshots of one cluster (SOURCES.md#dws-create). DWS has neither tags nor metadata, so the marker is at the end of the
 * description.
 */
export const clusterSnapshot = {
  name: "cluster-snapshot",
  envelope: "snapshot",
  acceptedStatus: 200,
  stuckAfterMinutes: 360,
  uniqueNames: true,
  // SOURCES.md#dws-cluster-busy
  caution: "While its snapshot is taken the cluster cannot be restarted, scaled or reconfigured.",
  // The maximum length of a description leaves room for the marker with the longest policy name. Without its marker, prune
  // would not find the snapshot.
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
    const id = textAt(raw, "id");
    const status = textAt(raw, "status");
    if (!id || !status) return undefined;
    const description = textAt(raw, "description");
    return {
      id,
      name: textAt(raw, "name") ?? "",
      resource: textAt(raw, "cluster_id")?.toLowerCase(),
      status,
      state: stateOf(status, STATES),
      created: parseInstant(raw.started),
      description,
      labels: {},
      marker: readMarkerText(description),
      raw,
    };
  },
  createdId: ({ snapshot: created }) => textAt(Object(created), "id"),
  answer: ({ id }) => ({ snapshot: { id } }),
} as const satisfies Kind;
