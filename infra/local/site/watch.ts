import type { EmbeddedCloud } from "../cloud/index.ts";
import { ownSnapshots, plainStatus, resourceOf } from "./sample-inventory.ts";

export interface Watched {
  id: string;
  kind: string;
  name: string;
  resourceId: string;
  status: string;
  /** From when it was first seen until it left `creating`. */
  seconds: number;
}

const POLL_MS = 100;

/** Looks at every snapshot of the cloud ten times a second; tells of each whose status changed, new ones included. */
export function watchSnapshots(cloud: EmbeddedCloud, onChange: (changed: Watched) => void, onPoll = () => {}) {
  const seen = new Map<string, Watched & { since: number }>();
  const look = () => {
    for (const snapshot of ownSnapshots(cloud)) {
      const status = plainStatus(snapshot.status);
      const known = seen.get(snapshot.id);
      if (known?.status === status) continue;
      const since = known?.since ?? performance.now();
      const seconds = Math.round((performance.now() - since) / 100) / 10;
      const { id, kind, name } = snapshot;
      const watched = { id, kind, name, resourceId: resourceOf(snapshot), status, seconds, since };
      seen.set(id, watched);
      onChange(watched);
    }
    onPoll();
  };
  const timer = setInterval(look, POLL_MS);

  return {
    get: (id: string): Watched | undefined => seen.get(id),
    counts(): string {
      const counts = new Map<string, number>();
      for (const { status } of seen.values()) counts.set(status, (counts.get(status) ?? 0) + 1);
      return [...counts].map(([status, count]) => `${count} ${status}`).join(", ");
    },
    /** Waits until none of these is `creating`, or the time is over. */
    async settled(ids: readonly string[], limitMs: number): Promise<void> {
      const end = performance.now() + limitMs;
      const open = () => ids.some((id) => (seen.get(id)?.status ?? "creating") === "creating");
      while (open() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, POLL_MS / 2));
    },
    stop: () => clearInterval(timer),
  };
}

export type Watch = ReturnType<typeof watchSnapshots>;
