import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { retryRead } from "../core/retry.ts";
import type { Kind } from "./kinds/kind.ts";
import { KINDS } from "./kinds/kinds.generated.ts";
import { needsLookup, type Selector, type Target, targetsOf, withoutRepeats } from "./policy.ts";
import type { Resource } from "./ports.ts";
import type { RunContext } from "./run-context.ts";

/** The result of applying selectors. */
export interface Selection {
  targets: Target[];
  /** The kinds whose resources could not be listed, so their tags selected nothing. */
  failures: { kind: Kind; error: SnapshotError }[];
  /** The selectors that selected nothing, such as `targets[1]`. A misspelled tag is a common cause. */
  empty: string[];
  /** The targets whose id does not exist or could not be checked. Empty unless `checkIds` was set. */
  refused: ReadonlyMap<Target, SnapshotError>;
}

/**
 * Returns the targets of selectors, without repeated ones. Lists resources once per type, and only if `tags` or `exclude_tags`
 * need the list.
 *
 * @param checkIds also checks that ids exist. A dry run needs this, because it sends no create that would reject a wrong id.
 */
export async function selectTargets(
  selectors: readonly Selector[],
  {
    cloud,
    retryBudget,
    maxTargets = Number.POSITIVE_INFINITY,
  }: Pick<RunContext, "cloud" | "retryBudget" | "maxTargets">,
  checkIds = false,
): Promise<Selection> {
  const lists = new Map<string, Promise<Resource[]>>();
  const targets: Target[] = [];
  const failures: Selection["failures"] = [];
  const empty: string[] = [];
  const refused = new Map<Target, SnapshotError>();
  for (const [index, selector] of selectors.entries()) {
    const kind: Kind = KINDS[selector.kind];
    const isListed = checkIds || needsLookup(selector);
    // Kinds of the same type of resource share its list.
    const list = () => retryRead(() => cloud(kind).resources(maxTargets), retryBudget);
    if (isListed && !lists.has(kind.target.idOption)) lists.set(kind.target.idOption, list());
    try {
      const resources = isListed ? ((await lists.get(kind.target.idOption)) as Resource[]) : [];
      const selected = targetsOf(selector, kind, resources);
      if (selected.length === 0) empty.push(`targets[${index}]`);
      targets.push(...selected);
      if (!checkIds) continue;
      const ids = new Set(resources.map(({ id }) => id.toLowerCase()));
      for (const target of selected) if (!ids.has(target.resource)) refused.set(target, doesNotExist(target));
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      const named = targetsOf({ ...selector, tags: undefined }, kind, []);
      if (!checkIds || selector.tags !== undefined) failures.push({ kind, error });
      // Ids do not need the list, unless tags could exclude them.
      if (checkIds || selector.exclude_tags === undefined) targets.push(...named);
      if (checkIds) for (const target of named) refused.set(target, error);
    }
  }
  return { targets: withoutRepeats(targets), failures, empty, refused };
}

const doesNotExist = ({ kind, resource }: Target) =>
  new SnapshotError(
    "NotFound",
    `${kind.target.idsField}: expected the id of something that exists, got "${resource}". Check the id and PROJECT_ID.`,
  );
