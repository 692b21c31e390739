import { asSnapshotError, REASONS, type Reason, SnapshotError } from "../../core/errors.ts";
import { LISTED_AFTER_MS, type RetryBudget } from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import type { SnapshotRequest } from "./request.ts";

/** The time in milliseconds that `createOnce` reserves for its last list request before the deadline. */
export const LAST_LIST_MS = 1_000;

/** Returns whether a retry cannot change the error. */
export const isFinal = ({ reason }: SnapshotError): boolean => REASONS[reason].retryClass === "never";

/**
 * Lists the snapshots after an ambiguous response to a create request. Before the list request, waits until a new snapshot is
 * certain to appear in list responses, or until shortly before the deadline.
 *
 * @returns the new snapshot, or undefined if the list response proves that no snapshot was created
 * @throws SnapshotError OutcomeUnknown if the list request failed, or if it was sent too early to prove anything
 */
export async function listAfterAmbiguous(
  findExisting: () => Promise<FoundSnapshot | undefined>,
  retryBudget: RetryBudget,
  error: SnapshotError,
): Promise<FoundSnapshot | undefined> {
  const hasWaited = await sleepUntilListed(retryBudget);
  try {
    const existing = await findExisting();
    if (existing !== undefined) return existing;
  } catch (cause) {
    // The create request and the list request may fail with the same final error, such as AccessDenied. Then throw the error of
    // the create request, because its reason is more specific than OutcomeUnknown. DeadlineExceeded is excluded, because it
    // does not mean that the cloud rejected the request.
    const isSameRejection = asSnapshotError(cause).reason === error.reason && error.reason !== "DeadlineExceeded";
    throw isFinal(error) && isSameRejection ? error : outcomeUnknownError(error, cause);
  }
  // The list response proves nothing if the list request was sent before a new snapshot is certain to appear.
  if (!hasWaited) throw outcomeUnknownError(error, error);
  return undefined;
}

/**
 * Waits until a snapshot that exists now is certain to appear in list responses, or until shortly before the deadline.
 *
 * @returns false if the deadline was too early for the whole wait
 */
async function sleepUntilListed({ time, deadline }: RetryBudget): Promise<boolean> {
  const remaining = deadline - LAST_LIST_MS - time.now();
  await time.sleep(Math.max(0, Math.min(LISTED_AFTER_MS, remaining)));
  return remaining >= LISTED_AFTER_MS;
}

const outcomeUnknownError = (error: SnapshotError, cause: unknown) => {
  const { code, status, requestId, attempts } = error;
  const message = `${error.message} It is unknown whether the snapshot was created. ${REASONS.OutcomeUnknown.advice}`;
  return new SnapshotError("OutcomeUnknown", message, { code, status, requestId, attempts, cause });
};

/** The reasons for which EVS or DWS can reject a create request because another delivery has just created the snapshot. */
const REASONS_BY_EXISTING: readonly Reason[] = ["Busy", "Conflict", "QuotaExceeded"];

/**
 * Searches for the snapshot that may have caused the final rejection of a create request: a snapshot that another delivery of the
 * same request created. The last list request is sent when this snapshot is certain to appear in list responses, or shortly
 * before the deadline.
 *
 * It is UNCONFIRMED with which error code DWS rejects a name that exists (SOURCES.md#dws-names-unique), and with which error code
 * EVS rejects a snapshot of a disk that has the maximum number of snapshots (SOURCES.md#evs-per-disk-limit-code). Either can
 * therefore be an `InvalidRequest`.
 *
 * @param findExisting lists the snapshots and returns the snapshot of the request
 * @param count lists the snapshots and returns the number of snapshots of the resource
 * @throws SnapshotError QuotaExceeded if the error is an `InvalidRequest` and the disk has the maximum number of snapshots;
 *   otherwise `error`, if `findExisting` returns no snapshot
 */
export async function findCause(
  error: SnapshotError,
  { kind, options }: SnapshotRequest,
  { findExisting, count }: { findExisting: () => Promise<FoundSnapshot | undefined>; count: () => Promise<number> },
  retryBudget: RetryBudget,
): Promise<FoundSnapshot> {
  const { reason, status, requestSent } = error;
  if (!requestSent) throw error;
  const search = () => findExisting().catch(() => undefined);
  const found = kind.uniqueNames && status !== undefined ? await search() : undefined;
  if (found !== undefined) return found;
  const { maxPerResource } = kind;
  // A disk in the status "error" can have the maximum number of snapshots, too, but its status is the cause of the rejection.
  const isLimited =
    maxPerResource !== undefined && reason === "InvalidRequest" && !/status|state/i.test(error.cloudMessage ?? "");
  // Stryker disable next-line ArrowFunction: an undefined count has the same effect as 0
  const countIfLimited = () => (isLimited ? count().catch(() => 0) : Promise.resolve(0));
  const isCausedByExisting =
    REASONS_BY_EXISTING.includes(reason) ||
    (kind.uniqueNames && reason === "InvalidRequest") ||
    // The list response may not contain the snapshot of the other delivery yet.
    (isLimited && (await countIfLimited()) >= maxPerResource - 1);
  if (!isCausedByExisting) throw error;
  await sleepUntilListed(retryBudget);
  const existing = await search();
  if (existing !== undefined) return existing;
  const total = await countIfLimited();
  throw isLimited && total >= maxPerResource ? quotaError(error, kind, kind.resourceOf(options), total) : error;
}

function quotaError(error: SnapshotError, { maxPerResource }: Kind, resource: string, count: number): SnapshotError {
  const { code, cloudMessage, status, requestId, attempts } = error;
  const rejection = `${status} ${code ?? "without a code"}: ${(cloudMessage ?? "no readable message").replace(/\.$/, "")}`;
  const message = `Expected fewer than ${maxPerResource} snapshots of ${resource}, got ${count}. EVS rejected the request: ${rejection}. ${REASONS.QuotaExceeded.advice}`;
  return new SnapshotError("QuotaExceeded", message, { code, cloudMessage, status, requestId, attempts });
}
