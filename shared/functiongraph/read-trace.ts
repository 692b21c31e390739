import { SnapshotError } from "../core/errors.ts";
import type { Instant } from "../core/instant.ts";
import { isObject, type JsonObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";
import { readTraceTime } from "./trace-time.ts";
import { describeEvent } from "./triggers.ts";

/**
 * A trace of Cloud Trace Service (CTS), Huawei Cloud's audit log: the report about one API call. Contains only the fields
 * that disk-attached needs. Long strings are shortened.
 */
export interface Trace {
  /** The name of the call, such as `attachVolume`. Can be empty if the call was not to ECS. */
  name: string;
  /**
   * The service that was called, such as `ECS`. Empty if neither the trace nor the CloudEvent around the trace names the
   * service.
   */
  service: string;
  /** The time of the call. Undefined if no field of the event has a valid time. */
  time?: Instant;
  /** The HTTP status of the call. Undefined if the trace contains no status. */
  code?: number;
  /** The result of the call: `normal`, `warning` (the call failed) or `incident`. */
  rating: string;
  /**
   * The step of the attachment that the trace reports. `requested` means that the attach call was accepted. `completed`
   * means that the job of the attach call has finished. Undefined if the trace shows neither step.
   */
  stage?: "requested" | "completed";
  /** Why the call or its job failed. Undefined if the trace reports no failure. */
  failure?: string;
  /** The id of the server, in lower case like the ids in list responses. */
  serverId?: string;
  /** The id of the disk, in lower case like the ids in list responses. */
  volumeId?: string;
}

const EXPECTED_EVENT = 'a CTS event {"cts":{"trace_name",...}} or an EventGrid event with the trace in "data"';

/**
 * The maximum number of events in a batch. EventGrid sends at most 20 events of 64 KB: *EventGrid User Guide* (eg-ug-015).
 */
const MAX_EVENTS = 100;
/** The maximum length of a string that is parsed as JSON, in characters. */
const MAX_JSON_CHARACTERS = 1024 * 1024;
const MAX_WORD_CHARACTERS = 64;
const MAX_FAILURE_CHARACTERS = 200;

/**
 * Reads the traces in a CTS event, an EventGrid CloudEvent or an array of these events (SOURCES.md#cts-event,
 * SOURCES.md#eventgrid-event).
 *
 * Huawei Cloud publishes no example of a trace for an attached disk. The function therefore accepts times, codes and bodies
 * in every format that published traces have, and ignores invalid values in secondary fields.
 *
 * @returns one entry per event: the trace, or an InvalidRequest error if the event contains no trace
 */
export function readTraces(event: unknown): (Trace | SnapshotError)[] {
  if (!Array.isArray(event)) return [readTrace(event)];
  if (event.length > 0 && event.length <= MAX_EVENTS) return event.map(readTrace);
  return [invalidRequestError(`Expected a batch of 1 to ${MAX_EVENTS} events, got ${event.length}.`)];
}

const invalidRequestError = (message: string) => new SnapshotError("InvalidRequest", message);

function readTrace(event: unknown): Trace | SnapshotError {
  const cloudEvent = isObject(event) && "specversion" in event ? event : {};
  const trace = findTrace(event);
  const name = toShortString(trace?.trace_name);
  const service = toShortString(trace?.service_type) || serviceOf(cloudEvent);
  // The trace of a service other than ECS needs no name, because disk-attached skips the trace.
  if (name === "" && (service === "" || isEcs(service))) {
    return invalidRequestError(
      trace === undefined
        ? `Expected ${EXPECTED_EVENT}, got ${describeEvent(event)}.`
        : `trace_name: expected a name such as attachVolume in the trace, got ${preview(trace.trace_name)}.`,
    );
  }
  const { code: status, time, record_time, trace_rating, trace_status, resource_id } = trace ?? {};
  const requests = collectBodies(trace?.request);
  const responses = collectBodies(trace?.response);
  const parts = [...requests, ...responses];
  const code = Number(toFailureText(status) || Number.NaN);
  const volumeId = findFirst([...fieldValues(parts, "volumeId", "volume_id")], readId);
  const times = [time, record_time, cloudEvent.time, ...responses.flatMap((job) => [job.end_time, job.begin_time])];
  return {
    name,
    service,
    time: findFirst(times, readTraceTime),
    rating: toShortString(trace_rating) || toShortString(trace_status) || "normal",
    ...(Number.isFinite(code) ? { code } : {}),
    stage: readStage(toShortString(trace?.trace_type), responses),
    failure: findFirst(responses, readFailure),
    serverId: findFirst([resource_id, ...fieldValues(parts, "server_id", "serverId")], (value) => {
      const id = readId(value);
      // Ignore the `resource_id` of a trace if it is the id of the disk instead of the id of the server.
      return id === volumeId ? undefined : id;
    }),
    volumeId,
  };
}

/** Returns whether a service is ECS, the Elastic Cloud Server. */
export const isEcs = (service: string): boolean => service.toUpperCase() === "ECS";

/** Returns the trace in an event: the first object with a `trace_name`, or else the first object. */
function findTrace(event: unknown): JsonObject | undefined {
  if (!isObject(event)) return undefined;
  const data = "specversion" in event ? [event.data, decodeBase64(event.data_base64)] : [];
  const traces = [event.cts, ...data].flatMap((value): JsonObject[] => {
    const found = toObject(value);
    const trace = found && "cts" in found ? toObject(found.cts) : found;
    return trace === undefined ? [] : [trace];
  });
  return traces.find((trace) => "trace_name" in trace) ?? traces[0];
}

const decodeBase64 = (value: unknown): string | undefined =>
  typeof value === "string" ? Buffer.from(value.slice(0, 2 * MAX_JSON_CHARACTERS), "base64").toString() : undefined;

/** Returns `value` if it is an object. If `value` is a string, parses it as JSON that was serialized once or twice. */
function toObject(value: unknown, levels = 2): JsonObject | undefined {
  if (isObject(value)) return value;
  if (typeof value !== "string" || value.length > MAX_JSON_CHARACTERS || levels === 0) return undefined;
  try {
    return toObject(parseJson(value), levels - 1);
  } catch {
    // Invalid JSON is not an error, because other fields can contain the trace.
    return undefined;
  }
}

/**
 * Returns the service that a CloudEvent names, such as `ECS` for the type `ECS:CloudTrace:ApiCall` or the source `HC.ECS`.
 */
const serviceOf = ({ type, source }: JsonObject): string =>
  /^(\w+):CloudTrace:/.exec(toShortString(type))?.[1] ?? /^HC\.(\w+)/.exec(toShortString(source))?.[1] ?? "";

/** The names of the fields of a request or response body that can contain another body or a job. */
const NESTED_BODY_FIELDS = ["job", "jobs", "job_info", "body", "data", "result", "response"];

/** Returns a request or response body, followed by all bodies and jobs that are nested in it. */
function collectBodies(value: unknown, depth = 3): JsonObject[] {
  if (Array.isArray(value))
    return depth > 0 ? value.slice(0, 10).flatMap((item) => collectBodies(item, depth - 1)) : [];
  const body = toObject(value);
  if (body === undefined) return [];
  return [body, ...(depth > 0 ? NESTED_BODY_FIELDS.flatMap((name) => collectBodies(body[name], depth - 1)) : [])];
}

/**
 * Yields the values of the fields `names` in the bodies and jobs of an attach call. The function searches all bodies and
 * jobs. It is UNCONFIRMED which body or job contains the ids of the disk and the server: SOURCES.md#cts-attach-ids.
 */
function* fieldValues(parts: readonly JsonObject[], ...names: string[]): Generator<unknown> {
  for (const part of parts) {
    const attachment = toObject(part.volumeAttachment) ?? {};
    for (const name of names) yield attachment[name];
    // In the OpenStack API, the id of an attachment is the id of the attached disk.
    if (names.includes("volumeId")) yield attachment.id;
    for (const name of names) yield part[name];
  }
  for (const part of parts) for (const name of names) yield toObject(part.entities)?.[name];
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Returns a UUID in lower case. Returns undefined for any other value, because ids become part of URLs. */
const readId = (value: unknown): string | undefined =>
  typeof value === "string" && value.length <= MAX_WORD_CHARACTERS && UUID.test(value)
    ? value.toLowerCase()
    : undefined;

const SUCCEEDED = /^(success|succeeded|2\d\d)$/i;
const FAILED = /^(fail|error|abort|cancel|time|reject|[45]\d\d$)/i;

/** Matches a value of an error field that means "no error", such as `0` or `ok`. */
const NO_REASON = /^(0+|null|none|n\/a|-|ok|success(ful|fully)?|succeeded|)\.?$/i;

/**
 * Returns why a call or its job failed, or undefined if neither failed. The rating of the trace is not sufficient, because
 * it can be `normal` although the job failed.
 */
function readFailure(part: JsonObject): string | undefined {
  const status = toFailureText(part.status);
  const error = toObject(part.error) ?? {};
  const reasons = [part.fail_reason, part.error_msg, error.message, part.error_code, error.code, part.error];
  const reason = reasons.map(toFailureText).find((word) => !NO_REASON.test(word));
  const failed = FAILED.test(status) || (reason !== undefined && !SUCCEEDED.test(status));
  return failed ? [status, reason].filter(Boolean).join(": ") : undefined;
}

/**
 * Returns which step of an attachment a trace reports: `requested` if the attach call was accepted, or `completed` if the
 * job of the call has finished. If no response body contains a status, the type of the trace shows the step.
 */
function readStage(type: string, responses: readonly JsonObject[]): Trace["stage"] {
  const statuses = responses.map(({ status }) => toShortString(status)).filter((status) => /^[a-z]/i.test(status));
  if (statuses.length > 0) return statuses.every((status) => SUCCEEDED.test(status)) ? "completed" : undefined;
  if (/^(ApiCall|ConsoleAction)$/i.test(type)) return "requested";
  return /^SystemAction$/i.test(type) ? "completed" : undefined;
}

/** Returns the first result of `read` that is not undefined. */
function findFirst<Value, Result>(
  values: readonly Value[],
  read: (value: Value) => Result | undefined,
): Result | undefined {
  for (const value of values) {
    const result = read(value);
    if (result !== undefined) return result;
  }
  return undefined;
}

/**
 * Returns the start of a string, with `?` in place of control and format characters. Returns "" for a value of any other
 * type.
 */
const toShortString = (value: unknown, length = MAX_WORD_CHARACTERS): string =>
  typeof value === "string"
    ? value
        .slice(0, length)
        .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?")
        .trim()
    : "";

/** Converts a string or number to a string of at most 200 characters, as `toShortString` does. */
const toFailureText = (value: unknown): string =>
  toShortString(typeof value === "number" ? String(value) : value, MAX_FAILURE_CHARACTERS);
