import { asSnapshotError, REASONS, SnapshotError, withAttempts } from "../../core/errors.ts";
import { readStringField } from "../../core/json.ts";
import {
  backoff,
  LISTED_AFTER_MS,
  type RetryBudget,
  refundRetryToken,
  retryRead,
  takeRetryToken,
} from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import { deriveKey, hashRequest, type Marker } from "../marker.ts";
import { countTowardsLimit } from "../ownership.ts";
import type { SnapshotCreator } from "../ports.ts";
import { findCause, isFinal, LAST_LIST_MS, listAfterAmbiguous } from "./failed-create.ts";
import { createFreshLook } from "./fresh-look.ts";
import { elapsedMs, type InFlight, type InFlightEntry, trackCreate, waitForConcurrentRequest } from "./in-flight.ts";
import { generateName, isSameName, keyConflictError, matchExisting } from "./match.ts";
import type { CreateResult, SnapshotRequest } from "./request.ts";

/** The maximum number of create requests for one snapshot, if no response shows whether EVS or DWS created the snapshot. */
const MAX_AMBIGUOUS_TRIES = 3;

/**
 * Creates a snapshot, unless an earlier delivery of the same request already created it. Neither EVS nor DWS accepts an
 * idempotency key. The function therefore adds a marker, which contains the key, to the labels or the description of each snapshot
 * that it creates. A list response with this marker proves that an earlier delivery created the snapshot.
 *
 * **Ambiguous response.** If a response does not show whether the snapshot was created, the function waits until a new snapshot
 * is certain to appear in list responses, and then lists the snapshots. It sends another create request only if the list
 * response does not contain the snapshot. Each retry after an ambiguous response takes tokens from the retry budget
 * (`takeRetryToken` in shared/core/retry.ts).
 *
 * **Throttled create request (429).**
 *
 * - Limiter: `RateLimiter` (shared/huaweicloud/http/rate-limiter.ts) lowers the call rate of the throttled API. `send`
 *   (shared/huaweicloud/http/sdk-client.ts) waits for the limiter before every request.
 * - Retry budget: `backoff` (shared/core/retry.ts) waits for a random delay, plus the delay that the response asks for. The
 *   retry must start before `retryBudget.maxWait`, or before `retryBudget.deadline` if `maxWait` is not set. Otherwise the
 *   function throws Throttled. If snapshot names must be unique (DWS), the function sends one last list request before it
 *   throws. A throttled request takes no retry tokens.
 *
 * **List request before each create request.** After the rate limiter and immediately before each create request, the function
 * checks the age of its last list response. If the response is not fresh (see `SnapshotIndex`), it lists the snapshots again.
 * Before a retry, it always lists the snapshots of the resource. If another delivery has created the snapshot, the function
 * returns this snapshot as `existing` and sends no create request.
 *
 * **Rejected create request.** Another delivery of the same request can be the cause of a rejection: the new snapshot fills the
 * quota, has the requested name, or makes the disk busy. The function therefore waits until that snapshot is certain to appear
 * in list responses, and lists the snapshots before it throws the error.
 *
 * **Two deliveries at the same time.**
 *
 * - In one process, `trackCreate` (in-flight.ts) registers the first request. The second request waits for the first request
 *   and returns the same snapshot as `existing`.
 * - In two processes, both can list the snapshots before either list response shows the new snapshot. EVS then creates two
 *   snapshots. `verify-snapshots` reports the younger snapshot as a duplicate, and `prune-snapshots` deletes it. DWS rejects
 *   the second request, because both requests contain the same snapshot name.
 * - If two whole runs of one policy overlap, `createAll` (create-all.ts) separates them with `RunLock` (run-lock.ts).
 *
 * @param inFlight the requests in progress, shared by all invocations of a process
 * @param lookup finds the snapshots of the resource. Default: each call sends a list request for the resource
 * @throws SnapshotError Conflict if a different request already used the idempotency key; OutcomeUnknown if no response before
 *   the deadline has shown whether the snapshot was created; otherwise the error from EVS or DWS
 */
