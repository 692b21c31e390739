import { textAt } from "../core/json.ts";
import type { FoundSnapshot } from "./kinds/kind.ts";
import { MARKER_KEYS } from "./marker.ts";

/**
 * Returns why this project did not create a snapshot that has its marker. Users copy labels, and so does EVS.
 *
 * @returns undefined if this project created the snapshot
 */
export function foreignReason({ name, labels, raw }: FoundSnapshot): string | undefined {
  if (name.startsWith("autobk_snapshot_")) return "made by a backup";
  if (Object.hasOwn(labels, "__system__enableActive") || raw.snapshot_type === "auto") return "made by the system";
  if (raw.snapshot_type === "copy") return "a copy";
  if (typeof raw.type === "string" && raw.type.toUpperCase() === "AUTO") return "automated";
  if (groupOf({ raw }) !== undefined) return "a member of a group";
  return undefined;
}

/** Returns the id of the group that contains a snapshot, or undefined if no group contains it. */
export const groupOf = ({ raw }: Pick<FoundSnapshot, "raw">): string | undefined =>
  textAt(raw, "snapshot_group_id") || undefined;

// Stryker disable all: only saves memory

/** The fields of `raw` that `foreignReason` reads. */
const FIELDS = ["snapshot_type", "type", "snapshot_group_id"];

/**
 * Returns a smaller copy of a snapshot, because a project has thousands of snapshots. The copy lacks the labels of the marker,
 * which was read before, and the fields of the API that no later code reads.
 */
export const compact = (found: FoundSnapshot): FoundSnapshot => ({
  ...found,
  labels: only(found.labels, (name) => !(MARKER_KEYS as readonly string[]).includes(name)),
  raw: only(found.raw, (name) => FIELDS.includes(name)),
});

const EMPTY = Object.freeze({});

function only<Value>(from: Record<string, Value>, wanted: (name: string) => boolean): Record<string, Value> {
  const entries = Object.entries(from).filter(([name]) => wanted(name));
  return entries.length === 0 ? EMPTY : Object.fromEntries(entries);
}

// Stryker restore all
