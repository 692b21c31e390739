/**
 * Tests that no flaw of the official SDK affects this project. The flaws are listed in SOURCES.md#sdk-flaws. Flaws without a test
 * here are in code that this project never builds or calls: axios options, AuthCache, log4js and uuid are not in the bundles
 * (sdk-stubs.test.ts), and no client gets a region, which would win over an endpoint.
 */
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClusterSnapshot } from "../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../functions/create-snapshot/handler.ts";
import { createStandardSnapshot } from "../../../functions/create-standard-snapshot/handler.ts";
import { type EmbeddedCloud, type Fault, startCloud } from "../../../infra/local/cloud/index.ts";
import { sendOptions } from "../../../shared/huaweicloud/http/sdk-client.ts";
import { type BareContext, runBare } from "../../support/bare-node.ts";
import { selfSigned } from "../../support/certificate.ts";
import { apig, createTestEnvironment, type TestEnvironment } from "../../support/environment.ts";
import { answering, behindTls, connectionTo } from "../../support/wire.ts";

const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";
const create = (volume_id: string) => apig({ snapshot: { volume_id, name: "snap-001" } });

/** Starts a cloud with the real clock, for functions in a separate process. */
async function realCloud(): Promise<EmbeddedCloud> {
  const cloud = await startCloud();
  onTestFinished(() => cloud.close());
  return cloud;
}

const contextFor = (cloud: EmbeddedCloud, variables: Record<string, string> = {}): BareContext => ({
  getRequestID: "request-1",
  getRemainingTimeInMilliSeconds: 20_000,
  getSecurityAccessKey: cloud.credentials.ak,
  getSecuritySecretKey: cloud.credentials.sk,
  getSecurityToken: cloud.credentials.securityToken ?? "",
  getProjectID: cloud.projectId,
  variables: { EVS_ENDPOINT: cloud.url, ...variables },
});

const secretsIn = ({ credentials }: { credentials: EmbeddedCloud["credentials"] }) => [
  credentials.ak,
  credentials.sk,
  String(credentials.securityToken),
  String(credentials.token),
  "SDK-HMAC-SHA256",
  "Signature=",
];

/** Sends one create call and returns its response. */
async function outcomeOf(site: TestEnvironment, volumeId = site.cloud.addVolume().id) {
  const { result, output } = await site.invoke(createSnapshot, create(volumeId));
  return { status: result.statusCode, error: JSON.parse(result.body).error, output, result };
}

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
    "create-snapshot in a separate process prints no secret after any fault with DEBUG=%j",
    async (DEBUG) => {
      const cloud = await realCloud();
      // The list fails, because the function repeats a list without a long wait.
      const calls = FAULTS.map((fault) => {
        const disk = cloud.addVolume();
        cloud.fault({ operation: "evs.listSnapshots", resource: disk.id }, fault);
        const context = contextFor(cloud, { HTTP_TIMEOUT_MS: "40" });
        return { event: create(disk.id), context: { ...context, getRemainingTimeInMilliSeconds: 800 } };
      });
      const { returned, stdout, stderr } = await runBare("create-snapshot", calls, {
        environment: { DEBUG },
        together: true,
      });
      // The exact status depends on the speed of the machine, because the time can run out first.
      for (const { result } of returned) expect(result.statusCode).toBeGreaterThanOrEqual(400);
      const output = JSON.stringify(returned) + stdout + stderr;
      for (const secret of secretsIn(cloud)) expect(output).not.toContain(secret);
      // The output has only the two records of each call, one JSON object per line.
      const lines = stdout.trimEnd().split("\n");
      expect(lines.map((line) => JSON.parse(line).version)).toEqual(FAULTS.flatMap(() => [1, 1]));
      expect(stderr).toBe("");
    },
  );

  test("create-snapshot prints no secret after any fault of the create, even if the cloud repeats the secrets", async () => {
    const written: string[] = [];
    for (const stream of [process.stdout, process.stderr]) {
      vi.spyOn(stream, "write").mockImplementation((chunk) => written.push(String(chunk)) > 0);
    }
    onTestFinished(() => void vi.restoreAllMocks());
    const outputs: string[] = [];
    for (const fault of FAULTS) {
      const site = await createTestEnvironment();
      site.cloud.fault({ operation: "evs.createSnapshot" }, fault);
      outputs.push((await outcomeOf(site)).output);
    }
    const site = await createTestEnvironment();
    const { ak, sk, securityToken, token } = site.cloud.credentials;
    const message = `bad key ${ak} ${sk} ${securityToken}`;
    const body = JSON.stringify({ error: { code: "EVS.0002", message } });
    site.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: 400, body });
    const { error, output } = await outcomeOf(site);
    expect(error.message).toContain(": 400 EVS.0002: bad key *** *** ***. ");
    vi.restoreAllMocks();
    for (const secret of [ak, sk, securityToken, token, "Signature="]) {
      expect([...outputs, output, ...written].join("\n")).not.toContain(secret);
    }
  });
});

