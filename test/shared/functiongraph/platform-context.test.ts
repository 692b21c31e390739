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

test("readContext calls the methods of the context with the context as their `this`", () => {
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
  ["an object with properties instead of methods", { getRequestID: "r-1", getToken: 5, getUserData: { REGION: "x" } }],
  [
    "an object whose methods throw",
    Object.fromEntries(
      ["getRequestID", "getRemainingTimeInMilliSeconds", "getToken", "getUserData", "getProjectID"].map((name) => [
        name,
        () => {
          throw new Error("unavailable");
        },
      ]),
    ),
  ],
  [
    "an object whose methods return no strings",
    { getRequestID: () => undefined, getToken: () => null, getUserData: () => undefined },
  ],
  ["an object whose remaining time is NaN", { getRemainingTimeInMilliSeconds: () => Number.NaN }],
  ["an object whose remaining time is a string", { getRemainingTimeInMilliSeconds: () => "2900" }],
])("readContext returns empty values if the context is %s", (_what, given) => {
  const { userData, ...read } = readContext(given);
  expect(read).toEqual(EMPTY);
  expect(userData("REGION")).toBe("");
});
