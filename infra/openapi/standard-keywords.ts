/**
 * Adds standard keywords of JSON Schema next to the `x-` keywords of this project, and to bodies with rules that the functions check
 * after the schema. A reader of the OpenAPI document that ignores `x-` keywords then knows as much of each rule as JSON Schema can
 * express.
 */
import { isObject, type JsonObject } from "../../shared/core/json.ts";

/** The standard keywords that follow from the value of an `x-` keyword. A value that satisfies the `x-` keyword satisfies them. */
const EQUIVALENTS: Readonly<Record<string, (value: unknown) => JsonObject>> = {
  // The linter requires each required field among the properties of the same schema.
  "x-required-any-of": (names) => ({
    anyOf: [names].flat().map((name) => ({ properties: { [String(name)]: {} }, required: [name] })),
  }),
  "x-unique-ids": (isUnique) => ({ uniqueItems: isUnique }),
  // A string has at least as many bytes of UTF-8 as it has characters.
  "x-max-bytes": (bytes) => ({ maxLength: bytes }),
};

/** Returns a schema with the standard keywords that follow from its `x-` keywords, at every depth. */
export function addStandardKeywords(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(addStandardKeywords);
  if (!isObject(schema)) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, addStandardKeywords(value)] as const);
  const added = entries.flatMap(([key, value]) => Object.entries(EQUIVALENTS[key]?.(value) ?? {}));
  return Object.fromEntries([...added, ...entries]);
}

/**
 * Returns the rule that `make_room` requires a retention that keeps something, and the default policy. `checkDeployment` checks
 * this rule.
 *
 * @param properties the properties of the request body of pre-deploy
 */
export function makeRoomRule({ retention, policy }: JsonObject): JsonObject {
  const rules = Object.keys(fieldsOf(retention)).filter((name) => name.startsWith("keep_"));
  return {
    if: { properties: { make_room: { const: true } }, required: ["make_room"] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      required: ["retention"],
      properties: {
        retention: { anyOf: rules.map((name) => ({ properties: { [name]: { minimum: 1 } }, required: [name] })) },
        policy: { const: isObject(policy) ? policy.default : undefined },
      },
    },
  };
}

const fieldsOf = (schema: unknown): JsonObject =>
  isObject(schema) && isObject(schema.properties) ? schema.properties : {};
