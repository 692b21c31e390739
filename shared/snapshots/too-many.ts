import { SnapshotError } from "../core/errors.ts";
import type { Kind } from "./kinds/kind.ts";

/** Returns the error for a list that shows more snapshots of a kind than there is memory for. */
export const tooMany = ({ name }: Kind, most: number): SnapshotError =>
  new SnapshotError("BadResponse", `Expected at most ${most} ${name}s, got more. Give the function more memory.`);