describe("lost error bodies (SOURCES.md#sdk-loses-error-bodies)", () => {
  test.each<[shape: string, body: object, code: string]>([
    ["OpenStack", { badRequest: { code: 400, message: "volume must be available" } }, "badRequest"],
    ["the gateway", { error_code: "APIGW.0602", error_msg: "volume must be available" }, "APIGW.0602"],
    [
      "DWS with only the older fields",
      { errCode: "EVS.5400", externalMessage: "volume must be available" },
      "EVS.5400",
    ],
    ["fields at the top level", { code: "EVS.5400", message: "volume must be available" }, "EVS.5400"],
    ["LTS", { errorCode: "EVS.5400", errorMessage: "volume must be available" }, "EVS.5400"],
    ["EVS", { error: { code: "EVS.5400", message: "volume must be available" } }, "EVS.5400"],
  ])(
    "create-snapshot returns the code and the message of an error body in the shape of %s",
    async (_shape, body, code) => {
      const site = await createTestEnvironment();
      const fault: Fault = { type: "answer", status: 400, body: JSON.stringify(body) };
      site.cloud.fault({ operation: "evs.createSnapshot" }, fault);
      const { status, error } = await outcomeOf(site);
      expect(status).toBe(400);
      const message = expect.stringContaining(`: 400 ${code}: volume must be available. `);
      expect(error).toMatchObject({ code, message, reason: "InvalidRequest" });
    },
  );
});

describe("bodies that are null (SOURCES.md#sdk-null-bodies)", () => {
  test.each([
    [400, 400, "InvalidRequest"],
    [403, 502, "AccessDenied"],
    [404, 404, "NotFound"],
  ])("create-snapshot reads an error %i with the body null as %i %s", async (given, status, reason) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: given, body: "null" });
    const outcome = await outcomeOf(site);
    expect(outcome).toMatchObject({ status, error: { reason, code: reason } });
    expect(outcome.output).not.toMatch(/TypeError|undefined/);
  });

  test("create-snapshot does not accept a success response with the body null", async () => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 202, body: "null" });
    expect(await outcomeOf(site)).toMatchObject({ status: 202, error: undefined });
    expect(site.cloud.snapshots()).toHaveLength(1);
    expect(site.cloud.count("evs.createSnapshot")).toBe(2);
  });
});

describe("success responses that are invalid (SOURCES.md#sdk-broken-json-succeeds)", () => {
  const BODIES = [
    "<html>200 OK</html>",
    '{"snapshot":{"id":"ffa9',
    "[]",
    '"ok"',
    "42",
    "",
    "{}",
    '{"snapshot":{}}',
    '{"snapshot":null}',
    '{"snapshot":{"id":7}}',
  ];

  test.each(BODIES)("create-snapshot creates the snapshot once after a 202 with the invalid body %j", async (body) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 202, body });
    const { status, result } = await outcomeOf(site);
    expect(status).toBe(202);
    expect(JSON.parse(result.body).snapshot.id).toBe(site.cloud.snapshots()[0]?.id);
    expect(site.cloud.snapshots()).toHaveLength(1);
  });

  test.each<Fault>([
    { type: "notJson", after: true },
    { type: "notJson", after: true, html: true },
    { type: "emptyBody", after: true },
  ])("create-snapshot finds the created snapshot after an unreadable response: %j", async (fault) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, fault);
    const { status, result } = await outcomeOf(site);
    expect([status, result.headers["x-snapshot-outcome"]]).toEqual([202, "accepted"]);
    expect(site.cloud.snapshots()).toHaveLength(1);
    expect(site.cloud.count("evs.createSnapshot")).toBe(1);
  });

  test.each([
    ...BODIES,
    '{"snapshots":{}}',
    '{"snapshots":[null]}',
    '{"snapshots":[{}]}',
    '{"snapshots":[{"id":"x"}]}',
  ])("create-snapshot creates nothing after a list response 200 with the invalid body %j", async (body) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.listSnapshots" }, { type: "answer", status: 200, body });
    const { status, error } = await outcomeOf(site);
    expect(status).toBe(502);
    expect(error).toMatchObject({ reason: "BadResponse", message: expect.stringMatching(/expected/i) });
    expect(site.cloud.count("evs.createSnapshot")).toBe(0);
  });
});

