import { REASONS, SnapshotError } from "../../core/errors.ts";
import type { FoundSnapshot, Kind } from "../kinds/kind.ts";

/**
 * Lists the snapshots of a kind again.
 *
 * @throws SnapshotError BadResponse if the list response contains no snapshot at all. Retention keeps at least one good snapshot, so
 *   an empty list response is probably wrong.
 */
export async function listRows(
  { list }: { list(kind: Kind, visit: (found: FoundSnapshot) => void): Promise<void> },
  kind: Kind,
  visit: (found: FoundSnapshot) => void,
): Promise<void> {
  let isEmpty = true;
  await list(kind, (found) => {
    isEmpty = false;
    visit(found);
  });
  if (!isEmpty) return;
  throw new SnapshotError(
    "BadResponse",
    `Expected a list of at least one ${kind.name}, got an empty list. ${REASONS.BadResponse.advice}`,
  );
}
