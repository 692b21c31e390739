import type { Instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Marker } from "../marker.ts";

/**
 * The state of a snapshot, derived from its status in EVS or DWS. Undocumented statuses and the statuses `rollbacking`,
 * `backing-up` and `RESTORING` result in `unknown`. A snapshot in the state `unknown` is never deleted, and retention rules do
 * not count it.
 */
export type State = "creating" | "available" | "failed" | "deleting" | "unknown";

/**
 * Converts the status of a snapshot into its state. Ignores upper and lower case. Recognizes a deletion or a failure by a word
 * in the status, because the API documents do not list every status that the services return.
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

/** A snapshot or snapshot group in a list response. All kinds of snapshots have this type. */
export interface FoundSnapshot {
  id: string;
  name: string;
  /** The id of the disk, server or cluster; undefined for a group of individual disks. */
  resource?: string;
  status: string;
  state: State;
  /** Why a snapshot group is incomplete or why this is unknown, such as a missing member. Set only by `compareWithDisks`. */
  stateDetail?: string;
  created?: Instant;
  description?: string;
  /** The metadata (EVS v2) or the tags (EVS v5) of the snapshot. Empty for DWS snapshots. */
  labels: Record<string, string>;
  marker?: Marker;
  /** The snapshots in a snapshot group. Undefined for other kinds, and if the members were not listed. */
  members?: readonly FoundSnapshot[];
  /** The fields of the snapshot in the list response, unchanged. */
  raw: JsonObject;
}

/** Returns whether a snapshot is usable or may become usable: it has not failed, and its deletion has not started. */
export const isLive = ({ state }: FoundSnapshot): boolean => state !== "failed" && state !== "deleting";

/** Returns whether EVS or DWS is deleting a snapshot. Returns false after a failed deletion, because the snapshot remains. */
export const isBeingDeleted = ({ state, status }: FoundSnapshot): boolean => state === "deleting" && !isFailure(status);

/**
 * Returns whether EVS failed to delete a snapshot. Only Huawei Cloud's support can delete such a snapshot
 * (SOURCES.md#evs-snapshot-statuses).
 */
export const cannotBeDeleted = ({ state, status }: FoundSnapshot): boolean => state === "deleting" && isFailure(status);

/** The placeholder for the status or the id of a row if the list response does not contain it. */
export const UNREADABLE = "unreadable";

/** Returns whether a row of a list response had no valid id or no status. Such a snapshot has the state `unknown`. */
export const isUnreadable = ({ status }: FoundSnapshot): boolean => status === UNREADABLE;

const isFailure = (status: string): boolean => FAILURE.test(status);

/**
 * Defines a kind of snapshot by the facts in its API documents. Sends no requests. To add the kind `share-snapshot`, export
 * `shareSnapshotKind` from share-snapshot.ts in this folder, and add a client in shared/huaweicloud and a function. Then run
 * `npm run generate`, which adds the kind and the client to the generated lists.
 */
export interface Kind {
  readonly name: string;
  /** The field in the body of a create request that contains the create options, as in `{"snapshot": {...}}`. */
  readonly envelope: "snapshot" | "snapshot_group";
  /** The HTTP status with which the API responds to a successful create request. */
  readonly acceptedStatus: 200 | 202;
  /**
   * If a snapshot has the state `creating` for more than this number of minutes, verify-snapshots reports it as stuck. The event
   * of verify-snapshots can set another number.
   */
  readonly stuckAfterMinutes: number;
  /** True if two snapshots in a project must not have the same name (DWS). The comparison ignores upper and lower case. */
  readonly uniqueNames: boolean;
  /** True if a snapshot of this kind consists of other snapshots. */
  readonly hasMembers?: true;
  /** The maximum number of snapshots per resource. Undefined if the maximum is so high that no schedule reaches it. */
  readonly maxPerResource?: number;
  /**
   * The value of the field `type` in the snapshots that a user created, in lower case. Prune deletes no snapshot with another value
   * or without this field. Undefined if the snapshots of this kind have no such field.
   */
  readonly requiredType?: string;
  /** A warning for callers that wait for a snapshot of this kind. */
  readonly caution?: string;
  /** How a policy selects resources of this kind. */
  readonly target: {
    /** The field of a target that contains an array of resource ids. */
    readonly idsField: string;
    /** The create option that contains the id of the resource. */
    readonly idOption: string;
    /** The create options that a target can set, with their default values. Every create request contains these options. */
    readonly defaults: Readonly<Record<string, boolean>>;
    /** The JSON Schema of the description that a target can set. */
    readonly description: JsonObject;
  };
  /** Returns the resource id in the create options, in lower case like the ids in list responses. */
  resourceOf(options: JsonObject): string;
  /** Adds the labels that identify the snapshot as created by this project to create options. */
  mark(options: JsonObject, marker: Marker): JsonObject;
  /** Reads a snapshot from a response of the API. Returns undefined if a required field is missing. */
  read(raw: JsonObject): FoundSnapshot | undefined;
  /** Returns the snapshot id in the response to a create request, or undefined if the id is missing. */
  readCreatedId(response: JsonObject): string | undefined;
  /** Rebuilds the response that the API returned when this snapshot was created. For EVS v5, the result contains no `job_id`. */
  toResponse(found: FoundSnapshot): JsonObject;
}
