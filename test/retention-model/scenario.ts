/** Declares a scenario: the snapshots of a project, a policy, and everything that happens while the policy is applied. */
import type { JsonObject } from "../../shared/core/json.ts";
import type { PrunePolicy } from "../../shared/snapshots/retention/prune.ts";
import type { Kind as KindName } from "../support/kinds.ts";

/** A scenario. It consists of plain data, so it can be printed and repeated. */
export interface Scenario {
  seed: number;
  /** `prune`: one run of prune-snapshots. `make-room`: one create request with `make_room`, for the disk `MAKE_ROOM_DISK`. */
  mode: "prune" | "make-room";
  /** The time at which the run starts, as an ISO 8601 string. */
  start: string;
  policy: PrunePolicy;
  rows: ScenarioRow[];
  changes: Change[];
  deleteFaults: DeleteFault[];
  listFaults: ListFault[];
  /** `unsupported`: EVS rejects every create request. `open`: EVS rejects a create request only if the disk is full. */
  creates: "open" | "unsupported";
  concurrency: number;
  /** The time limit of the run in milliseconds. */
  timeLimitMs: number;
  listMs: number;
  /** The maximum age of the state that a list response shows, in milliseconds. */
  listLagMs: number;
  deleteMs: number;
  /** How long an EVS snapshot has the status `deleting`, in milliseconds. */
  removalMs: number;
  /** Whether EVS deletes the members of a group together with the group. */
  removesMembers: boolean;
}

/** The disk for which a run with the mode `make-room` creates a snapshot. */
export const MAKE_ROOM_DISK = "disk-0";
/** The maximum number of legacy snapshots of one disk (SOURCES.md#evs-legacy-per-disk-limit). */
export const MAX_PER_DISK = 7;

/** A snapshot or snapshot group, as the service lists it. The members of a group are rows of the kind `standard-snapshot`. */
export interface ScenarioRow {
  kind: KindName;
  raw: JsonObject & { id: string };
  /** True if the snapshot does not exist when the run starts. A change can create it. */
  isAbsent?: true;
}

/** Somebody changes a row during the run. */
export interface Change {
  id: string;
  /** What the change follows: the nth list request or the nth delete request of the run, or `count` milliseconds of it. */
  after: "list" | "delete" | "ms";
  count: number;
  /** The fields that change. Null removes a field. Undefined: the row is deleted. */
  set?: JsonObject;
}

/**
 * What goes wrong with a delete request:
 *
 * - `busy`, `throttled`, `denied`, `unavailable`: the service rejects the request.
 * - `notFound`: the service responds with 404 although the snapshot exists, because another object is missing.
 * - `lost`: the service deletes the snapshot, but the response is lost.
 * - `hangs`: no response, and the snapshot remains.
 * - `late`: no response, and the service deletes the snapshot up to 45 s later.
 * - `acknowledged`: the response is a success, but the snapshot remains.
 * - `endsInError`: the response is a success, but the snapshot ends in the status `error_deleting`.
 * - `other`: the response is a success, but the service deletes another snapshot.
 */
export const DELETE_FAULTS = [
  ...["busy", "throttled", "denied", "unavailable", "notFound"],
  ...["lost", "hangs", "late", "acknowledged", "endsInError", "other"],
] as const;
export type DeleteFaultType = (typeof DELETE_FAULTS)[number] & string;

/** A fault of the first `times` delete requests for a snapshot. */
export interface DeleteFault {
  id: string;
  type: string;
  times: number;
  /** The snapshot that the service deletes instead, if `type` is `other`. */
  other?: string;
}

/** A fault of the nth list request of the run. `omits`: the response does not contain the rows with these ids. */
export interface ListFault {
  nth: number;
  type: "throttled" | "unreachable" | "unsupported" | "omits";
  ids?: string[];
}

/** What can go wrong in the scenarios of a family. */
export const FAMILIES = [
  ...["calm", "duplicates", "changes", "failures", "lists", "everything", "make-room"],
] as const satisfies string[];
export type Family = "calm" | "duplicates" | "changes" | "failures" | "lists" | "everything" | "make-room";

/** Returns the family of a seed. */
export const familyOf = (seed: number): Family => FAMILIES[Math.abs(seed) % FAMILIES.length] as Family;

/** Returns whether nothing goes wrong in a scenario, and nobody changes it during the run. */
export const isCalm = ({ changes, deleteFaults, listFaults }: Scenario): boolean =>
  changes.length + deleteFaults.length + listFaults.length === 0;
