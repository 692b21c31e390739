import type { SnapshotError } from "../../shared/core/errors.ts";
import { after } from "../../shared/core/instant.ts";
import { type GateOptions, passGate } from "../../shared/snapshots/create/deployment-gate.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels } from "../../shared/snapshots/marker.ts";
import { type Target, targetFor } from "../../shared/snapshots/policy.ts";
import type { Run } from "../../shared/snapshots/run-context.ts";
import { createFixture, type DomainFixture, HOUR_MS, START, snapshot, snapshotOf } from "./domain.ts";

export const KEY = deriveKey("gate", "release-7");
export const RUN: Run & { deploymentId: string } = {
  idempotencyKey: KEY,
  policy: "pre-deploy",
  label: "d-release-7",
  projectId: "project-1",
  deploymentId: "release-7",
};
export const DISK_1 = targetFor(snapshot, "disk-1");
export const DISK_2 = targetFor(snapshot, "disk-2");
export const moment = (milliseconds: number) => after(START, milliseconds);

export function snapshotCreatedFor(
  { kind, resource, options }: Target,
  id: string,
  changes: Partial<FoundSnapshot> = {},
): FoundSnapshot {
  const marker = { policy: "pre-deploy", idempotencyKey: KEY, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, resource, { name: id, marker, labels: markerLabels(marker), ...changes });
}

/** Calls the gate and returns the progress of each target as `id outcome`. */
export async function call(
  fixture: DomainFixture,
  targets: Target[] = [DISK_1],
  options: Partial<GateOptions> = {},
  run = RUN,
) {
  const settings = {
    retryFailed: false,
    maxAgeMs: 24 * HOUR_MS,
    waitUntil: START,
    beginUntil: moment(48_000),
    ...options,
  };
  const progress = await passGate(targets, run, fixture.runContext, settings).catch((error: SnapshotError) => error);
  const list = Array.isArray(progress) ? progress : [];
  const short = list.map(({ target, outcome, snapshot_id }) => `${snapshot_id ?? target.resource} ${outcome}`);
  return { progress: list, short, error: Array.isArray(progress) ? undefined : progress };
}

/** Calls the gate once in a cloud with the given snapshots. */
export async function gate(
  found: FoundSnapshot[],
  targets?: Target[],
  options?: Partial<GateOptions>,
  kind: Kind = snapshot,
) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...found);
  return { ...(await call(fixture, targets, options)), fixture, asked: fixture.cloud.requests() };
}

export const becomes = (
  fixture: DomainFixture,
  seconds: number,
  changes: Partial<FoundSnapshot>,
  kind: Kind = snapshot,
) =>
  fixture.cloud.always("listAll", () => {
    if (fixture.time.seconds() < seconds) return;
    fixture.cloud.snapshots.set(
      kind.name,
      fixture.cloud.of(kind).map((one) => ({ ...one, ...changes })),
    );
  });
export const AVAILABLE: Partial<FoundSnapshot> = { status: "available", state: "available" };
