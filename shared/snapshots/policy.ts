import type { JsonObject } from "../core/json.ts";
import type { Kind } from "./kinds/kind.ts";
import type { KindName } from "./kinds/kinds.generated.ts";
import type { Resource } from "./ports.ts";

/** Selects resources of one kind by id, by tag, or by both, in a policy or a gate. */
export interface Selector extends JsonObject {
  kind: KindName;
  tags?: Record<string, string>;
  exclude_tags?: Record<string, string>;
  description?: string;
}

/** The retention of a policy. Each field except `min_keep` is a rule, and a value of 0 turns the rule off. */
export interface Retention {
  keep_last?: number;
  keep_within_days?: number;
  keep_daily?: number;
  keep_weekly?: number;
  keep_monthly?: number;
  keep_yearly?: number;
  min_keep?: number;
}

/** A policy: the `user_event` of a timer. */
export interface Policy {
  policy: string;
  time_zone?: string;
  targets: Selector[];
  retention?: Retention;
  make_room?: boolean;
  hold?: string[];
  dry_run?: boolean;
}

/** A resource of which a snapshot is to be created. */
export interface Target {
  kind: Kind;
  resource: string;
  /** The create options of the API. */
  options: JsonObject;
}

/** Returns whether the resources must be listed to apply a selector. Ids alone do not need the list. */
export const needsLookup = ({ tags, exclude_tags }: Selector): boolean =>
  tags !== undefined || exclude_tags !== undefined;

/**
 * Returns the targets of a selector. A resource must have all `tags` and none of the `exclude_tags`. `exclude_tags` also apply
 * to ids. `*` matches every value of a tag. Tags are case-sensitive. An id that the cloud does not list is a target, so its
 * record reports that it does not exist.
 *
 * @param resources all resources of the kind, or an empty array if they were not listed
 */
export function targetsOf(selector: Selector, kind: Kind, resources: readonly Resource[]): Target[] {
  const { tags, exclude_tags = {} } = selector;
  const tagsOf = new Map(resources.map((resource) => [resource.id.toLowerCase(), resource.tags]));
  const tagged =
    tags === undefined ? [] : resources.filter((resource) => Object.entries(tags).every(matches(resource.tags)));
  const named = (selector[kind.target.idsField] ?? []) as string[];
  const ids = [...named, ...tagged.map(({ id }) => id)].map((id) => id.toLowerCase());
  return ids
    .filter((id) => !Object.entries(exclude_tags).some(matches(tagsOf.get(id) ?? {})))
    .map((id) => targetFor(kind, id, selector));
}

const matches =
  (tags: Record<string, string>) =>
  ([key, value]: [string, string]): boolean =>
    Object.hasOwn(tags, key) && (value === "*" || tags[key] === value);

/** Creates the target of a resource. Options that the selector does not set have the default value of the kind. */
export function targetFor(kind: Kind, id: string, selector: JsonObject = {}): Target {
  const { defaults } = kind.target;
  const options: JsonObject = { [kind.target.idOption]: id, description: selector.description };
  for (const [name, defaultValue] of Object.entries(defaults)) options[name] = selector[name] ?? defaultValue;
  return { kind, resource: id, options };
}

/** Removes repeated resources of a kind. The first target of a resource remains, with its options. */
export function withoutRepeats(targets: readonly Target[]): Target[] {
  const seen = new Map<string, Target>();
  for (const target of targets) {
    const identity = `${target.kind.name} ${target.resource}`;
    if (!seen.has(identity)) seen.set(identity, target);
  }
  return [...seen.values()];
}
