import { SnapshotError } from "../core/errors.ts";
import type { Instant } from "../core/instant.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";
import { readTraceTime } from "./trace-time.ts";
import { describeEvent } from "./triggers.ts";

/** The fields of a Cloud Trace Service trace that matter for an attached disk. Every string is short. */
export interface Trace {
  /** Such as `attachVolume`; can be empty if the event is of another service. */
  name: string;
  /** Such as `ECS`; empty if neither the trace nor its CloudEvent names it. */
  service: string;
  /** Undefined if no field of the event has a valid time. */
  time?: Instant;
  /** The HTTP status of the call that the trace is about; undefined if the trace has none. */
  code?: number;
  /** `normal`, `warning` (the call failed) or `incident`. */
  rating: string;
  /** A call has two traces, one for its request and one for the end of its job. Undefined if unknown. */
  stage?: "requested" | "completed";
  /** Why the call or its job failed; undefined if the trace reports no failure. */
  failure?: string;
  /** In lower case, like the ids in the cloud's lists. */
  serverId?: string;
  volumeId?: string;
}

const EXPECTED = 'a CTS event {"cts":{"trace_name",...}} or an EventGrid event whose "data" is such a trace';

/** More than an EventGrid batch, which has at most 20 events of 64 KB: *EventGrid User Guide* (eg-ug-015). */
const MAX_EVENTS = 100;
const MAX_TEXT = 1024 * 1024;
const MAX_WORD = 64;
const MAX_REASON = 200;

/**
 * Reads the traces in a CTS event, an EventGrid CloudEvent or an array of such events (SOURCES.md#cts-event,
 * SOURCES.md#eventgrid-event). No captured trace of an attachment has been published. The reader therefore accepts times, codes
 * and bodies in every form that other traces have, and a trace is valid even if a secondary field is not.
 *
 * @returns one entry per event: its trace, or an InvalidRequest error if the event has no trace
 */
export function readTraces(event: unknown): (Trace | SnapshotError)[] {
  if (!Array.isArray(event)) return [readTrace(event)];
  if (event.length > 0 && event.length <= MAX_EVENTS) return event.map(readTrace);
  return [invalid(`Expected a batch of 1 to ${MAX_EVENTS} events, got ${event.length}.`)];
}

const invalid = (message: string) => new SnapshotError("InvalidRequest", message);

function readTrace(event: unknown): Trace | SnapshotError {
  const cloudEvent = isObject(event) && "specversion" in event ? event : {};
  const trace = traceIn(event);
  const name = stringOf(trace?.trace_name);
  const service = stringOf(trace?.service_type) || serviceOf(cloudEvent);
  // An event of another service is not an error, because the function skips it.
  if (name === "" && (service === "" || isEcs(service))) {
    return invalid(
      trace === undefined
        ? `Expected ${EXPECTED}, got ${describeEvent(event)}.`
        : `trace_name: expected a name such as attachVolume in the trace, got ${preview(trace.trace_name)}.`,
    );
  }
  const { code: status, time, record_time, trace_rating, trace_status, resource_id } = trace ?? {};
  const requests = partsOf(trace?.request);
  const responses = partsOf(trace?.response);
  const parts = [...requests, ...responses];
  const code = Number(wordOf(status) || Number.NaN);
  const volumeId = firstOf([...idsIn(parts, "volumeId", "volume_id")], readId);
  const times = [time, record_time, cloudEvent.time, ...responses.flatMap((job) => [job.end_time, job.begin_time])];
  return {
    name,
    service,
    time: firstOf(times, readTraceTime),
    rating: stringOf(trace_rating) || stringOf(trace_status) || "normal",
    ...(Number.isFinite(code) ? { code } : {}),
    stage: stageOf(stringOf(trace?.trace_type), responses),
    failure: firstOf(responses, failureOf),
    serverId: firstOf([resource_id, ...idsIn(parts, "server_id", "serverId")], (value) => {
      const id = readId(value);
      // The resource of a trace can be the disk.
      return id === volumeId ? undefined : id;
    }),
    volumeId,
  };
}

/** Returns whether a trace is from the Elastic Cloud Server service. */
export const isEcs = (service: string): boolean => service.toUpperCase() === "ECS";

/** Returns the trace of an event: the first object with a trace name, else the first object. */
function traceIn(event: unknown): JsonObject | undefined {
  if (!isObject(event)) return undefined;
  const data = "specversion" in event ? [event.data, fromBase64(event.data_base64)] : [];
  const traces = [event.cts, ...data].flatMap((value): JsonObject[] => {
    const found = objectOf(value);
    const trace = found && "cts" in found ? objectOf(found.cts) : found;
    return trace === undefined ? [] : [trace];
  });
  return traces.find((trace) => "trace_name" in trace) ?? traces[0];
}

