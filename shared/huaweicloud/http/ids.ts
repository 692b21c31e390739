import { SnapshotError } from "../../core/errors.ts";
import { preview } from "../../core/preview.ts";

/** Returns whether a string can be an id in a path. The SDK does not encode ids: SOURCES.md#sdk-unencoded-paths. */
export const isId = (text: string): boolean => /^[A-Za-z0-9_-]{1,64}$/.test(text);

/**
 * Returns the id of a snapshot, which the cloud gave, before it becomes part of a path.
 *
 * @throws SnapshotError BadResponse if it cannot be an id
 */
export function checkSnapshotId(id: string): string {
  if (isId(id)) return id;
  throw new SnapshotError(
    "BadResponse",
    `Expected an id of letters, digits, - and _ from the cloud, got ${preview(id)}.`,
  );
}
