import { describe, expect, test } from "vitest";
import { checkId, readChoice, readInteger, variablesOf } from "../../../shared/functiongraph/variables.ts";

const nothing = () => "";

describe("a variable", () => {
  test("comes from the user data, else from RUNTIME_USERDATA, else from the environment", () => {
    const runtime = { RUNTIME_USERDATA: '{"REGION":"from-runtime"}', REGION: "from-environment" };
    expect(variablesOf(() => "from-user-data", runtime)("REGION")).toBe("from-user-data");
    expect(variablesOf(nothing, runtime)("REGION")).toBe("from-runtime");
    expect(variablesOf(nothing, { REGION: "from-environment" })("REGION")).toBe("from-environment");
    expect(variablesOf(nothing, {})("REGION")).toBeUndefined();
  });

  test("that is empty is not set", () => {
    const environment = { RUNTIME_USERDATA: '{"A":""}', A: "" };
    expect(variablesOf(nothing, environment)("A")).toBeUndefined();
  });

  test("may be a number in RUNTIME_USERDATA", () => {
    expect(variablesOf(nothing, { RUNTIME_USERDATA: '{"SHARD_SIZE":500}' })("SHARD_SIZE")).toBe("500");
  });

  test("a variable in RUNTIME_USERDATA that is an array or an object is a wrong value and hides no other variable", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const variables = variablesOf(nothing, { RUNTIME_USERDATA: `\ufeff{"A":${deep},"B":{},"C":"c"}`, A: "a", B: "b" });
    expect(["A", "B", "C"].map(variables)).toEqual(["an array of 1 item", "an object", "c"]);
  });

  test.each(["{", "null", "[]", '"text"', ""])("survives a RUNTIME_USERDATA of %j", (text) => {
    expect(variablesOf(nothing, { RUNTIME_USERDATA: text, A: "a" })("A")).toBe("a");
  });
});

test("a whole number within bounds", () => {
  const read = (text?: string) => readInteger(() => text, "N", { byDefault: 8, from: 1, to: 100 });
  expect([read(), read("1"), read("100"), read("007")]).toEqual([8, 1, 100, 7]);
  for (const text of ["0", "101", "-1", "1.5", "1e1", "0x10", "ten", " 5", "5\n", "Infinity"]) {
    expect(() => read(text)).toThrow(/^N: expected a whole number from 1 to 100, got /);
  }
});

test("one of the words that are allowed", () => {
  const read = (text?: string) =>
    readChoice(() => text, "C", { byDefault: "current", choices: ["current", "classic"] });
  expect([read(), read("classic")]).toEqual(["current", "classic"]);
  for (const text of ["Classic", "classic ", "x"])
    expect(() => read(text)).toThrow(/^C: expected "current" or "classic"/);
});

test("an id for a URL's path", () => {
  expect(checkId("ID", "0123456789abcdef-_Z")).toBe("0123456789abcdef-_Z");
  for (const text of ["", "a/b", "..", "a b", "a\n", "a%2f", "{project_id}", "$&", "a".repeat(65)]) {
    expect(() => checkId("ID", text)).toThrow(/^ID: expected an id of letters, digits, - and _, got /);
  }
});
