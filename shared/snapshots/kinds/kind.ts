import type { Instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Marker } from "../marker.ts";

/**
 * Classifies the statuses of the cloud. `unknown` covers undocumented statuses, and `rollbacking`, `backing-up` and
 * `RESTORING`, in which a snapshot must not be touched. An `unknown` snapshot is never deleted and never counts as good.
 */
export type State = "creating" | "available" | "failed" | "deleting" | "unknown";

/**
 * Returns the state of a status. Ignores upper and lower case. Recognizes a deletion or a failure by a word in the status,
 * because the documentation does not list every status that the services use.
 *
 * @param documented the documented statuses of the service, in lower case
 */
export function stateOf(status: string, documented: ReadonlyMap<string, State>): State {
  const text = status.toLowerCase();
  const state = documented.get(text);
  if (state !== undefined) return state;
  if (/delet(e|ing)/.test(text)) return "deleting";
  return FAILURE.test(text) ? "failed" : "unknown";
}

const FAILURE = /error|fail/i;

/** A snapshot in a list of the cloud. All kinds share this type. */
export interface FoundSnapshot {
  id: string;
  name: string;
  /** The id of the disk, server or cluster; undefined for a group of individual disks. */
  resource?: string;
  status: string;
  state: State;
  /** Why the state differs from the status. */
  stateDetail?: string;
  created?: Instant;
  description?: string;
  /** Metadata (EVS v2) or tags (EVS v5). DWS snapshots have no labels. */
  labels: Record<string, string>;
  marker?: Marker;
  /** The snapshots in a group, if they were listed. */
  members?: readonly FoundSnapshot[];
  /** The API's own fields. */
  raw: JsonObject;
}

/** Returns whether a snapshot can satisfy a request: it has not failed, and its deletion has not started. */
export const isLive = ({ state }: FoundSnapshot): boolean => state !== "failed" && state !== "deleting";

/** Returns whether a snapshot will disappear. If its deletion failed, the snapshot remains and counts against the quota. */
export const isBeingDeleted = ({ state, status }: FoundSnapshot): boolean => state === "deleting" && !isStuck(status);

/** Returns whether the deletion of a snapshot failed. Only the cloud's support can delete it (SOURCES.md#evs-snapshot-statuses). */
export const cannotBeDeleted = ({ state, status }: FoundSnapshot): boolean => state === "deleting" && isStuck(status);

const isStuck = (status: string): boolean => FAILURE.test(status);

/**
 * Defines a kind of snapshot: the facts from its API documentation, without any request. A further kind needs a definition, a
 * line in kinds.ts, a client in shared/huaweicloud and a function.
 */
export interface Kind {
  readonly name: string;
  /** The field of the request body that contains the options: `{"snapshot": {...}}`. */
  readonly envelope: "snapshot" | "snapshot_group";
  /** The HTTP status of a successful create. */
  readonly acceptedStatus: 200 | 202;
  /** The minutes in state `creating` after which a snapshot counts as stuck, unless the request sets another limit. */
  readonly stuckAfterMinutes: number;
  /** True if a name must be unique in its project (DWS). Upper and lower case are the same name. */
  readonly uniqueNames: boolean;
  /** True if a snapshot of this kind consists of other snapshots. */
  readonly hasMembers?: true;
  /** The maximum number of snapshots per resource. Undefined if a schedule cannot reach it. */
  readonly maxPerResource?: number;
  /** A warning for callers that wait for a snapshot of this kind. */
  readonly caution?: string;
  /** How a policy selects resources of this kind. */
  readonly target: {
    /** The field of a target that lists the ids of resources. */
    readonly idsField: string;
    /** The create option that contains the id of the resource. */
    readonly idOption: string;
    /** The create options that a target can set, with their default values. They are always sent. */
    readonly defaults: Readonly<Record<string, boolean>>;
    /** The JSON Schema of the description that a target can set. */
    readonly description: JsonObject;
  };
  /** Returns the resource in the create options, in lower case like the ids in the cloud's lists. */
  resourceOf(options: JsonObject): string;
  /** Adds the marker to create options. */
  mark(options: JsonObject, marker: Marker): JsonObject;
  /** Reads a snapshot from a response of the API. Returns undefined if a required field is missing. */
  read(raw: JsonObject): FoundSnapshot | undefined;
  /** Returns the snapshot id in the response to a create, or undefined if it is missing. */
  readCreatedId(response: JsonObject): string | undefined;
  /** Rebuilds the response to the create of an existing snapshot. For EVS v5, `job_id` is missing. */
  rebuildResponse(found: FoundSnapshot): JsonObject;
}
