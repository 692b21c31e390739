/** Calls `createOnce` with requests for a snapshot of disk-1. */
import type { SnapshotError } from "../../shared/core/errors.ts";
import { createOnce } from "../../shared/snapshots/create/create-once.ts";
import type { CreateResult, SnapshotRequest } from "../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import { deriveKey, snapshotName } from "../../shared/snapshots/marker.ts";
import { createdSnapshot, createFixture, type DomainFixture, START, snapshot } from "./domain.ts";

export const KEY = deriveKey("timer", "nightly", "2026-11-21T02:00:00Z");

export const requestOf = (changes: Partial<SnapshotRequest> = {}): SnapshotRequest => ({
  kind: snapshot,
  options: { volume_id: "disk-1", force: true },
  idempotencyKey: KEY,
  projectId: "project-1",
  policy: "nightly",
  label: "nightly",
  time: START,
  ...changes,
});

/** Returns a snapshot that has the marker of the request and the given changes. */
export const snapshotCreatedBy = (
  request: SnapshotRequest,
  id: string,
  changes: Partial<FoundSnapshot> = {},
): FoundSnapshot => createdSnapshot(request, request, id, changes);

/** Calls `createOnce` and returns the result or the error. `bulkListed` replaces the response to the first list request. */
export const callCreateOnce = (
  { cloud, runContext }: DomainFixture,
  request = requestOf(),
  { bulkListed = undefined as FoundSnapshot[] | undefined, retryBudget = runContext.retryBudget } = {},
): Promise<CreateResult & SnapshotError> =>
  createOnce(
    request,
    cloud.service(request.kind),
    retryBudget,
    runContext.inFlight,
    bulkListed && {
      find: async () => bulkListed,
      findAgain: () => cloud.service(request.kind).listFor(request.options),
    },
  ).catch((error) => error) as never;

/** Calls `createOnce` in a cloud with the given snapshots. Returns the result or the error, and the sent requests. */
export async function createOnceWith(found: FoundSnapshot[], request = requestOf()) {
  const fixture = createFixture();
  fixture.cloud.add(request.kind, ...found);
  const result = await callCreateOnce(fixture, request);
  return { result, fixture, requests: fixture.cloud.requests() };
}

/** Calls `createOnce` like `createOnceWith` and returns only the result or the error. */
export const resultWith = async (found: FoundSnapshot[], request = requestOf()) =>
  (await createOnceWith(found, request)).result;

export const LIST = "listFor snapshot disk-1";
export const CREATE = "create snapshot disk-1";
export const nameOfAttempt = (attempt: number) =>
  snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt });
