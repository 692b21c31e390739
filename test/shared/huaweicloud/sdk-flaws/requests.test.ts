import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import type { Fault } from "../../../../infra/local/cloud/index.ts";
import { sendOptions } from "../../../../shared/huaweicloud/http/sdk-client.ts";
import { runBare } from "../../../support/bare-node.ts";
import { selfSigned } from "../../../support/certificate.ts";
import { WITHOUT_TOPIC } from "../../../support/common.ts";
import { createTestEnvironment } from "../../../support/environment.ts";
import { callCreateSnapshot, contextFor, createEvent, startRealTimeCloud } from "../../../support/sdk-flaws.ts";
import { connectionTo, startHttpServer, startTlsProxy } from "../../../support/wire.ts";

describe("time limits (SOURCES.md#sdk-no-timeout)", () => {
  test("create-snapshot gives up a request after 10 s without a response, or after HTTP_TIMEOUT_MS if the variable is set", async () => {
    for (const [variables, timeoutMs] of [
      [{}, 10_000],
      [{ HTTP_TIMEOUT_MS: "1500" }, 1_500],
    ] as const) {
      const environment = await createTestEnvironment({ random: () => 0, variables });
      environment.cloud.fault({ operation: "evs.listSnapshots" }, { type: "hang", after: false });
      const before = environment.clock.now();
      const { status, error } = await callCreateSnapshot(environment);
      expect([status, error.reason]).toEqual([504, "Unreachable"]);
      const attempts = environment.cloud.count("evs.listSnapshots");
      expect(attempts).toBe(4);
      expect(environment.clock.now() - before).toBe(attempts * timeoutMs);
    }
  });

  test("create-snapshot returns 504 before the invocation times out if no request gets a response", async () => {
    const environment = await createTestEnvironment({ timeoutSeconds: 12 });
    environment.cloud.fault({ operation: /^evs\./ }, { type: "hang", after: false });
    const before = environment.clock.now();
    expect(await callCreateSnapshot(environment)).toMatchObject({ status: 504 });
    expect(environment.clock.now() - before).toBeLessThan(12_000);
  });
});

