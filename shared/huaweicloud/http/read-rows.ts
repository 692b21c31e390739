import { type JsonObject, readStringField, toStringMap } from "../../core/json.ts";
import { type FoundSnapshot, type Kind, UNREADABLE } from "../../snapshots/kinds/kind.ts";
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
 * @param isTolerant true to read a row without an id or a status as a snapshot in the state `unknown` instead of throwing an error;
 *   see `isUnreadable`
 * @throws SnapshotError BadResponse if the id or the status is missing or invalid, because the row may be the requested
 *   snapshot
 */
export function readSnapshot(row: JsonObject, kind: Pick<Kind, "name" | "read">, isTolerant = false): FoundSnapshot {
  const found = kind.read(row);
  if (found !== undefined && isId(found.id)) return found;
  const { id } = row;
  const readable = { ...row, id: typeof id === "string" && isId(id) ? id : UNREADABLE, status: UNREADABLE };
  if (isTolerant) return kind.read(readable) as FoundSnapshot;
  throw unexpectedRow(`an id and a status in each entry of the list of ${kind.name}s`, row);
}
