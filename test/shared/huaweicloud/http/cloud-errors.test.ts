import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../../../functions/create-standard-snapshot/handler.ts";
import { REASONS, type Reason } from "../../../../shared/core/errors.ts";
import {
  faultError,
  type Operation,
  readFault,
  reasonOf,
  retryAfterMs,
} from "../../../../shared/huaweicloud/http/cloud-errors.ts";
import { apig, createTestEnvironment } from "../../../support/environment.ts";

// SOURCES.md#error-envelopes lists the shapes.
describe("the shapes of error bodies", () => {
  test.each<[what: string, body: unknown, code: string | undefined, message: string | undefined]>([
    ["EVS", { error: { code: "EVS.1047", message: "no" } }, "EVS.1047", "no"],
    [
      "EVS with an authorization message",
      { error: { code: "EVS.0003", message: "no", encoded_authorization_message: "x" } },
      "EVS.0003",
      "no",
    ],
    ["IAM", { error: { code: 401, title: "Unauthorized", message: "no" } }, "401", "no"],
    ["OpenStack with a number as the code", { itemNotFound: { code: 404, message: "no" } }, "itemNotFound", "no"],
    ["OpenStack with digits as the code", { badRequest: { code: "400", message: "no" } }, "badRequest", "no"],
    ["OpenStack with a code of the service", { badRequest: { code: "EVS.2409", message: "no" } }, "EVS.2409", "no"],
    ["OpenStack without a code", { overLimit: { message: "no", retryAfter: "0" } }, "overLimit", "no"],
    ["OpenStack with another fault", { conflictingRequest: { code: 409, message: "no" } }, "conflictingRequest", "no"],
    ["the gateway", { error_msg: "no", error_code: "APIGW.0301", request_id: "r" }, "APIGW.0301", "no"],
    [
      "DWS with doubled fields",
      { externalMessage: "no", errCode: "DWS.7023", error_code: "DWS.7023", error_msg: "no" },
      "DWS.7023",
      "no",
    ],
    ["DWS with only the older fields", { externalMessage: "no", errCode: "DWS.7023" }, "DWS.7023", "no"],
    ["LTS reports", { errorCode: "SVCSTG.ALS.403.105", error_msg: "no", result: null }, "SVCSTG.ALS.403.105", "no"],
    ["LTS management", { errorCode: "LTS.0201", errorMessage: "no" }, "LTS.0201", "no"],
    ["fields at the top level", { code: "X.1", message: "no" }, "X.1", "no"],
    ["EVS without a message", { error: { code: "EVS.5500" } }, "EVS.5500", undefined],
    ["the gateway without a code", { error_msg: "no" }, undefined, "no"],
    ["a code that is a number", { code: 0, message: "" }, "0", undefined],
    ["an error that is a string", { status: 404, error: "Not Found", path: "/" }, undefined, undefined],
    ["fields of other types", { error: { code: null, message: ["no"] } }, undefined, undefined],
    ["an empty object", {}, undefined, undefined],
    ["null", null, undefined, undefined],
    ["an array", [{ error: { code: "EVS.1047" } }], undefined, undefined],
    ["a string", "no", undefined, undefined],
  ])("readFault reads the code and the message of the shape: %s", (_what, body, code, message) => {
    expect(readFault(body)).toEqual({ code, message });
  });

  test.each(["", " ", "{", '{"error":{"code":"EVS.1', "<html><h1>502 Bad Gateway</h1></html>", "upstream timeout"])(
    "create-snapshot derives the reason from the status if an error body is not JSON: %j",
    async (body) => {
      const { cloud, invoke } = await createTestEnvironment();
      cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 502, body });
      cloud.fault({ operation: "evs.createSnapshot", nth: 2 }, { type: "answer", status: 403, body });
      const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
      // The 502 may have created a snapshot, so the function tries again. The 403 is final.
      expect(result.statusCode).toBe(502);
      expect(JSON.parse(result.body).error).toMatchObject({
        code: "AccessDenied",
        reason: "AccessDenied",
        message: expect.stringContaining("403 without a code: no readable message."),
      });
    },
  );

  test.each(["current", "classic"] as const)(
    "create-snapshot advises to set force if the disk is in use (%s limits)",
    async (limits) => {
      const { cloud, invoke } = await createTestEnvironment({ evsLimits: limits, variables: { EVS_LIMITS: limits } });
      const disk = cloud.addVolume({ serverId: cloud.addServer().id }).id;
      const { result, records } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk, force: false } }));
      // The caller and the record get the cloud's message and the advice.
      expect(JSON.parse(result.body).error.message).toBe(records[0].error.message);
      expect(records[0].error.message).toMatch(
        /in-use\. Must be in Available state\. The disk is attached.*"force": true/,
      );
      expect(records[0].error.message).not.toContain(REASONS.InvalidRequest.advice);

      cloud.setVolumeStatus(disk, "error");
      const other = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk, force: true } }));
      expect(other.records[0].error.message).toContain(REASONS.InvalidRequest.advice);
    },
  );

  test("faultError has a message with the call, the status, the code, the cloud's message and the advice", () => {
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
});

