import { describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../../../shared/core/errors.ts";
import {
  faultError,
  type Operation,
  readFault,
  reasonOf,
  retryAfterMs,
} from "../../../../shared/huaweicloud/http/cloud-errors.ts";

/** Returns a value in a test name, such as `the code "X.1"` or `no code`. */
const valueOrNo = (name: string, value: string | undefined) =>
  value === undefined ? `no ${name}` : `the ${name} ${JSON.stringify(value)}`;

// SOURCES.md#error-envelopes lists the formats of the services' error bodies.
describe("the formats of error bodies", () => {
  test.each<[what: string, body: unknown, code: string | undefined, message: string | undefined]>([
    ["EVS", { error: { code: "EVS.1047", message: "no" } }, "EVS.1047", "no"],
    [
      "EVS with an authorization message",
      { error: { code: "EVS.0003", message: "no", encoded_authorization_message: "x" } },
      "EVS.0003",
      "no",
    ],
    ["IAM", { error: { code: 401, title: "Unauthorized", message: "no" } }, "401", "no"],
    ["OpenStack with a numeric code", { itemNotFound: { code: 404, message: "no" } }, "itemNotFound", "no"],
    ["OpenStack with digits as the code", { badRequest: { code: "400", message: "no" } }, "badRequest", "no"],
    ["OpenStack with a code of EVS", { badRequest: { code: "EVS.2409", message: "no" } }, "EVS.2409", "no"],
    ["OpenStack without a code", { overLimit: { message: "no", retryAfter: "0" } }, "overLimit", "no"],
    [
      "OpenStack with the fault conflictingRequest",
      { conflictingRequest: { code: 409, message: "no" } },
      "conflictingRequest",
      "no",
    ],
    ["the API gateway", { error_msg: "no", error_code: "APIGW.0301", request_id: "r" }, "APIGW.0301", "no"],
    [
      "DWS with older and newer fields",
      { externalMessage: "no", errCode: "DWS.7023", error_code: "DWS.7023", error_msg: "no" },
      "DWS.7023",
      "no",
    ],
    ["DWS with only the older fields", { externalMessage: "no", errCode: "DWS.7023" }, "DWS.7023", "no"],
    ["LTS log reports", { errorCode: "SVCSTG.ALS.403.105", error_msg: "no", result: null }, "SVCSTG.ALS.403.105", "no"],
    ["the LTS management API", { errorCode: "LTS.0201", errorMessage: "no" }, "LTS.0201", "no"],
    ["fields at the top level", { code: "X.1", message: "no" }, "X.1", "no"],
    ["EVS without a message", { error: { code: "EVS.5500" } }, "EVS.5500", undefined],
    ["the API gateway without a code", { error_msg: "no" }, undefined, "no"],
    ["a code that is a number", { code: 0, message: "" }, "0", undefined],
    ["an error that is a string", { status: 404, error: "Not Found", path: "/" }, undefined, undefined],
    ["fields of other types", { error: { code: null, message: ["no"] } }, undefined, undefined],
    ["an empty object", {}, undefined, undefined],
    ["null", null, undefined, undefined],
    ["an array", [{ error: { code: "EVS.1047" } }], undefined, undefined],
    ["a string", "no", undefined, undefined],
  ])("readFault reads the code and the message from an error body in this format: %s", (_what, body, code, message) => {
    expect(readFault(body)).toEqual({ code, message });
  });

  test("faultError returns a message with the request, the status, the code, the service's message and the advice", () => {
    const { message } = faultError(
      "POST /v2/p/cloudsnapshots",
      { status: 413, ...readFault({ overLimit: { code: 413, message: "SnapshotLimitExceeded: 7 allowed." } }) },
      { operation: "create" },
    );
    expect(message).toBe(
      `POST /v2/p/cloudsnapshots: 413 overLimit: SnapshotLimitExceeded: 7 allowed. ${REASONS.QuotaExceeded.advice}`,
    );
  });
});

describe("a delete request that fails with NotFound", () => {
  const isAmbiguous = (code: string, status: number, message = "") =>
    faultError("DELETE /", { status, code, message }, { operation: "delete" }).ambiguous;

  test("faultError returns an unambiguous error for a delete request if the error code says that the snapshot does not exist", () => {
    expect([
      isAmbiguous("EVS.5404", 404),
      isAmbiguous("itemNotFound", 404),
      isAmbiguous("DWS.0001", 400),
      isAmbiguous("DWS.5149", 400),
    ]).toEqual([false, false, false, false]);
  });

  const responses: [ambiguous: boolean, status: number, code: string, message: string][] = [
    [true, 404, "EVS.5404", "Volume 5aa119a8 could not be found."],
    [true, 404, "EVS.5404", "The project does not exist."],
    [true, 404, "itemNotFound", "The resource could not be found."],
    [true, 400, "DWS.0001", "The cluster does not exist."],
    [false, 404, "EVS.5404", "Snapshot 5aa119a8 of the volume could not be found."],
    [false, 404, "itemNotFound", "Not found."],
    // No service uses these codes with these statuses.
    [true, 503, "itemNotFound", "Not found."],
    [true, 400, "EVS.5404", ""],
    [true, 422, "DWS.5149", ""],
    [true, 499, "DWS.0001", ""],
  ];
  for (const [ambiguous, status, code, message] of responses) {
    const given = `the status ${status}, the code "${code}" and ${message === "" ? "an empty message" : `the message "${message}"`}`;
    test(`faultError sets "ambiguous" to ${ambiguous} if the response to a delete request has ${given}`, () => {
      expect(isAmbiguous(code, status, message)).toBe(ambiguous);
    });
  }

  test("faultError returns an ambiguous error for a delete request if no error code says that the snapshot does not exist", () => {
    expect([
      isAmbiguous("DWS.0015", 403),
      isAmbiguous("DWS.3027", 404),
      isAmbiguous("404", 404),
      isAmbiguous("EVS.9999", 404),
    ]).toEqual([true, true, true, true]);
  });
});

describe("errors that resemble a known error", () => {
  const cases: [status: number, code: string | undefined, message: string | undefined, operation: Operation, Reason][] =
    [
      [404, undefined, undefined, "delete", "BadResponse"],
      [404, undefined, undefined, "read", "NotFound"],
      [404, "X.1", undefined, "delete", "NotFound"],
      [400, undefined, undefined, "delete", "InvalidRequest"],
      [500, "X.1", "DWS.7023", "create", "CloudError"],
      [500, "DWS.9999", undefined, "create", "CloudError"],
      [404, "XAPIGW.0101", undefined, "create", "NotFound"],
      [404, "APIGW.01010", undefined, "create", "NotFound"],
      [413, "XAPIGW.0201", undefined, "create", "QuotaExceeded"],
      [413, "APIGW.02010", undefined, "create", "QuotaExceeded"],
      [400, "X.1", "Unsupported type of disk.", "create", "Unsupported"],
      [400, "X.1", "It is un-supported.", "create", "Unsupported"],
      [400, "X.1", "Supported types: SSD.", "create", "InvalidRequest"],
    ];
  for (const [status, code, message, operation, reason] of cases) {
    const given = `${valueOrNo("code", code)}, the status ${status} and ${valueOrNo("message", message)}`;
    test(`reasonOf returns ${reason} for a ${operation} request with ${given}`, () => {
      expect(reasonOf({ status, code, message }, operation)).toBe(reason);
    });
  }

  test("reasonOf recognizes the API gateway's codes with the prefix APIG or APIGW and any status", () => {
    for (const prefix of ["APIG", "APIGW"]) {
      const reasons = ["0301", "0307", "0308", "0309", "0310"].map((code) =>
        reasonOf({ status: 418, code: `${prefix}.${code}` }, "read"),
      );
      expect(reasons).toEqual(["AccessDenied", "AccessDenied", "Throttled", "InvalidRequest", "AccountSuspended"]);
    }
    expect(retryAfterMs(undefined, "limit:5,time:1minute", 0)).toBe(60_000);
  });

  test("readFault reads an OpenStack fault even if the error body has additional fields", () => {
    const fault = { itemNotFound: { code: 404, message: "no" } };
    expect(readFault({ status: "error", ...fault })).toEqual({ code: "itemNotFound", message: "no" });
    expect(readFault({ links: {}, ...fault })).toEqual({ code: "itemNotFound", message: "no" });
  });

  test("faultError advises to set force only if a create request fails because the disk is in use", () => {
    const advisesForce = (code: string | undefined, message: string | undefined, operation: Operation) =>
      faultError("POST /", { status: 400, code, message }, { operation }).message.includes('"force": true');
    const inUse = "Invalid volume: current status is: in-use.";
    expect([advisesForce("EVS.5400", inUse, "create"), advisesForce("badRequest", inUse, "create")]).toEqual([
      true,
      true,
    ]);
    expect([advisesForce("EVS.5400", inUse, "delete"), advisesForce("EVS.54001", inUse, "create")]).toEqual([
      false,
      false,
    ]);
    expect([advisesForce("XEVS.5400", inUse, "create"), advisesForce(undefined, inUse, "create")]).toEqual([
      false,
      false,
    ]);
    expect([
      advisesForce("EVS.5400", "status: error", "create"),
      advisesForce("EVS.5400", undefined, "create"),
    ]).toEqual([false, false]);
  });

  test("faultError cuts the service's message to 2,000 characters", () => {
    const error = faultError("POST /", { status: 400, message: "x".repeat(9_000) }, { operation: "create" });
    expect(error.cloudMessage).toBe("x".repeat(2_000));
    expect(error.message.length).toBeLessThan(2_500);
  });
});

describe("retryAfterMs", () => {
  const now = Date.parse("2026-11-21T02:00:00Z");
  const MESSAGE = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 ";

  const cases: [header: string | undefined, message: string | undefined, wait: number | undefined][] = [
    ["7", undefined, 7_000],
    ["0", undefined, 0],
    ["Sat, 21 Nov 2026 02:00:30 GMT", undefined, 30_000],
    ["7", `${MESSAGE}minute`, 7_000],
    [undefined, `${MESSAGE}second`, 1_000],
    [undefined, `${MESSAGE}minute`, 60_000],
    [undefined, "over ratelimit,limit:5,time:10 seconds", 10_000],
    [undefined, "over ratelimit,limit:5,time:2 Minutes", 120_000],
    // If the Retry-After header is a date in the past or not a time, retryAfterMs reads the delay from the message.
    ["Sat, 21 Nov 2026 01:59:30 GMT", `${MESSAGE}second`, 1_000],
    ["soon", `${MESSAGE}second`, 1_000],
    ["-5", undefined, undefined],
    ["", undefined, undefined],
    ["Infinity", undefined, undefined],
    [undefined, "Retry later", undefined],
    [undefined, undefined, undefined],
    // retryAfterMs returns at most one day.
    ["9".repeat(20), undefined, 86_400_000],
    ["1e22", undefined, 86_400_000],
    ["Fri, 31 Dec 9999 23:59:59 GMT", undefined, 86_400_000],
    [undefined, `over ratelimit,limit:5,time:${"9".repeat(30)} minute`, 86_400_000],
  ];
  for (const [header, message, wait] of cases) {
    const delay = wait === undefined ? "undefined" : `${wait} ms`;
    test(`retryAfterMs returns ${delay} for ${valueOrNo("Retry-After header", header)} and ${valueOrNo("message", message)}`, () => {
      expect(retryAfterMs(header, message, now)).toBe(wait);
    });
  }
});
