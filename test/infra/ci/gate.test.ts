/** Runs the built client of the gate as a pipeline does. */
import { readFileSync, writeFileSync } from "node:fs";
import { createServer as createSecureServer } from "node:https";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Keyring } from "../../../infra/local/cloud/gateway/authentication.ts";
import { REASONS } from "../../../shared/core/errors.ts";
import { selfSigned } from "../../support/certificate.ts";
import {
  APP_CODE,
  buildClient,
  listen,
  READY,
  ROOT,
  runCommand,
  startGate,
  startServer,
  TAGS,
} from "../../support/gate-client.ts";

const folder = buildClient();

const GATE = "node .ci/snapshot-gate.cjs --targets .ci/snapshot-targets.json --deployment-id release-1";

/**
 * Returns the variables of a client whose time runs a hundred times as fast, because of a file for NODE_OPTIONS that can also
 * run other code before the client starts.
 */
function hurried(name: string, more = ""): Record<string, string> {
  const file = join(folder(), `${name}.cjs`);
  const scale = JSON.stringify(join(ROOT, "test", "bench", "scaled-time.cjs"));
  const keep = "const own = performance.now.bind(performance);";
  const scaled = "performance.now = () => own() * 100;";
  writeFileSync(file, `${keep}\nrequire(${scale}).scaleTime(100);\n${scaled}\n${more}`);
  return { SNAPSHOT_GATE_APP_CODE: APP_CODE, NODE_OPTIONS: `--require ${file}` };
}
describe.concurrent("the gate client", () => {
  const gate = (url: string, options = "", variables: Record<string, string> = { SNAPSHOT_GATE_APP_CODE: APP_CODE }) =>
    runCommand(folder(), `${GATE} ${options}`, { SNAPSHOT_GATE_URL: url, ...variables });

  test("the gate client creates no second snapshot when it runs again, and retries a failed one only with --retry-failed", async (context) => {
    const { cloud, url, volumes } = await startGate(context);
    cloud.endWith(volumes[0] as string, "error");
    expect((await gate(url)).code).toBe(1);
    expect((await gate(url)).code).toBe(1);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
    const { code, output } = await gate(url, "--retry-failed");
    expect(output).toContain("ready: 2 of 2 available");
    expect(code).toBe(0);
    expect((await gate(url)).code).toBe(0);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(3);
  });

  test("the gate client exits 3 with advice if an earlier deployment with other targets used the id", async (context) => {
    const { cloud, url } = await startGate(context);
    expect((await gate(url)).code).toBe(0);
    const other = [{ kind: "standard-snapshot", tags: TAGS, description: "another one" }];
    writeFileSync(join(folder(), "other.json"), JSON.stringify(other));
    const { code, output } = await gate(url, "--targets other.json");
    expect(output).toContain("release-1, 1 selection, at most");
    expect(output).toMatch(/rejected: correct the call\n +Conflict: .* --deployment-id .*\n$/);
    expect(output).not.toContain("--retry-failed");
    expect(code).toBe(3);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("the gate client exits 3 for a tag that no disk has, and its advice is about tags, not about an id", async (context) => {
    const { cloud, url } = await startGate(context);
    writeFileSync(join(folder(), "misspelt.json"), JSON.stringify([{ kind: "snapshot", tags: { app: "shpo" } }]));
    const { code, output } = await gate(url, "--targets misspelt.json");
    expect(output).toContain("404 NotFound: targets[0]: expected to select at least one resource");
    expect(output).toMatch(
      /rejected: correct the call\n +NotFound: Compare the tags in the targets file with the tags/,
    );
    expect(output).not.toMatch(/the id|PROJECT_ID/);
    expect(code).toBe(3);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("the gate client does not say that the call was refused if one snapshot was created and another failed", async (context) => {
    const { cloud, url, volumes } = await startGate(context);
    const targets = [{ kind: "snapshot", volume_ids: [volumes[0], "5aa119a8-d25b-45a7-8d1b-88e127885635"] }];
    writeFileSync(join(folder(), "one-id.json"), JSON.stringify(targets));
    const { code, output } = await gate(url, "--targets one-id.json");
    expect(output).toMatch(
      / s {2}failed: the deployment must not begin\n +NotFound: Check the id in the targets file\.\n$/,
    );
    expect(output).not.toContain("refused");
    expect(code).toBe(3);
    expect(cloud.snapshots("snapshot")).toHaveLength(1);
  });

  test.for([
    ["a used up quota", "evs.createSnapshot", 413, "EVS.5413", "QuotaExceeded", 1],
    ["missing rights", "evs.listSnapshots", 403, "EVS.5403", "AccessDenied", 1],
    ["a disk that does not exist", "evs.createSnapshot", 404, "EVS.5404", "NotFound", 3],
    ["a throttled account", "evs.listSnapshots", 429, "APIGW.0308", "Throttled", 2],
  ] as const)(
    "the gate client prints the message about %s as pre-deploy recorded it, and names nothing that its caller cannot set",
    async ([_name, operation, status, errorCode, reason, code], context) => {
      const { cloud, url, volumes, recordedErrors } = await startGate(context);
      const body = JSON.stringify({ error: { code: errorCode, message: "The cloud's own words." } });
      cloud.fault({ operation, times: 99 }, { type: "answer", status, body });
      writeFileSync(join(folder(), `${reason}.json`), JSON.stringify([{ kind: "snapshot", volume_ids: [volumes[0]] }]));
      const ended = await gate(url, `--targets ${reason}.json --timeout-seconds 1`);
      const [error] = recordedErrors();
      expect(error).toMatchObject({ reason, message: expect.stringContaining(REASONS[reason].advice) });
      expect(ended.output).toContain(`${reason}: ${error?.message}\n`);
      expect(ended.output.split(REASONS[reason].advice)).toHaveLength(2);
      expect(ended.output).not.toMatch(/make_room|[A-Z]{2,}_[A-Z]{2,}|agency/);
      expect(ended.code).toBe(code);
    },
  );

  test("the gate client exits 2 with a message if its HTTP request never ends", async (context) => {
    const { url } = await startServer(context, () => ({ status: 200, body: READY }));
    const silent = `require("node:http").request = () => Object.assign(new (require("node:events"))(), {
      setHeader() {}, end() {}, destroy() {} });`;
    const { code, output } = await gate(url, "--timeout-seconds 60", hurried("silent", silent));
    expect(output).toMatch(/no (complete )?response within \d+ ms/);
    expect(output).toContain("not ready within 60 s");
    expect(code).toBe(2);
  });

  test("the gate client exits 1 with a message without secrets after an unexpected exception", async () => {
    const broken = `performance.now = () => { throw new Error("${APP_CODE}\\u2028broke") };`;
    const { code, output } = await gate("http://127.0.0.1:9/pre-deploy", "", hurried("broken", broken));
    expect(output).toBe("snapshot-gate: unexpected error: ***\\u2028broke. The deployment must not begin.\n");
    expect(code).toBe(1);
  });

  test("the gate client reads a targets file that begins with a byte order mark", async (context) => {
    const { url, requests } = await startServer(context, () => ({ status: 200, body: READY }));
    const targets = [{ kind: "standard-snapshot", tags: TAGS }];
    writeFileSync(join(folder(), "marked.json"), `\ufeff${JSON.stringify(targets)}`);
    expect((await gate(url, "--targets marked.json")).code).toBe(0);
    expect(JSON.parse(requests[0]?.body ?? "")).toMatchObject({ targets });
  });

  test("the gate client sends nothing if its deployment id has an unexpanded variable, unless any id is allowed", async (context) => {
    const { url, requests } = await startServer(context, (body) => ({
      status: 200,
      body: JSON.stringify({ ...JSON.parse(READY), deployment_id: JSON.parse(body).deployment_id }),
    }));
    const refused = await gate(url, "--deployment-id 'shop-$BUILD'");
    expect(refused.output).toMatch(
      /^snapshot-gate: --deployment-id: expected .* got "shop-\$BUILD"\. .*--allow-any-id\.\n/,
    );
    expect(refused.code).toBe(3);
    expect(requests).toEqual([]);
    expect((await gate(url, "--deployment-id 'shop-$BUILD' --allow-any-id")).code).toBe(0);
    const variables = { SNAPSHOT_GATE_APP_CODE: APP_CODE, SNAPSHOT_GATE_ALLOW_ANY_ID: "true" };
    expect((await gate(url, "--deployment-id 'shop-$BUILD'", variables)).code).toBe(0);
  });

  test("the gate client continues after a timeout of the gateway", async (context) => {
    const { cloud, url } = await startGate(context, { backendTimeoutMs: 1_500, creationMs: 3_000 });
    const { code, output } = await gate(url, "--timeout-seconds 20");
    expect(output).toContain("504 APIG.0201: Backend timeout.");
    expect(code).toBe(0);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("the gate client exits 2 if the gateway times out at every call", async (context) => {
    const { url } = await startGate(context, { backendTimeoutMs: 1 });
    const { code, output } = await gate(url, "--timeout-seconds 1");
    expect(output).toContain("504 APIG.0201: Backend timeout.");
    expect(code).toBe(2);
  });

  test("the gate client repeats a call whose connection breaks, and sends retry_failed until pre-deploy has responded", async (context) => {
    const pending = { status: "pending", snapshots: [{ kind: "snapshot", outcome: "accepted" }] };
    const answers = [
      undefined,
      { status: 202, headers: { "retry-after": "1" }, body: JSON.stringify(pending) },
      { status: 200, body: READY },
    ];
    const { url, requests } = await startServer(context, () => answers.shift());
    const { code, output } = await gate(url, "--timeout-seconds 30 --retry-failed");
    expect(output).toContain("pending: 0 of 1 available");
    expect(code).toBe(0);
    const bodies = requests.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ retry_failed }) => retry_failed)).toEqual([true, true, undefined]);
    for (const { wait_seconds } of bodies)
      expect(wait_seconds).toSatisfy((seconds: number) => seconds > 0 && seconds <= 50);
  });

  test("the gate client prints unchanged progress about once a minute", async (context) => {
    const pending = JSON.stringify({ status: "pending", snapshots: [{ kind: "snapshot", outcome: "accepted" }] });
    const { url, requests } = await startServer(context, () => ({ status: 202, body: pending }));
    // The scaled clock turns these five minutes into three seconds.
    const { code, output } = await gate(url, "--timeout-seconds 300", hurried("progress"));
    const lines = output.match(/ s {2}pending: 0 of 1 available/g) ?? [];
    expect(requests.length).toBeGreaterThan(lines.length * 2);
    expect(lines.length).toBeGreaterThanOrEqual(3);
    expect(lines.length).toBeLessThanOrEqual(6);
    expect(code).toBe(2);
  });

  test("the gate client exits 2 with advice if nothing listens at its URL", async () => {
    const { code, output } = await gate("http://127.0.0.1:9/pre-deploy", "--timeout-seconds 1");
    expect(output).toContain("ECONNREFUSED");
    expect(output).toContain("No response from the gateway: check --url (http://127.0.0.1:9)");
    expect(code).toBe(2);
  });

  test("the gate client exits 3 and prints its usage after an unknown option", async () => {
    const { code, output } = await runCommand(folder(), "node .ci/snapshot-gate.cjs --retry", {});
    expect(output).toMatch(/^snapshot-gate: Unknown option '--retry'/);
    expect(output).toContain("--deployment-id <id>");
    expect(code).toBe(3);
  });

  test("the gate client exits 0 for --help only if there are no other arguments", async () => {
    const alone = await runCommand(folder(), "node .ci/snapshot-gate.cjs --help", {});
    expect(alone.output).toContain("--deployment-id <id>");
    expect(alone.code).toBe(0);
    const among = await gate("http://127.0.0.1:9/pre-deploy", "--help");
    expect(among.output).toMatch(/^snapshot-gate: Unknown option '--help'/);
    expect(among.code).toBe(3);
  });

  test("the gate client waits while the API is not published, and exits 3 after three such responses", async (context) => {
    const notPublished = JSON.stringify({
      error_code: "APIG.0101",
      error_msg: "The API does not exist or is not published",
    });
    const answers = [404, 404, 200];
    const changed = await startServer(context, () => {
      const status = answers.shift() ?? 500;
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

  test("the gate client exits 3 with advice if the host name of its URL does not resolve", async () => {
    const unknown = `require("node:dns").lookup = (name, _options, answer) =>
      answer(Object.assign(new Error("getaddrinfo ENOTFOUND " + name), { code: "ENOTFOUND" }));`;
    const { code, output } = await gate("https://gate.example.com/pre-deploy", "", hurried("unknown", unknown));
    expect(output).toContain("ENOTFOUND gate.example.com. The domain has no address: check --url.");
    expect(code).toBe(3);
  });

  test("the gate client exits 3 at the first call if no authority signed the certificate", async (context) => {
    const server = createSecureServer(selfSigned({ ip: [127, 0, 0, 1] }), (_request, response) => response.end(READY));
    const { code, output } = await gate(`https://127.0.0.1:${await listen(server, context)}/pre-deploy`);
    expect(output).toMatch(/SELF_SIGNED_CERT: .*The certificate of --url is not trusted: bind a certificate/);
    expect(code).toBe(3);
  });

  test("the gate client prints no text of a response as a command to the pipeline", async (context) => {
    const message = "no\n::error::first\r\n::add-mask::second \u001b[31m ##[warning]third\u2028::error::fourth";
    const entry = { kind: "snapshot", outcome: "::error::fifth", error: { message } };
    const body = JSON.stringify({ status: "failed", snapshots: [entry] });
    const failed = await startServer(context, () => ({ status: 502, body }));
    const page = await startServer(context, () => ({ status: 400, body: message }));
    for (const { url } of [failed, page]) {
      const { output } = await gate(url);
      expect(output).toContain("::error::first");
      expect(output).not.toMatch(/^\s*::/m);
      expect(output).not.toContain("##[");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
      expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
    }
  });

  test("the gate client exits 2 if a ready response names another deployment", async (context) => {
    const other = JSON.stringify({ status: "ready", deployment_id: "release-0", snapshots: [] });
    const { url } = await startServer(context, () => ({ status: 200, body: other }));
    const { code, output } = await gate(url, "--timeout-seconds 1");
    expect(output).toContain('"ready", but for the deployment "release-0": ignored');
    expect(code).toBe(2);
  });

  const KEY = {
    ak: "GATEACCESSKEY0000001",
    sk: "gate-secret-key-that-nobody-may-see",
    securityToken: "gate-token-that-nobody-may-see",
  };

  test.for([
    ["a permanent key", false],
    ["a temporary key", true],
  ] as const)("the gate client signs with %s, and prints no part of it", async ([_name, isTemporary], context) => {
    const keyring = new Keyring("0123456789abcdef0123456789abcdef");
    const { securityToken, ...permanent } = KEY;
    keyring.add(isTemporary ? KEY : permanent);
    // The embedded cloud checks the signature here in place of a gateway with IAM authentication.
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
  });

  test("the gate client sends the code of an application, and does not print it", async (context) => {
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

test("the gate client is one file of less than 28 KiB that needs no other package", () => {
  const text = readFileSync(join(folder(), ".ci", "snapshot-gate.cjs"), "utf8");
  expect(text.length).toBeLessThan(28 * 1024);
  const required = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name = ""]) =>
    name.replace("node:", ""),
  );
  expect(required.length).toBeGreaterThan(3);
  expect(required.filter((name) => !builtinModules.includes(name))).toEqual([]);
});
