/**
 * Builds the OpenAPI 3.1 document of the HTTP functions. The schemas of the bodies are those that the functions validate
 * with; the status of each error is that of the catalogue of reasons. `npm run generate` writes it to infra/openapi.json.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../shared/core/json.ts";
import { jsonContent, ref } from "./builders.ts";
import { componentSchemas } from "./component-schemas.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { responsesOf, sharedResponses } from "./responses.ts";

const INFO = `Call each function through the API gateway with a POST of JSON. Each function creates a snapshot once: if an earlier delivery of the same request created it, the response names that snapshot.

The schemas of the bodies are those that the functions validate with. They extend JSON Schema by \`x-expected\` (the meaning of a pattern), \`x-max-bytes\` (the maximum length in bytes of UTF-8), \`x-required-any-of\` (at least one of these fields is required) and \`x-unique-ids\` (no id may occur twice, in upper or lower case).

A response of the gateway itself has another body: \`GatewayError\`.`;

const SECURITY_SCHEMES: JsonObject = {
  APP: {
    type: "apiKey",
    in: "header",
    name: "X-Apig-AppCode",
    description:
      "The code of an application of the gateway. A signature with the application's key and secret, as with IAM, is accepted too.",
  },
  IAM: {
    type: "apiKey",
    in: "header",
    name: "Authorization",
    description:
      "A signature with an access key of the account: `SDK-HMAC-SHA256 Access=..., SignedHeaders=..., Signature=...`, with the header `X-Sdk-Date`, and `X-Security-Token` if the key is temporary. The SDKs of Huawei Cloud create it.",
  },
};

const PARAMETERS: JsonObject = {
  IdempotencyKey: {
    name: "Idempotency-Key",
    in: "header",
    description:
      "Identifies the request. A repeated request with the same key and body returns the snapshot that exists (`existing`). The same key with another body is a 409. Without a key every request creates a snapshot.",
    schema: { type: "string", minLength: 1, maxLength: 255 },
    example: "web-1.4.2-before-update",
  },
};

const HEADERS: JsonObject = {
  "x-request-id": {
    description: "The id of the invocation, as in its records.",
    required: true,
    schema: { type: "string" },
  },
  "x-snapshot-outcome": {
    description: "`accepted`: this request created the snapshot. `existing`: an earlier delivery of it did.",
    required: true,
    schema: { enum: ["accepted", "existing"] },
  },
  "Retry-After": {
    description: "How many seconds to wait before repeating the same call.",
    schema: { type: "integer" },
  },
  allow: { description: "The method that is allowed.", required: true, schema: { const: "POST" } },
};

const pathItem = (operation: Operation) => {
  const { name, summary, description, parameters, schema, example, alternative } = operation;
  const content = jsonContent(ref("schemas", schema), example);
  return {
    post: {
      operationId: name,
      summary,
      description,
      ...(parameters === undefined ? {} : { parameters }),
      requestBody: {
        required: true,
        content: {
          "application/json": {
            ...content["application/json"],
            ...(alternative === undefined ? {} : { [alternative.extension]: { schema: alternative.body } }),
          },
        },
      },
      responses: responsesOf(operation),
    },
  };
};

/** Returns the text of infra/openapi.json. */
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
        description: "The API gateway.",
        variables: {
          domain: { default: "snapshots.example.com", description: "The domain of the gateway's group `snapshots`." },
        },
      },
    ],
    // The Terraform variable `gateway.authentication` selects one of them.
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
