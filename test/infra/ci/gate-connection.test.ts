/** Runs the built client of the deployment gate with broken connections and with each kind of credentials. */
import { createServer as createSecureServer } from "node:https";
import { describe, expect, test } from "vitest";
import { Keyring } from "../../../infra/local/cloud/gateway/authentication.ts";
import { selfSigned } from "../../support/certificate.ts";
import {
  APP_CODE,
  buildClient,
  gateIn,
  listen,
  READY,
  runCommand,
  startGate,
  startServer,
} from "../../support/gate-client.ts";

const folder = buildClient();
const { gate, hurried } = gateIn(folder);

describe.concurrent("the gate client", () => {
  test("the gate client exits with 2 and prints a message if its HTTP request never completes", async (context) => {
    const { url } = await startServer(context, () => ({ status: 200, body: READY }));
    const silent = `require("node:http").request = () => Object.assign(new (require("node:events"))(), {
      setHeader() {}, end() {}, destroy() {} });`;
    const { code, output } = await gate(url, "--timeout-seconds 60", hurried("silent", silent));
    expect(output).toMatch(/no (complete )?response within \d+ ms/);
    expect(output).toContain("not ready within 60 s");
    expect(code).toBe(2);
  });

  test("the gate client repeats its call after a gateway timeout, and exits with 0 when the snapshots are available", async (context) => {
    const { cloud, url } = await startGate(context, { backendTimeoutMs: 1_500, creationMs: 3_000 });
    const { code, output } = await gate(url, "--timeout-seconds 20");
    expect(output).toContain("504 APIG.0201: Backend timeout.");
    expect(code).toBe(0);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("the gate client exits with 2 if the gateway times out at every call", async (context) => {
    const { url } = await startGate(context, { backendTimeoutMs: 1 });
    const { code, output } = await gate(url, "--timeout-seconds 1");
    expect(output).toContain("504 APIG.0201: Backend timeout.");
    expect(code).toBe(2);
  });

  test("with --retry-failed, the gate client sends retry_failed in each call until pre-deploy responds, even if a connection breaks", async (context) => {
    const pending = { status: "pending", snapshots: [{ kind: "snapshot", outcome: "accepted" }] };
    const responses = [
      undefined,
      { status: 202, headers: { "retry-after": "1" }, body: JSON.stringify(pending) },
      { status: 200, body: READY },
    ];
    const { url, requests } = await startServer(context, () => responses.shift());
    const { code, output } = await gate(url, "--timeout-seconds 30 --retry-failed");
    expect(output).toContain("pending: 0 of 1 available");
    expect(code).toBe(0);
    const bodies = requests.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ retry_failed }) => retry_failed)).toEqual([true, true, undefined]);
    for (const { wait_seconds } of bodies)
      expect(wait_seconds).toSatisfy((seconds: number) => seconds > 0 && seconds <= 50);
  });

  test("the gate client exits with 2 and prints advice if no server listens at its URL", async () => {
    const { code, output } = await gate("http://127.0.0.1:9/pre-deploy", "--timeout-seconds 1");
    expect(output).toContain("ECONNREFUSED");
    expect(output).toContain("No response from the gateway: check --url (http://127.0.0.1:9)");
    expect(code).toBe(2);
  });

  test("the gate client repeats its call if the gateway reports an unpublished API, and exits with 3 after three such reports", async (context) => {
    const notPublished = JSON.stringify({
      error_code: "APIG.0101",
      error_msg: "The API does not exist or is not published",
    });
    const responses = [404, 404, 200];
    const changed = await startServer(context, () => {
      const status = responses.shift() ?? 500;
      return { status, body: status === 200 ? READY : notPublished };
    });
    expect((await gate(changed.url, "", hurried("changed"))).code).toBe(0);
    expect(changed.requests).toHaveLength(3);
    const missing = await startServer(context, () => ({ status: 404, body: notPublished }));
    const { code, output } = await gate(missing.url, "", hurried("missing"));
    expect(output).toMatch(/404 APIG\.0101: .*Check --url\. While Terraform changes the API/);
    expect(code).toBe(3);
    expect(missing.requests).toHaveLength(3);
  });

  test("the gate client exits with 3 and prints advice if the host name of its URL does not resolve", async () => {
    const unknown = `require("node:dns").lookup = (name, _options, answer) =>
      answer(Object.assign(new Error("getaddrinfo ENOTFOUND " + name), { code: "ENOTFOUND" }));`;
    const { code, output } = await gate("https://gate.example.com/pre-deploy", "", hurried("unknown", unknown));
    expect(output).toContain("ENOTFOUND gate.example.com. The domain has no address: check --url.");
    expect(code).toBe(3);
  });

  test("the gate client exits with 3 after one call if the server has a self-signed certificate", async (context) => {
    const server = createSecureServer(selfSigned({ ip: [127, 0, 0, 1] }), (_request, response) => response.end(READY));
    const { code, output } = await gate(`https://127.0.0.1:${await listen(server, context)}/pre-deploy`);
    expect(output).toMatch(/SELF_SIGNED_CERT: .*The certificate of --url is not trusted: bind a certificate/);
    expect(code).toBe(3);
  });

  const KEY = {
    ak: "GATEACCESSKEY0000001",
    sk: "gate-secret-key-that-nobody-may-see",
    securityToken: "gate-token-that-nobody-may-see",
  };

  test.for([
    ["a permanent access key", false],
    ["a temporary access key", true],
  ] as const)(
    "the gate client signs its call with %s and does not print the access key",
    async ([_name, isTemporary], context) => {
      const keyring = new Keyring("0123456789abcdef0123456789abcdef");
      const { securityToken, ...permanent } = KEY;
      keyring.add(isTemporary ? KEY : permanent);
      // This server checks the signature of each request, as a gateway with IAM authentication does.
      const { url } = await startServer(context, (body, headers, path) => {
        const evidence = {
          method: "POST",
          path,
          query: new Map(),
          headers,
          body: Buffer.from(body),
          pathProject: undefined,
        };
        const verdict = keyring.verifySignature(evidence, Date.now());
        if (!("reason" in verdict)) return { status: 200, body: READY };
        const error_msg = `verify aksk signature fail: ${verdict.reason} ${headers.authorization} ${securityToken}`;
        return { status: 401, body: JSON.stringify({ error_msg, error_code: "APIG.0301" }) };
      });
      const temporary = { HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken };
      const key = { HUAWEICLOUD_SDK_AK: KEY.ak, HUAWEICLOUD_SDK_SK: KEY.sk, ...(isTemporary ? temporary : {}) };
      expect((await gate(url, "", key)).code).toBe(0);
      const wrong = await gate(url, "", { ...key, HUAWEICLOUD_SDK_SK: "another-key-that-nobody-may-see" });
      expect(wrong.output).toContain("401 APIG.0301: verify aksk signature fail");
      expect(wrong.output).not.toContain(KEY.ak);
      if (isTemporary) expect(wrong.output).not.toContain("nobody-may-see");
      expect(wrong.code).toBe(3);
    },
  );

  test("the report client signs its query parameters and does not print the access key", async (context) => {
    const keyring = new Keyring("0123456789abcdef0123456789abcdef");
    keyring.add(KEY);
    const { url } = await startServer(context, (body, headers, path) => {
      const { pathname, searchParams } = new URL(path, "http://gateway");
      const query = new Map([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]));
      const request = {
        method: "GET",
        path: pathname,
        query,
        headers,
        body: Buffer.from(body),
        pathProject: undefined,
      };
      const verdict = keyring.verifySignature(request, Date.now());
      // The client tries no second time after this status, so it shows that the signature is valid.
      const error_msg = "reason" in verdict ? `wrong: ${verdict.reason}` : `signed by ${KEY.ak}`;
      return { status: 403, body: JSON.stringify({ error_msg, error_code: "APIG.0305" }) };
    });
    const { code, output } = await runCommand(
      folder(),
      "node .ci/snapshot-report.cjs --tags 'owner=a b&c,x=*' --kinds volume",
      {
        SNAPSHOT_REPORT_URL: url,
        HUAWEICLOUD_SDK_AK: KEY.ak,
        HUAWEICLOUD_SDK_SK: KEY.sk,
        HUAWEICLOUD_SDK_SECURITY_TOKEN: KEY.securityToken,
      },
    );
    expect(output).toContain("403 APIG.0305: signed by ***");
    expect(output).not.toContain(KEY.ak);
    expect(code).toBe(2);
  });

  test("the gate client sends the app code and does not print the app code", async (context) => {
    const { url, requests } = await startServer(context, (_body, headers) => ({
      status: 401,
      body: JSON.stringify({ error_msg: `Incorrect app code ${headers["x-apig-appcode"]}`, error_code: "APIG.0303" }),
    }));
    const { code, output } = await gate(url);
    expect(requests[0]?.headers["x-apig-appcode"]).toBe(APP_CODE);
    expect(requests[0]?.headers.authorization).toBeUndefined();
    expect(output).toContain("Incorrect app code ***");
    expect(output).not.toContain(APP_CODE);
    expect(code).toBe(3);
  });
});
