import { Type } from "typebox";
import { BACKUP_PREFIXES, Uuid } from "../validation/fields.ts";
import type { Kind } from "./kinds/kind.ts";
import { KINDS } from "./kinds/kinds.generated.ts";
import type { Policy, Selector } from "./policy.ts";

// JSON Schemas of policies. Parts of these schemas also describe the request body of the deployment gate. The schemas are derived
// from the definitions of the snapshot kinds. Only the schema generator loads this file.

const tagFilter = () =>
  Type.Unsafe<Record<string, string>>({
    type: "object",
    minProperties: 1,
    additionalProperties: { type: "string" },
    propertyNames: { minLength: 1 },
  });

const selectorSchema = (kind: Kind) =>
  Type.Object(
    {
      kind: Type.Literal(kind.name),
      [kind.target.idsField]: Type.Optional(Type.Array(Uuid(), { minItems: 1 })),
      tags: Type.Optional(tagFilter()),
      exclude_tags: Type.Optional(tagFilter()),
      description: Type.Optional(Type.Unsafe<string>({ type: "string", ...kind.target.description })),
      ...Object.fromEntries(Object.keys(kind.target.defaults).map((name) => [name, Type.Optional(Type.Boolean())])),
    },
    { additionalProperties: false, "x-required-any-of": [kind.target.idsField, "tags"] },
  );

/** Returns the JSON Schema of the field `targets`, an array that selects disks, servers or clusters. */
export const TargetsSchema = (minItems = 1) =>
  Type.Unsafe<Selector[]>({
    type: "array",
    minItems,
    items: {
      type: "object",
      discriminator: { propertyName: "kind" },
      required: ["kind"],
      properties: { kind: { enum: Object.keys(KINDS) } },
      oneOf: Object.values(KINDS).map(selectorSchema),
    },
  });

/**
 * Returns the JSON Schema of a policy name. Every snapshot kind must accept the characters of a policy name in a snapshot name,
 * because snapshot names can begin with the policy name.
 */
export const PolicyNameSchema = () =>
  Type.String({
    pattern: `^(?!${BACKUP_PREFIXES})[A-Za-z][A-Za-z0-9_-]{0,37}$`,
    "x-expected":
      "a letter followed by up to 37 letters, digits, hyphens or underscores, not beginning with autobk_snapshot_ or manualbk_snapshot_",
  });

const countSchema = () => Type.Optional(Type.Integer({ minimum: 0 }));

/** Returns the JSON Schema of the field `retention`. */
export const RetentionSchema = () =>
  Type.Object(
    {
      keep_last: countSchema(),
      keep_within_days: countSchema(),
      keep_daily: countSchema(),
      keep_weekly: countSchema(),
      keep_monthly: countSchema(),
      keep_yearly: countSchema(),
      min_keep: Type.Optional(Type.Integer({ minimum: 1 })),
    },
    { additionalProperties: false },
  );

const policyFields = () => ({
  policy: PolicyNameSchema(),
  time_zone: Type.Optional(Type.String()),
  retention: Type.Optional(RetentionSchema()),
  make_room: Type.Optional(Type.Boolean()),
  hold: Type.Optional(Type.Array(Type.String({ minLength: 1 }))),
  dry_run: Type.Optional(Type.Boolean()),
  // Editors find the JSON Schema of a policy file by this field. The functions ignore it.
  $schema: Type.Optional(Type.String()),
});

/** Returns the JSON Schema of a policy that creates snapshots. */
export const PolicySchema = () =>
  Type.Unsafe<Policy>(Type.Object({ ...policyFields(), targets: TargetsSchema() }, { additionalProperties: false }));

/**
 * Returns the JSON Schema of a policy for `prune-snapshots`. The field `targets` is optional, because `prune-snapshots` ignores
 * it. Without the field `retention`, `prune-snapshots` deletes only duplicates.
 */
export const PrunePolicySchema = () =>
  Type.Unsafe<Omit<Policy, "targets">>(
    Type.Object({ ...policyFields(), targets: Type.Optional(TargetsSchema(0)) }, { additionalProperties: false }),
  );
