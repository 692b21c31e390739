import { Type } from "typebox";

// Building blocks of the functions' schemas. `Schema` in validate.ts describes the keywords. Only the schema generator loads
// this file.

/** Returns the schema of the id of a disk, server or cluster. */
export const Uuid = () =>
  Type.String({
    pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "x-expected": "a UUID",
  });

/** Returns the schema of the id of an enterprise project. `0` is the default enterprise project. */
export const EnterpriseProjectId = () =>
  Type.String({
    pattern: "^(0|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
    "x-expected": "a UUID, or 0 for the default enterprise project",
  });

/** Excludes the prefix that backups use for their own snapshots, because EVS permits no operation on those (SOURCES.md#evs-reserved-prefix). */
export const EVS_NAME = {
  pattern: "^(?!autobk_snapshot_)",
  "x-expected": "a name that does not begin with autobk_snapshot_, which backups use",
};

const notReserved = (keys: readonly string[]) => ({
  pattern: `^(?!(${keys.join("|")})$)`,
  "x-expected": `a key other than ${keys.join(", ")}, which identify snapshots created by snapshot-functions`,
});

/** Returns the schema of the metadata of an EVS v2 snapshot. Values are strings. The `reserved` keys are not allowed. */
export const Metadata = (reserved: readonly string[]) => stringMap({ type: "string" }, notReserved(reserved));

/**
 * Returns the schema of EVS v5 tags: keys of 1 to 36 characters and values of at most 43 characters (SOURCES.md#evs-tag-limits). The
 * `reserved` keys are not allowed.
 */
export const Tags = (reserved: readonly string[]) =>
  stringMap({ type: "string", maxLength: 43 }, { minLength: 1, maxLength: 36, ...notReserved(reserved) });

/** Returns the schema of a map of strings. `Type.Record` does not check the values of keys that contain a line break. */
function stringMap(additionalProperties: object, propertyNames: object) {
  return Type.Unsafe<Record<string, string>>({ type: "object", additionalProperties, propertyNames });
}
