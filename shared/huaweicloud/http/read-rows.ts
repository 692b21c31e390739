import { type JsonObject, readStringField, toStringMap } from "../../core/json.ts";
import type { FoundSnapshot, Kind } from "../../snapshots/kinds/kind.ts";
import type { Resource } from "../../snapshots/ports.ts";
import { unexpectedRow } from "./api-response.ts";
import { isId } from "./ids.ts";

/**
 * Reads a row of a list response as a resource. Accepts every format of tags (SOURCES.md#tag-shapes).
 *
 * @param what the resources in the list, such as "disks", for the error message
 * @throws SnapshotError BadResponse if the id is missing or invalid
 */
export function readResource(row: JsonObject, what: string): Resource {
  const id = readStringField(row, "id");
  if (id !== undefined && isId(id)) return { id, tags: toStringMap(row.tags) };
  throw unexpectedRow(`an id in each entry of the list of ${what}`, row);
}

/**
 * Reads a row of a list response as a snapshot of the given kind.
 *
 * @throws SnapshotError BadResponse if the id or the status is missing or invalid, because the row may be the requested
 *   snapshot
 */
export function readSnapshot(row: JsonObject, kind: Kind): FoundSnapshot {
  const found = kind.read(row);
  if (found !== undefined && isId(found.id)) return found;
  throw unexpectedRow(`an id and a status in each entry of the list of ${kind.name}s`, row);
}
