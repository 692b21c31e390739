/**
 * Builds the OpenAPI 3.1 document of the HTTP functions. The document contains the schemas with which the functions validate
 * requests. The HTTP status of each error comes from `REASONS`. `npm run generate` writes the document to infra/openapi.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../shared/core/json.ts";
import { jsonContent, ref } from "./builders.ts";
import { componentSchemas } from "./component-schemas.ts";
import { OPERATIONS, type Operation, type PostOperation } from "./operations.ts";
import { responsesOf, sharedResponses } from "./responses.ts";

const INFO = `Call each function through the API gateway: the functions that create snapshots with a POST request and a JSON body, and the functions that only read with a GET request. If a request is repeated with the same \`Idempotency-Key\` or \`deployment_id\`, the function creates no second snapshot and responds with the existing one.

The functions validate request bodies with the schemas in this document. These schemas extend JSON Schema with \`x-expected\` (describes the strings that a pattern matches), \`x-max-bytes\` (the maximum length in UTF-8 bytes), \`x-required-any-of\` (at least one of these fields is required) and \`x-unique-ids\` (no id may occur twice, regardless of case). Standard keywords beside them express as much of each rule as JSON Schema can.

If the gateway itself rejects a request, the response body is a \`GatewayError\`.`;

const SECURITY_SCHEMES: JsonObject = {
  APP: {
    type: "apiKey",
    in: "header",
    name: "X-Apig-AppCode",
    description:
      "The app code of a gateway application. The gateway also accepts a signature with the key and secret of the application.",
  },
  IAM: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description:
      "A signature with an access key of the account: `SDK-HMAC-SHA256 Access=..., SignedHeaders=..., Signature=...`. Requires the header `X-Sdk-Date`, and `X-Security-Token` if the key is temporary. The Huawei Cloud SDKs create these headers.",
  },
};

const PARAMETERS: JsonObject = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "Identifies the request. A repeated request with the same key and body returns the existing snapshot. A request with the same key and another body is rejected with a 409. Without this header every request creates a snapshot.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
    example: "web-1.4.2-before-update",
  },
};

const HEADERS: JsonObject = {
  "x-request-id": {
    description: "The id of the invocation. The result records contain the same id.",
    required: true,
    schema: { type: "string" },
  },
  "x-snapshot-outcome": {
    description:
      "`accepted`: this request created the snapshot. `existing`: an earlier request with the same `Idempotency-Key` created the snapshot.",
    required: true,
    schema: { enum: ["accepted", "existing"] },
  },
  "Retry-After": {
    description: "How many seconds to wait before repeating the request.",
    schema: { type: "integer" },
  },
  allow: { description: "The only allowed method.", required: true, schema: { enum: ["GET", "POST"] } },
  "x-page": { description: "The page in the body.", required: true, schema: { type: "integer" } },
  "x-pages": { description: "The number of pages.", required: true, schema: { type: "integer" } },
  "cache-control": { description: "The report must not be stored.", required: true, schema: { const: "no-store" } },
  "x-content-type-options": {
    description: "A browser must not guess another content type.",
    required: true,
    schema: { const: "nosniff" },
  },
  "content-security-policy": {
    description: "Only for HTML: the page loads nothing and runs no script but its own.",
    schema: { type: "string" },
  },
  "content-disposition": {
    description: "Only for CSV: the name under which a browser saves the file.",
    schema: { type: "string" },
  },
};

const pathItem = (operation: Operation) => {
  const { name, summary, description, parameters, method } = operation;
  return {
    [method]: {
      operationId: name,
      summary,
      description,
      ...(parameters === undefined ? {} : { parameters }),
      ...(method === "post" ? { requestBody: requestBody(operation) } : {}),
      responses: responsesOf(operation),
    },
  };
};

function requestBody({ schema, example, alternative }: PostOperation): JsonObject {
  const content = jsonContent(ref("schemas", schema), example);
  return {
    required: true,
    content: {
      "application/json": {
        ...content["application/json"],
        ...(alternative === undefined ? {} : { [alternative.extension]: { schema: alternative.body } }),
      },
    },
  };
}

/** Returns the OpenAPI document as the text of infra/openapi.json. */
export function openApiText(): string {
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "..", "..", "package.json"), "utf8"));
  const document: JsonObject = {
    openapi: "3.1.0",
    info: {
      title: "snapshot-functions",
      version,
      description: INFO,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [
      {
        url: "https://{domain}",
        description: "The API gateway that serves the functions.",
        variables: {
          domain: { default: "snapshots.example.com", description: "The domain of the API group `snapshots`." },
        },
      },
    ],
    // A deployed API accepts only one of these two schemes. The Terraform variable `gateway.authentication` selects the scheme.
    security: [{ APP: [] }, { IAM: [] }],
    paths: Object.fromEntries(OPERATIONS.map((operation) => [`/${operation.name}`, pathItem(operation)])),
    components: {
      securitySchemes: SECURITY_SCHEMES,
      parameters: PARAMETERS,
      headers: HEADERS,
      responses: sharedResponses(),
      schemas: componentSchemas(),
    },
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}
