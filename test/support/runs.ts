import { after } from "../../shared/core/instant.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels } from "../../shared/snapshots/marker.ts";
import { type Target, targetFor } from "../../shared/snapshots/policy.ts";
import type { Run } from "../../shared/snapshots/run-context.ts";
import { type DomainFixture, MINUTE_MS, START, snapshot, snapshotOf } from "./domain.ts";

export const KEY = deriveKey("timer", "nightly", "2026-11-21T02:00:00Z");
export const RUN: Run = {
  idempotencyKey: KEY,
  policy: "nightly",
  label: "nightly",
  time: START,
  projectId: "project-1",
};
export const moment = (milliseconds: number) => after(START, milliseconds);
export const END = moment(MINUTE_MS);

export const disk = (number: number, kind: Kind = snapshot): Target => targetFor(kind, `disk-${number}`);
export const disks = (count: number): Target[] => Array.from({ length: count }, (_, index) => disk(index + 1));

/** Returns a snapshot of a target that the run created. */
export function snapshotCreatedFor(
  { kind, resource, options }: Target,
  id: string,
  changes: Partial<FoundSnapshot> = {},
): FoundSnapshot {
  const marker = { policy: "nightly", idempotencyKey: KEY, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, resource, { marker, labels: markerLabels(marker), ...changes });
}

export const creates = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("create"));
