import { describe, expect, test } from "vitest";
import { checkId, readChoice, readInteger, variablesOf } from "../../../shared/functiongraph/variables.ts";

const noUserData = () => "";

describe("variablesOf", () => {
  test("variablesOf prefers the context's user data to RUNTIME_USERDATA, and RUNTIME_USERDATA to other environment variables", () => {
    const runtime = { RUNTIME_USERDATA: '{"REGION":"from-runtime"}', REGION: "from-environment" };
    expect(variablesOf(() => "from-user-data", runtime)("REGION")).toBe("from-user-data");
    expect(variablesOf(noUserData, runtime)("REGION")).toBe("from-runtime");
    expect(variablesOf(noUserData, { REGION: "from-environment" })("REGION")).toBe("from-environment");
    expect(variablesOf(noUserData, {})("REGION")).toBeUndefined();
  });

  test("variablesOf returns undefined for an empty variable", () => {
    const environment = { RUNTIME_USERDATA: '{"REGION":""}', REGION: "" };
    expect(variablesOf(noUserData, environment)("REGION")).toBeUndefined();
  });

  test("variablesOf returns a number in RUNTIME_USERDATA as a string", () => {
    expect(variablesOf(noUserData, { RUNTIME_USERDATA: '{"SHARD_SIZE":500}' })("SHARD_SIZE")).toBe("500");
  });

  test("if a value in RUNTIME_USERDATA is an array or an object, variablesOf returns a description of the value, and still reads the other variables", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const variables = variablesOf(noUserData, {
      RUNTIME_USERDATA: `\ufeff{"REGION":${deep},"PROJECT_ID":{},"SHARD_SIZE":"c"}`,
      REGION: "a",
      PROJECT_ID: "b",
    });
    expect([variables("REGION"), variables("PROJECT_ID"), variables("SHARD_SIZE")]).toEqual([
      "an array of 1 item",
      "an object",
      "c",
    ]);
  });

  test.each(["{", "null", "[]", '"text"', ""])("variablesOf ignores the invalid RUNTIME_USERDATA %j", (text) => {
    expect(variablesOf(noUserData, { RUNTIME_USERDATA: text, REGION: "a" })("REGION")).toBe("a");
  });
});

test("readInteger returns a whole number from min to max, or the default if the variable is not set, and rejects other values", () => {
  const read = (text?: string) => readInteger(() => text, "SHARD_SIZE", { defaultValue: 8, min: 1, max: 100 });
  expect([read(), read("1"), read("100"), read("007")]).toEqual([8, 1, 100, 7]);
  for (const text of ["0", "101", "-1", "1.5", "1e1", "0x10", "ten", " 5", "5\n", "Infinity"]) {
    expect(() => read(text)).toThrow(/^SHARD_SIZE: expected a whole number from 1 to 100, got /);
  }
});

test("readChoice returns an allowed value, or the default if the variable is not set, and rejects other values", () => {
  const read = (text?: string) =>
    readChoice(() => text, "EVS_LIMITS", { defaultValue: "current", choices: ["current", "classic"] });
  expect([read(), read("classic")]).toEqual(["current", "classic"]);
  for (const text of ["Classic", "classic ", "x"])
    expect(() => read(text)).toThrow(/^EVS_LIMITS: expected "current" or "classic"/);
});

test("checkId returns an id of at most 64 letters, digits, - and _, and rejects other values", () => {
  expect(checkId("ID", "0123456789abcdef-_Z")).toBe("0123456789abcdef-_Z");
  for (const text of ["", "a/b", "..", "a b", "a\n", "a%2f", "{project_id}", "$&", "a".repeat(65)]) {
    expect(() => checkId("ID", text)).toThrow(/^ID: expected an id of letters, digits, - and _, got /);
  }
});
