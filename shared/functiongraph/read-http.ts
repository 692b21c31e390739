import { SnapshotError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";

/**
 * An HTTP response in the format that the API gateway requires. For any other format, the gateway responds with the status
 * 500: SOURCES.md#functiongraph-apig-response.
 */
export interface GatewayResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: false;
}

/** Returns an HTTP response with a JSON body in the format of the API gateway. */
export const createGatewayResponse = (
  statusCode: number,
  body: string,
  headers: Record<string, string> = {},
): GatewayResponse => ({
  statusCode,
  headers: {
    "content-type": "application/json",
    // A header value must be one line of printable characters, but it can contain text from a caller. Replace all other
    // characters, and also a space at the start or the end, which HTTP does not count as part of the value.
    ...Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace(/[^\x20-\x7e]|^ | $/g, "_")]),
    ),
  },
  body,
  isBase64Encoded: false,
});

/** The parts of an HTTP request that the functions use. */
export interface GatewayRequest {
  body: unknown;
  /** The value of the `Idempotency-Key` header. Two requests with the same value are treated as one request. */
  idempotencyKey?: string;
}

/**
 * The maximum size of a request body in bytes. No valid body is larger. The gateway allows 4 MB:
 * SOURCES.md#functiongraph-limits.
 */
const MAX_BODY_BYTES = 1024 * 1024;
/** The maximum length of the `Idempotency-Key` header in characters. */
const MAX_KEY_CHARACTERS = 255;

const invalidRequestError = (message: string) => new SnapshotError("InvalidRequest", message);

/**
 * Reads an event of the API gateway: a POST request with a JSON body, which is usually encoded in base64
 * (SOURCES.md#functiongraph-apig-event). Upper and lower case do not matter in header names.
 *
 * @throws SnapshotError InvalidRequest, with the HTTP status 405 if the method is not POST
 */
export function readHttp(event: JsonObject): GatewayRequest {
  checkMethod(event, "POST");
  const idempotencyKey = readHeader(event, "idempotency-key");
  if (idempotencyKey === "") {
    throw invalidRequestError("idempotency-key: expected a non-empty header or no header, got an empty header.");
  }
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_KEY_CHARACTERS) {
    throw invalidRequestError(
      `idempotency-key: expected a header of at most ${MAX_KEY_CHARACTERS} characters, got ${idempotencyKey.length}.`,
    );
  }
  return { body: readBody(event), ...(idempotencyKey ? { idempotencyKey } : {}) };
}

/** The parts of an HTTP request without a body that the functions use. */
export interface GatewayQuery {
  /** The query parameters. A value is usually a string, but is passed on unchanged. */
  query: JsonObject;
  /** The value of the `Accept` header. Empty if the request has none. */
  accept: string;
}

/**
 * Reads an event of the API gateway: a GET request with query parameters (SOURCES.md#functiongraph-apig-query). Ignores the
 * body. Upper and lower case do not matter in header names.
 *
 * @throws SnapshotError InvalidRequest, with the HTTP status 405 if the method is not GET
 */
export function readHttpQuery(event: JsonObject): GatewayQuery {
  checkMethod(event, "GET");
  const query = event.queryStringParameters ?? {};
  if (!isObject(query)) throw invalidRequestError(`Expected an object with query parameters, got ${preview(query)}.`);
  return { query, accept: readHeader(event, "accept") ?? "" };
}

function checkMethod({ httpMethod }: JsonObject, method: string): void {
  if (httpMethod === method) return;
  throw new SnapshotError("InvalidRequest", `Expected the method ${method}, got ${preview(httpMethod)}.`, {
    httpStatus: 405,
  });
}

function readHeader(event: JsonObject, name: string): string | undefined {
  if (!isObject(event.headers)) return undefined;
  const found = Object.entries(event.headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (found === undefined) return undefined;
  // Reject an invalid Idempotency-Key instead of ignoring it. Otherwise, every repetition of the request would create
  // another snapshot.
  if (typeof found !== "string")
    throw invalidRequestError(`${name}: expected a header with one string, got ${preview(found)}.`);
  return found.trim();
}

function readBody(event: JsonObject): unknown {
  const { body } = event;
  if (typeof body !== "string" || body === "") throw invalidRequestError("Expected a JSON body, got none.");
  // If the event has no field `isBase64Encoded`, detect the encoding from the start of the body. A body that begins with `{`,
  // `[` or `"` is plain text, because base64 does not use these characters. `\s` also matches a byte order mark.
  const raw = event.isBase64Encoded === false || (event.isBase64Encoded === undefined && /^\s*[{["]/.test(body));
  // Check the size before decoding, because decoding a large body takes too much memory.
  const bytes = Buffer.byteLength(body, raw ? "utf8" : "base64");
  if (bytes > MAX_BODY_BYTES)
    throw invalidRequestError(`Expected a body of at most ${MAX_BODY_BYTES} bytes, got ${bytes}.`);
  // Trim the body before the match. If the pattern itself allowed white space at the end (`\s*`), a match against a body of
  // spaces would take quadratic time.
  if (!raw && !/^[A-Za-z0-9+/\s]*={0,2}$/.test(body.trimEnd())) {
    throw invalidRequestError("Expected a base64 body (isBase64Encoded is not false), got other characters.");
  }
  let text: string;
  try {
    text = raw ? body : new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(body, "base64"));
  } catch {
    throw invalidRequestError("Expected a body in UTF-8, got invalid bytes.");
  }
  try {
    return parseJson(text);
  } catch (thrown) {
    throw invalidRequestError(`Expected a JSON body, got ${preview(text)}: ${(thrown as Error).message}.`);
  }
}
