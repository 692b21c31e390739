/** Builds the small pieces that the OpenAPI document consists of. */
import type { JsonObject } from "../../shared/core/json.ts";

/** Returns a reference to an entry of `components`. */
export const ref = (section: "schemas" | "headers" | "responses" | "parameters", name: string) => ({
  $ref: `#/components/${section}/${name}`,
});

export const stringSchema = (description?: string): JsonObject => ({
  type: "string",
  ...(description ? { description } : {}),
});

export const objectSchema = (properties: JsonObject, required: string[]): JsonObject => ({
  type: "object",
  required,
  properties,
});

/** Returns the `content` of a request or response with a JSON body. */
export const jsonContent = (schema: JsonObject, example?: JsonObject) => ({
  "application/json": { schema, ...(example === undefined ? {} : { example }) },
});
