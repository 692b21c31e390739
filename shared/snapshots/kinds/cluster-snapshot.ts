import { parseInstant } from "../../core/instant.ts";
import { textAt } from "../../core/json.ts";
import { describeWithMarker, readMarkerText } from "../marker.ts";
import { type Kind, type State, stateOf } from "./kind.ts";

/** DWS statuses (cloud-apis.md 3). `RESTORING` is left unknown: nothing may be done with the snapshot meanwhile. */
const STATES = new Map<string, State>([
  ["creating", "creating"],
  ["available", "available"],
  ["unavailable", "failed"],
]);

/** Seed 004: "a maximum of 256 characters". */
const DESCRIPTION_LIMIT = 256;

/** DWS snapshot of one cluster (seed 004). DWS has neither tags nor metadata: the marker ends the description. */
export const clusterSnapshot = {
  name: "cluster-snapshot",
  envelope: "snapshot",
  acceptedStatus: 200,
  stuckAfterMinutes: 360,
  uniqueNames: true,
  // cloud-apis.md 3
  caution: "While its snapshot is taken the cluster cannot be restarted, scaled or reconfigured.",
  // 256 characters less the marker of the longest policy name: what a policy makes can always be pruned by it.
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
