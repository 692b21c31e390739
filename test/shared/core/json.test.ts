import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalJson, isObject, readStringField, toStringMap } from "../../../shared/core/json.ts";

test("isObject returns true for objects, and false for arrays, null and strings", () => {
  expect([{}, { a: 1 }].map(isObject)).toEqual([true, true]);
  expect([[], null, undefined, "{}", 1, true].map(isObject)).toEqual([false, false, false, false, false, false]);
});

test("readStringField returns an empty or non-empty string, and undefined if the field is not a string", () => {
  const from = { name: "snap-001", empty: "", size: 40, none: null };
  expect(["name", "empty", "size", "none", "absent"].map((name) => readStringField(from, name))).toEqual([
    "snap-001",
    "",
    undefined,
    undefined,
    undefined,
  ]);
});

describe("toStringMap", () => {
  test.each<[what: string, value: unknown, labels: Record<string, string>]>([
    ["labels in an object, as EVS returns them", { hold: "true", empty: "" }, { hold: "true", empty: "" }],
    [
      'true, 3 and null as the label values "true", "3" and the empty string',
      { hold: true, count: 3, none: null },
      { hold: "true", count: "3", none: "" },
    ],
    ["a label whose value is an object as an empty string", { hold: { until: "2027" } }, { hold: "" }],
    ["a label whose value is an array as an empty string", { hold: [[["true"]]] }, { hold: "" }],
    [
      "labels in an array of keys and values, as DWS returns them",
      [{ key: "backup", value: "daily" }],
      { backup: "daily" },
    ],
    [
      "an entry whose value is missing or not a string as a label with an empty value",
      [{ key: "hold" }, { key: "size", value: 40 }],
      { hold: "", size: "" },
    ],
    [
      "labels in an array of strings, as ECS returns them",
      ["backup=daily", "hold", "empty="],
      { backup: "daily", hold: "", empty: "" },
    ],
    ["only the part of a string before the first = as the key", ["rule=a=b"], { rule: "a=b" }],
    ["the string =daily as a label with an empty key", ["=daily"], { "": "daily" }],
    [
      "no labels from array entries that are not labels",
      [null, 3, ["a=b"], { value: "x" }, { key: 3, value: "x" }],
      {},
    ],
    ["undefined as no labels", undefined, {}],
    ["null as no labels", null, {}],
    ["a string as no labels", "backup=daily", {}],
  ])("toStringMap reads %s", (_what, value, labels) => {
    expect(toStringMap(value)).toEqual(labels);
  });
});

test("toStringMap reads a label whose value is 100,000 nested arrays as an empty string", () => {
  const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
  expect(toStringMap({ hold: deep, backup: "daily" })).toEqual({ hold: "", backup: "daily" });
});

describe("canonicalJson", () => {
  test("canonicalJson sorts the keys of objects at every depth, and the items of arrays that contain only strings", () => {
    expect(canonicalJson({ b: 1, a: { d: null, c: [{ y: 1, x: 2 }] } })).toBe(
      '{"a":{"c":[{"x":2,"y":1}],"d":null},"b":1}',
    );
    expect(canonicalJson({ volume_ids: ["b", "c", "a"] })).toBe('{"volume_ids":["a","b","c"]}');
  });

  test("canonicalJson keeps the order of arrays that contain values other than strings", () => {
    for (const list of [
      [2, 1],
      ["b", 1, "a"],
    ]) {
      expect(canonicalJson({ list })).toBe(JSON.stringify({ list }));
    }
  });

  test("canonicalJson does not change its argument", () => {
    const request = { volume_ids: ["b", "a"] };
    canonicalJson(request);
    expect(request.volume_ids).toEqual(["b", "a"]);
  });

  test("canonicalJson returns the same string for any order of keys", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (request) => {
        const reversed = Object.fromEntries(Object.entries(request).reverse());
        expect(canonicalJson(reversed)).toBe(canonicalJson(request));
        expect(Object.keys(JSON.parse(canonicalJson(request))).sort()).toEqual(Object.keys(request).sort());
      }),
    );
  });
});