export async function createOnce(
  request: SnapshotRequest,
  service: SnapshotCreator,
  retryBudget: RetryBudget,
  inFlight: InFlight,
  lookup: Lookup = createLookup(service, request, retryBudget),
): Promise<CreateResult> {
  const { kind, options, idempotencyKey, projectId } = request;
  const requestHash = hashRequest(kind.name, options);
  // `inFlight` outlives the invocation, so its key is a hash that contains no resource id.
  // Stryker disable next-line StringLiteral: the prefix must only differ from the prefixes of other keys
  const identity = deriveKey("in-flight", projectId, kind.name, kind.resourceOf(options), idempotencyKey);
  const concurrent = inFlight.get(identity);
  if (concurrent?.pending !== undefined) {
    const created = await waitForConcurrentRequest(
      concurrent.pending.catch(() => undefined),
      retryBudget,
    );
    if (created === undefined) return createOnce(request, service, retryBudget, inFlight);
    if (concurrent.requestHash !== requestHash && !request.acceptsOtherOptions)
      throw keyConflictError(kind, created.snapshotId);
    const detail = concurrent.requestHash === requestHash ? created.detail : OTHER_OPTIONS;
    return { ...created, outcome: "existing", attempts: 0, detail };
  }
  return trackCreate(identity, requestHash, inFlight, retryBudget.time, (earlier) =>
    listThenCreate(request, service, retryBudget, lookup, earlier),
  );
}

/** Finds the snapshots that `service.listFor` would return for a request. */
export interface Lookup {
  /** Returns the snapshots of the requested resource from a fresh list response; see `SnapshotIndex`. */
  find(): Promise<FoundSnapshot[]>;
  /** Lists the snapshots of the requested resource now, and returns them. */
  findAgain(): Promise<FoundSnapshot[]>;
}

const createLookup = (service: SnapshotCreator, { options }: SnapshotRequest, retryBudget: RetryBudget): Lookup => ({
  find: createFreshLook(() => service.listFor(options), retryBudget),
  findAgain: () => retryRead(() => service.listFor(options), retryBudget),
});

async function listThenCreate(
  request: SnapshotRequest,
  service: SnapshotCreator,
  retryBudget: RetryBudget,
  lookup: Lookup,
  earlier?: InFlightEntry,
): Promise<CreateResult> {
  const { kind, options, idempotencyKey, policy } = request;
  const requestHash = hashRequest(kind.name, options);
  const marker: Marker = { policy, idempotencyKey, requestHash };
  const toExisting = (found: FoundSnapshot) => toExistingResult(kind, found, requestHash);

  const { done, requestHash: earlierHash } = earlier ?? {};
  const id = done?.snapshotId;
  const isAmbiguous = done !== undefined && id === undefined;
  // If the earlier request created a snapshot, wait until that snapshot is certain to appear in list responses.
  if (isAmbiguous) await waitUntilListed(done.at, retryBudget);
  let mustListAgain = isAmbiguous;
  const find = () => (mustListAgain ? lookup.findAgain() : lookup.find());
  let found = await find();
  let match = matchExisting(found, request, marker);
  const findExisting = async () => {
    found = await find();
    match = matchExisting(found, request, marker);
    return match.existing;
  };
  if (match.existing !== undefined) return toExisting(match.existing);
  if (id !== undefined && !found.some((snapshot) => snapshot.id === id)) {
    const isSameRequest = earlierHash === requestHash;
    if (!isSameRequest && !request.acceptsOtherOptions) throw keyConflictError(kind, id);
    const existing = toExisting(kind.read({ ...options, id, status: "creating" }) as FoundSnapshot);
    return isSameRequest ? existing : { ...existing, detail: OTHER_OPTIONS };
  }
  let hasMadeRoom = false;
  for (let tries = 1; ; tries += 1) {
    const name = readStringField(options, "name") ?? generateFreeName(request, match.failedCount + 1, found);
    const marked = kind.mark({ ...options, name }, marker);
    let appeared: FoundSnapshot | undefined;
    let listError: SnapshotError | undefined;
    const stopIfExisting = async () => {
      appeared = await findExisting().catch((thrown) => {
        listError = withAttempts(asSnapshotError(thrown), tries - 1);
        throw listError;
      });
      if (appeared !== undefined) throw alreadyExistsError(kind, appeared);
    };
    try {
      const created = await service.create(marked, stopIfExisting);
      refundRetryToken(retryBudget);
      return { outcome: "accepted", name, attempts: tries, ...created };
    } catch (thrown) {
      if (appeared !== undefined) return toExisting(appeared);
      // The create request was not sent, and the lookup has already retried its list request.
      if (listError !== undefined) throw listError;
      const createError = asSnapshotError(thrown);
      const error = withAttempts(createError, createError.requestSent ? tries : tries - 1);
      mustListAgain = true;
      if (error.ambiguous) {
        const created = await listAfterAmbiguous(findExisting, retryBudget, error);
        if (created !== undefined) {
          const result = toExisting(created);
          // If the options differ, another delivery created the snapshot.
          const outcome = result.detail === undefined ? "accepted" : "existing";
          return { ...result, outcome, attempts: tries, isFromList: true };
        }
        // The list response shows that no snapshot was created. If a retry cannot change the error, the error is final.
        if (isFinal(error) || tries >= MAX_AMBIGUOUS_TRIES || !takeRetryToken(retryBudget)) throw error;
      } else if (!(await backoff(error, tries, retryBudget))) {
        const count = async () => countTowardsLimit(await retryRead(() => service.listFor(options), retryBudget));
        const cause = await findCause(error, request, { findExisting, count }, retryBudget).catch(asSnapshotError);
        if (!(cause instanceof SnapshotError)) return toExisting(cause);
        // If the request exceeds the quota even after this function made room, another deletion would not help.
        if (cause.reason !== "QuotaExceeded" || hasMadeRoom) throw cause;
        hasMadeRoom = (await request.makeRoom?.(kind, options, retryBudget)) ?? false;
        if (!hasMadeRoom) throw cause;
      }
    }
  }
}