// SOURCES.md#sdk-untyped-responses.
test("create-snapshot returns the body of the API unchanged", async () => {
  const { cloud, invoke } = await createTestEnvironment();
  const { result } = await invoke(createSnapshot, create(cloud.addVolume({ id: DISK }).id));
  const made = cloud.requests.find(({ operation }) => operation === "evs.createSnapshot");
  expect(result.body).toBe(JSON.stringify(made?.answer));
  expect(JSON.parse(result.body).snapshot).toMatchObject({ volume_id: DISK, status: "creating" });
});

describe("time limits (SOURCES.md#sdk-no-timeout)", () => {
  test("an attempt to send a request ends after 10 s, or after HTTP_TIMEOUT_MS", async () => {
    for (const [variables, timeoutMs] of [
      [{}, 10_000],
      [{ HTTP_TIMEOUT_MS: "1500" }, 1_500],
    ] as const) {
      const site = await createTestEnvironment({ random: () => 0, variables });
      site.cloud.fault({ operation: "evs.listSnapshots" }, { type: "hang", after: false });
      const before = site.clock.now();
      const { status, error } = await outcomeOf(site);
      expect([status, error.reason]).toEqual([504, "Unreachable"]);
      const attempts = site.cloud.count("evs.listSnapshots");
      expect(attempts).toBe(4);
      expect(site.clock.now() - before).toBe(attempts * timeoutMs);
    }
  });

  test("create-snapshot returns 504 before the invocation's time runs out if no request gets a response", async () => {
    const site = await createTestEnvironment({ timeoutSeconds: 12 });
    site.cloud.fault({ operation: /^evs\./ }, { type: "hang", after: false });
    const before = site.clock.now();
    expect(await outcomeOf(site)).toMatchObject({ status: 504 });
    expect(site.clock.now() - before).toBeLessThan(12_000);
  });
});

describe("repeated creates (SOURCES.md#sdk-failover-repeats-post)", () => {
  test.each<Fault>([
    { type: "reset", after: true },
    { type: "cut", after: true },
    { type: "hang", after: true },
    { type: "status", status: 504, after: true },
  ])("create-snapshot searches for the snapshot instead of sending the create again after %j", async (fault) => {
    const site = await createTestEnvironment();
    site.cloud.fault({ operation: "evs.createSnapshot" }, fault);
    expect(await outcomeOf(site)).toMatchObject({ status: 202 });
    expect(site.requests()).toEqual(["evs.listSnapshots", "evs.createSnapshot", "evs.listSnapshots"]);
    expect(site.cloud.snapshots()).toHaveLength(1);
  });

  test("sendOptions sends exactly one request, whatever the status is", async () => {
    for (const status of [429, 500, 502, 503, 504]) {
      const server = await answering((_incoming, response) => response.writeHead(status).end());
      const sending = sendOptions(connectionTo(server.origin), "EVS", "create", {
        method: "POST",
        url: "/v2/x",
        data: {},
      });
      await expect(sending).rejects.toThrow(`POST /v2/x: ${status}`);
      expect(server.seen).toHaveLength(1);
    }
  });

  test("concurrent invocations with different keys and projects sign and address every request correctly", async () => {
    const { cloud, invoke } = await createTestEnvironment({ latencyMs: () => Math.random() * 4 });
    const callers = [...Array(12).keys()].map((n) => ({
      ak: `AK${n}`,
      sk: `secret-${n}`,
      securityToken: n % 3 === 0 ? undefined : `security-token-${n}`,
      projectId: `${n}`.padStart(32, "0"),
    }));
    for (const caller of callers) cloud.addCredentials(caller);
    const invocations = callers.flatMap((caller) =>
      [...Array(5).keys()].map(async () => {
        const variables = {
          PROJECT_ID: caller.projectId,
          LTS_ENDPOINT: undefined,
          LTS_LOG_GROUP_ID: undefined,
          LTS_LOG_STREAM_ID: undefined,
        };
        return invoke(createSnapshot, create(cloud.addVolume().id), { credentials: caller, variables });
      }),
    );
    const statuses = (await Promise.all(invocations)).map(({ result }) => result.statusCode);
    expect(statuses).toEqual(statuses.map(() => 202));
    expect(cloud.refusedSignatures).toEqual([]);
    expect(cloud.requests).toHaveLength(120);
    for (const { path, headers } of cloud.requests) expect(path).toContain(`/v2/${headers["x-project-id"]}/`);
    expect(cloud.snapshots()).toHaveLength(60);
  });
});

