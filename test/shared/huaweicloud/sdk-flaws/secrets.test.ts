/**
 * Tests that no flaw of the official SDK affects this project. SOURCES.md#sdk-flaws lists the flaws. A flaw has no test in
 * this folder if this project never bundles or never calls the faulty code. The bundles do not contain axios, AuthCache, log4js
 * and uuid (sdk-stubs.test.ts). No SDK client gets a region, because a region would take precedence over an endpoint.
 */
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClusterSnapshot } from "../../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import { createStandardSnapshot } from "../../../../functions/create-standard-snapshot/handler.ts";
import type { Fault } from "../../../../infra/local/cloud/index.ts";
import { runBare } from "../../../support/bare-node.ts";
import { WITHOUT_TOPIC } from "../../../support/common.ts";
import { apig, createTestEnvironment } from "../../../support/environment.ts";
import { callCreateSnapshot, contextFor, createEvent, DISK, startRealTimeCloud } from "../../../support/sdk-flaws.ts";

describe("secrets in the output (SOURCES.md#sdk-logs-secrets)", () => {
  const FAULTS: Fault[] = [
    { type: "status", status: 400, after: false },
    { type: "status", status: 500, after: false },
    { type: "reset", after: false },
    { type: "cut", after: false },
    { type: "notJson", after: false },
    { type: "notJson", after: false, html: true },
    { type: "redirect", location: "http://127.0.0.1:1/" },
    { type: "throttle" },
    { type: "expiredToken" },
    { type: "clockSkew", ms: 3_600_000 },
    { type: "hang", after: false },
  ];

  test.each(["DEBUG", ""])(
    "create-snapshot with DEBUG=%j prints no secret if the list request fails with an error status, a broken connection, an invalid body, a redirect or no response",
    async (DEBUG) => {
      const cloud = await startRealTimeCloud();
      // Only the list request fails, because the function waits only briefly before it repeats a list request.
      const calls = FAULTS.map((fault) => {
        const disk = cloud.addVolume();
        cloud.fault({ operation: "evs.listSnapshots", resource: disk.id }, fault);
        const context = contextFor(cloud, { HTTP_TIMEOUT_MS: "40" });
        return { event: createEvent(disk.id), context: { ...context, getRemainingTimeInMilliSeconds: 800 } };
      });
      const { returned, stdout, stderr } = await runBare("create-snapshot", calls, {
        environment: { DEBUG },
        together: true,
      });
      // On a slow machine, the invocation's time runs out before the retries end, which leads to a different error status.
      for (const { result } of returned) expect(result.statusCode).toBeGreaterThanOrEqual(400);
      const output = JSON.stringify(returned) + stdout + stderr;
      const secrets = [...Object.values(cloud.credentials).map(String), "SDK-HMAC-SHA256", "Signature="];
      for (const secret of secrets) expect(output).not.toContain(secret);
      // Each invocation prints two records and nothing else, one JSON object per line.
      const lines = stdout.trimEnd().split("\n");
      expect(lines.map((line) => JSON.parse(line).version)).toEqual(FAULTS.flatMap(() => [1, 1]));
      expect(stderr).toBe("");
    },
  );

  test("create-snapshot prints no secret if the create request fails, even if the error message of EVS contains the secrets", async () => {
    const written: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
    }
    onTestFinished(() => void vi.restoreAllMocks());
    const outputs: string[] = [];
    for (const fault of FAULTS) {
      const environment = await createTestEnvironment();
      environment.cloud.fault({ operation: "evs.createSnapshot" }, fault);
      outputs.push((await callCreateSnapshot(environment)).output);
    }
    const environment = await createTestEnvironment();
    const { ak, sk, securityToken, token } = environment.cloud.credentials;
    const message = `bad key ${ak} ${sk} ${securityToken}`;
    const body = JSON.stringify({ error: { code: "EVS.0002", message } });
    environment.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: 400, body });
    const { error, output } = await callCreateSnapshot(environment);
    expect(error.message).toContain(": 400 EVS.0002: bad key *** *** ***. ");
    vi.restoreAllMocks();
    for (const secret of [ak, sk, securityToken, token, "Signature="]) {
      expect([...outputs, output, ...written].join("\n")).not.toContain(secret);
    }
  });
});

