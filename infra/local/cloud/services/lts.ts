/** LTS ingestion: cloud-apis.md 6.1 (OTC lts_04_0216 and lts_04_0217). */

import type { CloudState, LogEntry } from "../cloud-state.ts";
import { type Answer, type Call, ok, Refusal, type Service } from "../gateway/http.ts";
import { type Fields, fields, isFields } from "./constraints.ts";

const CONTENTS = "/v2/{project_id}/lts/groups/{log_group_id}/streams/{log_stream_id}/tenant/contents";

export const lts: Service = {
  name: "lts",
  // It has an address and a port of its own, so the gateway's rate limit does not count here.
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

/** One line, through the API (cloud-apis.md 6.1). */
const LINE_LIMIT = 1024 * 1024;
/** "must not exceed two days. Otherwise, the reported logs will be deleted by LTS." */
const MAXIMUM_AGE_MS = 2 * 24 * 60 * 60 * 1000;

/** Only one code of a refusal is documented; these follow its pattern. UNCONFIRMED. */
function badRequest(message: string): never {
  throw new Refusal(400, "SVCSTG.ALS.400.400", message);
}

function report(call: Call, cloud: CloudState): Answer {
  const body = checkedBody(call, cloud, ["log_time_ns", "contents", "labels", "tenant_project_id"]);
  const time = nanoseconds(body.log_time_ns, digitsIn(call.text)[0]);
  if (!Array.isArray(body.contents)) return badRequest("contents must be an array of strings.");
  const lines = body.contents.map((line, index) => checkedLine(line, `contents[${index}]`));
  // Each line is a nanosecond later than the one before (OTC lts_04_1032).
  for (const [index, text] of lines.entries()) keep(text, time + BigInt(index), call, cloud, body.labels as Fields);
  return success();
}

function reportPrecisely(call: Call, cloud: CloudState): Answer {
  const body = checkedBody(call, cloud, ["contents", "labels", "tenant_project_id"]);
  if (!Array.isArray(body.contents)) return badRequest("contents must be an array.");
  // A number of nanoseconds does not survive JSON.parse, so the digits are read from the text, in order.
  const digits = digitsIn(call.text);
  const entries = body.contents.map((entry, index) => {
    const { log_time_ns, log } = fields(entry, `contents[${index}]`, ["log_time_ns", "log"], badRequest);
    return {
      time: nanoseconds(log_time_ns, digits[index]),
      text: checkedLine(log, `contents[${index}].log`),
    };
  });
  for (const { time, text } of entries) keep(text, time, call, cloud, body.labels as Fields);
  return success();
}

function success(): Answer {
  return ok({ errorCode: "SVCSTG.ALS.200.200", error_msg: "Report success.", result: null });
}

function checkedBody(call: Call, { choices }: CloudState, known: string[]): Fields {
  const { log_group_id: group, log_stream_id: stream } = call.params;
  const { topics } = choices;
  // Codes UNCONFIRMED for ingestion; they are the messages of LTS.0201 and LTS.0208 of the management API.
  if (topics && !topics.some((topic) => topic.group === group)) badRequest("The log group is not existed");
  if (topics && !topics.some((topic) => topic.group === group && topic.stream === stream)) {
    badRequest("The log stream does not existed");
  }
  const type = call.headers["content-type"] ?? "";
  if (!/^application\/json\s*(;\s*charset=utf-8)?$/i.test(type))
    badRequest("Content-Type must be application/json;charset=UTF-8.");
  if (Buffer.byteLength(call.text) > choices.logBodyLimit) {
    throw new Refusal(413, "SVCSTG.ALS.400.413", "The request body is too large.");
  }
  if (call.json === undefined) badRequest("The request body format must be json");
  const body = fields(call.json, "body", known, badRequest);
  if (!isFields(body.labels)) badRequest("labels must be an object.");
  return body;
}

function checkedLine(line: unknown, path: string): string {
  if (typeof line !== "string") return badRequest(`${path} must be a string.`);
  if (Buffer.byteLength(line) > LINE_LIMIT) badRequest(`${path} must have at most 1 MB.`);
  return line;
}

/** As a number or as digits in a string: the table and the examples differ (OTC lts_04_0216, lts_04_1032). */
const TIME = /"log_time_ns"\s*:\s*"?(\d+)"?(?=\s*[,}])/g;

/** In a line of the contents the quotes are escaped, so that nothing there is taken for a time. */
function digitsIn(text: string): string[] {
  return [...text.matchAll(TIME)].map(([, digits = ""]) => digits);
}

function nanoseconds(value: unknown, digits: string | undefined): bigint {
  const wellFormed = typeof value === "number" || (typeof value === "string" && /^\d+$/.test(value));
  return wellFormed && digits !== undefined ? BigInt(digits) : badRequest("log_time_ns must be an integer.");
}

/** A line whose time is too far off is taken with success and thrown away. */
function keep(text: string, time: bigint, call: Call, cloud: CloudState, labels: Fields): void {
  const entry: LogEntry = {
    line: parsed(text),
    text,
    group: call.params.log_group_id ?? "",
    stream: call.params.log_stream_id ?? "",
    labels,
    log_time_ns: String(time),
    requestId: call.requestId,
  };
  const off = Math.abs(Number(time / 1_000_000n) - cloud.clock.now()) > MAXIMUM_AGE_MS;
  (off ? cloud.lostLogs : cloud.logs).push(entry);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
