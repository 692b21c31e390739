import { isObject, type JsonObject } from "../../shared/core/json.ts";
import { preview } from "../../shared/core/preview.ts";
import type { GateOptions, TargetSelection } from "./options.ts";

/** Matches a snapshot id. Does not match the nil UUID or a word that programs print for a missing value, such as `null`. */
const SNAPSHOT_ID = /^(?!(?:undefined|null|none|nil|nan|true|false)$)(?=.*[1-9a-z])[\w.-]{1,128}$/i;
/** The names of error fields. A `ready` response and its snapshot entries must not have such a field. */
const ERROR_FIELDS = ["error", "errors", "error_code", "error_msg"];

const hasError = (object: JsonObject): boolean => ERROR_FIELDS.some((name) => (object[name] ?? null) !== null);

/**
 * Returns why the client must not trust a `ready` response, such as `with an error`. Returns undefined if the response is
 * credible. A credible response contains the id of this deployment and the required snapshots:
 *
 * - If an entry of the targets file has ids, each id needs an available snapshot.
 * - If an entry has tags, its kind needs at least one available snapshot.
 */
export function findDoubt(
  body: JsonObject,
  text: string,
  { deployment_id, targets }: GateOptions["request"],
): string | undefined {
  const { snapshots } = body;
  if (body.deployment_id !== deployment_id) return `for the deployment ${preview(body.deployment_id)}`;
  if (hasError(body)) return "with an error";
  if (hasRepeatedNames(body, text)) return "with a duplicate field in an object";
  if (!Array.isArray(snapshots)) return "without an array of snapshots";
  for (const [index, entry] of snapshots.entries()) {
    const fault = findFault(entry);
    if (fault !== undefined) return `in which snapshots[${index}] has ${fault}`;
  }
  const ids = new Set(snapshots.map(({ kind, snapshot_id }: JsonObject) => `${kind} ${lowerCase(snapshot_id)}`));
  if (ids.size < snapshots.length) return "with the same snapshot for two resources";
  const uncovered = targets.findIndex((selection) => !hasRequiredSnapshots(selection, snapshots));
  return uncovered < 0 ? undefined : `with fewer snapshots than targets[${uncovered}] requires`;
}

function findFault(entry: unknown): string | undefined {
  if (!isObject(entry)) return "no fields";
  const { outcome, kind, resource_id, snapshot_id: id } = entry;
  if (outcome !== "available") return `the outcome ${preview(outcome)}`;
  if (typeof kind !== "string") return `the kind ${preview(kind)}`;
  if (hasError(entry)) return "an error";
  const isId = typeof id === "string" && SNAPSHOT_ID.test(id) && lowerCase(id) !== lowerCase(resource_id);
  return isId ? undefined : `the snapshot_id ${preview(id)}`;
}

/**
 * Returns whether the response lists the snapshots that an entry of the targets file requires. If the entry has `exclude_tags`,
 * pre-deploy may skip some of its ids, so one snapshot is enough.
 */
function hasRequiredSnapshots(selection: TargetSelection, snapshots: JsonObject[]): boolean {
  const ofKind = snapshots.filter(({ kind }) => kind === selection.kind);
  const hasSnapshotOf = (id: unknown) =>
    typeof id === "string" && ofKind.some(({ resource_id }) => lowerCase(resource_id) === id.toLowerCase());
  const ids = idsOf(selection);
  if (selection.exclude_tags === undefined) return ofKind.length > 0 && ids.every(hasSnapshotOf);
  return selection.tags === undefined ? ids.some(hasSnapshotOf) : ofKind.length > 0;
}

/** Returns all ids in an entry of the targets file: its `volume_ids`, `server_ids` or `cluster_ids`, depending on its kind. */
export const idsOf = (selection: TargetSelection): unknown[] =>
  Object.entries(selection).flatMap(([name, value]) => (name.endsWith("_ids") ? value : []));

/** Converts an id to lower case. pre-deploy returns ids in lower case, even if the request has upper-case ids. */
export const lowerCase = (value: unknown): unknown => (typeof value === "string" ? value.toLowerCase() : value);

/**
 * Returns whether an object in the JSON text has two fields with the same name, because JSON parsers disagree about which of
 * the two values is valid. In JSON every string before a colon is a field name. If the text has more field names than the
 * parsed body has fields, a name occurs twice.
 */
function hasRepeatedNames(body: JsonObject, text: string): boolean {
  const strings = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?/g) ?? [];
  let fieldCount = 0;
  const pending: unknown[] = [body];
  for (const value of pending) {
    if (typeof value !== "object" || value === null) continue;
    if (!Array.isArray(value)) fieldCount += Object.keys(value).length;
    for (const inner of Object.values(value)) pending.push(inner);
  }
  return fieldCount !== strings.filter((token) => token.endsWith(":")).length;
}
