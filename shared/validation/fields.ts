import { Type } from "typebox";

// The words that the functions' schemas are made of; what each keyword means is said in check.ts. Nothing of this is
// loaded at run time.

/** Ids of disks, servers, clusters: they go into URLs and are compared with the cloud's. */
export const Uuid = () =>
  Type.String({
    pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
    "x-expected": "a UUID",
  });

/** `0` is the default enterprise project. */
export const EnterpriseProjectId = () =>
  Type.String({
    pattern: "^(0|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$",
    "x-expected": "a UUID, or 0 for the default enterprise project",
  });

/** The prefix that backups use for their own snapshots (seed 001): operations on such snapshots are not possible. */
export const EVS_NAME = {
  pattern: "^(?!autobk_snapshot_)",
  "x-expected": "a name that does not begin with autobk_snapshot_, which backups use",
};

const notReserved = (keys: readonly string[]) => ({
  pattern: `^(?!(${keys.join("|")})$)`,
  "x-expected": `a key other than ${keys.join(", ")}, which identify snapshots created by snapshot-functions`,
});

/** Returns the schema of the metadata of a v2 snapshot: any strings, except under the `reserved` keys. */
export const Metadata = (reserved: readonly string[]) => texts({ type: "string" }, notReserved(reserved));

/** Returns the schema of v5 tags: keys of 1 to 36 characters, except the `reserved` ones, and values of up to 43 (cloud-apis.md 9). */
export const Tags = (reserved: readonly string[]) =>
  texts({ type: "string", maxLength: 43 }, { minLength: 1, maxLength: 36, ...notReserved(reserved) });

/** Not `Type.Record`: its pattern for keys leaves out those with a line break, and with them their values. */
function texts(additionalProperties: object, propertyNames: object) {
  return Type.Unsafe<Record<string, string>>({ type: "object", additionalProperties, propertyNames });
}
