import type { SnapshotError } from "../../shared/core/errors.ts";
import { after } from "../../shared/core/instant.ts";
import { createOnce } from "../../shared/snapshots/create/create-once.ts";
import type { CreateResult, SnapshotRequest } from "../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels, snapshotName } from "../../shared/snapshots/marker.ts";
import { createFixture, type DomainFixture, START, snapshot, snapshotOf } from "./domain.ts";

export const KEY = deriveKey("timer", "nightly", "2026-11-21T02:00:00Z");

export const moment = (milliseconds: number) => after(START, milliseconds);

export const request = (changes: Partial<SnapshotRequest> = {}): SnapshotRequest => ({
  kind: snapshot,
  options: { volume_id: "disk-1", force: true },
  idempotencyKey: KEY,
  projectId: "project-1",
  policy: "nightly",
  label: "nightly",
  time: START,
  ...changes,
});

/** Returns a snapshot that the request created, with changes. */
export function madeBy(asked: SnapshotRequest, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot {
  const { kind, options, idempotencyKey, policy } = asked;
  const marker = { policy, idempotencyKey, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, kind.resourceOf(options), { marker, labels: markerLabels(marker), ...changes });
}

/** Calls createOnce and returns the result or the error. */
export const ask = (
  { cloud, runContext }: DomainFixture,
  asked = request(),
  known?: FoundSnapshot[],
): Promise<CreateResult & SnapshotError> =>
  createOnce(asked, cloud.service(asked.kind), runContext.retryBudget, runContext.inFlight, known).catch(
    (error) => error,
  ) as never;

/** Calls createOnce in a cloud with the given snapshots. */
export async function ensured(found: FoundSnapshot[], asked = request(), seconds = 60) {
  const fixture = createFixture({ seconds });
  fixture.cloud.add(asked.kind, ...found);
  const result = await ask(fixture, asked);
  return { result, fixture, asked: fixture.cloud.requests(), calls: fixture.cloud.calls };
}

export const LOOK = "listFor snapshot disk-1";
export const CREATE = "create snapshot disk-1";
export const NAME = snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt: 1 });
