import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { instant } from "../../../shared/core/instant.ts";
import {
  deriveKey,
  describeWithMarker,
  hashRequest,
  MARKER_KEYS,
  type Marker,
  markerLabels,
  readMarkerLabels,
  readMarkerText,
  snapshotName,
} from "../../../shared/snapshots/marker.ts";

const MARKER: Marker = {
  policy: "nightly",
  idempotencyKey: "0123456789abcdef0123456789abcdef",
  requestHash: "01234567",
};
const TEXT = "managed-by:snapshot-functions policy:nightly key:0123456789abcdef0123456789abcdef content:01234567";

const hex = (length: number) =>
  fc.array(fc.constantFrom(..."0123456789abcdef"), { minLength: length, maxLength: length }).map((all) => all.join(""));
const marker = fc.record({
  policy: fc.stringMatching(/^[A-Za-z0-9_-]{1,38}$/),
  idempotencyKey: hex(32),
  requestHash: hex(8),
});

describe("deriveKey", () => {
  // A later version of the functions must find the snapshots that an earlier version created.
  test("deriveKey and hashRequest return the same values as in all earlier versions", () => {
    expect(deriveKey("timer", "nightly", "2026-11-21T02:00:00Z")).toBe("f4050710ddc5c71eccacb575b89f24b9");
    expect(hashRequest("snapshot", { volume_id: "disk", force: true })).toBe("ec8ee481");
  });

  test('deriveKey returns different keys for different lists of parts, such as ["a", "b"] and ["ab"]', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), fc.array(fc.string(), { minLength: 1 }), (parts, other) => {
        const [key, otherKey] = [parts, other].map((given) => deriveKey(...(given as [string])));
        expect(key).toMatch(/^[0-9a-f]{32}$/);
        expect(key === otherKey).toBe(JSON.stringify(parts) === JSON.stringify(other));
      }),
    );
    expect(deriveKey("a", "b")).not.toBe(deriveKey("ab"));
  });
});

describe("hashRequest", () => {
  test("hashRequest depends on the kind and the options, but not on the order of the options", () => {
    const hash = hashRequest("snapshot", { volume_id: "disk", name: "a" });
    expect(hash).toMatch(/^[0-9a-f]{8}$/);
    expect(hashRequest("snapshot", { name: "a", volume_id: "disk" })).toBe(hash);
    expect(hashRequest("snapshot", { name: "b", volume_id: "disk" })).not.toBe(hash);
    expect(hashRequest("standard-snapshot", { volume_id: "disk", name: "a" })).not.toBe(hash);
  });
});

describe("snapshotName", () => {
  const identity = { kind: "snapshot", resource: "disk", key: MARKER.idempotencyKey, attempt: 1 };
  const time = instant(Date.parse("2026-11-21T02:00:00Z"));

  test("snapshotName contains the policy and the event time, and has at most 64 characters", () => {
    expect(snapshotName("nightly", time, identity)).toMatch(/^nightly-20261121T020000Z-[0-9a-f]{8}$/);
    expect(snapshotName("p".repeat(38), time, identity)).toHaveLength(64);
  });

  test("snapshotName contains no time if the event time is undefined, as in a deployment", () => {
    expect(snapshotName("d-release-7", undefined, identity)).toMatch(/^d-release-7-[0-9a-f]{8}$/);
  });

  test("snapshotName returns a different name for each kind, resource, idempotency key and attempt", () => {
    const others = [
      identity,
      { ...identity, kind: "standard-snapshot" },
      { ...identity, resource: "other" },
      { ...identity, key: "f".repeat(32) },
      { ...identity, attempt: 2 },
    ].map((changed) => snapshotName("nightly", time, changed));
    expect(new Set(others).size).toBe(5);
    expect(snapshotName("nightly", time, { ...identity })).toBe(others[0]);
  });
});

