import type { JsonObject } from "../core/json.ts";
import type { Kind } from "./kinds/kind.ts";
import type { KindName } from "./kinds/kinds.ts";
import type { Resource } from "./ports.ts";

/** What a policy or a gate takes: resources by id, by tag, or both; never neither (DESIGN 4.5). */
export interface Selector extends JsonObject {
  kind: KindName;
  tags?: Record<string, string>;
  exclude_tags?: Record<string, string>;
  description?: string;
}

export interface Retention {
  keep_last?: number;
  keep_within_days?: number;
  keep_daily?: number;
  keep_weekly?: number;
  keep_monthly?: number;
  keep_yearly?: number;
  min_keep?: number;
}

/** A policy, as a timer's `user_event` holds it. */
export interface Policy {
  policy: string;
  time_zone?: string;
  targets: Selector[];
  retention?: Retention;
  make_room?: boolean;
  hold?: string[];
  dry_run?: boolean;
}

/** One snapshot to be taken. */
export interface Target {
  kind: Kind;
  resource: string;
  /** The API's own options. */
  options: JsonObject;
}

/** Whether resources of a selector have to be looked up: ids alone name themselves. */
export const needsLookup = ({ tags, exclude_tags }: Selector): boolean =>
  tags !== undefined || exclude_tags !== undefined;

/**
 * The targets of a selector. `tags` are AND-ed, `exclude_tags` OR-ed and stronger than both ids and tags; `*` is any
 * value; case-sensitive. An id that the cloud does not list stays a target: that it is gone has to be said.
 *
 * @param found every resource of that kind; empty where none was looked up
 */
export function targetsOf(selector: Selector, kind: Kind, found: readonly Resource[]): Target[] {
  const { tags, exclude_tags = {} } = selector;
  const tagsOf = new Map(found.map((one) => [one.id.toLowerCase(), one.tags]));
  const byTag = tags === undefined ? [] : found.filter((one) => Object.entries(tags).every(matches(one.tags)));
  const named = (selector[kind.target.idsField] ?? []) as string[];
  const ids = [...named.map((id) => id.toLowerCase()), ...byTag.map((one) => one.id.toLowerCase())];
  return ids
    .filter((id) => !Object.entries(exclude_tags).some(matches(tagsOf.get(id) ?? {})))
    .map((id) => targetFor(kind, id, selector));
}

const matches =
  (tags: Record<string, string>) =>
  ([key, value]: [string, string]): boolean =>
    Object.hasOwn(tags, key) && (value === "*" || tags[key] === value);

/** A target of a resource, with the options of its selector; those that are always sent have a default. */
export function targetFor(kind: Kind, id: string, selector: JsonObject = {}): Target {
  const { defaults } = kind.target;
  const options: JsonObject = { [kind.target.idOption]: id, description: selector.description };
  for (const [name, byDefault] of Object.entries(defaults)) options[name] = selector[name] ?? byDefault;
  return { kind, resource: id, options };
}

/** Each snapshot once: the first selector that names a resource decides about its options. */
export function withoutRepeats(targets: readonly Target[]): Target[] {
  const seen = new Map<string, Target>();
  for (const target of targets) {
    const identity = `${target.kind.name} ${target.resource}`;
    if (!seen.has(identity)) seen.set(identity, target);
  }
  return [...seen.values()];
}
