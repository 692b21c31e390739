import { SnapshotError } from "../../core/errors.ts";
import type { Instant } from "../../core/instant.ts";
import { isObject, type JsonObject } from "../../core/json.ts";
import { faultError, type Operation, readFault, retryAfterMs } from "./cloud-errors.ts";
import { hasTooManyValues, parseResponse } from "./response-json.ts";
import type { HttpResponse } from "./transport.ts";

/** A success response of the cloud. */
export interface ApiResponse {
  status: number;
  /** The body as it arrived. */
  text: string;
  body: JsonObject;
  /** The rows that were removed from the list in the body, each as JSON in UTF-8 bytes. Only for a call with `rowsOf`. */
  rows?: string[];
}

/** The error for a page of a list that does not fit into a function's memory. The reader requests fewer rows. */
export class PageTooLarge extends SnapshotError {}

/**
 * Reads an HTTP response as a response of the cloud's API.
 *
 * @param what the call, such as `GET /v2/.../cloudsnapshots`, which begins the message of an error
 * @throws SnapshotError for an error response, a redirect, and a body that is not a JSON object. The error of a create is
 *   `ambiguous` if the snapshot may exist. PageTooLarge for a list with too many values
 */
export function readResponse(what: string, response: HttpResponse, operation: Operation, now: Instant): ApiResponse {
  const { status, headers } = response;
  const text = response.text.replace(/^\ufeff/, "");
  const requestId = typeof headers["x-request-id"] === "string" ? headers["x-request-id"] : undefined;
  const details = { status, requestId, ambiguous: operation === "create" };
  if (status >= 300 && status < 400) {
    const message = `${what}: expected an API response, got ${status}, a redirect, which is not followed.`;
    throw new SnapshotError("BadResponse", message, details);
  }
  if (operation === "read" && hasTooManyValues(text)) {
    const message = `${what}: expected a page of a list, got more values than fit into the memory.`;
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
    const got = JSON.stringify(text.slice(0, 80));
    throw new SnapshotError("BadResponse", `${what}: expected a JSON object with the ${status}, got ${got}.`, details);
  }
  return { status, text, body, rows: response.rows };
}

/**
 * Returns whether the body of a success response reports a failure. DWS sends some failures with the status 200 and a code
 * other than `DWS.0000`. No success response of any service contains a code of EVS or of the gateway, or an `error` that is
 * not empty.
 */
export const reportsFailure = (body: unknown, code: string | undefined): boolean =>
  (code !== undefined && /^[A-Z]{2,8}\.\d{4,8}$/.test(code) && code !== "DWS.0000") ||
  (isObject(body) && [body.error].flatMap((error) => (isObject(error) ? Object.values(error) : [error])).some(isSet));

const isSet = (value: unknown): boolean => (typeof value === "string" ? value.trim() !== "" : Boolean(value));

/**
 * Returns the error for a success response without a required part.
 *
 * @param what the missing part
 * @param ambiguous true after a create, because the cloud may have created the snapshot
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

/** Returns the error for a list entry that lacks a required field. Omits values, because they can be nested deeply. */
export const unexpectedRow = (what: string, row: JsonObject): SnapshotError =>
  unexpectedResponse(what, {
    status: 200,
    text: `an entry with the fields ${Object.keys(row).slice(0, 20).join(", ")}`,
  });
