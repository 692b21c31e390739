import { createHash, hash } from "node:crypto";
import { compactInstant, type Instant } from "../core/instant.ts";
import { canonicalJson, type JsonObject } from "../core/json.ts";

/**
 * The snapshot marker: labels that identify a snapshot as created by this project. Each create request contains the labels
 * `managed-by`, `policy`, `key` and `content`, because neither EVS nor DWS accepts an idempotency key.
 */
export interface Marker {
  /** The name of the policy that created the snapshot. The label `policy` contains this name. */
  policy: string;
  /**
   * 32 hexadecimal digits that identify a create request. Requests with the same key for the same resource create only one
   * snapshot. The key is derived from the policy and the event time, from the attachment, from the deployment, or from the
   * header `Idempotency-Key`. The label `key` contains these digits.
   */
  idempotencyKey: string;
  /**
   * 8 hexadecimal digits: a hash of the create options. Two requests with the same idempotency key but different request hashes
   * are a conflict. The label `content` contains these digits.
   */
  requestHash: string;
}

/** The value of the label `managed-by`, the same for every snapshot that this project creates. */
export const MANAGED_BY = "snapshot-functions";
/** The label keys of the snapshot marker in EVS metadata and tags. Callers cannot set these labels. */
export const MARKER_KEYS = ["managed-by", "policy", "key", "content"] as const;

const KEY_PATTERN = /^[0-9a-f]{32}$/;
const REQUEST_HASH_PATTERN = /^[0-9a-f]{8}$/;

/**
 * Returns the SHA-256 hash of a string. Prefers `crypto.hash` (Node.js 20.12 and later), because `createHash` leaves an object
 * that the garbage collector frees late.
 */
const sha256 = (text: string): string =>
  // Stryker disable next-line all: both functions return the same hash, and `hash` does not exist before Node.js 20.12
  hash === undefined ? createHash("sha256").update(text).digest("hex") : hash("sha256", text);

/**
 * Derives an idempotency key from several strings. `["a", "b"]` and `["ab"]` result in different keys.
 *
 * @param parts the name of the trigger, then the strings that identify a request among all requests of this trigger
 * @returns 32 hexadecimal digits
 */
export const deriveKey = (...parts: [trigger: string, ...identity: string[]]): string =>
  sha256(JSON.stringify(parts)).slice(0, 32);

/**
 * Returns the request hash for create options.
 *
 * @param kind the name of the snapshot kind
 * @param options the create options without the snapshot marker and without a generated name
 * @returns 8 hexadecimal digits
 */
export const hashRequest = (kind: string, options: JsonObject): string =>
  sha256(`${kind} ${canonicalJson(options)}`).slice(0, 8);

/**
 * Generates a snapshot name of the form `<label>-<20261121T020000Z>-<8 hex digits>`. If the label has 38 characters, the name has
 * 64 characters, which all kinds of snapshots accept. The hexadecimal digits are a hash of `identity`. `identity` contains the
 * attempt number, because DWS rejects a name that any existing snapshot has, even a failed snapshot.
 *
 * @param label the policy name, the function name, or `d-<slug>` for a deployment
 * @param time the event time; undefined for a deployment
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

/**
 * Returns the snapshot marker as EVS metadata (v2) or EVS tags (v5). Each value has at most 43 characters, the maximum for an
 * EVS tag.
 */
export const markerLabels = (marker: Marker): Record<string, string> => ({
  "managed-by": MANAGED_BY,
  policy: marker.policy,
  key: marker.idempotencyKey,
  content: marker.requestHash,
});

/** Reads the snapshot marker from EVS metadata or tags. Returns undefined if a marker label is missing or malformed. */
export function readMarkerLabels(labels: Record<string, string>): Marker | undefined {
  const { policy, key, content } = labels;
  if (labels["managed-by"] !== MANAGED_BY || !policy || !key || !content) return undefined;
  return KEY_PATTERN.test(key) && REQUEST_HASH_PATTERN.test(content)
    ? { policy, idempotencyKey: key, requestHash: content }
    : undefined;
}

const MARKER_PATTERN =
  /(?:^| )managed-by:snapshot-functions policy:([\w-]+) key:([\da-f]{32}) content:([\da-f]{8})\s*$/;

/**
 * Appends the snapshot marker to a snapshot description, because DWS snapshots have no labels.
 *
 * @param maxLength the maximum number of characters in a description
 * @returns the description with the marker. If this text would be longer than `maxLength`, the description without the marker.
 */
export function describeWithMarker(description: string | undefined, marker: Marker, maxLength: number): string {
  const markerText = `managed-by:${MANAGED_BY} policy:${marker.policy} key:${marker.idempotencyKey} content:${marker.requestHash}`;
  const complete = description ? `${description} ${markerText}` : markerText;
  return [...complete].length <= maxLength ? complete : (description ?? "");
}

/**
 * Reads the snapshot marker from the last part of a snapshot description. Returns undefined if the marker is missing or
 * malformed.
 */
export function readMarkerText(description: string | undefined): Marker | undefined {
  const found = description?.match(MARKER_PATTERN);
  if (!found) return undefined;
  // The default values are necessary only for TypeScript. If the pattern matches, all three groups are strings.
  const [, policy = "", key = "", content = ""] = found;
  return { policy, idempotencyKey: key, requestHash: content };
}
