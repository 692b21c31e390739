import { REASONS, SnapshotError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { backoff, LISTED_AFTER_MS, type RetryBudget } from "../../core/retry.ts";
import { type FoundSnapshot, isBeingDeleted, type Kind } from "../kinds/kind.ts";
import type { Policy } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import type { RunContext } from "../run-context.ts";
import { resourceOf, type Verdict } from "./plan.ts";

/** A snapshot kind and the retention verdict on one snapshot of this kind. */
export interface PlannedVerdict {
  kind: Kind;
  verdict: Verdict;
  /** The older snapshot of the same request, if the snapshot looks like a duplicate. */
  original?: FoundSnapshot;
}

/**
 * A planned deletion of one snapshot. Contains only the fields that its result record and its checks need, because a run can have
 * 100,000 planned deletions.
 */
export interface PendingDeletion {
  kind: Kind;
  id: string;
  name: string;
  resource: string | undefined;
  rule: string;
  /** The ids of the group members that were listed when the plan was made, sorted and separated by commas. */
  memberIds: string | undefined;
  /** The id of the older snapshot that remains, if the snapshot is deleted as a duplicate. */
  originalId: string | undefined;
  /** The create options with which `listFor` lists the snapshots of the resource. Set only for duplicates. */
  listOptions: JsonObject | undefined;
  /** How many snapshots of the same resource and policy the plan keeps. A complete list response contains at least as many. */
  keptCount: number;
  /** The number of delete requests that were sent. */
  tries: number;
  /** The error of the last delete request. */
  error?: SnapshotError;
  /** Completes the result record of the deletion. */
  complete?: (fields: EndFields) => void;
}

/** Converts a retention verdict into the pending deletion of a snapshot. */
export const toPendingDeletion = ({ kind, verdict, original }: PlannedVerdict): PendingDeletion => {
  const { snapshot, rule } = verdict;
  return {
    kind,
    id: snapshot.id,
    name: snapshot.name,
    resource: resourceOf(snapshot),
    rule,
    memberIds: memberIdsOf(snapshot.members),
    ...(verdict.isDuplicate && original !== undefined
      ? { originalId: original.id, listOptions: listOptionsOf(kind, snapshot) }
      : { originalId: undefined, listOptions: undefined }),
    keptCount: 0,
    tries: 0,
  };
};

/** Returns the create options with which `listFor` lists all snapshots of the resource of a snapshot. */
const listOptionsOf = (kind: Kind, { resource, members = [] }: FoundSnapshot): JsonObject =>
  resource === undefined
    ? { volume_ids: members.map((member) => String(member.resource)) }
    : { [kind.target.idOption]: resource };

/** Returns the ids of the members of a snapshot group, sorted and separated by commas. Undefined for other snapshots. */
export const memberIdsOf = (members: FoundSnapshot["members"]): string | undefined =>
  members
    ?.map(({ id }) => id)
    .sort()
    .join(",");

/** Returns the fields of a planned deletion that the log contains before the first delete request. */
export const toAnnouncement = ({ kind, id, resource, rule }: PendingDeletion) => ({
  kind: kind.name,
  resource_id: resource,
  snapshot_id: id,
  rule,
});

/** Opens the result record of a snapshot that prune deletes or keeps. */
export const openPruneRecord = (
  { kind, id, resource, name }: PendingDeletion,
  { policy }: Pick<Policy, "policy">,
  { report }: Pick<RunContext, "report">,
) =>
  report({
    action: "prune",
    kind: kind.name,
    resource_id: resource,
    name,
    snapshot_id: id,
    policy,
  });

/** The fields that complete the record of a deletion if a list response shows that somebody else deletes the snapshot. */
export const IN_DELETION: EndFields = { outcome: "deleted", detail: "Already being deleted." };

/**
 * Creates the error for a snapshot that a list response does not contain. The list response may be incomplete, so the record says
 * `deleted` only if the snapshot is also missing from the list response that confirms the deletions.
 */
export const notListedError = () =>
  new SnapshotError(
    "NotFound",
    "No delete request was sent, because a list response did not contain the snapshot. The next run tries again.",
  );

/**
 * Returns the fields that complete the record of a deletion after a delete request that was accepted, or that failed with
 * NotFound. A response to a delete request proves nothing: a service can accept the request and never delete the snapshot, and a 404
 * response can be about another object, such as the project.
 *
 * @param listed the snapshot in a list response after the delete request, or undefined if the list response does not contain it
 */
export function toConfirmation({ error }: PendingDeletion, listed: FoundSnapshot | undefined): EndFields {
  if (listed === undefined) return { outcome: "deleted", ...(error && { detail: "Already deleted." }) };
  if (isBeingDeleted(listed)) return error === undefined ? { outcome: "deleted" } : IN_DELETION;
  if (error !== undefined) return { outcome: "failed", error };
  return {
    outcome: "unverified",
    detail: `The delete request was accepted, but the snapshot is still listed with the status ${listed.status}. The next run tries again. If this happens again, delete the snapshot by hand.`,
  };
}

/** Returns the fields that complete the record of a deletion if no list response shows its effect. */
export const toUnconfirmed = ({ error }: PendingDeletion, cause: SnapshotError): EndFields =>
  error !== undefined
    ? { outcome: "failed", error }
    : {
        outcome: "unverified",
        detail: `The delete request was accepted, but the snapshots could not be listed after it: ${cause.message}`,
      };

export const NOT_LISTED = "Not deleted: the snapshots could not be listed again.";
export const NOT_TRIED = "Not deleted, because another snapshot of the resource could not be deleted.";
export const planChanged = (rule: string): string =>
  `The plan changed after another list request. Previous rule: ${rule}.`;

export const outOfTimeError = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this snapshot was deleted. The next run deletes it. Raise the function's timeout.",
  );

/** The decision about a snapshot that a new plan no longer contains. */
export const UNMARKED_VERDICT = { decision: "held", rule: "no longer marked with this policy" } as const;

/** The maximum number of delete requests for one busy snapshot in one run. */
const MAX_BUSY_TRIES = 4;

/**
 * Waits before the next delete request for a snapshot. If the last response does not show whether the snapshot was deleted,
 * waits until a list response is certain to show whether the snapshot still exists.
 *
 * @returns false if no other delete request may be sent, or if it would be sent too late
 */
export async function waitBeforeRetry({ error, tries }: PendingDeletion, waits: RetryBudget): Promise<boolean> {
  const { time, deadline } = waits;
  if (error === undefined || (error.reason === "Busy" && tries >= MAX_BUSY_TRIES)) return false;
  const isTransient = REASONS[error.reason].retryClass === "transient";
  if (isTransient && time.now() + LISTED_AFTER_MS >= deadline) return false;
  if (!(await backoff(error, tries, waits))) return false;
  if (isTransient) await time.sleep(LISTED_AFTER_MS);
  return true;
}
