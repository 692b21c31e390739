/** Builds the parts that the OpenAPI document repeats: references, schemas and JSON contents. */
import type { Reason } from "../../shared/core/errors.ts";
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

/** Returns the schema of an error body whose `reason` is one of the given reasons. */
export const errorSchema = (reasons: readonly Reason[]): JsonObject =>
  objectSchema(
    {
      error: objectSchema(
        {
          code: stringSchema(
            "The cloud's own error code, such as `EVS.5404`. If the cloud sent no code, the same value as `reason`.",
          ),
          message: stringSchema("What failed, the cloud's own message if there is one, and what to do next."),
          reason: {
            enum: reasons,
            description: "The cause of the error. A program should use this field to decide what to do.",
          },
          request_id: stringSchema("The id of the invocation. The result records contain the same id."),
        },
        ["code", "message", "reason", "request_id"],
      ),
    },
    ["error"],
  );
