import { describe, expect, test } from "vitest";
import type { Reason } from "../../../../shared/core/errors.ts";
import { faultError, type Operation, reasonOf } from "../../../../shared/huaweicloud/http/cloud-errors.ts";

/** A test case: the error code, the HTTP status, the expected reason, the operation and the message. */
type Case = [code: string, status: number, reason: Reason, operation?: Operation, message?: string];

/**
 * Returns a test case for each error. Each key of `errors` is an expected reason. Its value lists error codes with statuses, such
 * as `EVS.1047 400, EVS.1052 400`.
 */
const casesOf = (errors: Partial<Record<Reason, string>>, operation: Operation = "create"): Case[] =>
  Object.entries(errors).flatMap(([reason, list]) =>
    list.split(", ").map((error): Case => {
      const [code = "", status] = error.split(" ");
      return [code, Number(status), reason as Reason, operation];
    }),
  );

const EVS: Case[] = [
  ...casesOf({
    AccessDenied: "EVS.0001 400, EVS.0002 400, EVS.0003 403, EVS.1027 403, EVS.2056 403, EVS.5401 401, EVS.5403 403",
    InvalidRequest:
      "EVS.1002 400, EVS.1005 400, EVS.1012 400, EVS.1013 400, EVS.1052 400, EVS.1061 400, EVS.1062 400, " +
      "EVS.1070 400, EVS.2059 400, EVS.2108 400, EVS.5400 400",
    CloudError:
      "EVS.1033 400, EVS.2001 500, EVS.2002 500, EVS.2005 500, EVS.2007 500, EVS.2023 500, EVS.5500 500, " +
      "EVS.5503 503",
    QuotaExceeded: "EVS.1034 400, EVS.1042 400, EVS.5413 413",
    Busy: "EVS.2043 400, EVS.2068 400, EVS.2130 400, EVS.2409 409, EVS.2409 400",
    AccountSuspended: "EVS.2144 403, EVS.2145 403",
    NotFound: "EVS.5404 404",
  }),
  ...casesOf(
    { InvalidRequest: "EVS.1023 400, EVS.1024 400, EVS.1039 400, EVS.1040 400, EVS.2045 400, EVS.2142 400" },
    "read",
  ),
  ...casesOf({ Busy: "EVS.1047 400", CloudError: "EVS.2019 500" }, "delete"),
];

const OPENSTACK = casesOf({
  InvalidRequest: "badRequest 400",
  AccessDenied: "unauthorized 401, forbidden 403",
  NotFound: "itemNotFound 404",
  Busy: "conflictingRequest 409",
  QuotaExceeded: "overLimit 413",
  Throttled: "overLimit 429",
  CloudError: "computeFault 500, serviceUnavailable 503",
});

const GATEWAY = casesOf({
  Unsupported: "0101 404",
  InvalidRequest: "0201 400, 0201 413, 0201 414, 0201 494, 0602 400",
  CloudError: "0201 500, 0201 502, 0201 504",
  AccessDenied: "0301 401, 0302 403, 0303 401, 0304 403, 0305 401, 0306 403, 0307 401",
  Throttled: "0308 429",
  AccountSuspended: "0310 403",
});

const DWS: Case[] = [
  ...casesOf({
    InvalidRequest: "DWS.0001 400",
    NotFound: "DWS.0015 403, DWS.0047 401, DWS.0047 404, DWS.3027 404",
    Conflict: "DWS.5050 409",
    Busy: "DWS.7023 403",
    CloudError: "DWS.9999 503",
  }),
  ...casesOf({ InvalidRequest: "DWS.0001 400", NotFound: "DWS.5149 400" }, "read"),
  ...casesOf({ NotFound: "DWS.0001 400" }, "delete"),
  ["DWS.9999", 500, "Busy", "create", "DWS.7023"],
  ["DWS.9999", 500, "CloudError", "create", "system error"],
];

const WITHOUT_CODE = casesOf({
  InvalidRequest: "none 400",
  AccessDenied: "none 401, none 403",
  NotFound: "none 404",
  CloudError: "none 408, none 500, none 502, none 503, none 504",
  Conflict: "none 409",
  QuotaExceeded: "none 413",
  Throttled: "none 429",
});

