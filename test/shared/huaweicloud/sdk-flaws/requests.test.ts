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
import { createTestEnvironment } from "../../../support/environment.ts";
import { contextFor, create, outcomeOf, realCloud } from "../../../support/sdk-flaws.ts";
import { answering, behindTls, connectionTo } from "../../../support/wire.ts";

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
      expect(outcome.error.message).toContain(`got ${status}, a redirect, which is not followed`);
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
