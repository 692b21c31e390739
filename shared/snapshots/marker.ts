import { createHash, hash } from "node:crypto";
import { compactInstant, type Instant } from "../core/instant.ts";
import { canonicalJson, type JsonObject } from "../core/json.ts";

/**
 * What a snapshot of ours carries in its create call, because neither EVS nor DWS takes a client token: who made it
 * (`managed-by`), for which policy, under which key, and a short hash of what was asked for (DESIGN 4.4).
 */
export interface Marker {
  policy: string;
  /** 32 hex: what makes the snapshot one (policy and event time, attachment, deployment, Idempotency-Key). */
  idempotencyKey: string;
  /** 8 hex: the canonical request without this marker. The same key with other content is a conflict. */
  requestHash: string;
}

export const MANAGED_BY = "snapshot-functions";
/** The keys that the marker takes in EVS metadata and tags; a caller cannot set them. */
export const MARKER_KEYS = ["managed-by", "policy", "key", "content"] as const;

const KEY = /^[0-9a-f]{32}$/;
const CONTENT = /^[0-9a-f]{8}$/;

/** At once, where Node has it (20.12): an object for each hash stays until the old generation is collected. */
const sha256 = (text: string): string =>
  // Stryker disable next-line all: which of both there is depends on the version of Node, and both give the same
  hash === undefined ? createHash("sha256").update(text).digest("hex") : hash("sha256", text);

/** A key from the parts that make the snapshot one. The parts are kept apart, so that `["a","b"]` is not `["ab"]`. */
export const deriveKey = (...parts: [trigger: string, ...identity: string[]]): string =>
  sha256(JSON.stringify(parts)).slice(0, 32);

/** The content hash of a request as the caller wrote it: without marker and without a name that we would make up. */
export const hashRequest = (kind: string, options: JsonObject): string =>
  sha256(`${kind} ${canonicalJson(options)}`).slice(0, 8);

/**
 * `<policy>-<20261121T020000Z>-<8 hex>`: at most 64 characters for a policy of 38, and valid for all four kinds. The
 * hash covers the attempt, so that a second try after a failed snapshot gets a name of its own (DWS names are unique).
 *
 * @param label policy, function name, or `d-<slug>` for a deployment
 * @param time  the event's time; a deployment has none
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

/** The marker as EVS metadata (v2) or tags (v5): four short values, within the 43 characters of a tag's value. */
export const markerLabels = (marker: Marker): Record<string, string> => ({
  "managed-by": MANAGED_BY,
  policy: marker.policy,
  key: marker.idempotencyKey,
  content: marker.requestHash,
});

/** The marker in metadata or tags; undefined unless all of it is there and well formed. */
export function readMarkerLabels(labels: Record<string, string>): Marker | undefined {
  const { policy, key, content } = labels;
  if (labels["managed-by"] !== MANAGED_BY || !policy || !key || !content) return undefined;
  return KEY.test(key) && CONTENT.test(content) ? { policy, idempotencyKey: key, requestHash: content } : undefined;
}

const MARKER_TEXT =
  /(?:^| )managed-by:snapshot-functions policy:([A-Za-z0-9_-]+) key:([0-9a-f]{32}) content:([0-9a-f]{8})\s*$/;

/** The caller's description with the marker after it; the description alone where the two exceed `limit` characters. */
export function describeWithMarker(description: string | undefined, marker: Marker, limit: number): string {
  const text = `managed-by:${MANAGED_BY} policy:${marker.policy} key:${marker.idempotencyKey} content:${marker.requestHash}`;
  const whole = description ? `${description} ${text}` : text;
  return [...whole].length <= limit ? whole : (description ?? "");
}

export function readMarkerText(description: string | undefined): Marker | undefined {
  const found = description?.match(MARKER_TEXT);
  if (!found) return undefined;
  const [, policy, key, content] = found as unknown as [string, string, string, string];
  return { policy, idempotencyKey: key, requestHash: content };
}
