import type { FoundSnapshot, Kind } from "../kinds/kind.ts";
import type { Target } from "../policy.ts";
import type { Run, RunContext } from "../run-context.ts";
import { createKindList, type KindList } from "./kind-list.ts";

/**
 * The index of the snapshots that a run has already created. All targets of one kind of snapshot share its list requests.
 *
 * **Guarantee.** `find` uses only a list request that was sent at most 1 s plus its own duration ago. `createOnce` calls `find`
 * after the rate limiter and immediately before it sends a create request, so an old list response never justifies a create
 * request.
 *
 * **Cost.** One list of all snapshots per kind, and then at most one page of 200 rows per second while the run creates
 * snapshots. If more than 5 processes share a run, all of them together send at most 5 such requests per second, so 1 s becomes
 * the number of processes divided by 5. If a list request is throttled, the interval doubles, up to 8 s. DWS has no pages, so each refresh reads its whole
 * list.
 *
 * **Limits.** EVS documents no order of list responses. If a list response is not sorted by creation time, newest first, the index
 * reads the whole list. If that list is long or incomplete, the index lists the snapshots of each resource separately.
 */
export interface SnapshotIndex {
  /** Returns the snapshots that the run has created for a target. */
  find(target: Target): Promise<FoundSnapshot[]>;
  /** Returns the snapshots of a target from a list request for its resource that is sent now. */
  findAgain(target: Target): Promise<FoundSnapshot[]>;
  /** Returns true if the last list response contains all snapshots of a kind, and false if the index lists each resource separately. */
  isListed(kind: Kind): Promise<boolean>;
  /**
   * Lists the snapshots of every kind in `targets` again, even if the last list response is fresh. If the index lists the
   * snapshots of each resource separately, it lists only the snapshots of the targets in `some`.
   */
  refresh(targets: readonly Target[], some: readonly Target[]): Promise<void>;
  /** Returns the snapshots of the run for the given targets, as the last list responses show them. */
  listed(targets: readonly Target[]): FoundSnapshot[];
  /** Records that this process created a snapshot, so the index can check that list responses show it in time. */
  addCreated(kind: Kind, id: string): void;
  /** Returns whether this process created the snapshot. */
  isOwn(id: string): boolean;
}

/** Creates the index of the snapshots of a run. It sends the first list request for a kind when a caller asks for that kind. */
export function indexExistingSnapshots(
  run: Run,
  {
    cloud,
    retryBudget,
    maxSnapshots = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxSnapshots">,
): SnapshotIndex {
  const lists = new Map<Kind, KindList>();
  const own = new Set<string>();
  const listOf = (kind: Kind): KindList => {
    const list = lists.get(kind) ?? createKindList(run, kind, cloud(kind), retryBudget, maxSnapshots);
    lists.set(kind, list);
    return list;
  };
  return {
    find: (target) => listOf(target.kind).find(target),
    findAgain: (target) => listOf(target.kind).findAgain(target),
    isListed: (kind) => listOf(kind).isListed(),
    async refresh(targets, some) {
      for (const kind of new Set(targets.map((target) => target.kind)))
        await listOf(kind).refresh(some.filter((target) => target.kind === kind));
    },
    listed: (targets) => targets.flatMap((target) => listOf(target.kind).listed(target)),
    addCreated(kind, id) {
      own.add(id);
      listOf(kind).addCreated(id);
    },
    isOwn: (id) => own.has(id),
  };
}