describe("markerLabels and readMarkerLabels", () => {
  test("readMarkerLabels returns the marker that markerLabels has written, even if the snapshot has additional labels", () => {
    fc.assert(
      fc.property(marker, fc.dictionary(fc.string(), fc.string()), (one, labels) => {
        const written = markerLabels(one);
        expect(Object.keys(written)).toEqual([...MARKER_KEYS]);
        for (const value of Object.values(written)) expect(value.length).toBeLessThanOrEqual(43);
        expect(readMarkerLabels({ ...labels, ...written })).toEqual(one);
      }),
    );
  });

  test.each<[what: string, labels: Record<string, string>]>([
    ["an empty object", {}],
    ["labels of another project", { ...markerLabels(MARKER), "managed-by": "terraform" }],
    ["labels without a policy", { ...markerLabels(MARKER), policy: "" }],
    ["labels without a key", { ...markerLabels(MARKER), key: "" }],
    ["labels without a request hash", { ...markerLabels(MARKER), content: "" }],
    ["a key that is too short", { ...markerLabels(MARKER), key: MARKER.idempotencyKey.slice(1) }],
    ["a key that is too long", { ...markerLabels(MARKER), key: `${MARKER.idempotencyKey}0` }],
    ["a key with an additional character before it", { ...markerLabels(MARKER), key: `x${MARKER.idempotencyKey}` }],
    ["a key in capitals", { ...markerLabels(MARKER), key: MARKER.idempotencyKey.toUpperCase() }],
    ["a request hash that is too long", { ...markerLabels(MARKER), content: `${MARKER.requestHash}0` }],
    [
      "a request hash with an additional character before it",
      { ...markerLabels(MARKER), content: `x${MARKER.requestHash}` },
    ],
    ["a request hash that is not hexadecimal", { ...markerLabels(MARKER), content: "0123456g" }],
    ["labels with managed-by only", { "managed-by": "snapshot-functions" }],
  ])("readMarkerLabels rejects %s", (_what, labels) => {
    expect(readMarkerLabels(labels)).toBeUndefined();
  });
});

describe("describeWithMarker and readMarkerText", () => {
  test("describeWithMarker appends the marker to a description, or returns only the description if both together are too long", () => {
    const description = fc.option(fc.string({ unit: "grapheme", maxLength: 200 }), { nil: undefined });
    fc.assert(
      fc.property(description, marker, fc.integer({ min: 0, max: 400 }), (given, one, limit) => {
        const whole = describeWithMarker(given, one, limit);
        const text = `managed-by:snapshot-functions policy:${one.policy} key:${one.idempotencyKey} content:${one.requestHash}`;
        const needed = given ? [...given].length + 1 + text.length : text.length;
        if (needed <= limit) {
          expect([...whole]).toHaveLength(needed);
          expect(whole.startsWith(given ?? "")).toBe(true);
          expect(readMarkerText(whole)).toEqual(one);
        } else expect(whole).toBe(given ?? "");
      }),
    );
  });

  test("describeWithMarker counts an emoji of two UTF-16 code units as one character, like the API", () => {
    expect(describeWithMarker("💾", MARKER, TEXT.length + 2)).toBe(`💾 ${TEXT}`);
    expect(describeWithMarker("💾", MARKER, TEXT.length + 1)).toBe("💾");
  });

  test("readMarkerText ignores blanks and line breaks after the marker", () => {
    expect(readMarkerText(`before the migration ${TEXT}  \n`)).toEqual(MARKER);
    expect(readMarkerText(TEXT)).toEqual(MARKER);
  });

  test.each([
    ["undefined", undefined],
    ["an ordinary description", "before the migration"],
    ["a marker that is followed by other words", `${TEXT} and more`],
    ["a marker with an additional digit at the end", `${TEXT}0`],
    ["a marker with an additional letter at the beginning", `x${TEXT}`],
    ["the marker of another project", TEXT.replace("snapshot-functions", "terraform")],
    ["a marker whose policy contains a blank", TEXT.replace("nightly", "night ly")],
    ["a marker without a policy", TEXT.replace("nightly", "")],
    ["a key that is too short", TEXT.replace("key:0", "key:")],
    ["a request hash in capitals", TEXT.replace("content:01234567", "content:0123456F")],
  ])("readMarkerText rejects %s", (_what, description) => {
    expect(readMarkerText(description)).toBeUndefined();
  });
});