describe("a delete whose snapshot is not found", () => {
  const isAmbiguous = (code: string, status: number, message = "") =>
    faultError("DELETE /", { status, code, message }, { operation: "delete" }).ambiguous;

  test("faultError is not ambiguous for the code of each service for a deleted snapshot", () => {
    expect([
      isAmbiguous("EVS.5404", 404),
      isAmbiguous("itemNotFound", 404),
      isAmbiguous("DWS.0001", 400),
      isAmbiguous("DWS.5149", 400),
    ]).toEqual([false, false, false, false]);
  });

  test.each([
    ["EVS.5404", 404, "Volume 5aa119a8 could not be found.", true],
    ["EVS.5404", 404, "The project does not exist.", true],
    ["itemNotFound", 404, "The resource could not be found.", true],
    ["DWS.0001", 400, "The cluster does not exist.", true],
    ["EVS.5404", 404, "Snapshot 5aa119a8 of the volume could not be found.", false],
    ["itemNotFound", 404, "Not found.", false],
    // No service uses these codes with these statuses.
    ["itemNotFound", 503, "Not found.", true],
    ["EVS.5404", 400, "", true],
    ["DWS.5149", 422, "", true],
    ["DWS.0001", 499, "", true],
  ])("faultError for %s with %i and the message %j has ambiguous = %s", (code, status, message, expected) => {
    expect(isAmbiguous(code, status, message)).toBe(expected);
  });

  test("faultError is ambiguous for every other code of a delete, because it may be about another resource", () => {
    expect([
      isAmbiguous("DWS.0015", 403),
      isAmbiguous("DWS.3027", 404),
      isAmbiguous("404", 404),
      isAmbiguous("EVS.9999", 404),
    ]).toEqual([true, true, true, true]);
  });
});

describe("errors that look like a known error", () => {
  test.each<[status: number, code: string | undefined, message: string | undefined, operation: Operation, Reason]>([
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
  ])(
    "reasonOf returns, for %i %s with the message %s of a %s call, the reason %s",
    (status, code, message, operation, reason) => {
      expect(reasonOf({ status, code, message }, operation)).toBe(reason);
    },
  );

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

  test("reasonOf reads the gateway's codes with both prefixes and any status", () => {
    for (const gateway of ["APIG", "APIGW"]) {
      const reasons = ["0301", "0307", "0308", "0309", "0310"].map((code) =>
        reasonOf({ status: 418, code: `${gateway}.${code}` }, "read"),
      );
      expect(reasons).toEqual(["AccessDenied", "AccessDenied", "Throttled", "InvalidRequest", "AccountSuspended"]);
    }
    expect(retryAfterMs(undefined, "limit:5,time:1minute", 0)).toBe(60_000);
  });

  test("readFault ignores the fields next to an OpenStack fault", () => {
    const fault = { itemNotFound: { code: 404, message: "no" } };
    expect(readFault({ status: "error", ...fault })).toEqual({ code: "itemNotFound", message: "no" });
    expect(readFault({ links: {}, ...fault })).toEqual({ code: "itemNotFound", message: "no" });
  });

  test("faultError advises to set force only for a create of a disk that is in use", () => {
    const advised = (code: string | undefined, message: string | undefined, operation: Operation) =>
      faultError("POST /", { status: 400, code, message }, { operation }).message.includes('"force": true');
    const inUse = "Invalid volume: current status is: in-use.";
    expect([advised("EVS.5400", inUse, "create"), advised("badRequest", inUse, "create")]).toEqual([true, true]);
    expect([advised("EVS.5400", inUse, "delete"), advised("EVS.54001", inUse, "create")]).toEqual([false, false]);
    expect([advised("XEVS.5400", inUse, "create"), advised(undefined, inUse, "create")]).toEqual([false, false]);
    expect([advised("EVS.5400", "status: error", "create"), advised("EVS.5400", undefined, "create")]).toEqual([
      false,
      false,
    ]);
  });

  test("faultError cuts the cloud's message to 2,000 characters", () => {
    const error = faultError("POST /", { status: 400, message: "x".repeat(9_000) }, { operation: "create" });
    expect(error.cloudMessage).toBe("x".repeat(2_000));
    expect(error.message.length).toBeLessThan(2_500);
  });
});

