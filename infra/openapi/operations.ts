/** Reads the HTTP operations from the definitions of the functions, and their bodies from the schemas that they validate with. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FunctionDefinition, OpenApiOperation, OpenApiResponse } from "../../shared/middleware/definition.ts";
import type { Schema } from "../../shared/validation/validate.ts";
import { loadDefinitions } from "../definitions.ts";
import { ref } from "./builders.ts";

/** Describes one HTTP function. */
export interface Operation {
  /** The function's folder, which is also its path and its `operationId`. */
  name: string;
  summary: string;
  description: string;
  /** The name of the body in `components.schemas`. */
  schema: string;
  body: Schema;
  example: JsonObject;
  /** The body that a variable of the function can select instead, and the extension field that describes it. */
  alternative?: { extension: string; body: Schema };
  parameters?: JsonObject[];
  /** The responses that only this function has, by HTTP status. */
  responses: Record<string, ResponseSpec>;
}

export interface ResponseSpec {
  description: string;
  headers: string[];
  schema: JsonObject;
  example: JsonObject;
}

const CREATED =
  "The cloud accepted this request, or an earlier request with the same key. The body is that of the cloud's API.";

/** Returns a response of a create function, which has the body of a cloud API. */
const createResponse = ({ description = CREATED, schema = {}, example }: OpenApiResponse): ResponseSpec => ({
  description,
  headers: ["x-request-id", "x-snapshot-outcome"],
  schema,
  example,
});

/** Returns a response of pre-deploy, whose `status` is that of the example. */
const progressResponse = (
  { description = "", schema, example }: OpenApiResponse,
  httpStatus: string,
): ResponseSpec => ({
  description,
  headers: ["x-request-id", ...(httpStatus === "202" ? ["Retry-After"] : [])],
  schema: schema ?? {
    allOf: [ref("schemas", "Deployment"), { type: "object", properties: { status: { const: example.status } } }],
  },
  example,
});

async function operationOf(
  { name, trigger }: FunctionDefinition,
  { title, description, schema, example, responses }: OpenApiOperation,
): Promise<Operation> {
  const path = join(import.meta.dirname, "..", "..", "functions", name, "schema.generated.js");
  const { classic, ...bodies }: Record<string, Schema> = await import(pathToFileURL(path).href);
  const [body = {}] = Object.values(bodies);
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

/** The operations of all HTTP functions, in the order of their names. */
export const OPERATIONS: Operation[] = await Promise.all(
  (await loadDefinitions()).flatMap((definition) =>
    definition.operation === undefined ? [] : [operationOf(definition, definition.operation)],
  ),
);