/** Temporary errors while another operation on the disk is running, and permanent errors with similar messages. */
const TEMPORARY: Case[] = [
  [
    "EVS.2024",
    400,
    "Busy",
    "create",
    "Invalid volume: Volume 5aa1 status must be available, but current status is: extending.",
  ],
  ["EVS.5400", 400, "Busy", "create", "The disk cannot be used: current status is: backing-up."],
  ["badRequest", 400, "Busy", "create", "Volume status is detaching."],
  ["badRequest", 400, "Busy", "create", 'current status: "attaching", status must be one of available, in-use.'],
  ["EVS.5400", 400, "Busy", "create", "status: restoring-backup"],
  ["EVS.5400", 400, "Busy", "create", "status: retyping"],
  ["EVS.5400", 400, "Busy", "create", "status is awaiting-transfer"],
  ["conflictingRequest", 409, "Busy", "create", "Another operation is running."],
  ["EVS.9999", 400, "Busy", "create", "The system is busy. Please try again later."],
  ["EVS.9999", 409, "Busy", "delete", "The snapshot is in use, try again later"],
  ["EVS.5500", 500, "CloudError", "create", "Please try again later."],
  ["APIGW.0308", 429, "Throttled", "create", "Please try again later."],
  ["EVS.5413", 413, "QuotaExceeded", "create", "Free some and try again later."],
  ["EVS.2024", 400, "Busy", "create", "Volume status must be available, but current status is: [extending]"],
  ["EVS.2024", 400, "Busy", "create", "The volume status (backing-up) is not allowed."],
  ["EVS.2024", 400, "Busy", "create", "The volume is in status of 'retyping'."],
  ["EVS.2024", 400, "Busy", "create", "status = attaching"],
  ["EVS.9999", 400, "Busy", "create", "Another task is running. Wait for it and try again later."],
  ["EVS.9999", 400, "Busy", "create", "The service is busy. Please try again."],
  ["EVS.9999", 400, "Busy", "create", "Please retry in 30 seconds."],
  ["EVS.9999", 400, "InvalidRequest", "create", "The parameter is invalid. Modify it and try again."],
  ["EVS.9999", 400, "InvalidRequest", "create", "Correct the request and then try again."],
  ["EVS.9999", 400, "InvalidRequest", "create", "Invalid value for status: string expected"],
  ["EVS.9999", 401, "AccessDenied", "create", "The token has expired, please try again."],
  ["EVS.9999", 403, "AccessDenied", "delete", "No permission. Please try again later."],
  ["EVS.9999", 404, "NotFound", "create", "The disk does not exist. Please try again later."],
  ["EVS.9999", 413, "QuotaExceeded", "create", "Quota exceeded. Delete snapshots and try again later."],
  ["EVS.5400", 400, "InvalidRequest", "create", "current status is: in-use. Must be in Available state."],
  ["EVS.5400", 400, "InvalidRequest", "create", "current status is: error_extending"],
  ["EVS.5400", 400, "InvalidRequest", "create", "current status is: deleting"],
  ["EVS.5400", 400, "InvalidRequest", "create", "current status is: error"],
];

/**
 * Errors about regions and disk types that do not support a kind of snapshot, and errors with similar messages. reasonOf reads
 * the message, because the error codes are not documented (SOURCES.md#evs-legacy-regions).
 */
const BY_MESSAGE: Case[] = [
  ["EVS.5400", 400, "Unsupported", "create", "Creating legacy snapshots is not supported in this region."],
  ["EVS.5403", 403, "AccessDenied", "create", "The operation is not supported for this user."],
  ["EVS.1013", 400, "Unsupported", "create", "volume type SAS does not support instant access"],
  ["EVS.1013", 400, "InvalidRequest", "read", "sort_key is not supported"],
  ["EVS.5500", 500, "CloudError", "create", "unsupported state"],
  ["EVS.5400", 400, "InvalidRequest", "create", "Must specify a valid status."],
];

function testReasons(cases: Case[]) {
  for (const [code, status, reason, operation = "create", message] of cases) {
    const codeText = code === "none" ? "no code" : `the code ${code}`;
    const messageText = message === undefined ? "no message" : `the message ${JSON.stringify(message)}`;
    test(`reasonOf returns ${reason} for a ${operation} request with ${codeText}, the status ${status} and ${messageText}`, () => {
      expect(reasonOf({ status, code: code === "none" ? undefined : code, message }, operation)).toBe(reason);
    });
  }
}

describe("the reason of each error code", () => {
  // The error codes come from SOURCES.md#evs-error-codes, SOURCES.md#openstack-faults, SOURCES.md#gateway-error-codes and
  // SOURCES.md#dws-not-found-codes.
  describe("EVS", () => testReasons(EVS));
  describe("OpenStack", () => testReasons(OPENSTACK));
  describe("the gateway", () => testReasons(GATEWAY.map(([code, ...rest]) => [`APIGW.${code}`, ...rest])));
  describe("the shared gateway", () => testReasons(GATEWAY.map(([code, ...rest]) => [`APIG.${code}`, ...rest])));
  describe("DWS", () => testReasons(DWS));
  describe("no code", () => testReasons(WITHOUT_CODE));
  describe("messages about unsupported snapshots", () => testReasons(BY_MESSAGE));
  describe("temporary errors", () => testReasons(TEMPORARY));

  test("faultError marks the error of a create request as ambiguous, because the snapshot may exist, if the reason is CloudError, or if the response has no error code and its status is not 429", () => {
    const isAmbiguous = ([code, status, , operation = "create", message]: Case) =>
      faultError("POST /", { status, code, message }, { operation }).ambiguous;
    const all = [...EVS, ...OPENSTACK, ...DWS, ...BY_MESSAGE];
    for (const error of all) {
      const [, , reason, operation = "create"] = error;
      expect(isAmbiguous(error), error.join()).toBe(reason === "CloudError" && operation === "create");
    }
    const withoutCode = WITHOUT_CODE.map(([, status]) => [
      status,
      faultError("POST /", { status }, { operation: "create" }).ambiguous,
      faultError("GET /", { status }, { operation: "read" }).ambiguous,
    ]);
    expect(withoutCode).toEqual(WITHOUT_CODE.map(([, status]) => [status, status !== 429, false]));
  });

  test("reasonOf and faultError do not recognize a known code that is part of a longer code", () => {
    const single = [...EVS, ...DWS, ...GATEWAY].map(([code]) => code);
    const gateway = ["APIG.0301", "APIG.0308", "APIG.0310", "APIGW.0301", "APIGW.0308", "APIGW.0310"];
    const codes = [...single, ...gateway, "itemNotFound", "overLimit"].filter((code) => code !== "none");
    for (const code of codes.flatMap((known) => [`X${known}`, `${known}0`])) {
      expect(reasonOf({ status: 418, code }, "delete"), code).toBe("InvalidRequest");
      const { ambiguous } = faultError("DELETE /", { status: 404, code }, { operation: "delete" });
      expect(ambiguous, code).toBe(true);
    }
  });
});
