import type { EmbeddedCloud } from "../cloud/index.ts";
import { findRequestedSnapshots, normalizeStatus, resourceIdOf } from "./sample-inventory.ts";

/** A snapshot that `watchSnapshots` has seen, with its last status. */
export interface WatchedSnapshot {
  id: string;
  kind: string;
  name: string;
  resourceId: string;
  status: string;
  /** The seconds between the first poll that showed the snapshot and its last status change. */
  seconds: number;
}

const POLL_MS = 100;

/** Polls the embedded cloud ten times per second. Calls `onChange` for each new snapshot and each status change. */
export function watchSnapshots(cloud: EmbeddedCloud, onChange: (changed: WatchedSnapshot) => void, onPoll = () => {}) {
  const watchedById = new Map<string, WatchedSnapshot & { since: number }>();
  const poll = () => {
    for (const snapshot of findRequestedSnapshots(cloud)) {
      const status = normalizeStatus(snapshot.status);
      const known = watchedById.get(snapshot.id);
      if (known?.status === status) continue;
      const since = known?.since ?? performance.now();
      const seconds = Math.round((performance.now() - since) / 100) / 10;
      const { id, kind, name } = snapshot;
      const watched = { id, kind, name, resourceId: resourceIdOf(snapshot), status, seconds, since };
      watchedById.set(id, watched);
      onChange(watched);
    }
    onPoll();
  };
  const timer = setInterval(poll, POLL_MS);

  return {
    get: (id: string): WatchedSnapshot | undefined => watchedById.get(id),
    /** Returns the number of snapshots by status, such as `3 available, 1 creating`. */
    countByStatus(): string {
      const counts = new Map<string, number>();
      for (const { status } of watchedById.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
      return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
    },
    /** Waits until none of the snapshots with these ids has the status `creating`, but at most `maxWaitMs` milliseconds. */
    async waitUntilSettled(ids: readonly string[], maxWaitMs: number): Promise<void> {
      const deadline = performance.now() + maxWaitMs;
      const isCreating = () => ids.some((id) => (watchedById.get(id)?.status ?? "creating") === "creating");
      while (isCreating() && performance.now() < deadline)
        await new Promise((resolve) => setTimeout(resolve, POLL_MS / 2));
    },
    stop: () => clearInterval(timer),
  };
}

export type SnapshotWatcher = ReturnType<typeof watchSnapshots>;
