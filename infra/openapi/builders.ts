/** Builds the parts that the OpenAPI document repeats: references, schemas and JSON contents. */
import type { JsonObject } from "../../shared/core/json.ts";

/** Returns a `$ref` to an entry in `components`, such as `#/components/schemas/Deployment`. */
export const ref = (section: "schemas" | "headers" | "responses" | "parameters", name: string) => ({
  $ref: `#/components/${section}/${name}`,
});

/** Returns the JSON Schema of a string. */
export const stringSchema = (description?: string): JsonObject => ({
  type: "string",
  ...(description ? { description } : {}),
});

/** Returns the JSON Schema of an object with these properties. */
export const objectSchema = (properties: JsonObject, required: string[]): JsonObject => ({
  type: "object",
  required,
  properties,
});

/** Returns the OpenAPI `content` object for a request or response with a JSON body. */
export const jsonContent = (schema: JsonObject, example?: JsonObject) => ({
  "application/json": { schema, ...(example === undefined ? {} : { example }) },
});
