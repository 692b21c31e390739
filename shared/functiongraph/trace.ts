import { preview } from "../core/preview.ts";
import { type Instant, instant, parseInstant } from "../snapshots/instant.ts";
import { isObject, type JsonObject, textAt } from "../snapshots/json.ts";
import { SnapshotError } from "../snapshots/reasons.ts";
import { whatCame } from "./triggers.ts";

/** A trace of the Cloud Trace Service, as far as it says that a disk was attached. */
export interface Trace {
  /** Such as `attachVolume`. */
  name: string;
  /** Such as `ECS`. */
  service: string;
  time: Instant;
  /** What the service answered to the call: an HTTP status; undefined where it says none. */
  code?: number;
  /** `normal`, `warning` (the call failed) or `incident`. */
  rating: string;
  /** In lower case, as the cloud's lists have ids. */
  serverId?: string;
  volumeId?: string;
}

const EXPECTED = 'a CTS event {"cts":{"trace_name",...}} or an EventGrid event whose "data" is such a trace';

/**
 * Reads a trace from a CTS event or from an EventGrid CloudEvent (functiongraph.md 2.2, 2.4). No captured trace of an
 * attachment was found (3.2, UNCONFIRMED), so it is read as tolerantly as it was seen to vary: times in seconds or
 * milliseconds, codes as number or text, request and response as object or as JSON text, no user.
 * Throws InvalidRequest where name or time are missing.
 */
export function readTrace(event: unknown): Trace {
  const trace = isObject(event) ? (event.cts ?? ("specversion" in event ? event.data : undefined)) : undefined;
  if (!isObject(trace)) {
    throw new SnapshotError("InvalidRequest", `Expected ${EXPECTED}, got ${whatCame(event)}.`);
  }
  const name = textAt(trace, "trace_name");
  if (!name) throw missing("trace_name", "a name such as attachVolume", trace.trace_name);
  const time = readTime(trace.time) ?? readTime(trace.record_time);
  if (time === undefined) throw missing("time", "a time in seconds or milliseconds since 1970", trace.time);
  const request = objectOf(trace.request);
  const response = objectOf(trace.response);
  const entities = objectOf(response.entities);
  // Number() reads nested arrays recursively and can exceed the call stack.
  const code = typeof trace.code === "object" ? Number.NaN : Number(trace.code);
  return {
    name,
    service: textAt(trace, "service_type") ?? "",
    time,
    rating: textAt(trace, "trace_rating") || textAt(trace, "trace_status") || "normal",
    ...(trace.code !== undefined && trace.code !== "" && Number.isFinite(code) ? { code } : {}),
    serverId: idIn(trace.resource_id, entities.server_id, request.server_id),
    volumeId: idIn(...volumeIn(request), ...volumeIn(response), entities.volume_id),
  };
}

const missing = (field: string, expected: string, got: unknown) =>
  new SnapshotError("InvalidRequest", `${field}: expected ${expected} in the trace, got ${preview(got)}.`);

/** Seconds until the year 5138 are below this, milliseconds since 1973 above it. */
const FIRST_MS = 1e11;

function readTime(value: unknown): Instant | undefined {
  const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== "number") return parseInstant(value);
  const milliseconds = number < FIRST_MS ? number * 1000 : number;
  return milliseconds > 0 && milliseconds < FIRST_MS * 1000 ? instant(milliseconds) : undefined;
}

function objectOf(value: unknown): JsonObject {
  if (isObject(value)) return value;
  try {
    const parsed: unknown = JSON.parse(String(value));
    return isObject(parsed) ? parsed : {};
  } catch {
    // A text that is no JSON names no disk; there are other places to look.
    return {};
  }
}

/** Where a body of the attach APIs names the disk (functiongraph.md 3.1). */
const volumeIn = (body: JsonObject): unknown[] => {
  const attachment = objectOf(body.volumeAttachment);
  return [attachment.volumeId, attachment.volume_id, attachment.id, body.volumeId, body.volume_id];
};

const ID = /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/;

/** The first of these that is an id: they go into URLs. */
const idIn = (...candidates: unknown[]): string | undefined =>
  candidates.find((one): one is string => typeof one === "string" && ID.test(one))?.toLowerCase();