describe("repeated creates (SOURCES.md#sdk-failover-repeats-post)", () => {
  test.each<[response: string, fault: Fault]>([
    ["is lost", { type: "reset", after: true }],
    ["is truncated", { type: "cut", after: true }],
    ["never arrives", { type: "hang", after: true }],
    ["is a 504", { type: "status", status: 504, after: true }],
  ])(
    "create-snapshot lists the snapshots instead of repeating the create request if the create response %s",
    async (_response, fault) => {
      const environment = await createTestEnvironment();
      environment.cloud.fault({ operation: "evs.createSnapshot" }, fault);
      expect(await callCreateSnapshot(environment)).toMatchObject({ status: 202 });
      // The last request asks for a second page, because the first page may be shorter than its limit.
      const pages = ["evs.listSnapshots", "evs.listSnapshots"];
      expect(environment.requests()).toEqual(["evs.listSnapshots", "evs.createSnapshot", ...pages]);
      expect(environment.cloud.snapshots()).toHaveLength(1);
    },
  );

  test("sendOptions sends exactly one request, even if the response has the status 429, 500, 502, 503 or 504", async () => {
    for (const status of [429, 500, 502, 503, 504]) {
      const server = await startHttpServer((_incoming, response) => response.writeHead(status).end());
      const sending = sendOptions(connectionTo(server.origin), "EVS", "create", {
        method: "POST",
        url: "/v2/x",
        data: {},
      });
      await expect(sending).rejects.toThrow(`POST /v2/x: ${status}`);
      expect(server.received).toHaveLength(1);
    }
  });

  test("create-snapshot signs and addresses every request correctly in concurrent invocations with different access keys and projects", async () => {
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
        const variables = { PROJECT_ID: caller.projectId, ...WITHOUT_TOPIC };
        return invoke(createSnapshot, createEvent(cloud.addVolume().id), { credentials: caller, variables });
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
  "create-snapshot does not follow a redirect with the status %i, so no other server receives the token",
  async (status) => {
    const elsewhere = await startHttpServer((_incoming, response) =>
      response.end('{"snapshots":[],"snapshot":{"id":"x"}}'),
    );
    for (const operation of ["evs.listSnapshots", "evs.createSnapshot"]) {
      const environment = await createTestEnvironment();
      // The embedded cloud's fault type `redirect` does not support the status 303.
      const headers = { location: `${elsewhere.origin}/v2/x` };
      environment.cloud.fault({ operation }, { type: "answer", status, headers, body: "" });
      const outcome = await callCreateSnapshot(environment);
      expect(outcome).toMatchObject({ status: 502, error: { reason: "BadResponse" } });
      expect(outcome.error.message).toContain(`got the redirect ${status}. Redirects are not followed`);
      expect(environment.cloud.snapshots()).toEqual([]);
    }
    expect(elsewhere.connections).toEqual([]);
  },
);

describe("TLS verification (SOURCES.md#sdk-tls-flag)", () => {
  const run = async (host: string, tls: { key: string; cert: string }, environment: Record<string, string>) => {
    const cloud = await startRealTimeCloud();
    const front = await startTlsProxy(cloud.url, tls);
    const EVS_ENDPOINT = front.origin.replace("127.0.0.1", host);
    const context = { ...contextFor(cloud, { EVS_ENDPOINT }), getRemainingTimeInMilliSeconds: 5_000 };
    const call = { event: createEvent(cloud.addVolume().id), context };
    const { returned, stderr } = await runBare("create-snapshot", [call], { environment });
    return { cloud, stderr, status: returned[0]?.result.statusCode, body: returned[0]?.result.body };
  };
  /** Writes the certificate to a file and returns the environment variable that makes Node.js trust the certificate. */
  const trustCertificate = (cert: string) => {
    const file = join(tmpdir(), `trusted-${process.pid}-${Math.random()}.pem`);
    writeFileSync(file, cert);
    onTestFinished(() => rmSync(file));
    return { NODE_EXTRA_CA_CERTS: file };
  };

  test("create-snapshot rejects a self-signed certificate, even if NODE_TLS_REJECT_UNAUTHORIZED is 0", async () => {
    for (const environment of [{}, { NODE_TLS_REJECT_UNAUTHORIZED: "0" }] as Record<string, string>[]) {
      const { cloud, status, body } = await run("127.0.0.1", selfSigned({ ip: [127, 0, 0, 1] }), environment);
      expect([status, JSON.parse(body).error.reason]).toEqual([504, "Unreachable"]);
      expect(body).toContain("DEPTH_ZERO_SELF_SIGNED_CERT");
      expect(cloud.requests).toEqual([]);
    }
  });

  test("create-snapshot rejects a trusted certificate that was issued for another host", async () => {
    const tls = selfSigned({ host: "evs.example.com" });
    const environment = { ...trustCertificate(tls.cert), NODE_TLS_REJECT_UNAUTHORIZED: "0" };
    const { cloud, status, body } = await run("127.0.0.1", tls, environment);
    expect(status).toBe(504);
    expect(body).toContain("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(cloud.requests).toEqual([]);
  });

  test("create-snapshot accepts a trusted certificate that was issued for the host of EVS_ENDPOINT", async () => {
    const tls = selfSigned({ ip: [127, 0, 0, 1] });
    const { cloud, status } = await run("127.0.0.1", tls, trustCertificate(tls.cert));
    expect(status).toBe(202);
    expect(cloud.snapshots()).toHaveLength(1);
    expect(cloud.refusedSignatures).toEqual([]);
  });
});

// SOURCES.md#sdk-ignores-proxy-variables.
test("create-snapshot ignores proxy variables such as HTTPS_PROXY in the environment", async () => {
  const cloud = await startRealTimeCloud();
  const proxy = await startHttpServer((_incoming, response) => response.end("{}"));
  const names = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"];
  const environment = Object.fromEntries(names.map((name) => [name, proxy.origin]));
  const call = { event: createEvent(cloud.addVolume().id), context: contextFor(cloud) };
  const { returned } = await runBare("create-snapshot", [call], { environment });
  expect(returned[0]?.result.statusCode).toBe(202);
  expect(proxy.connections).toEqual([]);
});

// SOURCES.md#sdk-query-values.
test("sendOptions signs any query correctly and does not change the given parameters", async () => {
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
      // The embedded cloud rejects unknown query parameters, but the signature must be valid.
      await sendOptions(connection, "EVS", "read", { method: "GET", url, queryParams }).catch((thrown) =>
        expect(thrown).toMatchObject({ reason: "InvalidRequest" }),
      );
      expect(cloud.refusedSignatures).toEqual([]);
      expect(queryParams).toEqual(given);
    }),
    { numRuns: 150 },
  );
});
