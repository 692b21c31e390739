import { createHash, hash } from "node:crypto";
import { compactInstant, type Instant } from "../core/instant.ts";
import { canonicalJson, type JsonObject } from "../core/json.ts";

/**
 * The marker: the labels that identify a snapshot as created by this project. The create request contains them, because
 * neither EVS nor DWS accepts an idempotency key. On the wire, the labels are `managed-by`, `policy`, `key` and `content`.
 */
export interface Marker {
  policy: string;
  /**
   * 32 hex digits. Requests with the same key and resource create one snapshot. The key is derived from the policy and the
   * event time, the attachment, the deployment, or the Idempotency-Key header. On the wire: `key`.
   */
  idempotencyKey: string;
  /** 8 hex digits: a hash of the create options. Another hash under the same key is a conflict. On the wire: `content`. */
  requestHash: string;
}

/** The value of the label `managed-by`. */
export const MANAGED_BY = "snapshot-functions";
/** The marker's keys in EVS metadata and tags. Callers cannot set them. */
export const MARKER_KEYS = ["managed-by", "policy", "key", "content"] as const;

const KEY = /^[0-9a-f]{32}$/;
const REQUEST_HASH = /^[0-9a-f]{8}$/;

/** Hashes a string. `hash` (Node 20.12) is preferred because it creates no object that the garbage collector frees late. */
const sha256 = (text: string): string =>
  // Stryker disable next-line all: the version of Node decides which function exists, and both return the same
  hash === undefined ? createHash("sha256").update(text).digest("hex") : hash("sha256", text);

/**
 * Derives an idempotency key from its parts. `["a", "b"]` and `["ab"]` result in different keys.
 *
 * @param parts the name of the trigger, then what identifies the request among those of the trigger
 * @returns 32 hex digits
 */
export const deriveKey = (...parts: [trigger: string, ...identity: string[]]): string =>
  sha256(JSON.stringify(parts)).slice(0, 32);

/**
 * Hashes a create request.
 *
 * @param kind the name of the kind
 * @param options the options without the marker and without a generated name
 * @returns 8 hex digits
 */
export const hashRequest = (kind: string, options: JsonObject): string =>
  sha256(`${kind} ${canonicalJson(options)}`).slice(0, 8);

/**
 * Generates a snapshot name of the form `<label>-<20261121T020000Z>-<8 hex>`. A label of 38 characters results in a name of at
 * most 64 characters, which all kinds accept. The hash covers the attempt, because DWS rejects the name of an existing
 * snapshot, even if that snapshot failed.
 *
 * @param label the policy, the name of the function, or `d-<slug>` for a deployment
 * @param time the time of the event; undefined for a deployment
 */
export function snapshotName(
  label: string,
  time: Instant | undefined,
  identity: { kind: string; resource: string; key: string; attempt: number },
): string {
  const { kind, resource, key, attempt } = identity;
  const hash = sha256(JSON.stringify([kind, resource, key, attempt])).slice(0, 8);
  return [label, ...(time === undefined ? [] : [compactInstant(time)]), hash].join("-");
}

/** Returns the marker as EVS metadata (v2) or tags (v5). Each value fits into the 43 characters of a tag. */
export const markerLabels = (marker: Marker): Record<string, string> => ({
  "managed-by": MANAGED_BY,
  policy: marker.policy,
  key: marker.idempotencyKey,
  content: marker.requestHash,
});

/** Reads the marker from EVS metadata or tags. Returns undefined if a label is missing or malformed. */
export function readMarkerLabels(labels: Record<string, string>): Marker | undefined {
  const { policy, key, content } = labels;
  if (labels["managed-by"] !== MANAGED_BY || !policy || !key || !content) return undefined;
  return KEY.test(key) && REQUEST_HASH.test(content)
    ? { policy, idempotencyKey: key, requestHash: content }
    : undefined;
}

const MARKER_TEXT =
  /(?:^| )managed-by:snapshot-functions policy:([A-Za-z0-9_-]+) key:([0-9a-f]{32}) content:([0-9a-f]{8})\s*$/;

/**
 * Appends the marker to a description.
 *
 * @param maxLength the maximum number of characters
 * @returns the description without the marker if both together are too long
 */
export function describeWithMarker(description: string | undefined, marker: Marker, maxLength: number): string {
  const text = `managed-by:${MANAGED_BY} policy:${marker.policy} key:${marker.idempotencyKey} content:${marker.requestHash}`;
  const whole = description ? `${description} ${text}` : text;
  return [...whole].length <= maxLength ? whole : (description ?? "");
}

/** Reads the marker at the end of a description. Returns undefined if it is missing or malformed. */
export function readMarkerText(description: string | undefined): Marker | undefined {
  const found = description?.match(MARKER_TEXT);
  if (!found) return undefined;
  const [, policy, key, content] = found as unknown as [string, string, string, string];
  return { policy, idempotencyKey: key, requestHash: content };
}
