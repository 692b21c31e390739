import { retryRead } from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { Run, RunContext } from "../run-context.ts";
import { FRESH_MS } from "./fresh-look.ts";
import { createRunRows, type RunRows } from "./run-rows.ts";

/** Lists the snapshots of each kind once, when a caller asks for the first target of that kind. */
export interface BulkList {
  /** Returns the snapshots that a run has created for a target, from the list of all snapshots of the kind. */
  find(target: Target): Promise<FoundSnapshot[]>;
  /** Returns whether the list response of a kind is fresh; see `FRESH_MS`. */
  isFresh(kind: Kind): boolean;
}

/** Creates the lists of one call of the deployment gate. */
export function createBulkList(
  run: Run,
  {
    cloud,
    retryBudget,
    maxSnapshots = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxSnapshots">,
): BulkList {
  const { time } = retryBudget;
  const lists = new Map<Kind, Promise<RunRows>>();
  const freshUntil = new Map<Kind, number>();
  const list = async (kind: Kind) => {
    const rows = createRunRows(run, kind, maxSnapshots);
    await cloud(kind).listAll(rows.add);
    freshUntil.set(kind, time.now() + FRESH_MS);
    return rows;
  };
  return {
    async find(target) {
      const { kind } = target;
      const listing = lists.get(kind) ?? retryRead(() => list(kind), retryBudget);
      lists.set(kind, listing);
      return (await listing).find(target);
    },
    isFresh: (kind) => time.now() <= (freshUntil.get(kind) ?? 0),
  };
}
