import { SnapshotError } from "../core/errors.ts";
import type { Kind } from "./kinds/kind.ts";

/**
 * Creates the error for a list response that contains more snapshots than fit into memory. A retry would fail with the same
 * error.
 */
export const tooManySnapshotsError = ({ name }: Kind, max: number): SnapshotError =>
  new SnapshotError(
    "Misconfigured",
    `More than ${max} ${name}s do not fit into memory. Give the function more memory.`,
  );
