import { isObject, type JsonObject } from "../../shared/core/json.ts";
import { preview } from "../../shared/core/preview.ts";
import type { Options, Selection } from "./options.ts";

/** Matches an id, but neither the nil UUID nor a word that programs print for a missing value. */
const ID = /^(?!(?:undefined|null|none|nil|nan|true|false)$)(?=.*[1-9a-z])[\w.-]{1,128}$/i;
/** Fields that neither a `ready` nor the entry of an available snapshot has. */
const ERRORS = ["error", "errors", "error_code", "error_msg"];

const hasError = (of: JsonObject): boolean => ERRORS.some((name) => (of[name] ?? null) !== null);

/**
 * Returns why a `ready` response is not plausible, or undefined if it is. The response must name this deployment. Each
 * selection of the targets file needs available snapshots: one for each id, or at least one of its kind if it has tags.
 */
export function findDoubt(
  body: JsonObject,
  text: string,
  { deployment_id, targets }: Options["request"],
): string | undefined {
  const { snapshots } = body;
  if (body.deployment_id !== deployment_id) return `of the deployment ${preview(body.deployment_id)}`;
  if (hasError(body)) return "with an error";
  if (hasRepeatedNames(body, text)) return "with an object that has a field twice";
  if (!Array.isArray(snapshots)) return `without a list of snapshots`;
  for (const [index, entry] of snapshots.entries()) {
    const fault = findFault(entry);
    if (fault !== undefined) return `with snapshots[${index}] that has ${fault}`;
  }
  const ids = new Set(snapshots.map(({ kind, snapshot_id }: JsonObject) => `${kind} ${lowerCase(snapshot_id)}`));
  if (ids.size < snapshots.length) return "with one snapshot for two resources";
  const uncovered = targets.findIndex((selection) => !isCovered(selection, snapshots));
  return uncovered < 0 ? undefined : `without an available snapshot for all of targets[${uncovered}]`;
}

function findFault(entry: unknown): string | undefined {
  if (!isObject(entry)) return "no fields";
  const { outcome, kind, resource_id, snapshot_id: id } = entry;
  if (outcome !== "available") return `the outcome ${preview(outcome)}`;
  if (typeof kind !== "string") return `the kind ${preview(kind)}`;
  if (hasError(entry)) return "an error";
  const isId = typeof id === "string" && ID.test(id) && lowerCase(id) !== lowerCase(resource_id);
  return isId ? undefined : `the snapshot_id ${preview(id)}`;
}

/**
 * Returns whether the response has the snapshots of a selection. With `exclude_tags` pre-deploy may skip some of the ids, and
 * the client cannot know which.
 */
function isCovered(selection: Selection, snapshots: JsonObject[]): boolean {
  const ofKind = snapshots.filter(({ kind }) => kind === selection.kind);
  const has = (id: unknown) =>
    typeof id === "string" && ofKind.some(({ resource_id }) => lowerCase(resource_id) === id.toLowerCase());
  const ids = idsOf(selection);
  if (selection.exclude_tags === undefined) return ofKind.length > 0 && ids.every(has);
  return selection.tags === undefined ? ids.some(has) : ofKind.length > 0;
}

/** Returns the ids that a selection names: its `volume_ids`, `server_ids` or `cluster_ids`, depending on its kind. */
export const idsOf = (selection: Selection): unknown[] =>
  Object.entries(selection).flatMap(([name, value]) => (name.endsWith("_ids") ? value : []));

/** pre-deploy returns ids in lower case, whatever their case in the request. */
export const lowerCase = (value: unknown): unknown => (typeof value === "string" ? value.toLowerCase() : value);

/**
 * Returns whether an object in the text has two fields of the same name. JSON parsers disagree about which value they use, so
 * the client does not rely on such an object. In valid JSON every string before a colon is the name of a field.
 */
function hasRepeatedNames(body: JsonObject, text: string): boolean {
  const written = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g) ?? [];
  let names = 0;
  const open: unknown[] = [body];
  for (const value of open) {
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) names += Object.keys(value).length;
    for (const inner of Object.values(value)) open.push(inner);
  }
  return names !== written.filter((token) => token.endsWith(":")).length;
}
