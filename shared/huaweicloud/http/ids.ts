import { SnapshotError } from "../../core/errors.ts";
import { preview } from "../../core/preview.ts";

/** Returns whether a string can be used as an id in a URL path. The SDK does not encode ids (SOURCES.md#sdk-unencoded-paths). */
export const isId = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);

/**
 * Checks a snapshot id from an API response before the id becomes part of a URL path.
 *
 * @returns the same id
 * @throws SnapshotError BadResponse if the id contains other characters than letters, digits, `-` and `_`
 */
export function checkSnapshotId(id: string): string {
  if (isId(id)) return id;
  throw new SnapshotError("BadResponse", `Expected a snapshot id of letters, digits, - and _, got ${preview(id)}.`);
}
