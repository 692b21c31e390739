import { forEachConcurrent } from "../../core/concurrency.ts";
import { asSnapshotError } from "../../core/errors.ts";
import type { JsonObject } from "../../core/json.ts";
import { LISTED_AFTER_MS, type RetryBudget, retryRead, startCutoff } from "../../core/retry.ts";
import { type FoundSnapshot, isBeingDeleted, type Kind } from "../kinds/kind.ts";
import type { Policy } from "../policy.ts";
import type { EndFields } from "../reporting.ts";
import type { RunContext } from "../run-context.ts";
import { type DuplicateOptions, findBrokenRule, keptRule } from "./duplicates.ts";
import {
  ALREADY_DELETED,
  IN_DELETION,
  NOT_LISTED,
  openPruneRecord,
  outOfTimeError,
  type PendingDeletion,
  planChanged,
  waitBeforeRetry,
} from "./execute-deletions.ts";

/** A planned deletion of a younger duplicate. */
export interface PendingDuplicate extends PendingDeletion {
  /** The id of the older snapshot, which remains. */
  originalId: string;
  /** The create options with which `listFor` lists both snapshots. */
  listOptions: JsonObject;
}

/** Returns the create options with which `listFor` lists all snapshots of the resource of a snapshot. */
export const listOptionsOf = (kind: Kind, { resource, members = [] }: FoundSnapshot): JsonObject =>
  resource === undefined
    ? { volume_ids: members.map((member) => String(member.resource)) }
    : { [kind.target.idOption]: resource };

/**
 * Deletes younger duplicates, several at the same time, and writes their result records. Before each delete request, the function
 * lists both snapshots again. If a rule for duplicates no longer holds, the function keeps the younger snapshot, and the record
 * contains the rule.
 *
 * @param readOptions returns the options of the rules with the current time
 * @returns `removedIds`: the snapshots that may no longer exist, even if a late list response still contains them. `changed`: the
 *   kinds of snapshots for which a deletion did not succeed at once, so plans for these kinds may be outdated.
 */
export async function deleteDuplicates(
  pending: readonly PendingDuplicate[],
  policy: Pick<Policy, "policy">,
  runContext: RunContext,
  readOptions: () => DuplicateOptions,
): Promise<{ removedIds: Set<string>; changed: Set<Kind> }> {
  const { retryBudget, concurrency } = runContext;
  const waits: RetryBudget = { ...retryBudget, deadline: startCutoff(retryBudget) };
  const removedIds = new Set<string>();
  const changed = new Set<Kind>();
  await forEachConcurrent(pending, concurrency, async (duplicate) => {
    const { kind, id, rule } = duplicate;
    const complete = openPruneRecord(duplicate, policy, runContext);
    const fields = await deleteDuplicate(duplicate, runContext, waits, readOptions);
    if (fields.outcome !== "kept") removedIds.add(id);
    // A delete request that had to be repeated took time, and during this time other snapshots may have changed.
    if (fields.outcome !== "deleted" || duplicate.tries > 1) changed.add(kind);
    complete({ rule, ...fields });
  });
  return { removedIds, changed };
}

/** Deletes one younger duplicate. Returns the fields that complete its record. */
async function deleteDuplicate(
  duplicate: PendingDuplicate,
  { cloud }: RunContext,
  waits: RetryBudget,
  readOptions: () => DuplicateOptions,
): Promise<EndFields> {
  const { kind, id, rule, originalId, listOptions } = duplicate;
  while (waits.time.now() < waits.deadline) {
    let listed: FoundSnapshot[];
    try {
      listed = await retryRead(() => cloud(kind).listFor(listOptions), waits);
    } catch (thrown) {
      return { outcome: "failed", error: asSnapshotError(thrown), detail: NOT_LISTED };
    }
    const [original, younger] = [originalId, id].map((wanted) => listed.find((found) => found.id === wanted));
    const keep = (brokenRule: string): EndFields => ({
      outcome: "kept",
      rule: keptRule(originalId, brokenRule),
      detail: planChanged(rule),
    });
    if (original === undefined) return keep(`${originalId} is no longer listed`);
    if (younger === undefined) return { outcome: "deleted", detail: ALREADY_DELETED };
    if (isBeingDeleted(younger)) return { outcome: "deleted", detail: IN_DELETION };
    const brokenRule = findBrokenRule(kind, original, younger, readOptions());
    if (brokenRule !== undefined) return keep(brokenRule);
    if (waits.time.now() >= waits.deadline) break;
    try {
      duplicate.tries += 1;
      await cloud(kind).remove(id);
      return { outcome: "deleted" };
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      duplicate.error = error;
      const isFirstNotFound = error.reason === "NotFound" && duplicate.tries === 1;
      // Another object than the snapshot may be missing, such as the project. Wait until a list response shows the truth.
      if (isFirstNotFound) await waits.time.sleep(LISTED_AFTER_MS);
      else if (!(await waitBeforeRetry(duplicate, waits))) return { outcome: "failed", error };
    }
  }
  return { outcome: "failed", error: duplicate.error ?? outOfTimeError() };
}
