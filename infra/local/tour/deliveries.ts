import type { LocalSite } from "../site/local-site.ts";
import type { ResultRecord } from "../site/records.ts";
import { findRequestedSnapshots } from "../site/sample-inventory.ts";

export interface Delivery {
  /** The number of snapshots with each outcome, such as `{ accepted: 4 }`, from the summary that the function returned. */
  outcomes: Record<string, number>;
  /** The outcomes as one string, such as `4 accepted`, or the error message if the invocation failed. */
  summary: string;
  failed: boolean;
  /** The ids of the snapshots that were created during the invocation. */
  snapshotIds: string[];
  /** The result records of the invocation. */
  records: ResultRecord[];
  seconds: number;
}

/** Delivers an event to an event function and returns what the function did. */
export async function deliver(localSite: LocalSite, functionName: string, event: unknown): Promise<Delivery> {
  const recordCount = localSite.records.length;
  const findNew = watchForNewSnapshots(localSite);
  const { result, error, durationMs } = await localSite.host.invoke(functionName, event);
  const outcomes = (result as { outcomes?: Record<string, number> } | undefined)?.outcomes ?? {};
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return {
    outcomes,
    summary: error ? `${error.errorType}: ${error.errorMessage}` : counts.join(", ") || "no outcome",
    failed: error !== undefined,
    snapshotIds: findNew(),
    // A step that starts early delivers its event at the same time as other steps.
    records: localSite.records.slice(recordCount).filter((record) => record.function === functionName),
    seconds: durationMs / 1000,
  };
}

/** Returns a function that returns the ids of the snapshots that were created after this call. Omits members of groups. */
export function watchForNewSnapshots({ cloud }: LocalSite): () => string[] {
  const before = new Set(findRequestedSnapshots(cloud).map(({ id }) => id));
  return () =>
    findRequestedSnapshots(cloud)
      .map(({ id }) => id)
      .filter((id) => !before.has(id));
}