describe("a success response with an error in its body", () => {
  const body = JSON.stringify({ error: { code: "EVS.5400", message: "must specify a valid status" } });

  test("create-standard-snapshot searches for the snapshot and creates it again after a success response with an error", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    cloud.fault({ operation: "evs.createStandardSnapshot", nth: 1 }, { type: "answer", status: 202, body });
    const { result } = await invoke(createStandardSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result).toMatchObject({ statusCode: 202, headers: { "x-snapshot-outcome": "accepted" } });
    expect(requests().filter((operation) => operation === "evs.createStandardSnapshot")).toHaveLength(2);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-standard-snapshot creates nothing if the list response contains an error", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const list = JSON.stringify({ count: 0, snapshots: [], error: { code: "EVS.5500", message: "internal" } });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "answer", status: 200, body: list });
    const { result } = await invoke(createStandardSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "EVS.5500", reason: "CloudError" });
    expect(cloud.count("evs.createStandardSnapshot")).toBe(0);
  });
});

describe("the wait that the cloud asks for", () => {
  const now = Date.parse("2026-11-21T02:00:00Z");
  const MESSAGE = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 ";

  test.each<[header: string | undefined, message: string | undefined, wait: number | undefined]>([
    ["7", undefined, 7_000],
    ["0", undefined, 0],
    ["Sat, 21 Nov 2026 02:00:30 GMT", undefined, 30_000],
    ["7", `${MESSAGE}minute`, 7_000],
    [undefined, `${MESSAGE}second`, 1_000],
    [undefined, `${MESSAGE}minute`, 60_000],
    [undefined, "over ratelimit,limit:5,time:10 seconds", 10_000],
    [undefined, "over ratelimit,limit:5,time:2 Minutes", 120_000],
    // The message counts if the header is a date in the past or not a time.
    ["Sat, 21 Nov 2026 01:59:30 GMT", `${MESSAGE}second`, 1_000],
    ["soon", `${MESSAGE}second`, 1_000],
    ["-5", undefined, undefined],
    ["", undefined, undefined],
    ["Infinity", undefined, undefined],
    [undefined, "Retry later", undefined],
    [undefined, undefined, undefined],
    // The wait is at most one day.
    ["9".repeat(20), undefined, 86_400_000],
    ["1e22", undefined, 86_400_000],
    ["Fri, 31 Dec 9999 23:59:59 GMT", undefined, 86_400_000],
    [undefined, `over ratelimit,limit:5,time:${"9".repeat(30)} minute`, 86_400_000],
  ])(
    "retryAfterMs returns, for the header %j and the message %j, the number of milliseconds %s",
    (header, message, wait) => {
      expect(retryAfterMs(header, message, now)).toBe(wait);
    },
  );

  test("create-snapshot returns 429 with the wait in Retry-After if the wait is too long for the caller", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    const date = new Date(clock.now() + 90_000).toUTCString();
    cloud.fault(
      { operation: "evs.createSnapshot" },
      {
        type: "status",
        status: 429,
        body: { error_code: "APIGW.0308", error_msg: "slow" },
        headers: { "retry-after": date },
      },
    );
    const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result.statusCode).toBe(429);
    expect(result.headers["retry-after"]).toBe("90");
    expect(JSON.parse(result.body).error).toMatchObject({
      code: "APIGW.0308",
      message: expect.stringContaining(": 429 APIGW.0308: slow. "),
      reason: "Throttled",
    });
    expect(cloud.count("evs.createSnapshot")).toBe(1);
  });

  test.each<[fault: { retryAfter?: number; window?: "1 second" }, from: number]>([
    [{ retryAfter: 4 }, 4_000],
    [{ window: "1 second" }, 1_000],
  ])("create-snapshot waits after the throttling %j and then creates the snapshot", async (fault, from) => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "throttle", ...fault });
    const before = clock.now();
    const { result, records } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result.statusCode).toBe(202);
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(clock.now() - before).toBeGreaterThanOrEqual(from);
    expect(clock.now() - before).toBeLessThanOrEqual(from + 1_000);
  });
});

