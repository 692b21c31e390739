/** Checks what an invocation returned, as the API gateway and the reader of the log see it. */
import assert from "node:assert/strict";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import type { Invoked } from "./instance.ts";

const MIB = 1024 * 1024;
/** The maximum response through the API gateway, and of an asynchronous invocation (SOURCES.md#functiongraph-limits). */
const MAX_GATEWAY_BYTES = 4 * MIB;
const MAX_ASYNC_BYTES = 256 * 1024;

// biome-ignore lint/suspicious/noExplicitAny: the functions write records and bodies of many shapes
export type Json = any;

/** What a user sees of an invocation. */
export interface Outcome {
  invoked: Invoked;
  cloud: EmbeddedCloud;
  /** The result records in the log. */
  records: Json[];
}

/**
 * Reads the log. Every line must be a result record.
 *
 * @param delivered the records that LTS received, or undefined if LTS did not respond. They must be the same records. LTS can
 *   receive a record twice, because a function sends its records again if the response of LTS is late
 */
export function readLog(invoked: Invoked, delivered: readonly unknown[] | undefined): Json[] {
  const records = invoked.stdout.map((line) => JSON.parse(line));
  assert.deepEqual(records.at(-1)?.action, "run", "the last record describes the run");
  if (delivered === undefined) return records;
  const [logged, received] = [records, delivered].map((each) => new Set(each.map((record) => JSON.stringify(record))));
  const missing = [...(logged ?? [])].filter((record) => !received?.has(record));
  const foreign = [...(received ?? [])].filter((record) => !logged?.has(record));
  assert.deepEqual(
    { missing, foreign },
    { missing: [], foreign: [] },
    `LTS lacks ${missing.length} records of the log`,
  );
  return records;
}

export interface HttpResponse {
  status: number;
  headers: Record<string, string>;
  text: string;
  body: Json;
}

/** Accepts a result as the API gateway does (SOURCES.md#functiongraph-apig-response): any other shape is an error 500 for the caller. */
export function readHttp({ invoked }: Pick<Outcome, "invoked">): HttpResponse {
  const { result, error, lost } = invoked;
  assert.ok(result !== undefined, `expected an HTTP response, got ${JSON.stringify(error ?? lost)}`);
  assert.ok(Buffer.byteLength(result) <= MAX_GATEWAY_BYTES, "the response is at most 4 MB");
  const { statusCode, headers, body, isBase64Encoded, ...others } = JSON.parse(result);
  assert.ok(Number.isInteger(statusCode), "statusCode is an integer");
  for (const [name, value] of Object.entries(headers)) assert.equal(typeof value, "string", `the header ${name}`);
  assert.equal(typeof body, "string");
  assert.equal(typeof isBase64Encoded, "boolean");
  assert.deepEqual(others, {}, "the result has no other fields");
  const text = isBase64Encoded ? Buffer.from(body, "base64").toString("utf8") : body;
  const isJson = headers["content-type"]?.startsWith("application/json");
  return { status: statusCode, headers, text, body: isJson ? JSON.parse(text) : undefined };
}

/** Returns the result of an asynchronous or direct invocation that succeeded. */
export function readResult({ invoked }: Pick<Outcome, "invoked">): Json {
  const { result, error, lost } = invoked;
  assert.ok(result !== undefined, `expected a result, got ${JSON.stringify(error ?? lost)}`);
  assert.ok(Buffer.byteLength(result) <= MAX_ASYNC_BYTES, "the result of an asynchronous invocation is at most 256 KB");
  return JSON.parse(result);
}

/** Returns the outcomes of all records except the record of the run, sorted. */
export const outcomesOf = ({ records }: Pick<Outcome, "records">): string[] =>
  records
    .slice(0, -1)
    .map(({ outcome }) => outcome)
    .sort();

/** Whether a line on stderr is a notice that a function wrote. Notices are JSON objects with the name of the function. */
function isNotice(line: string): boolean {
  try {
    return typeof JSON.parse(line).function === "string";
  } catch {
    return false;
  }
}

/** The maximum peak RSS of any function with the data of these tests. */
const MAX_PEAK_BYTES = 110 * MIB;

/** Linux counts the access time of a file that the process reads as up to two written blocks. */
const MAX_WRITTEN_BYTES = 8_192;

/**
 * Checks what holds for every invocation that returned: no warning of Node.js, no written file, and the memory. If the system does
 * not count the written bytes, the report names this check as skipped.
 */
export function checkInvocation({ figures, stderr }: Invoked): void {
  const foreign = stderr.filter((line) => !isNotice(line));
  assert.deepEqual(foreign, [], "stderr has only notices of the function, so Node.js printed no deprecation warning");
  const { peakRssBytes = 0, writtenBytes } = figures ?? {};
  if (writtenBytes !== undefined)
    assert.ok(writtenBytes <= MAX_WRITTEN_BYTES, `the function wrote ${writtenBytes} bytes to a disk`);
  const peakMib = peakRssBytes / MIB;
  assert.ok(
    peakRssBytes > 0 && peakRssBytes <= MAX_PEAK_BYTES,
    `the peak RSS is ${peakMib.toFixed(1)} MiB, at most 110 MiB`,
  );
}
