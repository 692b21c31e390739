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

describe("every envelope (cloud-apis.md 4.1) gives its code and its message", () => {
  test.each<[what: string, body: unknown, code: string | undefined, message: string | undefined]>([
    ["EVS", { error: { code: "EVS.1047", message: "no" } }, "EVS.1047", "no"],
    [
      "EVS with an authorization message",
      { error: { code: "EVS.0003", message: "no", encoded_authorization_message: "x" } },
      "EVS.0003",
      "no",
    ],
    ["IAM", { error: { code: 401, title: "Unauthorized", message: "no" } }, "401", "no"],
    ["OpenStack, a number", { itemNotFound: { code: 404, message: "no" } }, "itemNotFound", "no"],
    ["OpenStack, a number as text", { badRequest: { code: "400", message: "no" } }, "badRequest", "no"],
    ["OpenStack, a code of the service", { badRequest: { code: "EVS.2409", message: "no" } }, "EVS.2409", "no"],
    ["OpenStack, no code", { overLimit: { message: "no", retryAfter: "0" } }, "overLimit", "no"],
    ["OpenStack, another name", { conflictingRequest: { code: 409, message: "no" } }, "conflictingRequest", "no"],
    ["the gateway", { error_msg: "no", error_code: "APIGW.0301", request_id: "r" }, "APIGW.0301", "no"],
    [
      "DWS, everything twice",
      { externalMessage: "no", errCode: "DWS.7023", error_code: "DWS.7023", error_msg: "no" },
      "DWS.7023",
      "no",
    ],
    ["DWS, the older half of it", { externalMessage: "no", errCode: "DWS.7023" }, "DWS.7023", "no"],
    ["LTS, reports", { errorCode: "SVCSTG.ALS.403.105", error_msg: "no", result: null }, "SVCSTG.ALS.403.105", "no"],
    ["LTS, management", { errorCode: "LTS.0201", errorMessage: "no" }, "LTS.0201", "no"],
    ["top level", { code: "X.1", message: "no" }, "X.1", "no"],
    ["a code alone", { error: { code: "EVS.5500" } }, "EVS.5500", undefined],
    ["a message alone", { error_msg: "no" }, undefined, "no"],
    ["a number for a code", { code: 0, message: "" }, "0", undefined],
    ["an error that is a text", { status: 404, error: "Not Found", path: "/" }, undefined, undefined],
    ["fields of other types", { error: { code: null, message: ["no"] } }, undefined, undefined],
    ["nothing in it", {}, undefined, undefined],
    ["null", null, undefined, undefined],
    ["a list", [{ error: { code: "EVS.1047" } }], undefined, undefined],
    ["a text", "no", undefined, undefined],
  ])("%s", (_what, body, code, message) => {
    expect(readFault(body)).toEqual({ code, message });
  });

  test.each(["", " ", "{", '{"error":{"code":"EVS.1', "<html><h1>502 Bad Gateway</h1></html>", "upstream timeout"])(
    "what is no JSON has neither, and its status speaks for it: %j",
    async (body) => {
      const { cloud, invoke } = await createTestEnvironment();
      cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 502, body });
      cloud.fault({ operation: "evs.createSnapshot", nth: 2 }, { type: "answer", status: 403, body });
      const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
      // The service's own fault leaves it open, so it was tried again; the refusal is the answer.
      expect(result.statusCode).toBe(502);
      expect(JSON.parse(result.body).error).toMatchObject({
        code: "AccessDenied",
        reason: "AccessDenied",
        message: expect.stringContaining("403 without a code: no message that could be read."),
      });
    },
  );

  test.each(["current", "classic"] as const)(
    "a disk in use that is not forced: the record says how (%s)",
    async (limits) => {
      const { cloud, invoke } = await createTestEnvironment({ evsLimits: limits, variables: { EVS_LIMITS: limits } });
      const disk = cloud.addVolume({ serverId: cloud.addServer().id }).id;
      const { result, records } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk, force: false } }));
      // The caller gets the cloud's own message and the advice.
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

  test("an operator is shown both, and what to do, in any of them", () => {
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

/** Errors while another operation on the disk is under way, in every form that was seen. They end by themselves. */
const PASSING: Case[] = [
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

/** No code is known for a region or a disk type that offers no such snapshot: its words say it (cloud-apis.md 9). */
const BY_WORDS: Case[] = [
  ["EVS.5400", 400, "Unsupported", "create", "Creating legacy snapshots is not supported in this region."],
  ["EVS.5403", 403, "AccessDenied", "create", "The operation is not supported for this user."],
  ["EVS.1013", 400, "Unsupported", "create", "volume type SAS does not support instant access"],
  ["EVS.1013", 400, "InvalidRequest", "read", "sort_key is not supported"],
  ["EVS.5500", 500, "CloudError", "create", "unsupported state"],
  ["EVS.5400", 400, "InvalidRequest", "create", "Must specify a valid status."],
];

const each = (cases: Case[]) =>
  test.each(cases)("%s with %i is %s %j %j", (code, status, reason, operation = "create", message = "") => {
    expect(reasonOf({ status, code: code === "" ? undefined : code, message }, operation)).toBe(reason);
  });

describe("every code has its reason", () => {
  describe("EVS (4.2)", () => each(EVS));
  describe("OpenStack (4.1)", () => each(OPENSTACK));
  describe("the gateway (4.3)", () => each(GATEWAY.map(([code, ...rest]) => [`APIGW.${code}`, ...rest])));
  describe("the shared gateway (4.3)", () => each(GATEWAY.map(([code, ...rest]) => [`APIG.${code}`, ...rest])));
  describe("DWS (3)", () => each(DWS));
  describe("no code at all", () => each(WITHOUT_CODE));
  describe("words", () => each(BY_WORDS));
  describe("errors that end by themselves", () => each(PASSING));

  test("a create may have been carried out after a fault of the service, and after a refusal of unknown origin", () => {
    const open = ([code, status, , operation = "create", message]: Case) =>
      faultError("POST /", { status, code, message }, { operation }).ambiguous;
    const all = [...EVS, ...OPENSTACK, ...DWS, ...BY_WORDS];
    for (const one of all)
      expect([one, open(one)]).toEqual([one, one[2] === "CloudError" && (one[3] ?? "create") === "create"]);
    const withoutCode = WITHOUT_CODE.map(([, status]) => [
      status,
      faultError("POST /", { status }, { operation: "create" }).ambiguous,
      faultError("GET /", { status }, { operation: "read" }).ambiguous,
    ]);
    expect(withoutCode).toEqual(WITHOUT_CODE.map(([, status]) => [status, status !== 429, false]));
  });
});

describe("a delete that finds nothing", () => {
  const open = (code: string, status: number, message = "") =>
    faultError("DELETE /", { status, code, message }, { operation: "delete" }).ambiguous;

  test("is of the snapshot, in each service's own words: it is gone", () => {
    expect([open("EVS.5404", 404), open("itemNotFound", 404), open("DWS.0001", 400), open("DWS.5149", 400)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });

  test.each([
    ["EVS.5404", 404, "Volume 5aa119a8 could not be found.", true],
    ["EVS.5404", 404, "The project does not exist.", true],
    ["itemNotFound", 404, "The resource could not be found.", true],
    ["DWS.0001", 400, "The cluster does not exist.", true],
    ["EVS.5404", 404, "Snapshot 5aa119a8 of the volume could not be found.", false],
    ["itemNotFound", 404, "Not found.", false],
    // A status with which no service says so.
    ["itemNotFound", 503, "Not found.", true],
    ["EVS.5404", 400, "", true],
    ["DWS.5149", 422, "", true],
    ["DWS.0001", 499, "", true],
  ])("%s with %i and the words %j leaves open whether the snapshot exists: %s", (code, status, message, isOpen) => {
    expect(open(code, status, message)).toBe(isOpen);
  });

  test("may be of something else, in all other words: that leaves it open", () => {
    expect([open("DWS.0015", 403), open("DWS.3027", 404), open("404", 404), open("EVS.9999", 404)]).toEqual([
      true,
      true,
      true,
      true,
    ]);
  });
});

describe("what looks like a known refusal and is another one", () => {
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
  ])("%i %s: %s (%s) is %s", (status, code, message, operation, reason) => {
    expect(reasonOf({ status, code, message }, operation)).toBe(reason);
  });

  test("a code that only begins or ends as a known one does", () => {
    const known = [...EVS, ...DWS, ...GATEWAY].map(([code]) => code);
    const gateway = ["APIG.0301", "APIG.0308", "APIG.0310", "APIGW.0301", "APIGW.0308", "APIGW.0310"];
    const codes = [...known, ...gateway, "itemNotFound", "overLimit"].filter((code) => code !== "");
    for (const code of codes.flatMap((one) => [`X${one}`, `${one}0`])) {
      expect(reasonOf({ status: 418, code }, "delete"), code).toBe("InvalidRequest");
      const { ambiguous: open } = faultError("DELETE /", { status: 404, code }, { operation: "delete" });
      expect(open, code).toBe(true);
    }
  });

  test("the gateway's codes say it under both of its names, whatever the status", () => {
    for (const gateway of ["APIG", "APIGW"]) {
      const reasons = ["0301", "0307", "0308", "0309", "0310"].map((code) =>
        reasonOf({ status: 418, code: `${gateway}.${code}` }, "read"),
      );
      expect(reasons).toEqual(["AccessDenied", "AccessDenied", "Throttled", "InvalidRequest", "AccountSuspended"]);
    }
    expect(retryAfterMs(undefined, "limit:5,time:1minute", 0)).toBe(60_000);
  });

  test("what stands beside OpenStack's fault says nothing", () => {
    const fault = { itemNotFound: { code: 404, message: "no" } };
    expect(readFault({ status: "error", ...fault })).toEqual({ code: "itemNotFound", message: "no" });
    expect(readFault({ links: {}, ...fault })).toEqual({ code: "itemNotFound", message: "no" });
  });

  test("force is advised where it helps and nowhere else", () => {
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

  test("of a message without end the first 2,000 characters are passed on", () => {
    const error = faultError("POST /", { status: 400, message: "x".repeat(9_000) }, { operation: "create" });
    expect(error.cloudMessage).toBe("x".repeat(2_000));
    expect(error.message.length).toBeLessThan(2_500);
  });
});

describe("an answer of success with an error in its body", () => {
  const body = JSON.stringify({ error: { code: "EVS.5400", message: "must specify a valid status" } });

  test("is none: a create is looked for, and made if it was not", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    cloud.fault({ operation: "evs.createStandardSnapshot", nth: 1 }, { type: "answer", status: 202, body });
    const { result } = await invoke(createStandardSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result).toMatchObject({ statusCode: 202, headers: { "x-snapshot-outcome": "accepted" } });
    expect(requests().filter((one) => one === "evs.createStandardSnapshot")).toHaveLength(2);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("is no list either", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const list = JSON.stringify({ count: 0, snapshots: [], error: { code: "EVS.5500", message: "internal" } });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "answer", status: 200, body: list });
    const { result } = await invoke(createStandardSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "EVS.5500", reason: "CloudError" });
    expect(cloud.count("evs.createStandardSnapshot")).toBe(0);
  });
});

describe("how long the cloud asks to wait", () => {
  const now = Date.parse("2026-11-21T02:00:00Z");
  const SAYS = "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 ";

  test.each<[header: string | undefined, message: string | undefined, wait: number | undefined]>([
    ["7", undefined, 7_000],
    ["0", undefined, 0],
    ["Sat, 21 Nov 2026 02:00:30 GMT", undefined, 30_000],
    ["7", `${SAYS}minute`, 7_000],
    [undefined, `${SAYS}second`, 1_000],
    [undefined, `${SAYS}minute`, 60_000],
    [undefined, "over ratelimit,limit:5,time:10 seconds", 10_000],
    [undefined, "over ratelimit,limit:5,time:2 Minutes", 120_000],
    // A date that has passed and what is no time leave it to the message.
    ["Sat, 21 Nov 2026 01:59:30 GMT", `${SAYS}second`, 1_000],
    ["soon", `${SAYS}second`, 1_000],
    ["-5", undefined, undefined],
    ["", undefined, undefined],
    ["Infinity", undefined, undefined],
    [undefined, "Retry later", undefined],
    [undefined, undefined, undefined],
    // More than a day is a mistake, and in seconds may be a number that no header takes.
    ["9".repeat(20), undefined, 86_400_000],
    ["1e22", undefined, 86_400_000],
    ["Fri, 31 Dec 9999 23:59:59 GMT", undefined, 86_400_000],
    [undefined, `over ratelimit,limit:5,time:${"9".repeat(30)} minute`, 86_400_000],
  ])("Retry-After %j, message %j: %s ms", (header, message, wait) => {
    expect(retryAfterMs(header, message, now)).toBe(wait);
  });

  test("a caller is told so, where it is longer than a caller is kept waiting", async () => {
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
  ])("%j is waited for, and then it is made", async (fault, from) => {
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

describe("DWS fails with status 200", () => {
  const BODY = { snapshot: { name: "snapshot-3", cluster_id: "" } };
  const failure = (code: string, message: string) => ({
    type: "answer" as const,
    status: 200,
    body: JSON.stringify({ error_code: code, error_msg: message }),
  });

  test("a busy cluster is waited for", async () => {
    const { cloud, invoke } = await createTestEnvironment({ random: () => 0.1 });
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot", nth: 1 }, failure("DWS.7023", "Cluster status is not allowed"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, headers: { "x-snapshot-outcome": "accepted" } });
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("an unknown cluster is not found", async () => {
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

  test("a code that nobody knows leaves open whether it was made: looked for before it is tried again", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot", nth: 1 }, failure("DWS.9999", "system error"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, headers: { "x-snapshot-outcome": "accepted" } });
    const looked = requests();
    expect(looked.slice(0, 3)).toEqual(["dws.listSnapshots", "dws.createSnapshot", "dws.listSnapshots"]);
    expect(looked.at(-1)).toBe("dws.createSnapshot");
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("in a list: never taken for an empty one", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.listSnapshots" }, failure("DWS.9999", "system error"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "DWS.9999", reason: "CloudError" });
    expect(cloud.count("dws.createSnapshot")).toBe(0);
  });

  test("DWS.0000 is success, and a snapshot's own answer has no code", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    const body = '{"error_code":"DWS.0000","error_msg":null,"snapshot":{"id":"2a4d0f86-67cd-408a-8b66-017454fb7793"}}';
    cloud.fault({ operation: "dws.createSnapshot" }, { type: "answer", status: 200, body });
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, body });
  });
});

describe("the record of a refusal names what a support ticket needs", () => {
  test("reason, code, message, status and the cloud's request id", async () => {
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

  test("a region without standard snapshots: unsupported, with the kind to try instead", async () => {
    const { invoke, cloud } = await createTestEnvironment({ withoutStandardSnapshots: true });
    const disk = cloud.addVolume();
    for (const [factory, body] of [
      [createStandardSnapshot, { snapshot: { volume_id: disk.id } }],
      [createSnapshotGroup, { snapshot_group: { volume_ids: [disk.id] } }],
    ] as const) {
      const { result, records } = await invoke(factory, apig(body));
      expect(result.statusCode).toBe(400);
      expect(JSON.parse(result.body).error).toMatchObject({ code: "APIGW.0101", reason: "Unsupported" });
      expect(records[0].error.message).toContain("try standard-snapshot instead of snapshot, or the reverse");
    }
  });

  test("the older cloud's envelopes are read as well", async () => {
    const { invoke } = await createTestEnvironment({ evsLimits: "classic", variables: { EVS_LIMITS: "classic" } });
    const { result } = await invoke(
      createSnapshot,
      apig({ snapshot: { volume_id: "5aa119a8-d25b-45a7-8d1b-88e127885635" } }),
    );
    expect(result.statusCode).toBe(404);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "itemNotFound", reason: "NotFound" });
  });
});
