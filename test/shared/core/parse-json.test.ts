import { expect, test } from "vitest";
import { parseJson } from "../../../shared/core/parse-json.ts";

test.each([
  ["an object, and keeps a byte order mark inside the object", '{"a":"\ufeff"}'],
  ["an array", "[1]"],
  ["a string", '"text"'],
  ["null", "null"],
])("parseJson ignores a byte order mark before %s", (_what, text) => {
  expect(parseJson(`\ufeff${text}`)).toEqual(JSON.parse(text));
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test.each([
  ["an empty string", ""],
  ["a text that consists of only a byte order mark", "\ufeff"],
  ["an object that follows two byte order marks", "\ufeff\ufeff{}"],
  ["an object that is followed by a byte order mark", "{}\ufeff"],
  ["an incomplete object", "{"],
])("parseJson rejects %s", (_what, text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
});

test("parseJson reads 100,000 nested arrays without a stack overflow", () => {
  expect(parseJson(`\ufeff${"[".repeat(100_000)}${"]".repeat(100_000)}`)).toHaveLength(1);
});