// SOURCES.md#sdk-redirects-leak-token.
test.each([301, 302, 303, 307, 308])(
  "create-snapshot does not follow a redirect %i, so no other server gets the token",
  async (status) => {
    const elsewhere = await answering((_incoming, response) => response.end('{"snapshots":[],"snapshot":{"id":"x"}}'));
    for (const operation of ["evs.listSnapshots", "evs.createSnapshot"]) {
      const site = await createTestEnvironment();
      // The fault type `redirect` does not support the status 303.
      const headers = { location: `${elsewhere.origin}/v2/x` };
      site.cloud.fault({ operation }, { type: "answer", status, headers, body: "" });
      const outcome = await outcomeOf(site);
      expect(outcome).toMatchObject({ status: 502, error: { reason: "BadResponse" } });
      expect(outcome.error.message).toContain(`got the redirect ${status}. Redirects are not followed`);
      expect(site.cloud.snapshots()).toEqual([]);
    }
    expect(elsewhere.connections).toEqual([]);
  },
);

describe("TLS verification (SOURCES.md#sdk-tls-flag)", () => {
  const run = async (host: string, tls: { key: string; cert: string }, environment: Record<string, string>) => {
    const cloud = await realCloud();
    const front = await behindTls(cloud.url, tls);
    const EVS_ENDPOINT = front.origin.replace("127.0.0.1", host);
    const context = { ...contextFor(cloud, { EVS_ENDPOINT }), getRemainingTimeInMilliSeconds: 5_000 };
    const call = { event: create(cloud.addVolume().id), context };
    const { returned, stderr } = await runBare("create-snapshot", [call], { environment });
    return { cloud, stderr, status: returned[0]?.result.statusCode, body: returned[0]?.result.body };
  };
  const trusting = (cert: string) => {
    const file = join(tmpdir(), `trusted-${process.pid}-${Math.random()}.pem`);
    writeFileSync(file, cert);
    onTestFinished(() => rmSync(file));
    return { NODE_EXTRA_CA_CERTS: file };
  };

  test("create-snapshot rejects a self-signed certificate, even with NODE_TLS_REJECT_UNAUTHORIZED=0", async () => {
    for (const environment of [{}, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }] as Record<string, string>[]) {
      const { cloud, status, body } = await run("127.0.0.1", selfSigned({ ip: [127, 0, 0, 1] }), environment);
      expect([status, JSON.parse(body).error.reason]).toEqual([504, "Unreachable"]);
      expect(body).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
      expect(cloud.requests).toEqual([]);
    }
  });

  test("create-snapshot rejects a trusted certificate of another host", async () => {
    const tls = selfSigned({ host: "evs.example.com" });
    const environment = { ...trusting(tls.cert), NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const { cloud, status, body } = await run("127.0.0.1", tls, environment);
    expect(status).toBe(504);
    expect(body).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(cloud.requests).toEqual([]);
  });

  test("create-snapshot accepts a trusted certificate of the right host", async () => {
    const tls = selfSigned({ ip: [127, 0, 0, 1] });
    const { cloud, status } = await run("127.0.0.1", tls, trusting(tls.cert));
    expect(status).toBe(202);
    expect(cloud.snapshots()).toHaveLength(1);
    expect(cloud.refusedSignatures).toEqual([]);
  });
});

