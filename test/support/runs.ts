/** Calls `createAll` for a run of the policy `nightly`. */
import { createAll } from "../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { createTarget, type Target } from "../../shared/snapshots/policy.ts";
import type { Run } from "../../shared/snapshots/run-context.ts";
import { createdSnapshot, type DomainFixture, MINUTE_MS, START, snapshot, startPlus } from "./domain.ts";

export const KEY = deriveKey("timer", "nightly", "2026-11-21T02:00:00Z");
export const RUN: Run = {
  idempotencyKey: KEY,
  policy: "nightly",
  label: "nightly",
  time: START,
  projectId: "project-1",
};

export const diskTarget = (number: number, kind: Kind = snapshot): Target => createTarget(kind, `disk-${number}`);
export const diskTargets = (count: number): Target[] =>
  Array.from({ length: count }, (_, index) => diskTarget(index + 1));

/** Calls `createAll` with an index of the existing snapshots. `createAll` begins no target after `until`. */
export async function createAllWithIndex(
  { runContext }: DomainFixture,
  targets: readonly Target[],
  { run = RUN, until = startPlus(MINUTE_MS) } = {},
): Promise<Target[]> {
  const handedOver: Target[] = [];
  const fanOut = async (some: Target[]) => void handedOver.push(...some);
  await createAll(targets, run, runContext, {
    cutoff: until,
    ...(until < runContext.retryBudget.deadline ? { fanOut } : {}),
    index: indexExistingSnapshots(run, runContext),
  });
  return handedOver;
}

/** Returns a snapshot that the run created for the target. */
export const snapshotCreatedFor = (target: Target, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot =>
  createdSnapshot(RUN, target, id, changes);