// Stryker disable all: `listThenCreate` only needs to catch an error
const alreadyExistsError = ({ name }: Kind, { id }: FoundSnapshot) =>
  new SnapshotError("Conflict", `Another delivery of the request created the ${name} ${id}.`, { requestSent: false });
// Stryker restore all

/**
 * Generates the snapshot name for a create attempt. The attempt number is the number of failed snapshots plus one. If a failed
 * snapshot was deleted, two attempts can therefore have the same number. If a listed snapshot already has the generated name,
 * the function generates the name for the next number.
 */
function generateFreeName(request: SnapshotRequest, attempt: number, found: readonly FoundSnapshot[]): string {
  const name = generateName(request, attempt);
  return found.some((snapshot) => isSameName(snapshot.name, name))
    ? generateFreeName(request, attempt + 1, found)
    : name;
}

/** Returns the result for a snapshot that an earlier delivery of the request created. */
export const toExistingResult = (kind: Kind, found: FoundSnapshot, requestHash: string): CreateResult => ({
  outcome: "existing",
  snapshotId: found.id,
  name: found.name,
  status: kind.acceptedStatus,
  body: JSON.stringify(kind.toResponse(found)),
  attempts: 0,
  state: found.state,
  ...(found.marker === undefined || found.marker.requestHash === requestHash ? {} : { detail: OTHER_OPTIONS }),
});

const OTHER_OPTIONS = "An earlier delivery created this snapshot with other options.";

/**
 * Waits until a snapshot that was created at the given moment is certain to appear in list responses.
 *
 * @param createdAt a value that `elapsedMs` returned
 * @throws SnapshotError OutcomeUnknown if the deadline is too early for this wait
 */
async function waitUntilListed(createdAt: number, { time, deadline }: RetryBudget): Promise<void> {
  const remaining = createdAt + LISTED_AFTER_MS - elapsedMs(time);
  if (time.now() + remaining + LAST_LIST_MS > deadline) {
    throw new SnapshotError(
      "OutcomeUnknown",
      `An equal request finished less than 6 s ago, and its snapshot may not be listed yet. ${REASONS.OutcomeUnknown.advice}`,
    );
  }
  await time.sleep(Math.max(0, remaining));
}