describe("DWS failures with the status 200", () => {
  const BODY = { snapshot: { name: "snapshot-3", cluster_id: "" } };
  const failure = (code: string, message: string) => ({
    type: "answer" as const,
    status: 200,
    body: JSON.stringify({ error_code: code, error_msg: message }),
  });

  test("create-cluster-snapshot waits for a busy cluster", async () => {
    const { cloud, invoke } = await createTestEnvironment({ random: () => 0.1 });
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot", nth: 1 }, failure("DWS.7023", "Cluster status is not allowed"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, headers: { "x-snapshot-outcome": "accepted" } });
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-cluster-snapshot returns 404 for an unknown cluster", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot" }, failure("DWS.0047", "no such cluster"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result.statusCode).toBe(404);
    expect(JSON.parse(result.body).error).toMatchObject({
      code: "DWS.0047",
      message: expect.stringContaining(": 200 DWS.0047: no such cluster. "),
      reason: "NotFound",
    });
  });

  test("create-cluster-snapshot searches for the snapshot before it tries again after an unknown code", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot", nth: 1 }, failure("DWS.9999", "system error"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, headers: { "x-snapshot-outcome": "accepted" } });
    const sent = requests();
    expect(sent.slice(0, 3)).toEqual(["dws.listSnapshots", "dws.createSnapshot", "dws.listSnapshots"]);
    expect(sent.at(-1)).toBe("dws.createSnapshot");
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-cluster-snapshot creates nothing if the list fails with the status 200", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.listSnapshots" }, failure("DWS.9999", "system error"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "DWS.9999", reason: "CloudError" });
    expect(cloud.count("dws.createSnapshot")).toBe(0);
  });

  test("create-cluster-snapshot treats the code DWS.0000 as success", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    const body = '{"error_code":"DWS.0000","error_msg":null,"snapshot":{"id":"2a4d0f86-67cd-408a-8b66-017454fb7793"}}';
    cloud.fault({ operation: "dws.createSnapshot" }, { type: "answer", status: 200, body });
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, body });
  });
});

describe("the record of an error response", () => {
  test("the record of an error response has the reason, code, message, status and request id of the cloud", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const id = "5aa119a8-d25b-45a7-8d1b-88e127885635";
    const { records, result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: id } }));
    expect(result.statusCode).toBe(404);
    const refused = cloud.requests.find(({ operation }) => operation === "evs.createSnapshot");
    expect(records[0]).toMatchObject({
      outcome: "failed",
      resource_id: id,
      error: { reason: "NotFound", code: "EVS.5404", status: 404, request_id: refused?.requestId },
    });
    expect(records[0].error.message).toContain(`POST /v2/${cloud.projectId}/cloudsnapshots: 404 EVS.5404: `);
  });

  test("create functions return Unsupported and name another kind in a region without standard snapshots", async () => {
    const { invoke, cloud } = await createTestEnvironment({ withoutStandardSnapshots: true });
    const disk = cloud.addVolume();
    for (const [factory, body] of [
      [createStandardSnapshot, { snapshot: { volume_id: disk.id } }],
      [createSnapshotGroup, { snapshot_group: { volume_ids: [disk.id] } }],
    ] as const) {
      const { result, records } = await invoke(factory, apig(body));
      expect(result.statusCode).toBe(400);
      expect(JSON.parse(result.body).error).toMatchObject({ code: "APIGW.0101", reason: "Unsupported" });
      expect(records[0].error.message).toContain("Use standard-snapshot instead of snapshot, or vice versa");
    }
  });

  test("create-snapshot reads the error bodies of older clouds", async () => {
    const { invoke } = await createTestEnvironment({ evsLimits: "classic", variables: { EVS_LIMITS: "classic" } });
    const { result } = await invoke(
      createSnapshot,
      apig({ snapshot: { volume_id: "5aa119a8-d25b-45a7-8d1b-88e127885635" } }),
    );
    expect(result.statusCode).toBe(404);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "itemNotFound", reason: "NotFound" });
  });
});