describe("state after an invocation (SOURCES.md#sdk-static-state)", () => {
  test("create-snapshot keeps no access key, token, request or response in memory after the invocation", async () => {
    const cloud = await startRealTimeCloud();
    const first = { ak: "FIRSTACCESSKEY", sk: "first-secret-key", securityToken: "first-security-token" };
    cloud.addCredentials(first);
    const disk = cloud.addVolume({ id: "11111111-1111-4111-8111-111111111111" });
    const event = apig({ snapshot: { volume_id: disk.id, name: "name-of-the-first" } });
    const context = {
      ...contextFor(cloud),
      getSecurityAccessKey: first.ak,
      getSecuritySecretKey: first.sk,
      getSecurityToken: first.securityToken,
    };
    const { returned, heap } = await runBare("create-snapshot", [{ event, context }], { heap: true });
    expect(returned[0]?.result.statusCode).toBe(202);
    const kept = [...Object.values(first), disk.id, "name-of-the-first"].filter((text) => heap.includes(text));
    expect(kept).toEqual([]);
    // The heap must contain this string. The check shows that `heap.includes` can find strings.
    expect(heap).toContain("snapshot-functions");
  });
});

// SOURCES.md#sdk-sticky-project-id.
test("create-snapshot uses the project and the access key of the current invocation if one process handles several invocations", async () => {
  const environment = await createTestEnvironment();
  const { cloud } = environment;
  const other = { ak: "OTHER", sk: "other-secret", securityToken: "other-token", projectId: "f".repeat(32) };
  cloud.addCredentials(other);
  const handler = createSnapshot(environment.runtime) as never;
  for (const [credentials, PROJECT_ID] of [
    [cloud.credentials, cloud.projectId],
    [other, other.projectId],
    [cloud.credentials, cloud.projectId],
  ] as const) {
    const earlierRequests = cloud.requests.length;
    const variables = { PROJECT_ID, ...WITHOUT_TOPIC };
    const { result } = await environment.invoke(() => handler, createEvent(cloud.addVolume().id), {
      credentials,
      variables,
    });
    expect(result.statusCode).toBe(202);
    for (const { path, headers } of cloud.requests.slice(earlierRequests)) {
      expect([path.split("/")[2], headers["x-project-id"]]).toEqual([PROJECT_ID, PROJECT_ID]);
    }
  }
  expect(cloud.refusedSignatures).toEqual([]);
});

describe("ids that are too long or would change a URL path (SOURCES.md#sdk-unencoded-paths)", () => {
  const IDS = [
    "a/../b",
    "..",
    ".",
    "$&",
    "a b",
    "a%2Fb",
    "%2e%2e",
    "a?b=c",
    "a#b",
    "a\\b",
    "a\nb",
    "ä",
    "{project_id}",
    "a".repeat(65),
  ];

  test.each(IDS)(
    "create-snapshot fails with Misconfigured instead of putting the project id %j into a URL",
    async (id) => {
      const { cloud, invoke } = await createTestEnvironment();
      const { result } = await invoke(createSnapshot, createEvent(cloud.addVolume().id), {
        variables: { PROJECT_ID: id },
      });
      expect(result.statusCode).toBe(500);
      const { error } = JSON.parse(result.body);
      expect(error).toMatchObject({
        reason: "Misconfigured",
        message: expect.stringMatching(/^PROJECT_ID: expected an id/),
      });
      expect(cloud.requests).toEqual([]);
    },
  );

  test.each(["LTS_LOG_GROUP_ID", "LTS_LOG_STREAM_ID"])(
    "create-snapshot fails with Misconfigured instead of putting %s into a URL if the variable contains a slash or another unsafe character",
    async (name) => {
      for (const id of IDS) {
        const { cloud, invoke } = await createTestEnvironment();
        const { result } = await invoke(createSnapshot, createEvent(cloud.addVolume().id), {
          variables: { [name]: id },
        });
        expect(JSON.parse(result.body).error).toMatchObject({
          reason: "Misconfigured",
          message: expect.stringContaining(name),
        });
        expect(cloud.requests).toEqual([]);
      }
    },
  );

  test.each(IDS)("create functions return 400 instead of putting the disk or cluster id %j into a URL", async (id) => {
    const { cloud, invoke } = await createTestEnvironment();
    for (const [factory, body] of [
      [createSnapshot, { snapshot: { volume_id: id } }],
      [createStandardSnapshot, { snapshot: { volume_id: id } }],
      [createClusterSnapshot, { snapshot: { name: "snapshot-3", cluster_id: id } }],
    ] as const) {
      const { result } = await invoke(factory, apig(body));
      expect(result.statusCode).toBe(400);
    }
    expect(cloud.requests.map(({ operation }) => operation)).toEqual(Array(3).fill("lts.reportLogs"));
  });
});

