import { retryRead } from "../../core/retry.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { Run, RunContext } from "../run-context.ts";
import { createFreshLook } from "./fresh-look.ts";
import { createRunRows } from "./run-rows.ts";

/** The list of all snapshots of each kind, for one call of the deployment gate. All targets of a kind share its list requests. */
export interface BulkList {
  /** Returns the snapshots that a run has created for a target, as the first list response shows them. */
  find(target: Target): Promise<FoundSnapshot[]>;
  /**
   * Returns the snapshots that a run has created for a target, from a fresh list response; see `FRESH_MS`. If the list of all
   * snapshots is old and long, lists only the snapshots of the target's resource.
   */
  findFresh(target: Target): Promise<FoundSnapshot[]>;
}

/** If the list of a kind has at most this number of snapshots, `findFresh` reads the whole list again. They fit into one page. */
const MAX_REREAD_ROWS = 1_000;

/** Creates the lists of one call of the deployment gate. Sends the first list request when a caller asks for a target. */
export function createBulkList(
  run: Run,
  {
    cloud,
    retryBudget,
    maxSnapshots = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxSnapshots">,
): BulkList {
  const lists = new Map<Kind, BulkList>();
  const createList = (kind: Kind): BulkList => {
    let isLong = false;
    const look = createFreshLook(async () => {
      const rows = createRunRows(run, kind, maxSnapshots);
      let count = 0;
      await cloud(kind).listAll((found) => {
        count += 1;
        rows.add(found);
      });
      isLong = count > MAX_REREAD_ROWS;
      return rows;
    }, retryBudget);
    let first: ReturnType<typeof look> | undefined;
    return {
      async find(target) {
        first ??= look();
        return (await first).find(target);
      },
      findFresh: async (target) =>
        isLong ? retryRead(() => cloud(kind).listFor(target.options), retryBudget) : (await look()).find(target),
    };
  };
  const listOf = ({ kind }: Target) => {
    const list = lists.get(kind) ?? createList(kind);
    lists.set(kind, list);
    return list;
  };
  return {
    find: (target) => listOf(target).find(target),
    findFresh: (target) => listOf(target).findFresh(target),
  };
}
