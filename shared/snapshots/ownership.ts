import { readStringField } from "../core/json.ts";
import type { FoundSnapshot } from "./kinds/kind.ts";
import { MARKER_KEYS } from "./marker.ts";

/**
 * Returns why a snapshot does not belong to this project although it has the snapshot marker labels, such as "created by a
 * backup". Users and EVS copy labels from one snapshot to another, so the labels alone do not prove who created a snapshot.
 *
 * @returns undefined if this project created the snapshot
 */
export function foreignReason({ name, labels, raw }: FoundSnapshot): string | undefined {
  if (BACKUP_NAME.test(name)) return "created by a backup";
  if (Object.hasOwn(labels, "__system__enableActive") || raw.snapshot_type === "auto") return "created by EVS itself";
  if (raw.snapshot_type === "copy") return "a copy";
  if (typeof raw.type === "string" && raw.type.toUpperCase() === "AUTO") return "an automated snapshot";
  if (groupIdOf({ raw }) !== undefined) return "a member of a group";
  return undefined;
}

/** Matches the names that backup services give their snapshots (SOURCES.md#evs-reserved-prefix). */
export const BACKUP_NAME = /^\s*(auto|manual)bk_snapshot_/i;

/**
 * Returns the number of snapshots that count against the maximum number of legacy snapshots of a disk. Snapshots of backups do not
 * count (SOURCES.md#evs-legacy-per-disk-limit).
 */
export const countTowardsLimit = (found: readonly FoundSnapshot[]): number =>
  found.filter((snapshot) => foreignReason(snapshot) === undefined).length;

/** Returns the id of the snapshot group that a snapshot belongs to, or undefined if it belongs to no group. */
export const groupIdOf = ({ raw }: Pick<FoundSnapshot, "raw">): string | undefined =>
  readStringField(raw, "snapshot_group_id") || undefined;

/**
 * Returns whether a policy created a snapshot. Returns false for a member of a snapshot group, even if EVS copied the tags of the
 * group to the member.
 */
export const isOfPolicy = ({ marker, raw }: FoundSnapshot, policy: string): boolean =>
  marker?.policy === policy && groupIdOf({ raw }) === undefined;

// Stryker disable all: this code only saves memory

/** The fields of an API response that show whether this project created a snapshot. */
const OWNERSHIP_FIELDS = ["snapshot_type", "type", "snapshot_group_id"];

/**
 * Returns a smaller copy of a snapshot, because a project can have thousands of snapshots. The copy has no marker labels,
 * because the marker was already read. `raw` has only the API fields that show who created the snapshot, and the field
 * `updated_at` of a failed snapshot.
 */
export const toCompactSnapshot = (found: FoundSnapshot): FoundSnapshot => ({
  ...found,
  labels: pickFields(found.labels, (name) => !(MARKER_KEYS as readonly string[]).includes(name)),
  raw: pickFields(
    found.raw,
    // Verify reports a group if one of its members failed recently, so it needs the time at which a failed member changed.
    (name) => OWNERSHIP_FIELDS.includes(name) || (name === "updated_at" && found.state === "failed"),
  ),
});

const EMPTY = Object.freeze({});

function pickFields<Value>(from: Record<string, Value>, isWanted: (name: string) => boolean): Record<string, Value> {
  const entries = Object.entries(from).filter(([name]) => isWanted(name));
  return entries.length === 0 ? EMPTY : Object.fromEntries(entries);
}

// Stryker restore all
