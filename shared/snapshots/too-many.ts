import { SnapshotError } from "../core/errors.ts";
import type { Kind } from "./kinds/kind.ts";

/** Creates the error for a list that has more snapshots of a kind than fit into memory. Listing again would not help. */
export const tooMany = ({ name }: Kind, max: number): SnapshotError =>
  new SnapshotError("Misconfigured", `Expected at most ${max} ${name}s, got more. Give the function more memory.`);
