import { expect, test } from "vitest";
import { parseJson } from "../../../shared/core/parse-json.ts";

test.each(['{"a":"\ufeff"}', "[1]", '"text"', "null"])(
  "parseJson reads %s with and without a byte order mark",
  (text) => {
    expect(parseJson(`\ufeff${text}`)).toEqual(JSON.parse(text));
    expect(parseJson(text)).toEqual(JSON.parse(text));
  },
);

test.each(["", "\ufeff", "\ufeff\ufeff{}", "{}\ufeff", "{"])("parseJson rejects %j", (text) => {
  expect(() => parseJson(text)).toThrow(SyntaxError);
});

test("parseJson reads 100,000 nested arrays without a stack overflow", () => {
  expect(parseJson(`\ufeff${"[".repeat(100_000)}${"]".repeat(100_000)}`)).toHaveLength(1);
});
