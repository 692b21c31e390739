import { SnapshotError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";

/** A response in the shape that the gateway requires. The gateway sends 500 for any other shape: SOURCES.md#functiongraph-apig-response. */
export interface GatewayResponse {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: false;
}

/** Returns a JSON response for the gateway. */
export const gatewayResponse = (
  statusCode: number,
  body: string,
  headers: Record<string, string> = {},
): GatewayResponse => ({
  statusCode,
  headers: {
    "content-type": "application/json",
    // A value may come from outside, but a header must be one line of printable characters.
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(/[^\x21-\x7e]/g, "_")])),
  },
  body,
  isBase64Encoded: false,
});

/** The request to an HTTP function. */
export interface GatewayRequest {
  body: unknown;
  /** The `Idempotency-Key` header. Two requests with the same key count as one request. */
  idempotencyKey?: string;
}

/** In bytes. No valid body is that long. The gateway allows 4 MB: SOURCES.md#functiongraph-limits. */
const MAX_BODY = 1024 * 1024;
const MAX_KEY_LENGTH = 255;

/** The error for a request with another method than POST. */
export class MethodNotAllowed extends SnapshotError {
  readonly httpStatus = 405;
  readonly allow = "POST";
}

const invalid = (message: string) => new SnapshotError("InvalidRequest", message);

/**
 * Reads the gateway's event: a POST request with a JSON body, usually in base64 (SOURCES.md#functiongraph-apig-event). Header
 * names can have any case.
 *
 * @throws SnapshotError InvalidRequest; MethodNotAllowed for another method
 */
export function readHttp(event: JsonObject): GatewayRequest {
  if (event.httpMethod !== "POST") {
    throw new MethodNotAllowed("InvalidRequest", `Expected the method POST, got ${preview(event.httpMethod)}.`);
  }
  const idempotencyKey = header(event, "idempotency-key");
  if (idempotencyKey === "") {
    throw invalid("idempotency-key: expected a header with a value, or none; got an empty one.");
  }
  if (idempotencyKey !== undefined && idempotencyKey.length > MAX_KEY_LENGTH) {
    throw invalid(
      `idempotency-key: expected a header of at most ${MAX_KEY_LENGTH} characters, got ${idempotencyKey.length}.`,
    );
  }
  return { body: readBody(event), ...(idempotencyKey ? { idempotencyKey } : {}) };
}

function header(event: JsonObject, name: string): string | undefined {
  if (!isObject(event.headers)) return undefined;
  const found = Object.entries(event.headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (found === undefined) return undefined;
  // An invalid key must not be ignored, because every repetition of the request would then create another snapshot.
  if (typeof found !== "string") throw invalid(`${name}: expected a header with one string, got ${preview(found)}.`);
  return found.trim();
}

function readBody(event: JsonObject): unknown {
  const { body } = event;
  if (typeof body !== "string" || body === "") throw invalid("Expected a JSON body, got none.");
  // Without the flag, a body that begins like JSON is not base64, because base64 has no `{`, `[` or `"`. `\s` also matches a
  // byte order mark.
  const raw = event.isBase64Encoded === false || (event.isBase64Encoded === undefined && /^\s*[{["]/.test(body));
  // Checks the size before the body is decoded.
  const bytes = Buffer.byteLength(body, raw ? "utf8" : "base64");
  if (bytes > MAX_BODY) throw invalid(`Expected a body of at most ${MAX_BODY} bytes, got ${bytes}.`);
  // The end is trimmed first, because a pattern with two repetitions of `\s` takes quadratic time for a body of spaces.
  if (!raw && !/^[A-Za-z0-9+/\s]*={0,2}$/.test(body.trimEnd())) {
    throw invalid("Expected a body in base64, as isBase64Encoded says; it has other characters.");
  }
  let text: string;
  try {
    text = raw ? body : new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(body, "base64"));
  } catch {
    throw invalid("Expected a body in UTF-8, got invalid bytes.");
  }
  try {
    return parseJson(text);
  } catch (thrown) {
    throw invalid(`Expected a JSON body, got ${preview(text)}: ${(thrown as Error).message}.`);
  }
}
