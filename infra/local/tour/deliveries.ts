import type { LocalSite } from "../site/local-site.ts";
import { findRequestedSnapshots } from "../site/sample-inventory.ts";
import type { StepResult } from "./step.ts";

export interface Delivery {
  /** The number of snapshots with each outcome, such as `{ accepted: 4 }`, from the summary that the function returned. */
  outcomes: Record<string, number>;
  /** The outcomes as one string, such as `4 accepted`, or the error message if the invocation failed. */
  summary: string;
  failed: boolean;
  /** The ids of the snapshots that the function created. */
  snapshotIds: string[];
  seconds: number;
}

/** Delivers an event to an event function and returns what the function did. */
export async function deliver({ cloud, host }: LocalSite, functionName: string, event: unknown): Promise<Delivery> {
  const before = new Set(findRequestedSnapshots(cloud).map(({ id }) => id));
  const { result, error, durationMs } = await host.invoke(functionName, event);
  const snapshotIds = findRequestedSnapshots(cloud)
    .map(({ id }) => id)
    .filter((id) => !before.has(id));
  const outcomes = (result as { outcomes?: Record<string, number> } | undefined)?.outcomes ?? {};
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return {
    outcomes,
    summary: error ? `${error.errorType}: ${error.errorMessage}` : counts.join(", ") || "no outcome",
    failed: error !== undefined,
    snapshotIds,
    seconds: durationMs / 1000,
  };
}

/** Returns the step result for a delivery that failed. */
export const createFailureResult = ({ summary, snapshotIds }: Delivery): StepResult => ({
  summary,
  snapshotIds,
  problems: [summary],
});
