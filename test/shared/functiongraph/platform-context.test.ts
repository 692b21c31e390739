import { expect, test } from "vitest";
import { readContext } from "../../../shared/functiongraph/platform-context.ts";

const EMPTY = {
  requestId: "",
  remainingMs: undefined,
  projectId: "",
  package: "",
  functionName: "",
  version: "",
  agency: { securityAccessKey: "", securitySecretKey: "", securityToken: "", token: "" },
};

test("readContext returns the values of a context whose methods need their `this`", () => {
  class Context {
    readonly #values: Record<string, string> = { REGION: "eu-west-101" };
    getRequestID = () => "r-1";
    getRemainingTimeInMilliSeconds = () => 2_900;
    getProjectID = () => "p-1";
    getPackage = () => "default";
    getFunctionName = () => "create-snapshot";
    getVersion = () => "latest";
    getSecurityAccessKey = () => "ak";
    getSecuritySecretKey = () => "sk";
    getSecurityToken = () => "st";
    getToken = () => "token";
    getUserData(name: string) {
      return this.#values[name];
    }
  }
  const { userData, ...read } = readContext(new Context());
  expect(read).toEqual({
    requestId: "r-1",
    remainingMs: 2_900,
    projectId: "p-1",
    package: "default",
    functionName: "create-snapshot",
    version: "latest",
    agency: { securityAccessKey: "ak", securitySecretKey: "sk", securityToken: "st", token: "token" },
  });
  expect([userData("REGION"), userData("OTHER")]).toEqual(["eu-west-101", ""]);
});

test.each<[what: string, given: unknown]>([
  ["an empty object", {}],
  ["undefined", undefined],
  ["null", null],
  ["a string", "context"],
  ["properties instead of methods", { getRequestID: "r-1", getToken: 5, getUserData: { REGION: "x" } }],
  [
    "methods that throw",
    Object.fromEntries(
      ["getRequestID", "getRemainingTimeInMilliSeconds", "getToken", "getUserData", "getProjectID"].map((name) => [
        name,
        () => {
          throw new Error("not today");
        },
      ]),
    ),
  ],
  [
    "methods that return no string",
    { getRequestID: () => undefined, getToken: () => null, getUserData: () => undefined },
  ],
  ["a remaining time that is not a number", { getRemainingTimeInMilliSeconds: () => Number.NaN }],
  ["a remaining time that is a string", { getRemainingTimeInMilliSeconds: () => "2900" }],
])("readContext returns empty values for %s", (_what, given) => {
  const { userData, ...read } = readContext(given);
  expect(read).toEqual(EMPTY);
  expect(userData("REGION")).toBe("");
});
