import type { JsonObject } from "../core/json.ts";
import type { Kind } from "./kinds/kind.ts";
import type { KindName } from "./kinds/kinds.generated.ts";
import type { Resource } from "./ports.ts";

/**
 * An entry of `targets` in a policy or a deployment. It selects resources by id, by tag, or by both, for one kind of snapshot.
 */
export interface Selector extends JsonObject {
  kind: KindName;
  tags?: Record<string, string>;
  exclude_tags?: Record<string, string>;
  description?: string;
}

/** The retention of a policy. Each field except `min_keep` is a rule that keeps snapshots. A value of 0 turns the rule off. */
export interface Retention {
  keep_last?: number;
  keep_within_days?: number;
  keep_daily?: number;
  keep_weekly?: number;
  keep_monthly?: number;
  keep_yearly?: number;
  min_keep?: number;
}

/** A snapshot policy. A timer trigger contains the policy as a JSON string in its field `user_event`. */
export interface Policy {
  policy: string;
  time_zone?: string;
  targets: Selector[];
  retention?: Retention;
  make_room?: boolean;
  hold?: string[];
  dry_run?: boolean;
}

/** A target: one disk, server or cluster that needs a snapshot. */
export interface Target {
  kind: Kind;
  resource: string;
  /** The create options for this target. */
  options: JsonObject;
}

/**
 * Returns whether the project's resources must be listed before a selector can be applied. A selector that contains only ids
 * needs no list request.
 */
export const needsResourceList = ({ tags, exclude_tags }: Selector): boolean =>
  tags !== undefined || exclude_tags !== undefined;

/**
 * Returns the resources that a selector selects, as targets. A selected resource has all `tags` and none of the `exclude_tags`.
 * `exclude_tags` also removes resources that are selected by id. The tag value `*` matches any value. Tags are case-sensitive.
 * An id that does not exist is still a target, so a result record reports the error.
 *
 * @param resources all resources of the kind, or an empty array if they were not listed
 */
export function applySelector(selector: Selector, kind: Kind, resources: readonly Resource[]): Target[] {
  const { tags, exclude_tags = {} } = selector;
  const tagsOf = new Map(resources.map((resource) => [resource.id.toLowerCase(), resource.tags]));
  const taggedResources =
    tags === undefined ? [] : resources.filter((resource) => Object.entries(tags).every(matches(resource.tags)));
  const selectedIds = (selector[kind.target.idsField] ?? []) as string[];
  const ids = [...selectedIds, ...taggedResources.map(({ id }) => id)].map((id) => id.toLowerCase());
  return ids
    .filter((id) => !Object.entries(exclude_tags).some(matches(tagsOf.get(id) ?? {})))
    .map((id) => createTarget(kind, id, selector));
}

const matches =
  (tags: Record<string, string>) =>
  ([key, value]: [string, string]): boolean =>
    Object.hasOwn(tags, key) && (value === "*" || tags[key] === value);

/**
 * Creates the target for one resource. If the selector does not set a create option, the target has the default value of the
 * snapshot kind for this option.
 */
export function createTarget(kind: Kind, id: string, selector: JsonObject = {}): Target {
  const { defaults } = kind.target;
  const options: JsonObject = { [kind.target.idOption]: id, description: selector.description };
  for (const [name, defaultValue] of Object.entries(defaults)) options[name] = selector[name] ?? defaultValue;
  return { kind, resource: id, options };
}

/**
 * Removes repeated targets. If several targets have the same kind of snapshot and the same resource, only the first target
 * remains.
 */
export function removeRepeatedTargets(targets: readonly Target[]): Target[] {
  const seen = new Map<string, Target>();
  for (const target of targets) {
    const identity = `${target.kind.name} ${target.resource}`;
    if (!seen.has(identity)) seen.set(identity, target);
  }
  return [...seen.values()];
}
