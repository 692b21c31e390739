/** Defines a random project with its list responses, for `npm run coverage-model`. */

export type Raw = Record<string, unknown>;

/** The lists that a report reads. The snapshot lists have the names of the kinds. */
export const LISTS = [
  "disks",
  "clusters",
  "snapshot",
  "standard-snapshot",
  "snapshot-group",
  "cluster-snapshot",
] as const;
export type ListName = (typeof LISTS)[number];

/**
 * What goes wrong when a list is read:
 *
 * - `once`: the request for one page fails once.
 * - `error`, `denied`, `malformed`: every request from one page on fails.
 * - `hidden`: no page contains some of the rows, but the count includes them.
 * - `endless`: the service returns the first page for each offset.
 * - `unsupported`: the endpoint does not offer the list.
 */
export type ListFault =
  | { type: "none" | "endless" | "unsupported" }
  | { type: "once" | "error" | "denied" | "malformed"; page: number }
  | { type: "hidden"; from: number; count: number };

export interface ProjectList {
  rows: Raw[];
  /** The maximum number of rows in a page. */
  pageRows: number;
  hasCount: boolean;
  fault: ListFault;
}

export interface Project {
  seed: number;
  now: string;
  lists: Record<ListName, ProjectList>;
  maxAgeHours: number;
  types: ("volume" | "cluster")[];
  tags: [key: string, value?: string][];
  excludeTags: [key: string, value?: string][];
  /** The kinds that the deployed policies use. Undefined if the deployment is unknown. */
  deployedKinds?: string[];
}

/** The groups of projects in the result table. The remainder of the seed selects the family. */
export const FAMILIES = ["plain", "groups", "odd rows", "failing lists", "everything"] as const;
export type Family = (typeof FAMILIES)[number];
export const familyOf = (seed: number): Family => FAMILIES[seed % FAMILIES.length] as Family;

/** Returns the count of a list, in which two rows with the same id count once. */
export const countSnapshots = (rows: readonly Raw[]): number => new Set(rows.map((row) => row.id || row)).size;
