import { describe, expect, test } from "vitest";
import type { Reason } from "../../../../shared/core/errors.ts";
import { faultError, type Operation, reasonOf } from "../../../../shared/huaweicloud/http/cloud-errors.ts";

type Case = [code: string, status: number, reason: Reason, operation?: Operation, message?: string];

const EVS: Case[] = [
  ["EVS.0001", 400, "AccessDenied"],
  ["EVS.0002", 400, "AccessDenied"],
  ["EVS.0003", 403, "AccessDenied"],
  ["EVS.1002", 400, "InvalidRequest"],
  ["EVS.1005", 400, "InvalidRequest"],
  ["EVS.1012", 400, "InvalidRequest"],
  ["EVS.1013", 400, "InvalidRequest"],
  ["EVS.1023", 400, "InvalidRequest", "read"],
  ["EVS.1024", 400, "InvalidRequest", "read"],
  ["EVS.1027", 403, "AccessDenied"],
  ["EVS.1033", 400, "CloudError"],
  ["EVS.1034", 400, "QuotaExceeded"],
  ["EVS.1039", 400, "InvalidRequest", "read"],
  ["EVS.1040", 400, "InvalidRequest", "read"],
  ["EVS.1042", 400, "QuotaExceeded"],
  ["EVS.1047", 400, "Busy", "delete"],
  ["EVS.1052", 400, "InvalidRequest"],
  ["EVS.1061", 400, "InvalidRequest"],
  ["EVS.1062", 400, "InvalidRequest"],
  ["EVS.1070", 400, "InvalidRequest"],
  ["EVS.2001", 500, "CloudError"],
  ["EVS.2002", 500, "CloudError"],
  ["EVS.2005", 500, "CloudError"],
  ["EVS.2007", 500, "CloudError"],
  ["EVS.2019", 500, "CloudError", "delete"],
  ["EVS.2023", 500, "CloudError"],
  ["EVS.2043", 400, "Busy"],
  ["EVS.2045", 400, "InvalidRequest", "read"],
  ["EVS.2056", 403, "AccessDenied"],
  ["EVS.2059", 400, "InvalidRequest"],
  ["EVS.2068", 400, "Busy"],
  ["EVS.2108", 400, "InvalidRequest"],
  ["EVS.2130", 400, "Busy"],
  ["EVS.2142", 400, "InvalidRequest", "read"],
  ["EVS.2144", 403, "AccountSuspended"],
  ["EVS.2145", 403, "AccountSuspended"],
  ["EVS.2409", 409, "Busy"],
  ["EVS.2409", 400, "Busy"],
  ["EVS.5400", 400, "InvalidRequest"],
  ["EVS.5401", 401, "AccessDenied"],
  ["EVS.5403", 403, "AccessDenied"],
  ["EVS.5404", 404, "NotFound"],
  ["EVS.5413", 413, "QuotaExceeded"],
  ["EVS.5500", 500, "CloudError"],
  ["EVS.5503", 503, "CloudError"],
];

const OPENSTACK: Case[] = [
  ["badRequest", 400, "InvalidRequest"],
  ["unauthorized", 401, "AccessDenied"],
  ["forbidden", 403, "AccessDenied"],
  ["itemNotFound", 404, "NotFound"],
  ["conflictingRequest", 409, "Busy"],
  ["overLimit", 413, "QuotaExceeded"],
  ["overLimit", 429, "Throttled"],
  ["computeFault", 500, "CloudError"],
  ["serviceUnavailable", 503, "CloudError"],
];

const GATEWAY: Case[] = [
  ["0101", 404, "Unsupported"],
  ["0201", 400, "InvalidRequest"],
  ["0201", 413, "InvalidRequest"],
  ["0201", 414, "InvalidRequest"],
  ["0201", 494, "InvalidRequest"],
  ["0201", 500, "CloudError"],
  ["0201", 502, "CloudError"],
  ["0201", 504, "CloudError"],
  ["0301", 401, "AccessDenied"],
  ["0302", 403, "AccessDenied"],
  ["0303", 401, "AccessDenied"],
  ["0304", 403, "AccessDenied"],
  ["0305", 401, "AccessDenied"],
  ["0306", 403, "AccessDenied"],
  ["0307", 401, "AccessDenied"],
  ["0308", 429, "Throttled"],
  ["0310", 403, "AccountSuspended"],
  ["0602", 400, "InvalidRequest"],
];

const DWS: Case[] = [
  ["DWS.0001", 400, "InvalidRequest"],
  ["DWS.0001", 400, "InvalidRequest", "read"],
  ["DWS.0001", 400, "NotFound", "delete"],
  ["DWS.0015", 403, "NotFound"],
  ["DWS.0047", 401, "NotFound"],
  ["DWS.0047", 404, "NotFound"],
  ["DWS.3027", 404, "NotFound"],
  ["DWS.5050", 409, "Conflict"],
  ["DWS.5149", 400, "NotFound", "read"],
  ["DWS.7023", 403, "Busy"],
  ["DWS.9999", 500, "Busy", "create", "DWS.7023"],
  ["DWS.9999", 500, "CloudError", "create", "system error"],
  ["DWS.9999", 503, "CloudError"],
];

