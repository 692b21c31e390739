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

/**
 * The schema keywords for the name of an EVS snapshot. They reject the prefix `autobk_snapshot_`, because EVS reserves this
 * prefix for backups and permits no operation on snapshots with such names (SOURCES.md#evs-reserved-prefix).
 */
export const EVS_NAME = {
  pattern: "^(?!autobk_snapshot_)",
  "x-expected": "a name that does not begin with autobk_snapshot_, which backups use",
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
