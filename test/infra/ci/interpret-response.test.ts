import { describe, expect, test, vi } from "vitest";
import { post } from "../../../infra/ci/call.ts";
import { interpretFailedCall, interpretResponse } from "../../../infra/ci/interpret-response.ts";
import type { Selection } from "../../../infra/ci/options.ts";
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
  const RESPONSES: [string, number, unknown, string][] = [
    ["a ready response", 200, { status: "ready", ...entries }, "ready"],
    ["a ready response without a deployment id", 200, { status: "ready", snapshots: [AVAILABLE] }, "wait"],
    ["a ready response with a failed snapshot", 200,
      { ...entries, status: "ready", snapshots: [{ outcome: "failed" }] }, "failed"],
    ["a ready response with a snapshot that is not available yet", 200,
      { ...entries, status: "ready", snapshots: [{ outcome: "accepted" }] }, "wait"],
    ["a pending response", 202, { status: "pending", ...entries }, "wait"],
    ["a failed response", 502, { status: "failed", ...entries }, "failed"],
    ["a failed response with only conflicts", 502, failedBy("Conflict", "Conflict"), "badInput"],
    ["a failed response with a conflict and an invalid target", 502, failedBy("Conflict", "InvalidRequest"), "failed"],
    ["a failed response with a conflict and a failed snapshot", 502, failedBy("Conflict", "SnapshotFailed"), "failed"],
    ["a failed response with an unknown reason", 502, failedBy("New"), "failed"],
    ["a ready response with HTTP status 502", 502, { status: "ready" }, "wait"],
    ["a 200 with an unknown status", 200, { status: "okay" }, "badInput"],
    ["a 200 with an HTML page", 200, "<html>Sign in</html>", "badInput"],
    ["a redirect", 302, "", "badInput"],
    ["the gateway's own 502", 502, { error_msg: "Backend unavailable", error_code: "APIG.0201" }, "wait"],
    ["the gateway's own 504", 504, { error_msg: "Backend timeout.", error_code: "APIG.0201" }, "wait"],
    ["a function response that the gateway rejects", 500, { error_msg: "Invalid answer", error_code: "FSS.1202" },
      "wait"],
    ["a request timeout", 408, "", "wait"],
    ["too many calls", 429, { error_msg: "policy user over ratelimit", error_code: "APIG.0308" }, "wait"],
    ["a 503 of a proxy", 503, "<html>", "wait"],
    ["wrong credentials", 401, { error_msg: "Incorrect app authentication", error_code: "APIG.0303" }, "badInput"],
    ["a caller without authorization", 403, { error_msg: "denied", error_code: "APIG.0304" }, "badInput"],
    ["an address without an API", 404, { error_msg: "The API does not exist", error_code: "APIG.0101" }, "badInput"],
    ["an error with an unknown reason", 502, { error: { reason: "New", message: "?" } }, "wait"],
  ];
  test.each(RESPONSES)("the gate client interprets %s (%i %j) as %s", (_name, status, body, decision) => {
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
  const FAILURES: [string, object, object, string, RegExp[]][] = [
    ["tags that match nothing", { tags: TAGS }, refused, "badInput", [/the targets file with the tags/]],
    ["ids with excluded tags", { volume_ids: [ID], exclude_tags: TAGS }, refused, "badInput", [/with the tags/]],
    ["ids of which none exists", { volume_ids: [ID] }, refused, "badInput", [/the id in the targets file/]],
    ["the id of a disk that does not exist", { volume_ids: [ID.toUpperCase()] }, failed("NotFound"), "badInput",
      [/Check the id/]],
    ["a disk that is deleted after its tags were read", { tags: TAGS }, failed("NotFound"), "failed", [/Call again/]],
    ["a create whose outcome is not known", { tags: TAGS }, failed("OutcomeUnknown"), "failed",
      [/same --deployment-id/]],
    ["a disk that EVS rejects", { tags: TAGS }, failed("InvalidRequest"), "badInput", []],
    ["a function without the permission", { tags: TAGS }, failed("AccessDenied"), "failed", []],
    ["an unknown reason", { tags: TAGS }, failed("constructor"), "failed", []],
  ];
  test.each(FAILURES)(
    "the gate client prints only advice that fits the failure and the selected targets: %s",
    (_name, selection, body, decision, advice) => {
      const ownRequest = { deployment_id: "release-1", targets: [{ kind: "snapshot", ...selection }] };
      const verdict = interpretResponse({ status: 502, headers: {}, text: JSON.stringify(body) }, ownRequest);
      expect(verdict).toMatchObject({ decision, advice: advice.map((line) => expect.stringMatching(line)) });
    },
  );

  // biome-ignore format: the cases are easier to compare in rows
  const READY_RESPONSES: [string, string, object, (string | undefined)[]][] = [
    ["ready", "a disk whose id the request has in upper case", { kind: "snapshot", volume_ids: [ID.toUpperCase()] },
      [ID]],
    ["wait", "a disk with another id", { kind: "snapshot", volume_ids: [ID] }, [ID.replace("5", "6")]],
    ["wait", "a snapshot without a disk id", { kind: "snapshot", volume_ids: [ID] }, [undefined]],
    ["ready", "a disk id together with tags", { kind: "snapshot", volume_ids: [ID], tags: TAGS }, [ID]],
    ["wait", "a disk that the request selects neither by id nor by tags",
      { kind: "snapshot", volume_ids: [ID], tags: TAGS }, ["other"]],
    ["ready", "the only requested disk that no tag excludes",
      { kind: "snapshot", volume_ids: ["x", ID], exclude_tags: TAGS }, [ID]],
    ["wait", "a disk whose id the request does not contain",
      { kind: "snapshot", volume_ids: ["x"], exclude_tags: TAGS }, [ID]],
    ["wait", "a disk although the request selects a server", { kind: "snapshot-group", server_ids: [ID] }, [ID]],
    ["wait", "a request whose ids are not an array", { kind: "snapshot", volume_ids: null }, [undefined]],
  ];
  test.each(READY_RESPONSES)(
    "the gate client decides %s if a ready response contains %s",
    (decision, _name, selection, resources) => {
      const snapshots = resources.map((resource_id) => ({ ...AVAILABLE, kind: "snapshot", resource_id }));
      const text = JSON.stringify({ status: "ready", deployment_id: "release-1", snapshots });
      const ownRequest = { deployment_id: "release-1", targets: [selection as Selection] };
      expect(interpretResponse({ status: 200, headers: {}, text }, ownRequest)).toMatchObject({ decision });
    },
  );

  test("the gate client believes a ready response whose strings contain quotes and colons", () => {
    const detail = 'a \\"name": b\\\\", "outcome":"failed';
    const text = JSON.stringify({ status: "ready", ...entries, ":": detail, detail }, undefined, 2);
    expect(interpretResponse({ status: 200, headers: {}, text }, request)).toMatchObject({ decision: "ready" });
  });

  test("the gate client fails a call one second after its timeout if the transport never settles", async () => {
    const transport: Transport = () => new Promise(() => {});
    vi.useFakeTimers();
    try {
      const call = post(transport, new URL("http://127.0.0.1:9/"), { appCode: "code" }, {}, 65_000);
      const ended = expect(call).rejects.toThrow("no complete response within 66000 ms");
      await vi.advanceTimersByTimeAsync(66_000);
      await ended;
    } finally {
      vi.useRealTimers();
    }
  });

  // biome-ignore format: the cases are easier to compare in rows
  const FAILED_CALLS: [string, string, string, RegExp][] = [
    ["a certificate for another host", "ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match", "badInput",
      /bind a certificate for/],
    ["an expired certificate", "CERT_HAS_EXPIRED: certificate has expired", "badInput", /bind a certificate for/],
    ["a self-signed certificate", "DEPTH_ZERO_SELF_SIGNED_CERT: self-signed", "badInput", /NODE_EXTRA_CA_CERTS/],
    ["a certificate without its chain", "UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable", "badInput", /NODE_EXTRA_CA_CERTS/],
    ["an unknown host name", "ENOTFOUND: getaddrinfo ENOTFOUND gate", "badInput", /check --url.*HTTPS_PROXY/],
    ["a temporary failure of the resolver", "EAI_AGAIN: getaddrinfo EAI_AGAIN gate", "wait", /^EAI_AGAIN/],
    ["a broken connection", "ECONNRESET: socket hang up", "wait", /^ECONNRESET/],
    ["a broken connection whose message names a certificate error", "ECONNRESET: CERT_HAS_EXPIRED: ", "wait",
      /^ECONNRESET/],
    ["a timeout", "no answer within 65000 ms", "wait", /^no answer/],
  ];
  test.each(FAILED_CALLS)("the gate client interprets %s (%s) as %s", (_name, message, decision, summary) => {
    expect(interpretFailedCall(message)).toMatchObject({ decision, summary: expect.stringMatching(summary) });
  });

  test("the gate client has a decision for every error reason of the functions", () => {
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
      // The users of the client cannot change these settings.
      expect(advice?.join()).not.toMatch(/make_room|Idempotency-Key|[A-Z]{2,}_[A-Z]{2,}|agency/);
      expect(retryAfterMs).toBe(7_000);
    }
  });
});

test("the gate client escapes line separators, terminal controls, invisible characters and pipeline commands", () => {
  const signs = [
    0, 0x1b, 0x7f, 0x85, 0x9b, 0xad, 0x61c, 0x200b, 0x200e, 0x202a, 0x202e, 0x2028, 0x2029, 0x2066, 0x2069,
  ];
  expect(printable("a\u{e0041}b")).toBe("a\\udb40\\udc41b");
  for (const sign of [...signs, 0xfeff, 0xfff9, 0x3164, 0x115f]) {
    expect(printable(`a${String.fromCodePoint(sign)}b`)).toBe(`a\\u${sign.toString(16).padStart(4, "0")}b`);
  }
  expect(printable("a ##[error] b ##vso[task.complete result=Succeeded] c")).not.toMatch(/##/);
  expect(printable("## größe 数据库 é [1] #1 ##")).toBe("## größe 数据库 é [1] #1 ##");
});
