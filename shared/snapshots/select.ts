import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { retryRead } from "../core/retry.ts";
import type { Kind } from "./kinds/kind.ts";
import { KINDS } from "./kinds/kinds.generated.ts";
import { applySelector, needsResourceList, removeRepeatedTargets, type Selector, type Target } from "./policy.ts";
import type { Resource } from "./ports.ts";
import type { RunContext } from "./run-context.ts";

/** The targets that the selectors of a policy or deployment select, and the selectors that could not be applied. */
export interface SelectedTargets {
  targets: Target[];
  /**
   * The kinds of snapshots for which the resources could not be listed, each with the error. Selectors of these kinds select
   * nothing by tags. With `resource`, the failure is about one resource that is selected by id: its tags are unknown, so
   * `exclude_tags` could exclude it.
   */
  failures: { kind: Kind; error: SnapshotError; resource?: string }[];
  /** The selectors that selected nothing, such as `targets[1]`. A common cause is a misspelled tag. */
  empty: string[];
  /** The targets with an id that does not exist or could not be checked. Always empty if `checkIds` was not set. */
  refused: ReadonlyMap<Target, SnapshotError>;
}

/**
 * Returns the targets that selectors select, without repeated targets. Lists each type of resource (disks, servers, clusters)
 * at most once, and only if a selector contains `tags` or `exclude_tags`, or if `checkIds` is true.
 *
 * @param checkIds true to also check that the resources with the given ids exist. A dry run needs this check. In any other run,
 *   EVS or DWS rejects the create request for a missing resource.
 */
export async function selectTargets(
  selectors: readonly Selector[],
  { cloud, retryBudget, maxTargets = Infinity }: Pick<RunContext, "cloud" | "retryBudget" | "maxTargets">,
  checkIds = false,
): Promise<SelectedTargets> {
  const lists = new Map<string, Promise<Resource[]>>();
  const targets: Target[] = [];
  const failures: SelectedTargets["failures"] = [];
  const empty: string[] = [];
  const refused = new Map<Target, SnapshotError>();
  for (const [index, selector] of selectors.entries()) {
    const kind: Kind = KINDS[selector.kind];
    const needsList = checkIds || needsResourceList(selector);
    // Different kinds of snapshots can have the same type of resource. For example, legacy and standard snapshots are created
    // from disks.
    const list = () => retryRead(() => cloud(kind).resources(maxTargets), retryBudget);
    if (needsList && !lists.has(kind.target.idOption)) lists.set(kind.target.idOption, list());
    try {
      const resources = needsList ? ((await lists.get(kind.target.idOption)) as Resource[]) : [];
      const selected = applySelector(selector, kind, resources);
      if (selected.length === 0) empty.push(`targets[${index}]`);
      targets.push(...selected);
      if (!checkIds) continue;
      const ids = new Set(resources.map(({ id }) => id.toLowerCase()));
      for (const target of selected) if (!ids.has(target.resource)) refused.set(target, notFoundError(target));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const named = applySelector({ ...selector, tags: undefined }, kind, []);
      if (selector.tags !== undefined) failures.push({ kind, error });
      for (const target of named) {
        // A selector with ids needs the resource list only for `exclude_tags`, because only the list contains the tags of the
        // resources.
        if (checkIds) refused.set(target, error);
        if (checkIds || selector.exclude_tags === undefined) targets.push(target);
        else failures.push({ kind, error, resource: target.resource });
      }
    }
  }
  return { targets: removeRepeatedTargets(targets), failures, empty, refused };
}

const notFoundError = ({ kind, resource }: Target) =>
  new SnapshotError(
    "NotFound",
    `${kind.target.idsField}: expected the id of an existing resource, got "${resource}". Check the id and PROJECT_ID.`,
  );
