import type { Kind } from "./kinds/kind.ts";
import { SnapshotError } from "./reasons.ts";

/** Returns the error for a list that shows more snapshots of a kind than there is memory for. */
export const tooMany = ({ kind }: Kind, most: number): SnapshotError =>
  new SnapshotError("BadResponse", `Expected at most ${most} ${kind}s, got more. Give the function more memory.`);
