import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { faultError, type Operation, readFault, retryAfterMs } from "./cloud-errors.ts";
import { hasTooManyValues, parseResponse } from "./response-json.ts";
import type { HttpResponse } from "./transport.ts";

/** A success response of a Huawei Cloud API. */
export interface ApiResponse {
  status: number;
  /** The response body. If `rows` is set, the text does not contain these rows. */
  text: string;
  body: JsonObject;
  /** The rows that were removed from the array `rowsOf` of a long response body. Each row is a JSON string in UTF-8 bytes. */
  rows?: string[];
}

/** The error for a page of a list response that does not fit into memory. The caller requests the page again with fewer rows. */
export class PageTooLarge extends SnapshotError {}

/**
 * Reads an HTTP response as a response of a Huawei Cloud API.
 *
 * @param what the method and path of the request, such as `GET /v2/.../cloudsnapshots`. Error messages begin with it.
 * @throws PageTooLarge if a list response has too many values
 * @throws SnapshotError if the response is an error response or a redirect, or if its body is not a JSON object. After a create
 *   request, the error has `ambiguous` set if the snapshot may exist.
 */
export function readResponse(what: string, response: HttpResponse, operation: Operation, now: Instant): ApiResponse {
  const { status, headers } = response;
  const text = response.text.replace(/^\ufeff/, "");
  const requestId = typeof headers["x-request-id"] === "string" ? headers["x-request-id"] : undefined;
  const details = { status, requestId, ambiguous: operation === "create" };
  if (status >= 300 && status < 400) {
    const message = `${what}: expected an API response, got the redirect ${status}. Redirects are not followed.`;
    throw new SnapshotError("BadResponse", message, details);
  }
  if (operation === "read" && hasTooManyValues(text)) {
    const message = `${what}: the list response has more values than fit into memory.`;
    throw new PageTooLarge("BadResponse", message, details);
  }
  const body = parseResponse(text);
  const fault = readFault(body);
  if (status >= 400 || status < 200 || reportsFailure(body, fault.code)) {
    throw faultError(
      what,
      { status, ...fault },
      { operation, requestId, retryAfterMs: retryAfterMs(headers["retry-after"], fault.message, now) },
    );
  }
  if (text.trim() === "") return { status, text, body: {} };
  if (!isObject(body)) {
    const actual = JSON.stringify(text.slice(0, 80));
    throw new SnapshotError(
      "BadResponse",
      `${what}: expected a JSON object in the ${status} response, got ${actual}.`,
      details,
    );
  }
  return { status, text, body, rows: response.rows };
}

/**
 * Returns whether the body of a success response reports a failure. It reports a failure if `code` is an error code other than
 * `DWS.0000`, or if the body has a field `error` that is not empty. DWS sends some failures with the status 200.
 */
export const reportsFailure = (body: unknown, code: string | undefined): boolean =>
  (code !== undefined && /^[A-Z]{2,8}\.\d{4,8}$/.test(code) && code !== "DWS.0000") ||
  (isObject(body) &&
    [body.error].flatMap((error) => (isObject(error) ? Object.values(error) : [error])).some(isNotEmpty));

const isNotEmpty = (value: unknown): boolean => (typeof value === "string" ? value.trim() !== "" : Boolean(value));

/**
 * Creates the error for a success response without a required part.
 *
 * @param what describes the missing part, such as `a request_id`
 * @param ambiguous true after a create request, because the snapshot may exist
 */
export const unexpectedResponse = (
  what: string,
  { status, text }: Pick<ApiResponse, "status" | "text">,
  ambiguous = false,
): SnapshotError =>
  new SnapshotError(
    "BadResponse",
    `Expected ${what} in the response, got ${status} ${JSON.stringify(text.slice(0, 200))}.`,
    { status, ambiguous },
  );

/**
 * Creates the error for a list entry that lacks a required field. The error message contains only the field names of the entry,
 * because JSON.stringify fails for deeply nested values.
 */
export const unexpectedRow = (what: string, row: JsonObject): SnapshotError =>
  unexpectedResponse(what, {
    status: 200,
    text: `an entry with the fields ${Object.keys(row).slice(0, 20).join(", ")}`,
  });
