import { Type } from "typebox";

// The schemas of fields that several functions share. `Schema` in validate.ts describes the keywords. Only the schema
// generator (`npm run generate`) loads this file, so no bundle contains it.

/** Returns the schema for a UUID, such as the id of a disk, server or cluster. */
export const Uuid = () =>
  Type.String({
    pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "x-expected": "a UUID",
  });

/** Returns the schema for an enterprise project id: a UUID, or `0` for the default enterprise project. */
export const EnterpriseProjectId = () =>
  Type.String({
    pattern: "^(0|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
    "x-expected": "a UUID, or 0 for the default enterprise project",
  });

/** Returns a pattern that matches a text in upper and lower case, because a pattern in a JSON Schema has no flags. */
const anyCase = (text: string) => text.replace(/[a-z]/g, (letter) => `[${letter.toUpperCase()}${letter}]`);

/** Matches the prefixes of the names that backups give their snapshots (SOURCES.md#evs-reserved-prefix). */
export const BACKUP_PREFIXES = `(${anyCase("auto")}|${anyCase("manual")})${anyCase("bk_snapshot_")}`;

/**
 * The schema keywords for the name of a snapshot. They reject the prefixes of backups. EVS permits no operation on a snapshot
 * with such a name, and no function of this project matches, counts or deletes it, whatever its kind.
 */
export const SNAPSHOT_NAME = {
  allOf: ["autobk_snapshot_", "manualbk_snapshot_"].map((prefix) => ({
    pattern: `^(?!\\s*${anyCase(prefix)})`,
    "x-expected": `a name that does not begin with ${prefix}, which backups use`,
  })),
};

const notReserved = (keys: readonly string[]) => ({
  pattern: `^(?!(${keys.join("|")})$)`,
  "x-expected": `a key other than ${keys.join(", ")}, which identify snapshots created by snapshot-functions`,
});

/** Returns the schema for EVS v2 snapshot metadata: an object with string values and without the `reserved` keys. */
export const Metadata = (reserved: readonly string[]) => stringMap({ type: "string" }, notReserved(reserved));

/**
 * Returns the schema for EVS v5 tags: keys of 1 to 36 characters without the `reserved` keys, and values of at most 43
 * characters (SOURCES.md#evs-tag-limits).
 */
export const Tags = (reserved: readonly string[]) =>
  stringMap({ type: "string", maxLength: 43 }, { minLength: 1, maxLength: 36, ...notReserved(reserved) });

/**
 * Returns the schema for an object with string values. `Type.Record` would not check the values of keys that contain a line
 * break.
 */
function stringMap(additionalProperties: object, propertyNames: object) {
  return Type.Unsafe<Record<string, string>>({ type: "object", additionalProperties, propertyNames });
}
