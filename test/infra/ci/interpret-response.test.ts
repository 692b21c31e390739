import { describe, expect, test, vi } from "vitest";
import { postJson } from "../../../infra/ci/call.ts";
import { interpretFailedCall, interpretResponse } from "../../../infra/ci/interpret-response.ts";
import type { TargetSelection } from "../../../infra/ci/options.ts";
import { printable } from "../../../infra/ci/printable.ts";
import { REASONS } from "../../../shared/core/errors.ts";
import type { Transport } from "../../../shared/huaweicloud/http/transport.ts";
import { AVAILABLE, TAGS } from "../../support/gate-client.ts";

describe("the gate client's interpretation of a response", () => {
  const request = { deployment_id: "release-1", targets: [{ kind: "standard-snapshot", tags: TAGS }] };
  const entries = { deployment_id: "release-1", snapshots: [AVAILABLE] };
  const failedBy = (...reasons: string[]) => ({
    status: "failed",
    snapshots: [...entries.snapshots, ...reasons.map((reason) => ({ outcome: "failed", error: { reason } }))],
  });

  // biome-ignore format: the cases are easier to compare in rows
  const RESPONSES: [string, string, number, unknown][] = [
    ["ready", 'a "ready" response with an available snapshot', 200, { status: "ready", ...entries }],
    ["wait", 'a "ready" response without a deployment id', 200, { status: "ready", snapshots: [AVAILABLE] }],
    ["failed", 'a "ready" response with a failed snapshot', 200,
      { ...entries, status: "ready", snapshots: [{ outcome: "failed" }] }],
    ["wait", 'a "ready" response with a snapshot that is not available yet', 200,
      { ...entries, status: "ready", snapshots: [{ outcome: "accepted" }] }],
    ["wait", 'a "pending" response', 202, { status: "pending", ...entries }],
    ["failed", 'a "failed" response without an error reason', 502, { status: "failed", ...entries }],
    ["badInput", 'a "failed" response in which every error has the reason Conflict', 502, failedBy("Conflict", "Conflict")],
    ["failed", 'a "failed" response with the error reasons Conflict and InvalidRequest', 502, failedBy("Conflict", "InvalidRequest")],
    ["failed", 'a "failed" response with the error reasons Conflict and SnapshotFailed', 502, failedBy("Conflict", "SnapshotFailed")],
    ["failed", 'a "failed" response with an unknown error reason', 502, failedBy("New")],
    ["wait", 'a "ready" response with the HTTP status 502', 502, { status: "ready" }],
    ["badInput", 'a response with the HTTP status 200 and the unknown status "okay"', 200, { status: "okay" }],
    ["badInput", "a response with the HTTP status 200 and an HTML page", 200, "<html>Sign in</html>"],
    ["badInput", "a redirect with the HTTP status 302", 302, ""],
    ["wait", "the HTTP status 502 from the gateway", 502, { error_msg: "Backend unavailable", error_code: "APIG.0201" }],
    ["wait", "the HTTP status 504 from the gateway", 504, { error_msg: "Backend timeout.", error_code: "APIG.0201" }],
    ["wait", "the gateway's HTTP status 500 for an invalid response of the function", 500,
      { error_msg: "Invalid answer", error_code: "FSS.1202" }],
    ["wait", "the HTTP status 408 (Request Timeout)", 408, ""],
    ["wait", "the gateway's HTTP status 429 for too many calls", 429,
      { error_msg: "policy user over ratelimit", error_code: "APIG.0308" }],
    ["wait", "a proxy's HTTP status 503 with an HTML page", 503, "<html>"],
    ["badInput", "the gateway's HTTP status 401 for wrong credentials", 401,
      { error_msg: "Incorrect app authentication", error_code: "APIG.0303" }],
    ["badInput", "the gateway's HTTP status 403 for a caller without permission", 403, { error_msg: "denied", error_code: "APIG.0304" }],
    ["badInput", "the HTTP status 403 of pre-deploy for a policy that the caller may not use", 403,
      { error: { reason: "AccessDenied", message: 'policy: expected pre-deploy, got "nightly".' } }],
    ["failed", "the HTTP status 502 of pre-deploy for a missing permission of the function", 502,
      { error: { reason: "AccessDenied", message: "denied" } }],
    ["badInput", "the gateway's HTTP status 404 for an address without an API", 404,
      { error_msg: "The API does not exist", error_code: "APIG.0101" }],
    ["wait", "the HTTP status 502 with an unknown error reason", 502, { error: { reason: "New", message: "?" } }],
  ];
  test.each(RESPONSES)("the gate client decides %j after %s", (decision, _name, status, body) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    expect(interpretResponse({ status, headers: {}, text }, request)).toMatchObject({ decision });
  });

  const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
  const refused = { error: { reason: "NotFound", message: "why" } };
  const failed = (reason: string, resource_id = ID) => ({
    status: "failed",
    snapshots: [{ outcome: "failed", resource_id, error: { reason } }],
  });
  // biome-ignore format: the cases are easier to compare in rows
  const FAILURES: [string, string, string, object, object, RegExp[]][] = [
    ["badInput", "advises to compare the tags", "no disk has the selected tags", { tags: TAGS }, refused, [/the targets file with the tags/]],
    ["badInput", "advises to compare the tags", "exclude_tags excludes every selected disk", { volume_ids: [ID], exclude_tags: TAGS }, refused,
      [/with the tags/]],
    ["badInput", "advises to check the id", "pre-deploy finds none of the selected ids", { volume_ids: [ID] }, refused,
      [/the id in the targets file/]],
    ["badInput", "advises to check the id", "a disk that is selected by id does not exist", { volume_ids: [ID.toUpperCase()] },
      failed("NotFound"), [/Check the id/]],
    ["failed", "advises to call pre-deploy again", "a disk that is selected by tags no longer exists", { tags: TAGS }, failed("NotFound"), [/Call again/]],
    ["failed", "advises to reuse the deployment id", "it is unknown whether EVS created a snapshot", { tags: TAGS }, failed("OutcomeUnknown"),
      [/same --deployment-id/]],
    ["badInput", "prints no advice", "EVS rejects the create request for a disk", { tags: TAGS }, failed("InvalidRequest"), []],
    ["failed", "prints no advice", "the function lacks a permission", { tags: TAGS }, failed("AccessDenied"), []],
    ["failed", "prints no advice", "the error reason is unknown", { tags: TAGS }, failed("constructor"), []],
  ];
  test.each(FAILURES)(
    "the gate client decides %j and %s if %s",
    (decision, _advice, _situation, selection, body, advice) => {
      const ownRequest = { deployment_id: "release-1", targets: [{ kind: "snapshot", ...selection }] };
      const verdict = interpretResponse({ status: 502, headers: {}, text: JSON.stringify(body) }, ownRequest);
      expect(verdict).toMatchObject({ decision, advice: advice.map((line) => expect.stringMatching(line)) });
    },
  );

  // biome-ignore format: the cases are easier to compare in rows
  const READY_RESPONSES: [string, string, object, (string | undefined)[]][] = [
    ["ready", "the request selects a disk by its id in upper case and the \"ready\" response has the id in lower case",
      { kind: "snapshot", volume_ids: [ID.toUpperCase()] }, [ID]],
    ["wait", "the disk id in the \"ready\" response differs from the requested id",
      { kind: "snapshot", volume_ids: [ID] }, [ID.replace("5", "6")]],
    ["wait", "a snapshot in the \"ready\" response has no disk id", { kind: "snapshot", volume_ids: [ID] }, [undefined]],
    ["ready", "the request selects by id and by tags, and the \"ready\" response contains the requested id",
      { kind: "snapshot", volume_ids: [ID], tags: TAGS }, [ID]],
    ["wait", "the request selects by id and by tags, and the \"ready\" response lacks the requested id",
      { kind: "snapshot", volume_ids: [ID], tags: TAGS }, ["other"]],
    ["ready", "the request excludes tags, and the \"ready\" response contains one of two requested ids",
      { kind: "snapshot", volume_ids: ["x", ID], exclude_tags: TAGS }, [ID]],
    ["wait", "the request excludes tags, and the \"ready\" response contains only an id that was not requested",
      { kind: "snapshot", volume_ids: ["x"], exclude_tags: TAGS }, [ID]],
    ["wait", "the request selects a server and the \"ready\" response contains a disk snapshot",
      { kind: "snapshot-group", server_ids: [ID] }, [ID]],
    ["wait", "the volume_ids of the request are null instead of an array", { kind: "snapshot", volume_ids: null }, [undefined]],
  ];
  test.each(READY_RESPONSES)("the gate client decides %j if %s", (decision, _name, selection, resources) => {
    const snapshots = resources.map((resource_id) => ({ ...AVAILABLE, kind: "snapshot", resource_id }));
    const text = JSON.stringify({ status: "ready", deployment_id: "release-1", snapshots });
    const ownRequest = { deployment_id: "release-1", targets: [selection as TargetSelection] };
    expect(interpretResponse({ status: 200, headers: {}, text }, ownRequest)).toMatchObject({ decision });
  });

  test('the gate client decides "ready" although strings in the "ready" response contain quotes and colons', () => {
    const detail = 'a \\"name": b\\\\", "outcome":"failed';
    const text = JSON.stringify({ status: "ready", ...entries, ":": detail, detail }, undefined, 2);
    expect(interpretResponse({ status: 200, headers: {}, text }, request)).toMatchObject({ decision: "ready" });
  });

  test("the gate client fails a call one second after the call's timeout if the HTTP transport never reports a result", async () => {
    const transport: Transport = () => new Promise(() => {});
    vi.useFakeTimers();
    try {
      const call = postJson(transport, new URL("http://127.0.0.1:9/"), { appCode: "code" }, {}, 65_000);
      const rejection = expect(call).rejects.toThrow("no complete response within 66000 ms");
      await vi.advanceTimersByTimeAsync(66_000);
      await rejection;
    } finally {
      vi.useRealTimers();
    }
  });

  // biome-ignore format: the cases are easier to compare in rows
  const FAILED_CALLS: [string, string, string, RegExp][] = [
    ["badInput", "the error of a certificate for another host name",
      "ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match", /bind a certificate for/],
    ["badInput", "the error of an expired certificate", "CERT_HAS_EXPIRED: certificate has expired",
      /bind a certificate for/],
    ["badInput", "the error of a self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT: self-signed",
      /NODE_EXTRA_CA_CERTS/],
    ["badInput", "the error of an incomplete certificate chain", "UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable",
      /NODE_EXTRA_CA_CERTS/],
    ["badInput", "the DNS error ENOTFOUND", "ENOTFOUND: getaddrinfo ENOTFOUND gate", /check --url.*HTTPS_PROXY/],
    ["wait", "the temporary DNS error EAI_AGAIN", "EAI_AGAIN: getaddrinfo EAI_AGAIN gate", /^EAI_AGAIN/],
    ["wait", "a connection reset", "ECONNRESET: socket hang up", /^ECONNRESET/],
    ["wait", "a connection reset whose message contains CERT_HAS_EXPIRED", "ECONNRESET: CERT_HAS_EXPIRED: ",
      /^ECONNRESET/],
    ["wait", "a call without a response within 65 s", "no response within 65000 ms", /^no response/],
  ];
  test.each(FAILED_CALLS)("the gate client decides %j after %s", (decision, _name, message, summary) => {
    expect(interpretFailedCall(message)).toMatchObject({ decision, summary: expect.stringMatching(summary) });
  });

  test("the gate client has a decision and advice for every error reason that the functions return", () => {
    const verdicts = Object.entries(REASONS).map(([reason, { httpStatus }]) => {
      const text = JSON.stringify({ error: { code: "X", message: "why", reason, request_id: "1" } });
      return [
        reason,
        interpretResponse({ status: httpStatus, headers: { "retry-after": "7" }, text }, request),
      ] as const;
    });
    const reasonsFor = (decision: string) =>
      verdicts.filter(([, verdict]) => verdict.decision === decision).map(([reason]) => reason);
    expect(reasonsFor("badInput")).toEqual(["InvalidRequest", "Unsupported", "NotFound", "Conflict"]);
    expect(reasonsFor("failed").sort()).toEqual(
      ["QuotaExceeded", "AccessDenied", "AccountSuspended", "SnapshotFailed", "Misconfigured"].sort(),
    );
    expect(reasonsFor("wait")).toHaveLength(Object.keys(REASONS).length - 9);
    for (const [reason, { summary, advice, retryAfterMs }] of verdicts) {
      expect(summary).toContain(`${reason}: why`);
      for (const line of advice ?? []) expect(line).toMatch(`${reason}: `);
      // Users of the gate client cannot change the settings of pre-deploy, so the advice must not name them.
      expect(advice?.join()).not.toMatch(/make_room|Idempotency-Key|[A-Z]{2,}_[A-Z]{2,}|agency/);
      expect(retryAfterMs).toBe(7_000);
    }
  });
});

test("the gate client escapes line separators, terminal controls, invisible characters and pipeline commands", () => {
  const codePoints = [
    0, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x61c, 0x200b, 0x200e, 0x202a, 0x202e, 0x2028, 0x2029, 0x2066, 0x2069,
  ];
  expect(printable("a\u{e0041}b")).toBe("a\\udb40\\udc41b");
  for (const codePoint of [...codePoints, 0xfeff, 0xfff9, 0x3164, 0x115f]) {
    expect(printable(`a${String.fromCodePoint(codePoint)}b`)).toBe(`a\\u${codePoint.toString(16).padStart(4, "0")}b`);
  }
  expect(printable("a ##[error] b ##vso[task.complete result=Succeeded] c")).not.toMatch(/##/);
  expect(printable("## größe 数据库 é [1] #1 ##")).toBe("## größe 数据库 é [1] #1 ##");
});