// SOURCES.md#sdk-ignores-proxy-variables.
test("create-snapshot ignores the proxy variables of the environment", async () => {
  const cloud = await realCloud();
  const proxy = await answering((_incoming, response) => response.end("{}"));
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"];
  const environment = Object.fromEntries(names.map((name) => [name, proxy.origin]));
  const call = { event: create(cloud.addVolume().id), context: contextFor(cloud) };
  const { returned } = await runBare("create-snapshot", [call], { environment });
  expect(returned[0]?.result.statusCode).toBe(202);
  expect(proxy.connections).toEqual([]);
});

describe("state after an invocation (SOURCES.md#sdk-static-state)", () => {
  test("create-snapshot keeps no key, token, request or response of an invocation in memory", async () => {
    const cloud = await realCloud();
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
    // Proves that the search can find a string in the heap.
    expect(heap).toContain("snapshot-functions");
  });
});

// SOURCES.md#sdk-sticky-project-id.
test("create-snapshot uses the project of each invocation in one process", async () => {
  const site = await createTestEnvironment();
  const { cloud } = site;
  const other = { ak: "OTHER", sk: "other-secret", securityToken: "other-token", projectId: "f".repeat(32) };
  cloud.addCredentials(other);
  const handler = createSnapshot(site.runtime) as never;
  for (const [credentials, PROJECT_ID] of [
    [cloud.credentials, cloud.projectId],
    [other, other.projectId],
    [cloud.credentials, cloud.projectId],
  ] as const) {
    const from = cloud.requests.length;
    const variables = {
      PROJECT_ID,
      LTS_ENDPOINT: undefined,
      LTS_LOG_GROUP_ID: undefined,
      LTS_LOG_STREAM_ID: undefined,
    };
    const { result } = await site.invoke(() => handler, create(cloud.addVolume().id), { credentials, variables });
    expect(result.statusCode).toBe(202);
    for (const { path, headers } of cloud.requests.slice(from)) {
      expect([path.split("/")[2], headers["x-project-id"]]).toEqual([PROJECT_ID, PROJECT_ID]);
    }
  }
  expect(cloud.refusedSignatures).toEqual([]);
});

