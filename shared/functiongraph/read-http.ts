import { SnapshotError } from "../core/errors.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";

/** What an HTTP function answers; anything else makes the gateway answer 500 (functiongraph.md 2.3). */
export interface HttpAnswer {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  isBase64Encoded: false;
}

export const httpAnswer = (statusCode: number, body: string, headers: Record<string, string> = {}): HttpAnswer => ({
  statusCode,
  headers: {
    "content-type": "application/json",
    // A value goes out as one line, wherever it came from.
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value.replace(/[^\x21-\x7e]/g, "_")])),
  },
  body,
  isBase64Encoded: false,
});

export interface HttpRequest {
  body: unknown;
  /** The `Idempotency-Key` header: the same key is the same request. */
  idempotencyKey?: string;
}

/** Far above any body that these functions take; the gateway itself lets 4 MB pass (functiongraph.md 1.7). */
const LARGEST_BODY = 1024 * 1024;
const LONGEST_KEY = 255;

export class MethodNotAllowed extends SnapshotError {
  readonly httpStatus = 405;
  readonly allow = "POST";
}

const invalid = (message: string) => new SnapshotError("InvalidRequest", message);

/**
 * Reads the gateway's event: a POST with a JSON body, base64 by default (functiongraph.md 2.3). Header names come in
 * lower case, but are found in any.
 *
 * Throws InvalidRequest; `MethodNotAllowed` for another method.
 */
export function readHttp(event: JsonObject): HttpRequest {
  if (event.httpMethod !== "POST") {
    throw new MethodNotAllowed("InvalidRequest", `Expected the method POST, got ${preview(event.httpMethod)}.`);
  }
  const idempotencyKey = header(event, "idempotency-key");
  if (idempotencyKey === "") {
    throw invalid("idempotency-key: expected a header with a value, or none; got an empty one.");
  }
  if (idempotencyKey !== undefined && idempotencyKey.length > LONGEST_KEY) {
    throw invalid(
      `idempotency-key: expected a header of at most ${LONGEST_KEY} characters, got ${idempotencyKey.length}.`,
    );
  }
  return { body: readBody(event), ...(idempotencyKey ? { idempotencyKey } : {}) };
}

function header(event: JsonObject, name: string): string | undefined {
  if (!isObject(event.headers)) return undefined;
  const found = Object.entries(event.headers).find(([key]) => key.toLowerCase() === name)?.[1];
  if (found === undefined) return undefined;
  // A key that is not understood must not be ignored: every repetition of the request would create another snapshot.
  if (typeof found !== "string") throw invalid(`${name}: expected a header with one string, got ${preview(found)}.`);
  return found.trim();
}

function readBody(event: JsonObject): unknown {
  const { body } = event;
  if (typeof body !== "string" || body === "") throw invalid("Expected a JSON body, got none.");
  // If the flag is missing, a body that begins like JSON is not base64, because base64 has no `{`, `[` or `"`. `\s` matches
  // the byte order mark.
  const raw = event.isBase64Encoded === false || (event.isBase64Encoded === undefined && /^\s*[{["]/.test(body));
  // Judged before it is decoded.
  const bytes = Buffer.byteLength(body, raw ? "utf8" : "base64");
  if (bytes > LARGEST_BODY) throw invalid(`Expected a body of at most ${LARGEST_BODY} bytes, got ${bytes}.`);
  // Trimmed first: two repetitions of `\s` in the pattern would take quadratic time for a body of blanks.
  if (!raw && !/^[A-Za-z0-9+/\s]*={0,2}$/.test(body.trimEnd())) {
    throw invalid("Expected a body in base64, as isBase64Encoded says; it holds other characters.");
  }
  let text: string;
  try {
    text = raw ? body : new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(body, "base64"));
  } catch {
    throw invalid("Expected a body in UTF-8, got bytes that are none.");
  }
  try {
    return parseJson(text);
  } catch (thrown) {
    throw invalid(`Expected a JSON body, got ${preview(text)}: ${(thrown as Error).message}.`);
  }
}
