/**
 * Builds infra/policy.schema.json, by which editors check and complete policy files. The functions validate policies with the
 * generated schema of prune-snapshots. This file converts that schema to JSON Schema draft-07, which editors support, and adds
 * descriptions, defaults and examples. Without this file, the functions would load the descriptions, too.
 */
import { join } from "node:path";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import type { Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { PrunePolicySchema } from "../../shared/snapshots/policy-schema.ts";
import { POLICY_FIELDS, RETENTION_FIELDS, TARGET_FIELDS } from "./policy-fields.ts";

export const POLICY_DOCUMENT_PATH = join(import.meta.dirname, "..", "policy.schema.json");

/** Returns the text of infra/policy.schema.json. */
export const policyDocumentText = (): string => `${JSON.stringify(policyDocument(), undefined, 2)}\n`;

function policyDocument(): JsonObject {
  const { properties, ...schema } = JSON.parse(JSON.stringify(PrunePolicySchema()));
  const { retention, targets, ...others } = properties;
  const fields = {
    ...others,
    retention: {
      ...retention,
      properties: describe(retention.properties, RETENTION_FIELDS),
      anyOf: keepsSomething(retention),
    },
    targets: { ...targets, items: { oneOf: targets.items.oneOf.map(describeTarget) } },
  };
  return toDraft07({
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Snapshot policy",
    description:
      "A policy of snapshot-functions. scheduled-snapshots creates snapshots of the targets of the policy. prune-snapshots deletes the snapshots that the retention of the policy does not keep.",
    ...schema,
    properties: describe(fields, POLICY_FIELDS),
    // The retention decides which snapshots `make_room` may delete.
    if: { required: ["make_room"], properties: { make_room: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: `then` is a keyword of JSON Schema
    then: { required: ["retention"] },
  }) as JsonObject;
}

/** Adds descriptions, defaults and examples to fields. */
const describe = (fields: JsonObject, descriptions: Record<string, JsonObject>): JsonObject =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [name, { ...(field as JsonObject), ...descriptions[name] }]),
  );

/** Describes the fields of a target of one kind of snapshot. */
function describeTarget(schema: JsonObject & { properties: JsonObject & { kind: { const: keyof typeof KINDS } } }) {
  const { name, target }: Kind = KINDS[schema.properties.kind.const];
  const { kind, ...fields } = describe(schema.properties, TARGET_FIELDS);
  const defaults = Object.entries(target.defaults).map(([field, value]) => [
    field,
    { ...(fields[field] as JsonObject), default: value },
  ]);
  return {
    ...schema,
    properties: { kind: { ...(kind as JsonObject), examples: [name] }, ...fields, ...Object.fromEntries(defaults) },
  };
}

/** Returns one schema per retention rule that keeps snapshots. At least one of these rules must be above 0. */
const keepsSomething = (retention: { properties: JsonObject }) =>
  Object.keys(retention.properties)
    .filter((rule) => rule !== "min_keep")
    .map((rule) => ({ required: [rule], properties: { [rule]: { minimum: 1 } } }));

/** Replaces the keywords that only `validate` and OpenAPI know by keywords of draft-07. */
function toDraft07(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toDraft07);
  if (!isObject(schema)) return schema;
  const {
    discriminator: _,
    "x-expected": __,
    "x-required-any-of": anyOf,
    // A string of n characters has at least n bytes.
    "x-max-bytes": maxBytes,
    ...others
  } = schema;
  const { default: value, examples, ...keywords } = others;
  return {
    ...Object.fromEntries(Object.entries(keywords).map(([key, inner]) => [key, toDraft07(inner)])),
    ...(maxBytes === undefined ? {} : { maxLength: maxBytes }),
    ...(anyOf === undefined ? {} : { anyOf: (anyOf as string[]).map((name) => ({ required: [name] })) }),
    ...(value === undefined ? {} : { default: value }),
    ...(examples === undefined ? {} : { examples }),
  };
}