describe("ids that would change a path (SOURCES.md#sdk-unencoded-paths)", () => {
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

  test.each(IDS)("create-snapshot rejects the project id %j as Misconfigured", async (id) => {
    const { cloud, invoke } = await createTestEnvironment();
    const { result } = await invoke(createSnapshot, create(cloud.addVolume().id), { variables: { PROJECT_ID: id } });
    expect(result.statusCode).toBe(500);
    const { error } = JSON.parse(result.body);
    expect(error).toMatchObject({
      reason: "Misconfigured",
      message: expect.stringMatching(/^PROJECT_ID: expected an id/),
    });
    expect(cloud.requests).toEqual([]);
  });

  test.each(["LTS_LOG_GROUP_ID", "LTS_LOG_STREAM_ID"])(
    "create-snapshot rejects such ids in %s as Misconfigured",
    async (name) => {
      for (const id of IDS) {
        const { cloud, invoke } = await createTestEnvironment();
        const { result } = await invoke(createSnapshot, create(cloud.addVolume().id), { variables: { [name]: id } });
        expect(JSON.parse(result.body).error).toMatchObject({
          reason: "Misconfigured",
          message: expect.stringContaining(name),
        });
        expect(cloud.requests).toEqual([]);
      }
    },
  );

  test.each(IDS)("create functions reject the disk or cluster id %j with 400", async (id) => {
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

// SOURCES.md#sdk-query-values.
test("sendOptions sends every query exactly as it was signed", async () => {
  const { cloud } = await createTestEnvironment();
  const { ak: accessKey, sk: secretKey, securityToken } = cloud.credentials;
  const credentials = { accessKey, secretKey, securityToken };
  const connection = connectionTo(cloud.url, { credentials, projectId: cloud.projectId });
  const text = fc.oneof(fc.string({ minLength: 1 }), fc.string({ unit: "grapheme", minLength: 1 }));
  const value = fc.oneof(
    text,
    fc.constant(""),
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(text, { minLength: 1 }),
  );
  const names = fc.oneof(text, fc.constantFrom("!*'()", "a b", "a+b", "a&b=c", "%41", "ü"));
  await fc.assert(
    fc.asyncProperty(fc.dictionary(names, value, { maxKeys: 4 }), async (queryParams) => {
      const given = structuredClone(queryParams);
      const url = "/v2/{project_id}/cloudsnapshots/detail";
      // EVS rejects unknown names, but the signature must be valid.
      await sendOptions(connection, "EVS", "read", { method: "GET", url, queryParams }).catch((thrown) =>
        expect(thrown).toMatchObject({ reason: "InvalidRequest" }),
      );
      expect(cloud.refusedSignatures).toEqual([]);
      expect(queryParams).toEqual(given);
    }),
    { numRuns: 150 },
  );
});

describe("numbers above 2^53 (SOURCES.md#sdk-large-integers)", () => {
  test("create-snapshot returns the digits of large numbers unchanged", async () => {
    const site = await createTestEnvironment();
    const body = `{"snapshot":{"id":"${DISK}","status":"creating","size":9007199254740993}}`;
    site.cloud.fault({ operation: "evs.createSnapshot" }, { type: "answer", status: 202, body });
    expect((await outcomeOf(site)).result.body).toBe(body);
  });

  test("create-snapshot reports a record with the exact nanoseconds of its millisecond", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    clock.advance(123);
    await invoke(createSnapshot, create(cloud.addVolume().id));
    const expected = [0n, 1n].map((line) => String(BigInt(clock.now()) * 1_000_000n + line));
    expect(cloud.logs.map(({ log_time_ns }) => log_time_ns)).toEqual(expected);
  });
});

// SOURCES.md#sdk-application-id, SOURCES.md#sdk-log4js.
test("create-snapshot writes no file and sends no application id", async () => {
  const cloud = await realCloud();
  const calls = [DISK, cloud.addVolume().id].map((id) => ({ event: create(id), context: contextFor(cloud) }));
  const { returned, files } = await runBare("create-snapshot", calls, { environment: { DEBUG: "DEBUG" } });
  expect(returned.map(({ result }) => result.statusCode)).toEqual([404, 202]);
  expect(files).toEqual({ code: ["index.js"], home: [] });
  for (const { headers } of cloud.requests) expect(headers["user-agent"]).toBe("snapshot-functions");
});

describe("credentials of the environment (SOURCES.md#sdk-environment-credentials)", () => {
  test("create-snapshot ignores the variables that only the SDK reads", async () => {
    const cloud = await realCloud();
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
    const nobody = { getProjectID: cloud.projectId, variables: { EVS_ENDPOINT: cloud.url } };
    const event = create(cloud.addVolume().id);
    const { returned } = await runBare("create-snapshot", [{ event, context: nobody }], { environment });
    expect(JSON.parse(returned[0]?.result.body).error.reason).toBe("Misconfigured");
    expect(cloud.requests).toEqual([]);
    // With its secret key, the access key is a documented credential. The project is still the one of the context.
    const whole = { ...environment, HUAWEICLOUD_SDK_SK: cloud.credentials.sk };
    const known = { ...whole, HUAWEICLOUD_SDK_SECURITY_TOKEN: String(cloud.credentials.securityToken) };
    const later = await runBare("create-snapshot", [{ event, context: nobody }], { environment: known });
    expect(later.returned[0]?.result.statusCode).toBe(202);
    expect(cloud.requests.map(({ headers }) => headers["x-project-id"])).toEqual([cloud.projectId, cloud.projectId]);
  });

  test("create-snapshot prefers the agency's key over the key of the environment", async () => {
    const cloud = await realCloud();
    const environment = { HUAWEICLOUD_SDK_AK: "SOMEBODY", HUAWEICLOUD_SDK_SK: "else" };
    const call = { event: create(cloud.addVolume().id), context: contextFor(cloud) };
    const { returned } = await runBare("create-snapshot", [call], { environment });
    expect(returned[0]?.result.statusCode).toBe(202);
    expect(cloud.refusedSignatures).toEqual([]);
  });
});
