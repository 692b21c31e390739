/** Declares what the checker knows about a run: the state of the cloud at every time, the requests and the records. */
import type { JsonObject } from "../../shared/core/json.ts";
import type { Retention } from "../../shared/snapshots/policy.ts";

/** The state of a row from one time until the next version. `raw` is undefined while the row does not exist. */
export interface Version {
  from: number;
  raw: JsonObject | undefined;
}

/** A snapshot or a snapshot group with all its versions, oldest first. */
export interface Row {
  kind: string;
  id: string;
  versions: Version[];
}

/** A list request that was answered with rows. */
export interface ListRequest {
  kind: string;
  /** The disk, server or cluster to which the response is limited. Undefined: all resources. */
  resource?: string;
  /** The snapshot group to whose members the response is limited. The response then does not contain the group itself. */
  membersOf?: string;
  sentAt: number;
  answeredAt: number;
  /** The ids of the rows that the response omitted although they existed. */
  omitted: ReadonlySet<string>;
}

/** A delete or create request. `reason` and `isAmbiguous` are set if the service rejected it or did not respond. */
export interface ChangeRequest {
  kind: string;
  /** The id in a delete request, or the id of the created snapshot. */
  id: string;
  sentAt: number;
  answeredAt: number;
  reason?: string;
  isAmbiguous?: boolean;
}

export interface HistoryRecord {
  at: number;
  kind: string | undefined;
  /** Undefined if the record is not about one snapshot. */
  id: string | undefined;
  outcome: string;
  detail: string | undefined;
}

/** The policy fields that the checker knows. */
export interface KnownPolicy {
  policy: string;
  time_zone?: string;
  hold?: string[];
  dry_run?: boolean;
  retention?: Retention;
}

export interface History {
  policy: KnownPolicy;
  mode: "prune" | "make-room";
  /** Whether nobody but the run changed anything, and every request succeeded. */
  isCalm: boolean;
  start: number;
  deadline: number;
  /** The maximum age of the state that a list response shows, in milliseconds. */
  listLagMs: number;
  rows: Row[];
  lists: ListRequest[];
  deletes: ChangeRequest[];
  creates: ChangeRequest[];
  announcements: { at: number; ids: string[] }[];
  records: HistoryRecord[];
  /** How the run ended: normally, with an error, or never. */
  end: { type: "done" } | { type: "threw"; message: string } | { type: "hangs" };
}
