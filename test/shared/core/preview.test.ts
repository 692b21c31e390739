import fc from "fast-check";
import { expect, test } from "vitest";
import { joinFirst, preview } from "../../../shared/core/preview.ts";

test.each(
  [
    ["abc", '"abc"'],
    ["", '""'],
    ['a "quoted"\nline', String.raw`"a \"quoted\"\nline"`],
    [7, "the number 7"],
    [-1.5, "the number -1.5"],
    [true, "true"],
    [null, "null"],
    [undefined, "nothing"],
    [[], "an empty array"],
    [[[]], "an array of 1 item"],
    [[1, 2], "an array of 2 items"],
    [{}, "an object"],
    [{ a: 1 }, "an object"],
    [7n, "a bigint"],
    [Symbol("s"), "a symbol"],
    [() => 7, "a function"],
  ].map(([value, words]) => ({ value, words })),
)("preview describes $value as $words", ({ value, words }) => {
  expect(preview(value)).toBe(words);
});

test.each([
  [80, `"${"x".repeat(80)}"`],
  [81, `"${"x".repeat(80)}…"`],
  [1_000_000, `"${"x".repeat(80)}…"`],
])("preview shows no more than 80 characters of a string of %i characters", (length, words) =>
  expect(preview("x".repeat(length))).toBe(words),
);

test.each<[what: string, text: string]>([
  ["arrays", `${"[".repeat(100_000)}${"]".repeat(100_000)}`],
  ["objects", `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`],
])("preview describes 100,000 nested %s without reading the inner values", (_what, text) => {
  expect(preview(JSON.parse(text))).toMatch(/^an (array of 1 item|object)$/);
});

test("preview returns at least 1 and less than 600 characters for any value, and never throws", () => {
  const anything = fc.oneof(fc.anything(), fc.string({ minLength: 70, maxLength: 200, unit: "binary" }));
  fc.assert(fc.property(anything, (value) => preview(value).length > 0 && preview(value).length < 600));
});

test("joinFirst names the first 20 entries and the number of further entries", () => {
  const entries = Array.from({ length: 22 }, (_, index) => `n${index}`);
  expect(joinFirst(entries)).toMatch(/^n0, n1, .*, n19 and 2 more$/);
  expect(joinFirst(entries.slice(0, 20))).toMatch(/^n0, .*, n19$/);
  expect(joinFirst(["a", "b"], "; ")).toBe("a; b");
});
