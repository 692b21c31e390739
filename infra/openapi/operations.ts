/** Reads the HTTP operations from the function definitions, and their request bodies from the generated schemas. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FunctionDefinition, OpenApiOperation, OpenApiResponse } from "../../shared/middleware/definition.ts";
import type { Schema } from "../../shared/validation/validate.ts";
import { loadDefinitions } from "../definitions.ts";
import { errorSchema, ref } from "./builders.ts";

/** Describes one HTTP function for the OpenAPI document. */
export interface Operation {
  /** The name of the function's folder. The same name is used as the URL path and as the `operationId`. */
  name: string;
  summary: string;
  description: string;
  /** The name of the request body in `components.schemas`. */
  schema: string;
  body: Schema;
  example: JsonObject;
  /** The request body schema that applies if EVS_LIMITS is `classic`, and the name of the OpenAPI extension field for it. */
  alternative?: { extension: string; body: Schema };
  parameters?: JsonObject[];
  /** The responses of this function by HTTP status, without the error responses that all functions share. */
  responses: Record<string, ResponseSpec>;
}

export interface ResponseSpec {
  description: string;
  headers: string[];
  schema: JsonObject;
  example: JsonObject;
}

const CREATED =
  "The cloud accepted this request, or has accepted an earlier request with the same `Idempotency-Key`. The body is the response body of the cloud's API.";

/** Returns a success response of a create function. Its body is the body that EVS or DWS sent. */
const createResponse = ({ description = CREATED, schema = {}, example }: OpenApiResponse): ResponseSpec => ({
  description,
  headers: ["x-request-id", "x-snapshot-outcome"],
  schema,
  example,
});

function fail(message: string): never {
  throw new Error(message);
}

/**
 * Describes a response of pre-deploy. If the function definition has no schema for the response, the schema requires the same
 * `status` as in the example.
 */
const progressResponse = (
  { description, reasons, schema = reasons && errorSchema(reasons), example }: OpenApiResponse,
  httpStatus: string,
): ResponseSpec => ({
  description: description ?? fail(`The response ${httpStatus} has no description.`),
  headers: ["x-request-id", ...(httpStatus === "202" ? ["Retry-After"] : [])],
  schema: schema ?? {
    allOf: [ref("schemas", "Deployment"), { type: "object", properties: { status: { const: example.status } } }],
  },
  example,
});

async function readOperation(
  { name, trigger }: FunctionDefinition,
  { title, description, schema, example, responses }: OpenApiOperation,
): Promise<Operation> {
  const path = join(import.meta.dirname, "..", "..", "functions", name, "schema.generated.js");
  const { classic, ...bodies }: Record<string, Schema> = await import(pathToFileURL(path).href);
  const [body, ...others] = Object.values(bodies);
  if (body === undefined || others.length > 0)
    throw new Error(`${path}: expected one schema in addition to "classic".`);
  const isCreate = trigger.type === "http" && trigger.acceptsDirectCalls === true;
  return {
    name,
    summary: title,
    description,
    schema,
    body,
    example,
    ...(classic === undefined ? {} : { alternative: { extension: "x-evs-limits-classic", body: classic } }),
    ...(isCreate ? { parameters: [ref("parameters", "IdempotencyKey")] } : {}),
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [
        status,
        isCreate ? createResponse(response) : progressResponse(response, status),
      ]),
    ),
  };
}

/** The operations of all HTTP functions, sorted by function name. */
export const OPERATIONS: Operation[] = await Promise.all(
  (await loadDefinitions()).flatMap((definition) =>
    definition.operation === undefined ? [] : [readOperation(definition, definition.operation)],
  ),
);
