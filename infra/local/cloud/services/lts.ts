/** Implements the LTS requests that store log lines (SOURCES.md#lts-report). */

import type { CloudState, LogEntry } from "../cloud-state.ts";
import { type ApiResponse, type Call, ok, Refusal, type Service } from "../gateway/http.ts";
import { type Fields, isObject, readObject } from "./constraints.ts";

const CONTENTS = "/v2/{project_id}/lts/groups/{log_group_id}/streams/{log_stream_id}/tenant/contents";

export const service: Service = {
  name: "lts",
  // LTS has its own address, so the rate limit of the API gateway does not apply (SOURCES.md#lts-address).
  behindGateway: false,
  failure: { 500: "SVCSTG.ALS.500.500", 503: "SVCSTG.ALS.503.503" },
  routes: [
    { operation: "lts.reportLogs", method: "POST", path: CONTENTS, success: 200, handle: report },
    {
      operation: "lts.reportHighAccuracyLogs",
      method: "POST",
      path: `${CONTENTS}/high-accuracy`,
      success: 200,
      handle: reportPrecisely,
    },
  ],
  envelope: ({ status, code, message }) =>
    status === 503 ? { result: message } : { errorCode: code, error_msg: message, result: null },
};

/** The maximum size of a log line, in bytes (SOURCES.md#lts-line-limit). */
const MAX_LINE_BYTES = 1024 * 1024;
/**
 * The maximum difference between the time of a log line and the current time. LTS discards a line with a larger difference
 * (SOURCES.md#lts-time-window).
 */
const MAX_AGE_MS = 2 * 24 * 60 * 60 * 1000;

/**
 * Rejects an invalid request. The error code is UNCONFIRMED, but it has the same form as the only error code that the documents
 * of LTS ingestion contain.
 */
function rejectRequest(message: string): never {
  throw new Refusal(400, "SVCSTG.ALS.400.400", message);
}

function report(call: Call, cloud: CloudState): ApiResponse {
  const body = readLogBody(call, cloud, ["log_time_ns", "contents", "labels", "tenant_project_id"]);
  const time = nanoseconds(body.log_time_ns, digitsIn(call.text)[0]);
  if (!Array.isArray(body.contents)) return rejectRequest("contents must be an array of strings.");
  const lines = body.contents.map((line, index) => checkLine(line, `contents[${index}]`));
  // LTS stores each line of a request one nanosecond later than the line before it (SOURCES.md#lts-line-nanoseconds).
  for (const [index, text] of lines.entries())
    storeLine(text, time + BigInt(index), call, cloud, body.labels as Fields);
  return success();
}

function reportPrecisely(call: Call, cloud: CloudState): ApiResponse {
  const body = readLogBody(call, cloud, ["contents", "labels", "tenant_project_id"]);
  if (!Array.isArray(body.contents)) return rejectRequest("contents must be an array.");
  // `JSON.parse` rounds times in nanoseconds, so read their digits from the text of the body. The text contains the times in the
  // order of the array `contents`.
  const digits = digitsIn(call.text);
  const entries = body.contents.map((entry, index) => {
    const { log_time_ns, log } = readObject(entry, `contents[${index}]`, ["log_time_ns", "log"], rejectRequest);
    return {
      time: nanoseconds(log_time_ns, digits[index]),
      text: checkLine(log, `contents[${index}].log`),
    };
  });
  for (const { time, text } of entries) storeLine(text, time, call, cloud, body.labels as Fields);
  return success();
}

function success(): ApiResponse {
  return ok({ errorCode: "SVCSTG.ALS.200.200", error_msg: "Report success.", result: null });
}

function readLogBody(call: Call, { behavior }: CloudState, known: string[]): Fields {
  const { log_group_id: group, log_stream_id: stream } = call.params;
  const { topics } = behavior;
  // It is UNCONFIRMED which error codes LTS ingestion sends for an unknown log group or log stream. The messages are those of the
  // error codes LTS.0201 and LTS.0208 in the LTS management API.
  if (topics && !topics.some((topic) => topic.group === group)) rejectRequest("The log group is not existed");
  if (topics && !topics.some((topic) => topic.group === group && topic.stream === stream)) {
    rejectRequest("The log stream does not existed");
  }
  const type = call.headers["content-type"] ?? "";
  if (!/^application\/json\s*(;\s*charset=utf-8)?$/i.test(type))
    rejectRequest("Content-Type must be application/json;charset=UTF-8.");
  if (Buffer.byteLength(call.text) > behavior.logBodyLimit) {
    throw new Refusal(413, "SVCSTG.ALS.400.413", "The request body is too large.");
  }
  if (call.json === undefined) rejectRequest("The request body format must be json");
  const body = readObject(call.json, "body", known, rejectRequest);
  if (!isObject(body.labels)) rejectRequest("labels must be an object.");
  return body;
}

function checkLine(line: unknown, path: string): string {
  if (typeof line !== "string") return rejectRequest(`${path} must be a string.`);
  if (Buffer.byteLength(line) > MAX_LINE_BYTES) rejectRequest(`${path} must have at most 1 MB.`);
  return line;
}

/**
 * Matches the field `log_time_ns`, as a number or as a string of digits, because the LTS documents show both forms
 * (SOURCES.md#lts-time-as-string).
 */
const TIME_PATTERN = /"log_time_ns"\s*:\s*"?(\d+)"?(?=\s*[,}])/g;

/**
 * Returns the digits of each `log_time_ns` in a request body. The pattern does not match inside log lines, because the quotes
 * in a log line are escaped.
 */
function digitsIn(text: string): string[] {
  return [...text.matchAll(TIME_PATTERN)].map(([, digits = ""]) => digits);
}

function nanoseconds(value: unknown, digits: string | undefined): bigint {
  const wellFormed = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
  return wellFormed && digits !== undefined ? BigInt(digits) : rejectRequest("log_time_ns must be an integer.");
}

/** Stores a log line in `logs`, or in `lostLogs` if the time of the line differs from the current time by more than two days. */
function storeLine(text: string, time: bigint, call: Call, cloud: CloudState, labels: Fields): void {
  const entry: LogEntry = {
    line: parseLine(text),
    text,
    group: call.params.log_group_id ?? "",
    stream: call.params.log_stream_id ?? "",
    labels,
    log_time_ns: String(time),
    requestId: call.requestId,
  };
  const isTooFarOff = Math.abs(Number(time / 1_000_000n) - cloud.clock.now()) > MAX_AGE_MS;
  (isTooFarOff ? cloud.lostLogs : cloud.logs).push(entry);
}

function parseLine(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
