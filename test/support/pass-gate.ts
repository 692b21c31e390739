/** Calls `passGate` for the deployment `release-7`. */
import type { SnapshotError } from "../../shared/core/errors.ts";
import { type GateOptions, passGate } from "../../shared/snapshots/create/deployment-gate.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { createTarget, type Target } from "../../shared/snapshots/policy.ts";
import type { Run } from "../../shared/snapshots/run-context.ts";
import {
  changeSnapshots,
  createdSnapshot,
  createFixture,
  type DomainFixture,
  HOUR_MS,
  START,
  snapshot,
  startPlus,
} from "./domain.ts";

export const KEY = deriveKey("gate", "release-7");
export const RUN: Run & { deploymentId: string } = {
  idempotencyKey: KEY,
  policy: "pre-deploy",
  label: "d-release-7",
  projectId: "project-1",
  deploymentId: "release-7",
};
export const DISK_1 = createTarget(snapshot, "disk-1");
export const DISK_2 = createTarget(snapshot, "disk-2");

/** Returns a snapshot that the deployment created for the target. Its name is the same as its id. */
export const snapshotCreatedFor = (target: Target, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot =>
  createdSnapshot(RUN, target, id, { name: id, ...changes });

/** Calls `passGate`. Returns the progress of the targets, also as lines such as `made-1 accepted`, or the error. */
export async function callGate(
  fixture: DomainFixture,
  targets: Target[] = [DISK_1],
  options: Partial<GateOptions> = {},
  run = RUN,
) {
  const defaults = { retryFailed: false, maxAgeMs: 24 * HOUR_MS, waitUntil: START, beginUntil: startPlus(48_000) };
  const passed = passGate(targets, run, fixture.runContext, { ...defaults, ...options });
  const result = await passed.catch((error: SnapshotError) => error);
  if (!Array.isArray(result)) fixture.allowOpenRecords();
  const progress = Array.isArray(result) ? result : [];
  const outcomes = progress.map(({ target, outcome, snapshot_id }) => `${snapshot_id ?? target.resource} ${outcome}`);
  return { progress, outcomes, error: Array.isArray(result) ? undefined : result };
}

/** Calls `passGate` once in a cloud with the given snapshots. */
export async function callGateWith(
  found: FoundSnapshot[],
  targets?: Target[],
  options?: Partial<GateOptions>,
  kind: Kind = snapshot,
) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...found);
  return { ...(await callGate(fixture, targets, options)), fixture, requests: fixture.cloud.requests() };
}

/** Changes all snapshots of the kind in every list response from the given second of the test on. */
export const changeFromSecond = (
  { cloud, time }: DomainFixture,
  seconds: number,
  changes: Partial<FoundSnapshot>,
  kind: Kind = snapshot,
) =>
  cloud.onEveryCall("listAll", () => {
    if (time.seconds() >= seconds) changeSnapshots(cloud, kind, (found) => ({ ...found, ...changes }));
  });
