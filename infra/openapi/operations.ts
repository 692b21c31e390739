/** Reads the HTTP operations from the function definitions, and their request bodies from the generated schemas. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FunctionDefinition, OpenApiOperation, OpenApiResponse } from "../../shared/middleware/definition.ts";
import type { Schema } from "../../shared/validation/validate.ts";
import { loadDefinitions } from "../definitions.ts";
import { errorSchema, ref } from "./builders.ts";

/** Describes one HTTP function for the OpenAPI document. */
export type Operation = PostOperation | GetOperation;

interface CommonFields {
  /** The name of the function's folder. The same name is used as the URL path and as the `operationId`. */
  name: string;
  summary: string;
  description: string;
  parameters?: JsonObject[];
  /** The responses of this function by HTTP status, without the error responses that all functions share. */
  responses: Record<string, ResponseSpec>;
}

export interface PostOperation extends CommonFields {
  method: "post";
  /** The name of the request body in `components.schemas`. */
  schema: string;
  body: Schema;
  example: JsonObject;
  /** The request body schema that applies if EVS_LIMITS is `classic`, and the name of the OpenAPI extension field for it. */
  alternative?: { extension: string; body: Schema };
}

interface GetOperation extends CommonFields {
  method: "get";
}

export interface ResponseSpec {
  description: string;
  headers: string[];
  schema: JsonObject;
  example: JsonObject;
  /** An example of the body for each content type that a caller can choose instead of JSON. */
  alternatives?: Readonly<Record<string, string>>;
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
  {
    description,
    reasons,
    schema = reasons && errorSchema(reasons),
    example,
    headers = [],
    alternatives,
  }: OpenApiResponse,
  httpStatus: string,
): ResponseSpec => ({
  description: description ?? fail(`The response ${httpStatus} has no description.`),
  headers: ["x-request-id", ...(httpStatus === "202" ? ["Retry-After"] : []), ...headers],
  schema: schema ?? {
    allOf: [ref("schemas", "Deployment"), { type: "object", properties: { status: { const: example.status } } }],
  },
  example,
  ...(alternatives === undefined ? {} : { alternatives }),
});

/** A comma in an item of an array would divide the item, because the functions read decoded parameters. */
const WITHOUT_COMMA = { pattern: "^[^,]*$", "x-expected": "a string without a comma" };

/**
 * Describes the query parameters of a GET operation. The schema of the function describes an object whose fields are the
 * parameters. A field that can be an array or an object is an array in a query, with commas between its items.
 */
function queryParameters({ properties = {} }: Schema, descriptions: Readonly<Record<string, string>>): JsonObject[] {
  const names = Object.keys(descriptions);
  if (names.join() !== Object.keys(properties).join())
    throw new Error(
      `Expected descriptions of the parameters ${Object.keys(properties)}, got descriptions of ${names}.`,
    );
  return Object.entries(properties).map(([name, property]) => {
    const { type, additionalProperties: _, minProperties: __, propertyNames: ___, ...schema } = property;
    const isArray = [type].flat().includes("array");
    return {
      name,
      in: "query",
      description: descriptions[name],
      ...(isArray ? { style: "form", explode: false } : {}),
      schema: {
        ...(type === undefined ? {} : { type: isArray ? "array" : type }),
        ...schema,
        ...(schema.items?.pattern === undefined ? {} : { items: { ...schema.items, allOf: [WITHOUT_COMMA] } }),
      },
    };
  });
}

async function readOperation({ name, trigger }: FunctionDefinition, operation: OpenApiOperation): Promise<Operation> {
  const { title, description, responses } = operation;
  const path = join(import.meta.dirname, "..", "..", "functions", name, "schema.generated.js");
  const { classic, ...bodies }: Record<string, Schema> = await import(pathToFileURL(path).href);
  const [body, ...others] = Object.values(bodies);
  if (body === undefined || others.length > 0)
    throw new Error(`${path}: expected one schema in addition to "classic".`);
  const isCreate = trigger.type === "http" && trigger.method === "POST" && trigger.acceptsDirectCalls === true;
  const common = {
    name,
    summary: title,
    description,
    responses: Object.fromEntries(
      Object.entries(responses).map(([status, response]) => [
        status,
        isCreate ? createResponse(response) : progressResponse(response, status),
      ]),
    ),
  };
  if (operation.parameters !== undefined)
    return { method: "get", ...common, parameters: queryParameters(body, operation.parameters) };
  const { schema, example } = operation;
  return {
    method: "post",
    ...common,
    schema,
    body,
    example,
    ...(classic === undefined ? {} : { alternative: { extension: "x-evs-limits-classic", body: classic } }),
    ...(isCreate ? { parameters: [ref("parameters", "IdempotencyKey")] } : {}),
  };
}

/** The operations of all HTTP functions, sorted by function name. */
export const OPERATIONS: Operation[] = await Promise.all(
  (await loadDefinitions()).flatMap((definition) =>
    definition.operation === undefined ? [] : [readOperation(definition, definition.operation)],
  ),
);
