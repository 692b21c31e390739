/** Describes the error responses that all HTTP functions share, and adds them to the responses of each function. */
import { REASONS, type Reason } from "../../shared/core/errors.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { errorSchema, jsonContent, ref } from "./builders.ts";
import type { Operation } from "./operations.ts";

const REQUEST_ID = "1167bf8c-87b0-43ab-8f5f-26b16c64f252";

const REASONS_BY_STATUS = new Map<number, Reason[]>();
for (const [reason, { httpStatus }] of Object.entries(REASONS)) {
  REASONS_BY_STATUS.set(httpStatus, [...(REASONS_BY_STATUS.get(httpStatus) ?? []), reason as Reason]);
}

const errorExample = (reason: Reason, message: string): JsonObject => ({
  error: { code: reason, message, reason, request_id: REQUEST_ID },
});

const headersOf = (names: string[]) => Object.fromEntries(names.map((name) => [name, ref("headers", name)]));

const textContents = (examples: Readonly<Record<string, string>>): JsonObject =>
  Object.fromEntries(
    Object.entries(examples).map(([type, example]) => [type, { schema: { type: "string" }, example }]),
  );

/** Returns `components.responses` of the OpenAPI document. */
export const sharedResponses = (): JsonObject => ({
  ...Object.fromEntries(
    [...REASONS_BY_STATUS].map(([status, reasons]) => {
      const [first] = reasons as [Reason];
      return [
        `Error${status}`,
        {
          description: reasons.map((reason) => `\`${reason}\`: ${REASONS[reason].advice}`).join("\n\n"),
          headers: headersOf(["x-request-id", "Retry-After"]),
          content: jsonContent(errorSchema(reasons), errorExample(first, REASONS[first].advice)),
        },
      ];
    }),
  ),
  Error405: {
    description: "The function does not allow this method. The header `allow` names the method that it allows.",
    headers: headersOf(["x-request-id", "allow"]),
    content: jsonContent(
      errorSchema(["InvalidRequest"]),
      errorExample("InvalidRequest", 'Expected the method POST, got "GET".'),
    ),
  },
  Gateway: {
    description:
      "The API gateway itself responded: the caller is not authorized (401, 403), the caller sent too many requests (429), or the function did not respond in time (504). The body has neither `reason` nor `status`, and describes no snapshot. Repeat the request.",
    content: jsonContent(ref("schemas", "GatewayError"), {
      error_code: "APIG.0301",
      error_msg: "Incorrect app authentication information",
      request_id: "11cdcdcf33949dc6d722640a13091c77",
    }),
  },
});

/** The statuses of errors that concern the resource in a request body. A GET operation never responds with them. */
const BODY_STATUSES = [404, 409, 413];

/** Returns the `responses` of an operation: its own responses, and the shared error response for every other status. */
export function responsesOf({ responses, method }: Operation): JsonObject {
  const shared = [...REASONS_BY_STATUS.keys(), 405].filter((one) => method === "post" || !BODY_STATUSES.includes(one));
  const statuses = new Set([...Object.keys(responses).map(Number), ...shared]);
  return {
    ...Object.fromEntries(
      [...statuses].map((status) => {
        const response = responses[status];
        if (response === undefined) return [status, ref("responses", `Error${status}`)];
        const { description, headers, schema, example, alternatives = {} } = response;
        const reasons = REASONS_BY_STATUS.get(status);
        const bodySchema = reasons === undefined ? schema : { oneOf: [schema, errorSchema(reasons)] };
        const content = { ...jsonContent(bodySchema, example), ...textContents(alternatives) };
        return [status, { description, headers: headersOf(headers), content }];
      }),
    ),
    // The gateway itself can respond with any status, even with a status that is listed for the function.
    default: ref("responses", "Gateway"),
  };
}