const WITHOUT_CODE: Case[] = [
  ["", 400, "InvalidRequest"],
  ["", 401, "AccessDenied"],
  ["", 403, "AccessDenied"],
  ["", 404, "NotFound"],
  ["", 408, "CloudError"],
  ["", 409, "Conflict"],
  ["", 413, "QuotaExceeded"],
  ["", 429, "Throttled"],
  ["", 500, "CloudError"],
  ["", 502, "CloudError"],
  ["", 503, "CloudError"],
  ["", 504, "CloudError"],
];

/** Temporary errors while another operation on the disk is running, and permanent errors that look similar. */
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
  [
    "badRequest",
    400,
    "Busy",
    "create",
    'Invalid status: "attaching", status must be one of available, in-use.'.replace("Invalid status", "current status"),
  ],
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

/** The code for a region or disk type without such snapshots is unknown, so the message decides: SOURCES.md#evs-legacy-regions. */
const BY_MESSAGE: Case[] = [
  ["EVS.5400", 400, "Unsupported", "create", "Creating legacy snapshots is not supported in this region."],
  ["EVS.5403", 403, "AccessDenied", "create", "The operation is not supported for this user."],
  ["EVS.1013", 400, "Unsupported", "create", "volume type SAS does not support instant access"],
  ["EVS.1013", 400, "InvalidRequest", "read", "sort_key is not supported"],
  ["EVS.5500", 500, "CloudError", "create", "unsupported state"],
  ["EVS.5400", 400, "InvalidRequest", "create", "Must specify a valid status."],
];

const each = (cases: Case[]) =>
  test.each(
    cases.map(([code, status, reason, operation = "create", message = ""]) => ({
      code,
      status,
      reason,
      operation,
      message,
    })),
  )(
    "reasonOf returns $reason for the code $code, the status $status and the message $message of a $operation call",
    ({ code, status, reason, operation, message }) => {
      expect(reasonOf({ status, code: code === "" ? undefined : code, message }, operation)).toBe(reason);
    },
  );

describe("the reason of each code", () => {
  // The codes are those of SOURCES.md#evs-error-codes, SOURCES.md#openstack-faults, SOURCES.md#gateway-error-codes and
  // SOURCES.md#dws-not-found-codes.
  describe("EVS", () => each(EVS));
  describe("OpenStack", () => each(OPENSTACK));
  describe("the gateway", () => each(GATEWAY.map(([code, ...rest]) => [`APIGW.${code}`, ...rest])));
  describe("the shared gateway", () => each(GATEWAY.map(([code, ...rest]) => [`APIG.${code}`, ...rest])));
  describe("DWS", () => each(DWS));
  describe("no code", () => each(WITHOUT_CODE));
  describe("messages", () => each(BY_MESSAGE));
  describe("temporary errors", () => each(TEMPORARY));

  test("faultError is ambiguous for a create after an error of the service and after a refusal without a code", () => {
    const isAmbiguous = ([code, status, , operation = "create", message]: Case) =>
      faultError("POST /", { status, code, message }, { operation }).ambiguous;
    const all = [...EVS, ...OPENSTACK, ...DWS, ...BY_MESSAGE];
    for (const each of all) {
      const [, , reason, operation = "create"] = each;
      expect(isAmbiguous(each), each.join()).toBe(reason === "CloudError" && operation === "create");
    }
    const withoutCode = WITHOUT_CODE.map(([, status]) => [
      status,
      faultError("POST /", { status }, { operation: "create" }).ambiguous,
      faultError("GET /", { status }, { operation: "read" }).ambiguous,
    ]);
    expect(withoutCode).toEqual(WITHOUT_CODE.map(([, status]) => [status, status !== 429, false]));
  });

  test("reasonOf and faultError ignore a known code inside a longer code", () => {
    const single = [...EVS, ...DWS, ...GATEWAY].map(([code]) => code);
    const gateway = ["APIG.0301", "APIG.0308", "APIG.0310", "APIGW.0301", "APIGW.0308", "APIGW.0310"];
    const codes = [...single, ...gateway, "itemNotFound", "overLimit"].filter((code) => code !== "");
    for (const code of codes.flatMap((known) => [`X${known}`, `${known}0`])) {
      expect(reasonOf({ status: 418, code }, "delete"), code).toBe("InvalidRequest");
      const { ambiguous } = faultError("DELETE /", { status: 404, code }, { operation: "delete" });
      expect(ambiguous, code).toBe(true);
    }
  });
});
