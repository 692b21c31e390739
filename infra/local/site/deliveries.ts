import type { StepResult } from "../tour/steps.ts";
import { ownSnapshots } from "./sample-inventory.ts";
import type { LocalSite } from "./site.ts";

export interface Delivery {
  /** How many targets ended how, by the function's own summary. */
  outcomes: Record<string, number>;
  /** `4 accepted`, or what went wrong. */
  said: string;
  failed: boolean;
  /** Those that are in the cloud since. */
  snapshotIds: string[];
  seconds: number;
}

/** Delivers an event to an event function, and looks what became of it. */
export async function delivered({ cloud, host }: LocalSite, functionName: string, event: unknown): Promise<Delivery> {
  const before = new Set(ownSnapshots(cloud).map(({ id }) => id));
  const { result, error, durationMs } = await host.invoke(functionName, event);
  const snapshotIds = ownSnapshots(cloud)
    .map(({ id }) => id)
    .filter((id) => !before.has(id));
  const outcomes = (result as { outcomes?: Record<string, number> } | undefined)?.outcomes ?? {};
  const counts = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return {
    outcomes,
    said: error ? `${error.errorType}: ${error.errorMessage}` : counts.join(", ") || "nothing",
    failed: error !== undefined,
    snapshotIds,
    seconds: durationMs / 1000,
  };
}

export const failureOf = ({ said, snapshotIds }: Delivery): StepResult => ({ said, snapshotIds, problems: [said] });