const fromBase64 = (value: unknown): string | undefined =>
  typeof value === "string" ? Buffer.from(value.slice(0, 2 * MAX_TEXT), "base64").toString() : undefined;

/** Returns an object, or parses it from a string of JSON that was encoded once or twice. */
function objectOf(value: unknown, levels = 2): JsonObject | undefined {
  if (isObject(value)) return value;
  if (typeof value !== "string" || value.length > MAX_TEXT || levels === 0) return undefined;
  try {
    return objectOf(parseJson(value), levels - 1);
  } catch {
    // The caller continues with other fields.
    return undefined;
  }
}

/** Returns the service of a CloudEvent: `ECS` for the type `ECS:CloudTrace:ApiCall` or the source `HC.ECS`. */
const serviceOf = ({ type, source }: JsonObject): string =>
  /^(\w+):CloudTrace:/.exec(stringOf(type))?.[1] ?? /^HC\.(\w+)/.exec(stringOf(source))?.[1] ?? "";

/** The fields that can contain another body or job. */
const WRAPPERS = ["job", "jobs", "job_info", "body", "data", "result", "response"];

/** Returns a request or response body and all bodies and jobs inside it. */
function partsOf(value: unknown, depth = 3): JsonObject[] {
  if (Array.isArray(value)) return depth > 0 ? value.slice(0, 10).flatMap((item) => partsOf(item, depth - 1)) : [];
  const body = objectOf(value);
  if (body === undefined) return [];
  return [body, ...(depth > 0 ? WRAPPERS.flatMap((name) => partsOf(body[name], depth - 1)) : [])];
}

/** Yields the values of these fields in the bodies of attach calls and their jobs (UNCONFIRMED: SOURCES.md#cts-attach-ids). */
function* idsIn(parts: readonly JsonObject[], ...names: string[]): Generator<unknown> {
  for (const part of parts) {
    const attachment = objectOf(part.volumeAttachment) ?? {};
    for (const name of names) yield attachment[name];
    // The id of an attachment in the OpenStack API is the id of the disk.
    if (names.includes("volumeId")) yield attachment.id;
    for (const name of names) yield part[name];
  }
  for (const part of parts) for (const name of names) yield objectOf(part.entities)?.[name];
}

const ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns an id in lower case. Accepts only UUIDs, because ids become part of URLs. */
const readId = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= MAX_WORD && ID.test(value) ? value.toLowerCase() : undefined;

const SUCCEEDED = /^(success|succeeded|2\d\d)$/i;
const FAILED = /^(fail|error|abort|cancel|time|reject|[45]\d\d$)/i;

/** Matches the values of error fields that mean "no error". */
const NO_REASON = /^(0+|null|none|n\/a|-|ok|success(ful|fully)?|succeeded|)\.?$/i;

/** Returns why a call or its job failed. The trace of a failed job can have the rating `normal`. */
function failureOf(part: JsonObject): string | undefined {
  const status = wordOf(part.status);
  const error = objectOf(part.error) ?? {};
  const reasons = [part.fail_reason, part.error_msg, error.message, part.error_code, error.code, part.error];
  const reason = reasons.map(wordOf).find((word) => !NO_REASON.test(word));
  const failed = FAILED.test(status) || (reason !== undefined && !SUCCEEDED.test(status));
  return failed ? [status, reason].filter(Boolean).join(": ") : undefined;
}

function stageOf(type: string, responses: readonly JsonObject[]): Trace["stage"] {
  const statuses = responses.map(({ status }) => stringOf(status)).filter((status) => /^[a-z]/i.test(status));
  if (statuses.length > 0) return statuses.every((status) => SUCCEEDED.test(status)) ? "completed" : undefined;
  if (/^(ApiCall|ConsoleAction)$/i.test(type)) return "requested";
  return /^SystemAction$/i.test(type) ? "completed" : undefined;
}

function firstOf<Value, Result>(
  values: readonly Value[],
  read: (value: Value) => Result | undefined,
): Result | undefined {
  for (const value of values) {
    const result = read(value);
    if (result !== undefined) return result;
  }
  return undefined;
}

/** Returns the first characters of a string, without control and format characters. Returns "" for any other type. */
const stringOf = (value: unknown, length = MAX_WORD): string =>
  typeof value === "string"
    ? value
        .slice(0, length)
        .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")
        .trim()
    : "";

/** Returns the first characters of a string or number. */
const wordOf = (value: unknown): string => stringOf(typeof value === "number" ? String(value) : value, MAX_REASON);
