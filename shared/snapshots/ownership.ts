import { textAt } from "../core/json.ts";
import type { FoundSnapshot } from "./kinds/kind.ts";
import { MARKER_KEYS } from "./marker.ts";

/** Why a snapshot is not one that we made, although it carries our marker: labels are copied along, by hand or by EVS. */
export function foreignReason({ name, labels, raw }: FoundSnapshot): string | undefined {
  if (name.startsWith("autobk_snapshot_")) return "made by a backup";
  if (Object.hasOwn(labels, "__system__enableActive") || raw.snapshot_type === "auto") return "made by the system";
  if (raw.snapshot_type === "copy") return "a copy";
  if (typeof raw.type === "string" && raw.type.toUpperCase() === "AUTO") return "automated";
  if (groupOf({ raw }) !== undefined) return "a member of a group";
  return undefined;
}

/** The id of the group that a snapshot is a member of. */
export const groupOf = ({ raw }: Pick<FoundSnapshot, "raw">): string | undefined =>
  textAt(raw, "snapshot_group_id") || undefined;

// Stryker disable all: only saves memory

/** Whatever `whyNotOurs` looks at. */
const FIELDS = ["snapshot_type", "type", "snapshot_group_id"];

/**
 * The same, once the marker was read: without the labels that carry it, and without those of the API's own fields that
 * nobody asks for any more, as a project has thousands of snapshots.
 */
export const compact = (found: FoundSnapshot): FoundSnapshot => ({
  ...found,
  labels: only(found.labels, (name) => !(MARKER_KEYS as readonly string[]).includes(name)),
  raw: only(found.raw, (name) => FIELDS.includes(name)),
});

const NOTHING = Object.freeze({});

function only<Value>(from: Record<string, Value>, wanted: (name: string) => boolean): Record<string, Value> {
  const entries = Object.entries(from).filter(([name]) => wanted(name));
  return entries.length === 0 ? NOTHING : Object.fromEntries(entries);
}

// Stryker restore all