// SOURCES.md#sdk-application-id, SOURCES.md#sdk-log4js.
test("create-snapshot writes no file and sends no application id in the user-agent header", async () => {
  const cloud = await startRealTimeCloud();
  const calls = [DISK, cloud.addVolume().id].map((id) => ({ event: createEvent(id), context: contextFor(cloud) }));
  const { returned, files } = await runBare("create-snapshot", calls, { environment: { DEBUG: "DEBUG" } });
  expect(returned.map(({ result }) => result.statusCode)).toEqual([404, 202]);
  expect(files).toEqual({ code: ["index.js"], home: [] });
  for (const { headers } of cloud.requests) expect(headers["user-agent"]).toBe("snapshot-functions");
});

describe("credentials of the environment (SOURCES.md#sdk-environment-credentials)", () => {
  test("create-snapshot ignores environment variables that only the SDK reads, such as HUAWEICLOUD_SDK_ID_TOKEN_FILE", async () => {
    const cloud = await startRealTimeCloud();
    const environment = {
      HUAWEICLOUD_SDK_AK: cloud.credentials.ak,
      HUAWEICLOUD_SDK_TYPE: "../../../../tmp/evil",
      HUAWEICLOUD_SDK_PROJECT_ID: "f".repeat(32),
      HUAWEICLOUD_SDK_DOMAIN_ID: "f".repeat(32),
      HUAWEICLOUD_SDK_IDP_ID: "idp",
      HUAWEICLOUD_SDK_ID_TOKEN_FILE: "/etc/hostname",
      HUAWEICLOUD_SDK_IAM_ENDPOINT: cloud.url,
      HUAWEICLOUD_SDK_REGIONS_FILE: "/etc/hostname",
    };
    const withoutAgency = { getProjectID: cloud.projectId, variables: { EVS_ENDPOINT: cloud.url } };
    const event = createEvent(cloud.addVolume().id);
    const { returned } = await runBare("create-snapshot", [{ event, context: withoutAgency }], { environment });
    expect(JSON.parse(returned[0]?.result.body).error.reason).toBe("Misconfigured");
    expect(cloud.requests).toEqual([]);
    // The function accepts a complete access key from the environment, but takes the project id from the context.
    const { sk, securityToken } = cloud.credentials;
    const complete = { ...environment, HUAWEICLOUD_SDK_SK: sk, HUAWEICLOUD_SDK_SECURITY_TOKEN: String(securityToken) };
    const later = await runBare("create-snapshot", [{ event, context: withoutAgency }], { environment: complete });
    expect(later.returned[0]?.result.statusCode).toBe(202);
    expect(cloud.requests.map(({ headers }) => headers["x-project-id"])).toEqual([cloud.projectId, cloud.projectId]);
  });

  test("create-snapshot uses the agency's access key even if environment variables contain a different access key", async () => {
    const cloud = await startRealTimeCloud();
    const environment = { HUAWEICLOUD_SDK_AK: "SOMEBODY", HUAWEICLOUD_SDK_SK: "else" };
    const call = { event: createEvent(cloud.addVolume().id), context: contextFor(cloud) };
    const { returned } = await runBare("create-snapshot", [call], { environment });
    expect(returned[0]?.result.statusCode).toBe(202);
    expect(cloud.refusedSignatures).toEqual([]);
  });
});
