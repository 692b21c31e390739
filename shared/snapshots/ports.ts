import type { Instant } from "./instant.ts";
import type { JsonObject } from "./json.ts";
import type { FoundSnapshot } from "./kinds/kind.ts";

/** Time and chance, which come in from outside so that a test can stop the one and choose the other. */
export interface Time {
  now(): Instant;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it is aborted first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
  /** A number from 0 (included) to 1 (excluded). */
  random(): number;
}

/** What the cloud answered to a create that it took. */
export interface Created {
  snapshotId: string;
  jobId?: string;
  /** The API's own status and body, as text, to the byte. */
  status: number;
  body: string;
}

/**
 * The snapshots of one kind in the cloud. All of it rejects with a SnapshotError.
 * Implemented in shared/huaweicloud, one client per service.
 */
export interface SnapshotService {
  /** Sends one create. Never repeats it: that is for `ensure` to decide, after looking. */
  create(options: JsonObject): Promise<Created>;
  /** Every snapshot that a create with these options could have made or could collide with. */
  listFor(options: JsonObject): Promise<FoundSnapshot[]>;
}
