import { before } from "../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import type { PrunePolicy } from "../../shared/snapshots/retention/prune.ts";
import { DAY_MS, type DomainFixture, START, snapshot, snapshotOf } from "./domain.ts";

export const NIGHTLY: PrunePolicy = { policy: "nightly", retention: { keep_last: 1 } };

/** Returns good snapshots of a disk, one per day, newest first. */
export const days = (resource: string, ...ids: string[]): FoundSnapshot[] =>
  ids.map((id, day) => snapshotOf(id, resource, { created: before(START, day * DAY_MS) }));
export const left = ({ cloud }: DomainFixture) => cloud.of(snapshot).map(({ id }) => id);
export const removals = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("remove"));

export const ids = (disk: number): string[] => ["a", "b", "c"].map((letter) => `${letter}${disk}`);
