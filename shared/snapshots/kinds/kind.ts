import type { Instant } from "../../core/instant.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Marker } from "../marker.ts";

/**
 * What a status of the cloud means to us. "unknown" is everything that we were not told of (and `rollbacking`,
 * `backing-up`, `RESTORING`, in which nothing may be done with it): never a success, never deleted.
 */
export type State = "creating" | "available" | "failed" | "deleting" | "unknown";

/**
 * Returns what a status means, in whichever case it is written. Words about a deletion and words about a failure count in
 * every kind, because the documents do not list every status that the services use.
 *
 * @param known the statuses of the service's documents, in lower case
 */
export function stateOf(status: string, known: ReadonlyMap<string, State>): State {
  const text = status.toLowerCase();
  const state = known.get(text);
  if (state !== undefined) return state;
  if (/delet(e|ing)/.test(text)) return "deleting";
  return FAILURE.test(text) ? "failed" : "unknown";
}

const FAILURE = /error|fail/i;

/** A snapshot as the cloud shows it, in one shape for all kinds. */
export interface FoundSnapshot {
  id: string;
  name: string;
  /** The disk, server or cluster it was taken of; undefined for a group of single disks. */
  resource?: string;
  status: string;
  state: State;
  /** Why the state differs from the status. */
  stateDetail?: string;
  created?: Instant;
  description?: string;
  /** Metadata (v2) or tags (v5); DWS has none. */
  labels: Record<string, string>;
  marker?: Marker;
  /** The snapshots that a group consists of, where they were looked up. */
  members?: readonly FoundSnapshot[];
  /** As the API gave it. */
  raw: JsonObject;
}

/** Returns whether a snapshot can still satisfy a request: it has not failed and no deletion of it was begun. */
export const isLive = ({ state }: FoundSnapshot): boolean => state !== "failed" && state !== "deleting";

/** Whether it will be gone by itself: what could not be deleted stays, and counts against the quota. */
export const isGoing = ({ state, status }: FoundSnapshot): boolean => state === "deleting" && !isStuck(status);

/** Whether its deletion failed; nothing but the cloud's support can help (cloud-apis.md 1.3). */
export const cannotBeDeleted = ({ state, status }: FoundSnapshot): boolean => state === "deleting" && isStuck(status);

const isStuck = (status: string): boolean => FAILURE.test(status);

/**
 * One kind of snapshot: pure knowledge of its API document. A fifth kind is one more of these, one line in the
 * registry, one client in shared/huaweicloud and one handler.
 */
export interface Kind {
  readonly name: string;
  /** The key that wraps the request's options: `{"snapshot": {...}}`. */
  readonly envelope: "snapshot" | "snapshot_group";
  /** The API's status for a create that it took. */
  readonly acceptedStatus: 200 | 202;
  /** After how many minutes of `creating` a snapshot counts as stuck, where nobody says otherwise. */
  readonly stuckAfterMinutes: number;
  /** True where the API takes a name only once in a project (DWS). */
  readonly uniqueNames: boolean;
  /** True where a snapshot of it consists of others. */
  readonly hasMembers?: true;
  /** How many of them a resource takes, where that is few enough to be reached by a schedule. */
  readonly maxPerResource?: number;
  /** What whoever waits for such a snapshot has to know. */
  readonly caution?: string;
  /** How a policy speaks of this kind. */
  readonly target: {
    /** The field of a target that lists ids, and the option that one of them becomes. */
    readonly idsField: string;
    readonly idOption: string;
    /** The options that a target may set and that are always sent, with what they are where it does not. */
    readonly defaults: Readonly<Record<string, boolean>>;
    /** JSON Schema of the description that a target may give. */
    readonly description: JsonObject;
  };
  /** The resource that the options name: what the snapshot is of. In lower case, as the cloud's lists have ids. */
  resourceOf(options: JsonObject): string;
  /** The options with the marker in the place that this API has for it. */
  mark(options: JsonObject, marker: Marker): JsonObject;
  /** The snapshot in an answer of the API; undefined where the fields that we rely on are missing. */
  read(raw: JsonObject): FoundSnapshot | undefined;
  /** The id in the API's answer to a create; undefined where there is none. */
  createdId(answer: JsonObject): string | undefined;
  /** The API's own answer to a create, for a snapshot that an earlier delivery made (v5: without `job_id`). */
  answer(found: FoundSnapshot): JsonObject;
}
