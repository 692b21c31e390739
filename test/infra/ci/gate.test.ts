/** The client of the gate, as a pipeline runs it: the built file, before it the gateway, the function and the embedded cloud. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { builtinModules } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, type TestContext, test, vi } from "vitest";
import { post } from "../../../infra/ci/call.ts";
import { interpretResponse, judgeSilence } from "../../../infra/ci/judge.ts";
import { BadInput, readOptions, type Selection } from "../../../infra/ci/options.ts";
import { printable } from "../../../infra/ci/printable.ts";
import { Keyring } from "../../../infra/local/cloud/gateway/authentication.ts";
import { type CloudOptions, startCloud } from "../../../infra/local/cloud/index.ts";
import { startGateway, startHost } from "../../../infra/local/host/index.ts";
import { REASONS } from "../../../shared/core/errors.ts";
import type { Transport } from "../../../shared/huaweicloud/http/transport.ts";
import { selfSigned } from "../../support/certificate.ts";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const CI = join(ROOT, "infra", "ci");
const CODE = "app-code-that-nobody-may-see-4711";
const TAGS = { app: "shop" };

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gate-test-"));
  mkdirSync(join(folder, ".ci"));
  const built = spawnSync(process.execPath, [join(CI, "build.mjs"), join(folder, ".ci", "snapshot-gate.cjs")], {
    encoding: "utf8",
  });
  expect(built.stderr).toBe("");
  cpSync(join(CI, "snapshot-targets.json"), join(folder, ".ci", "snapshot-targets.json"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The cloud with two disks of the application, pre-deploy as it is built, and the gateway before it. */
async function open({ onTestFinished }: TestContext, options: CloudOptions & { backendTimeoutMs?: number } = {}) {
  const { backendTimeoutMs = 60_000, ...cloudOptions } = options;
  const cloud = await startCloud({ creationMs: 300, ...cloudOptions });
  const server = cloud.addServer({ tags: TAGS }).id;
  const volumes = [1, 2].map(() => cloud.addVolume({ serverId: server, tags: TAGS }).id);
  const endpoints = ["EVS", "DWS", "ECS"].map((name) => [`${name}_ENDPOINT`, cloud.url]);
  const lines: string[] = [];
  const host = await startHost({
    onLine: ({ text }) => lines.push(text),
    dist: join(ROOT, "dist"),
    functions: ["pre-deploy"],
    userData: { REGION: cloud.region, ...Object.fromEntries(endpoints) },
    credentials: cloud.credentials,
    projectId: cloud.projectId,
    timeoutSeconds: 60,
  });
  const gateway = await startGateway({ host, backendTimeoutMs });
  onTestFinished(async () => {
    await gateway.close();
    await host.close();
    await cloud.close();
  });
  /** Returns the errors in the records that pre-deploy wrote. */
  const recordedErrors = (): { reason: string; message: string }[] =>
    lines
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line).error)
      .filter((error) => error !== undefined);
  return { cloud, volumes, url: `${gateway.url}/pre-deploy`, recordedErrors };
}

interface Ended {
  code: number | null;
  output: string;
}

/** Runs a command of a shell in the folder, with these variables and no others. */
function run(command: string, variables: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn("bash", ["--norc", "-e", "-o", "pipefail", "-c", command], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", ...variables },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
    child.on("close", (code) => resolve({ code, output }));
  });
}

/** The command of a snippet: the block of text behind a key. */
function commandOf(file: string, key: string): string {
  const lines = readFileSync(join(CI, file), "utf8").split("\n");
  const start = lines.findIndex((line) => line.trim() === `${key}: |`);
  expect(start, `${key} in ${file}`).toBeGreaterThan(0);
  const indent = /^ */.exec(lines[start + 1] ?? "")?.[0] ?? "";
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.trim() !== "" && !line.startsWith(indent));
  return rest
    .slice(0, end < 0 ? undefined : end)
    .map((line) => line.slice(indent.length))
    .join("\n");
}

/** What each pipeline sets by itself. */
const SNIPPETS: [string, string, Record<string, string>][] = [
  [
    "github-actions.yml",
    "run",
    { GITHUB_RUN_ID: "18273645", GITHUB_RUN_ATTEMPT: "1", GITHUB_REPOSITORY_ID: "812345678" },
  ],
  ["gitlab-ci.yml", "script", { CI_JOB_ID: "5541", CI_PROJECT_ID: "4711" }],
  ["codearts-build.yml", "command", { BUILDNUMBER: "20261121.3", JOB_NAME: "shop" }],
];

describe.concurrent.each(SNIPPETS)("the snippet %s", (file, key, own) => {
  const command = commandOf(file, key);
  const gate = (url: string, variables: Record<string, string> = {}) =>
    run(command, { SNAPSHOT_GATE_URL: url, SNAPSHOT_GATE_APP_CODE: CODE, ...own, ...variables });

  test("ends with 0 when every snapshot is available", async (context) => {
    const { cloud, url } = await open(context);
    const { code, output } = await gate(url);
    expect(output).toContain("ready: 2 of 2 available");
    expect(output).toContain("ready: the deployment can begin");
    expect(code).toBe(0);
    expect(cloud.snapshots("standard-snapshot").map(({ status }) => status)).toEqual(["available", "available"]);
  });

  test("ends with 1 when one failed", async (context) => {
    const { url, cloud, volumes } = await open(context);
    cloud.endWith(volumes[0] as string, "error");
    const { code, output } = await gate(url);
    expect(output).toContain("failed: 1 of 2 available");
    expect(output).toContain("the deployment must not begin");
    expect(output).toMatch(/\n +SnapshotFailed: With --retry-failed .*\n$/);
    expect(output).toMatch(new RegExp(`failed {2}standard-snapshot {2}${volumes[0]} .*ended in the status "error"`));
    expect(code).toBe(1);
  });

  test("ends with 2 when the time is over first", async (context) => {
    const { url } = await open(context, { creationMs: 3_600_000 });
    const { code, output } = await gate(url, { SNAPSHOT_GATE_TIMEOUT_SECONDS: "1" });
    expect(output).toContain("pending: 0 of 2 available");
    expect(output).toContain("not ready within 1 s");
    expect(code).toBe(2);
  });

  test("ends with 3 when what it asks is refused", async (context) => {
    const { cloud, url } = await open(context);
    const { code, output } = await gate(url, { SNAPSHOT_GATE_POLICY: "not a policy" });
    expect(output).toMatch(/400 InvalidRequest: .*policy/);
    expect(output).toContain("refused: correct the call");
    expect(code).toBe(3);
    expect(cloud.snapshots()).toEqual([]);
  });
});

test("a snippet whose build has no name for it asks nothing of the gate", async () => {
  const command = commandOf("codearts-build.yml", "command");
  // Nobody is asked: at this address nobody would answer.
  const variables = { SNAPSHOT_GATE_URL: "http://127.0.0.1:9/pre-deploy", SNAPSHOT_GATE_APP_CODE: CODE };
  for (const JOB_NAME of ["", `\${JOB_NAME}`]) {
    const { code, output } = await run(command, { ...variables, BUILDNUMBER: "20261121.3", JOB_NAME });
    expect(output).toMatch(/^snapshot-gate: --deployment-id: expected .* none of its parts empty/);
    expect(code).toBe(3);
  }
});

/** An address that answers as told, and what it was asked. */
async function answering(
  { onTestFinished }: TestContext,
  answer: (
    body: string,
    headers: IncomingHttpHeaders,
    path: string,
  ) => { status: number; body: string; headers?: Record<string, string> } | undefined,
) {
  const asked: { body: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    asked.push({ body, headers: request.headers });
    const said = answer(body, request.headers, request.url ?? "");
    if (said === undefined) return void request.socket.destroy();
    response.writeHead(said.status, said.headers).end(said.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/pre-deploy`, asked };
}

const GATE = "node .ci/snapshot-gate.cjs --targets .ci/snapshot-targets.json --deployment-id release-1";
/** For NODE_OPTIONS: time goes a hundred times as fast; and what else is to be so before the client begins. */
function hurried(name: string, more = ""): Record<string, string> {
  const file = join(folder, `${name}.cjs`);
  const scale = JSON.stringify(join(ROOT, "test", "bench", "scaled-time.cjs"));
  // The client's own deadline is on the monotonic clock.
  const clock = "const own = performance.now.bind(performance);";
  const scaled = "performance.now = () => own() * 100;";
  writeFileSync(file, `${clock}\nrequire(${scale}).scaleTime(100);\n${scaled}\n${more}`);
  return { SNAPSHOT_GATE_APP_CODE: CODE, NODE_OPTIONS: `--require ${file}` };
}
const AVAILABLE = {
  kind: "standard-snapshot",
  snapshot_id: "2a4d0f86-67cd-408a-8b66-a8c33d1fe9b1",
  outcome: "available",
};
const READY = JSON.stringify({ status: "ready", deployment_id: "release-1", snapshots: [AVAILABLE] });

describe.concurrent("the client", () => {
  const gate = (url: string, options = "", variables: Record<string, string> = { SNAPSHOT_GATE_APP_CODE: CODE }) =>
    run(`${GATE} ${options}`, { SNAPSHOT_GATE_URL: url, ...variables });

  test("asked again takes nothing twice, and takes again what failed only where it is told to", async (context) => {
    const { cloud, url, volumes } = await open(context);
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

  test("ends with 3 where the id stands for other targets, and says what to do", async (context) => {
    const { cloud, url } = await open(context);
    expect((await gate(url)).code).toBe(0);
    const other = [{ kind: "standard-snapshot", tags: TAGS, description: "another one" }];
    writeFileSync(join(folder, "other.json"), JSON.stringify(other));
    const { code, output } = await gate(url, "--targets other.json");
    expect(output).toContain("release-1, 1 selection, at most");
    expect(output).toMatch(/refused: correct the call\n +Conflict: .* --deployment-id .*\n$/);
    expect(output).not.toContain("--retry-failed");
    expect(code).toBe(3);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("the gate client exits 3 for a tag that no disk has, and its advice is about tags, not about an id", async (context) => {
    const { cloud, url } = await open(context);
    writeFileSync(join(folder, "misspelt.json"), JSON.stringify([{ kind: "snapshot", tags: { app: "shpo" } }]));
    const { code, output } = await gate(url, "--targets misspelt.json");
    expect(output).toContain("404 NotFound: targets[0]: expected to select at least one resource");
    expect(output).toMatch(/refused: correct the call\n +NotFound: Compare the targets file with the tags/);
    expect(output).not.toMatch(/the id|PROJECT_ID/);
    expect(code).toBe(3);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("the gate client does not say that the call was refused if one snapshot was created and another failed", async (context) => {
    const { cloud, url, volumes } = await open(context);
    const targets = [{ kind: "snapshot", volume_ids: [volumes[0], "5aa119a8-d25b-45a7-8d1b-88e127885635"] }];
    writeFileSync(join(folder, "one-id.json"), JSON.stringify(targets));
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
      const { cloud, url, volumes, recordedErrors } = await open(context);
      const body = JSON.stringify({ error: { code: errorCode, message: "The cloud's own words." } });
      cloud.fault({ operation, times: 99 }, { type: "answer", status, body });
      writeFileSync(join(folder, `${reason}.json`), JSON.stringify([{ kind: "snapshot", volume_ids: [volumes[0]] }]));
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
    const { url } = await answering(context, () => ({ status: 200, body: READY }));
    const mute = `require("node:http").request = () => Object.assign(new (require("node:events"))(), {
      setHeader() {}, end() {}, destroy() {} });`;
    const { code, output } = await gate(url, "--timeout-seconds 60", hurried("mute", mute));
    expect(output).toMatch(/no (complete )?answer within \d+ ms/);
    expect(output).toContain("not ready within 60 s");
    expect(code).toBe(2);
  });

  test("the gate client exits 1 with a message without secrets after an unexpected exception", async () => {
    const broken = `performance.now = () => { throw new Error("${CODE}\\u2028broke") };`;
    const { code, output } = await gate("http://127.0.0.1:9/pre-deploy", "", hurried("broken", broken));
    expect(output).toBe("snapshot-gate: unexpected fault: ***\\u2028broke. The deployment must not begin.\n");
    expect(code).toBe(1);
  });

  test("the gate client reads a targets file that begins with a byte order mark", async (context) => {
    const { url, asked } = await answering(context, () => ({ status: 200, body: READY }));
    const targets = [{ kind: "standard-snapshot", tags: TAGS }];
    writeFileSync(join(folder, "marked.json"), `\ufeff${JSON.stringify(targets)}`);
    expect((await gate(url, "--targets marked.json")).code).toBe(0);
    expect(JSON.parse(asked[0]?.body ?? "")).toMatchObject({ targets });
  });

  test("the gate client sends nothing if its deployment id has an unexpanded variable, unless any id is allowed", async (context) => {
    const { url, asked } = await answering(context, (body) => ({
      status: 200,
      body: JSON.stringify({ ...JSON.parse(READY), deployment_id: JSON.parse(body).deployment_id }),
    }));
    const refused = await gate(url, "--deployment-id 'shop-$BUILD'");
    expect(refused.output).toMatch(
      /^snapshot-gate: --deployment-id: expected .* got "shop-\$BUILD"\. .*--allow-any-id\.\n/,
    );
    expect(refused.code).toBe(3);
    expect(asked).toEqual([]);
    expect((await gate(url, "--deployment-id 'shop-$BUILD' --allow-any-id")).code).toBe(0);
    const variables = { SNAPSHOT_GATE_APP_CODE: CODE, SNAPSHOT_GATE_ALLOW_ANY_ID: "true" };
    expect((await gate(url, "--deployment-id 'shop-$BUILD'", variables)).code).toBe(0);
  });

  test("goes on where the gateway gives up before the function answers", async (context) => {
    const { cloud, url } = await open(context, { backendTimeoutMs: 1_500, creationMs: 3_000 });
    const { code, output } = await gate(url, "--timeout-seconds 20");
    expect(output).toContain("504 APIG.0201: Backend timeout.");
    expect(code).toBe(0);
    expect(cloud.snapshots("standard-snapshot")).toHaveLength(2);
  });

  test("ends with 2 where the gateway never gets an answer", async (context) => {
    const { url } = await open(context, { backendTimeoutMs: 1 });
    const { code, output } = await gate(url, "--timeout-seconds 1");
    expect(output).toContain("504 APIG.0201: Backend timeout.");
    expect(code).toBe(2);
  });

  test("asks again where the connection breaks", async (context) => {
    const pending = { status: "pending", snapshots: [{ kind: "snapshot", outcome: "accepted" }] };
    const answers = [
      undefined,
      { status: 202, headers: { "retry-after": "1" }, body: JSON.stringify(pending) },
      { status: 200, body: READY },
    ];
    const { url, asked } = await answering(context, () => answers.shift());
    const { code, output } = await gate(url, "--timeout-seconds 30 --retry-failed");
    expect(output).toContain("pending: 0 of 1 available");
    expect(code).toBe(0);
    const bodies = asked.map(({ body }) => JSON.parse(body));
    // Until the gate has heard of it, and never after that: what fails again is to be heard of.
    expect(bodies.map(({ retry_failed }) => retry_failed)).toEqual([true, true, undefined]);
    for (const { wait_seconds } of bodies)
      expect(wait_seconds).toSatisfy((seconds: number) => seconds > 0 && seconds <= 50);
  });

  test("says once a minute how far it is, also where nothing changes", async (context) => {
    const pending = JSON.stringify({ status: "pending", snapshots: [{ kind: "snapshot", outcome: "accepted" }] });
    const { url, asked } = await answering(context, () => ({ status: 202, body: pending }));
    // Five minutes in three seconds.
    const { code, output } = await gate(url, "--timeout-seconds 300", hurried("words"));
    const words = output.match(/ s {2}pending: 0 of 1 available/g) ?? [];
    expect(asked.length).toBeGreaterThan(words.length * 2);
    expect(words.length).toBeGreaterThanOrEqual(3);
    expect(words.length).toBeLessThanOrEqual(6);
    expect(code).toBe(2);
  });

  test("ends with 2 where nobody answers", async () => {
    const { code, output } = await gate("http://127.0.0.1:9/pre-deploy", "--timeout-seconds 1");
    expect(output).toContain("ECONNREFUSED");
    expect(output).toContain("Nobody answered: check --url (http://127.0.0.1:9)");
    expect(code).toBe(2);
  });

  test("ends with 3 where it is called in the wrong way, and says how it is called", async () => {
    const { code, output } = await run("node .ci/snapshot-gate.cjs --retry", {});
    expect(output).toMatch(/^snapshot-gate: Unknown option '--retry'/);
    expect(output).toContain("--deployment-id <id>");
    expect(code).toBe(3);
  });

  test("ends with 0 for --help alone, as 0 lets a deployment begin", async () => {
    const alone = await run("node .ci/snapshot-gate.cjs --help", {});
    expect(alone.output).toContain("--deployment-id <id>");
    expect(alone.code).toBe(0);
    const among = await gate("http://127.0.0.1:9/pre-deploy", "--help");
    expect(among.output).toMatch(/^snapshot-gate: Unknown option '--help'/);
    expect(among.code).toBe(3);
  });

  test("waits while the API is changed, and ends with 3 where it stays away", async (context) => {
    const gone = JSON.stringify({ error_code: "APIG.0101", error_msg: "The API does not exist or is not published" });
    const answers = [404, 404, 200];
    const changed = await answering(context, () => {
      const status = answers.shift() ?? 500;
      return { status, body: status === 200 ? READY : gone };
    });
    expect((await gate(changed.url, "", hurried("changed"))).code).toBe(0);
    expect(changed.asked).toHaveLength(3);
    const away = await answering(context, () => ({ status: 404, body: gone }));
    const { code, output } = await gate(away.url, "", hurried("away"));
    expect(output).toMatch(/404 APIG\.0101: .*Check --url; while terraform apply changes the API/);
    expect(code).toBe(3);
    expect(away.asked).toHaveLength(3);
  });

  test("ends with 3 where nothing has the name of its address, and says what may be the matter", async () => {
    const unknown = `require("node:dns").lookup = (name, _options, answer) =>
      answer(Object.assign(new Error("getaddrinfo ENOTFOUND " + name), { code: "ENOTFOUND" }));`;
    const { code, output } = await gate("https://gate.example.com/pre-deploy", "", hurried("unknown", unknown));
    expect(output).toContain("ENOTFOUND gate.example.com. Nothing has that name here: check --url;");
    expect(code).toBe(3);
  });

  test("ends with 3 at once where the certificate is nobody's", async ({ onTestFinished }) => {
    const server = createSecureServer(selfSigned({ ip: [127, 0, 0, 1] }), (_request, response) => response.end(READY));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void server.close());
    const { code, output } = await gate(`https://127.0.0.1:${(server.address() as AddressInfo).port}/pre-deploy`);
    expect(output).toMatch(/SELF_SIGNED_CERT: .*The certificate of that address is not trusted: bind one/);
    expect(code).toBe(3);
  });

  test("prints what an answer says as part of its own lines: none is a command to the pipeline", async (context) => {
    const message = "no\n::error::first\r\n::add-mask::second \u001b[31m ##[warning]third\u2028::error::fourth";
    const entry = { kind: "snapshot", outcome: "::error::fifth", error: { message } };
    const body = JSON.stringify({ status: "failed", snapshots: [entry] });
    const failed = await answering(context, () => ({ status: 502, body }));
    const page = await answering(context, () => ({ status: 400, body: message }));
    for (const { url } of [failed, page]) {
      const { output } = await gate(url);
      expect(output).toContain("::error::first");
      expect(output).not.toMatch(/^\s*::/m);
      expect(output).not.toContain("##[");
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that there are none
      expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u2028]/);
    }
  });

  test("believes a ready that is about this deployment", async (context) => {
    const other = JSON.stringify({ status: "ready", deployment_id: "release-0", snapshots: [] });
    const { url } = await answering(context, () => ({ status: 200, body: other }));
    const { code, output } = await gate(url, "--timeout-seconds 1");
    expect(output).toContain('"ready", but of the deployment "release-0": not believed');
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
  ] as const)("signs with %s", async ([_name, isTemporary], context) => {
    const keyring = new Keyring("0123456789abcdef0123456789abcdef");
    const { securityToken, ...permanent } = KEY;
    keyring.add(isTemporary ? KEY : permanent);
    // As a gateway with IAM authentication: the signature is checked as the embedded cloud checks it.
    const { url } = await answering(context, (body, headers, path) => {
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
      const said = `verify aksk signature fail: ${verdict.reason} ${headers.authorization} ${securityToken}`;
      return { status: 401, body: JSON.stringify({ error_msg: said, error_code: "APIG.0301" }) };
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

  test("sends an application's code, which is never seen", async (context) => {
    const { url, asked } = await answering(context, (_body, headers) => ({
      status: 401,
      body: JSON.stringify({ error_msg: `Incorrect app code ${headers["x-apig-appcode"]}`, error_code: "APIG.0303" }),
    }));
    const { code, output } = await gate(url);
    expect(asked[0]?.headers["x-apig-appcode"]).toBe(CODE);
    expect(asked[0]?.headers.authorization).toBeUndefined();
    expect(output).toContain("Incorrect app code ***");
    expect(output).not.toContain(CODE);
    expect(code).toBe(3);
  });
});

describe("what an answer means", () => {
  const request = { deployment_id: "release-1", targets: [{ kind: "standard-snapshot", tags: TAGS }] };
  const entries = { deployment_id: "release-1", snapshots: [AVAILABLE] };
  const failedBy = (...reasons: string[]) => ({
    status: "failed",
    snapshots: [...entries.snapshots, ...reasons.map((reason) => ({ outcome: "failed", error: { reason } }))],
  });

  test.each<[string, number, unknown, string]>([
    ["ready", 200, { status: "ready", ...entries }, "ready"],
    ["ready, of no deployment", 200, { status: "ready", snapshots: [AVAILABLE] }, "wait"],
    ["ready, with one that failed", 200, { ...entries, status: "ready", snapshots: [{ outcome: "failed" }] }, "failed"],
    [
      "ready, with one that is not yet",
      200,
      { ...entries, status: "ready", snapshots: [{ outcome: "accepted" }] },
      "wait",
    ],
    ["pending", 202, { status: "pending", ...entries }, "wait"],
    ["failed", 502, { status: "failed", ...entries }, "failed"],
    ["failed because the id was used before", 502, failedBy("Conflict", "Conflict"), "badInput"],
    ["failed by what did not stop another snapshot", 502, failedBy("Conflict", "InvalidRequest"), "failed"],
    ["failed by that, and by something else", 502, failedBy("Conflict", "SnapshotFailed"), "failed"],
    ["failed by a reason that is not known yet", 502, failedBy("New"), "failed"],
    ["ready, with another HTTP status", 502, { status: "ready" }, "wait"],
    ["a 200 with another status", 200, { status: "okay" }, "badInput"],
    ["a 200 that says nothing", 200, "<html>Sign in</html>", "badInput"],
    ["a redirect", 302, "", "badInput"],
    ["the gateway's own 502", 502, { error_msg: "Backend unavailable", error_code: "APIG.0201" }, "wait"],
    ["the gateway's own 504", 504, { error_msg: "Backend timeout.", error_code: "APIG.0201" }, "wait"],
    ["an answer that the gateway found invalid", 500, { error_msg: "Invalid answer", error_code: "FSS.1202" }, "wait"],
    ["a request that took too long", 408, "", "wait"],
    ["too many calls", 429, { error_msg: "policy user over ratelimit", error_code: "APIG.0308" }, "wait"],
    ["a page of something on the way", 503, "<html>", "wait"],
    ["wrong credentials", 401, { error_msg: "Incorrect app authentication", error_code: "APIG.0303" }, "badInput"],
    ["no right to call it", 403, { error_msg: "denied", error_code: "APIG.0304" }, "badInput"],
    ["another address", 404, { error_msg: "The API does not exist", error_code: "APIG.0101" }, "badInput"],
    ["a reason that is not known yet", 502, { error: { reason: "New", message: "?" } }, "wait"],
  ])("%s", (_name, status, body, runContext) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    expect(interpretResponse({ status, headers: {}, text }, request)).toMatchObject({ means: runContext });
  });

  const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
  const refused = { error: { reason: "NotFound", message: "why" } };
  const failed = (reason: string, resource_id = ID) => ({
    status: "failed",
    snapshots: [{ outcome: "failed", resource_id, error: { reason } }],
  });
  test.each<[string, object, object, string, RegExp[]]>([
    ["tags that select nothing", { tags: TAGS }, refused, "badInput", [/the targets file with the tags/]],
    ["ids without those of a tag", { volume_ids: [ID], exclude_tags: TAGS }, refused, "badInput", [/with the tags/]],
    ["ids of which the call finds none", { volume_ids: [ID] }, refused, "badInput", [/the id in the targets file/]],
    ["an id that does not exist", { volume_ids: [ID.toUpperCase()] }, failed("NotFound"), "badInput", [/Check the id/]],
    ["a disk that is deleted after its tags were read", { tags: TAGS }, failed("NotFound"), "failed", [/Call again/]],
    [
      "a create whose outcome is not known",
      { tags: TAGS },
      failed("OutcomeUnknown"),
      "failed",
      [/same --deployment-id/],
    ],
    ["a disk that the cloud refuses", { tags: TAGS }, failed("InvalidRequest"), "badInput", []],
    ["a function without its rights", { tags: TAGS }, failed("AccessDenied"), "failed", []],
    ["a reason that is not known yet", { tags: TAGS }, failed("constructor"), "failed", []],
  ])(
    "the gate client adds only advice that fits the selection and the failure: %s",
    (_name, selection, body, runContext, advice) => {
      const asked = { deployment_id: "release-1", targets: [{ kind: "snapshot", ...selection }] };
      const verdict = interpretResponse({ status: 502, headers: {}, text: JSON.stringify(body) }, asked);
      expect(verdict).toMatchObject({ means: runContext, advice: advice.map((line) => expect.stringMatching(line)) });
    },
  );

  test.each<[string, string, object, (string | undefined)[]]>([
    ["ready", "a disk in capitals", { kind: "snapshot", volume_ids: [ID.toUpperCase()] }, [ID]],
    ["wait", "another disk", { kind: "snapshot", volume_ids: [ID] }, [ID.replace("5", "6")]],
    ["wait", "no disk", { kind: "snapshot", volume_ids: [ID] }, [undefined]],
    ["ready", "a disk beside tags", { kind: "snapshot", volume_ids: [ID], tags: TAGS }, [ID]],
    ["wait", "none of the disks beside tags", { kind: "snapshot", volume_ids: [ID], tags: TAGS }, ["other"]],
    ["ready", "the disk that no tag excludes", { kind: "snapshot", volume_ids: ["x", ID], exclude_tags: TAGS }, [ID]],
    ["wait", "a disk that was not asked for", { kind: "snapshot", volume_ids: ["x"], exclude_tags: TAGS }, [ID]],
    ["wait", "a disk in the place of a server", { kind: "snapshot-group", server_ids: [ID] }, [ID]],
    ["wait", "ids that are no list", { kind: "snapshot", volume_ids: null }, [undefined]],
  ])("the gate client decides %s on a ready response for %s", (runContext, _name, selection, resources) => {
    const snapshots = resources.map((resource_id) => ({ ...AVAILABLE, kind: "snapshot", resource_id }));
    const text = JSON.stringify({ status: "ready", deployment_id: "release-1", snapshots });
    const asked = { deployment_id: "release-1", targets: [selection as Selection] };
    expect(interpretResponse({ status: 200, headers: {}, text }, asked)).toMatchObject({ means: runContext });
  });

  test("the gate client believes a ready response whose strings contain quotes and colons", () => {
    const detail = 'a \\"name": b\\\\", "outcome":"failed';
    const text = JSON.stringify({ status: "ready", ...entries, ":": detail, detail }, undefined, 2);
    expect(interpretResponse({ status: 200, headers: {}, text }, request)).toMatchObject({ means: "ready" });
  });

  test("the gate client gives up on a call one second after its timeout if the transport never settles", async () => {
    const transport: Transport = () => new Promise(() => {});
    vi.useFakeTimers();
    try {
      const call = post(transport, new URL("http://127.0.0.1:9/"), { appCode: CODE }, {}, 65_000);
      const ended = expect(call).rejects.toThrow("no complete answer within 66000 ms");
      await vi.advanceTimersByTimeAsync(66_000);
      await ended;
    } finally {
      vi.useRealTimers();
    }
  });

  test.each<[string, string, string, RegExp]>([
    [
      "a certificate of another",
      "ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match",
      "badInput",
      /bind one for/,
    ],
    ["one that is over", "CERT_HAS_EXPIRED: certificate has expired", "badInput", /bind one for/],
    ["one that nobody vouches for", "DEPTH_ZERO_SELF_SIGNED_CERT: self-signed", "badInput", /NODE_EXTRA_CA_CERTS/],
    ["one without those above it", "UNABLE_TO_VERIFY_LEAF_SIGNATURE: unable", "badInput", /NODE_EXTRA_CA_CERTS/],
    ["a name that there is not", "ENOTFOUND: getaddrinfo ENOTFOUND gate", "badInput", /check --url.*HTTPS_PROXY/],
    ["a resolver that is tired", "EAI_AGAIN: getaddrinfo EAI_AGAIN gate", "wait", /^EAI_AGAIN/],
    ["a connection that breaks", "ECONNRESET: socket hang up", "wait", /^ECONNRESET/],
    ["a certificate in the text of something else", "ECONNRESET: CERT_HAS_EXPIRED: ", "wait", /^ECONNRESET/],
    ["nothing", "no answer within 65000 ms", "wait", /^no answer/],
  ])("no answer: %s", (_name, message, runContext, says) => {
    expect(judgeSilence(message)).toMatchObject({ means: runContext, says: expect.stringMatching(says) });
  });

  test("every reason of the catalogue: who can mend it, or whether it passes", () => {
    const meanings = Object.entries(REASONS).map(([reason, { httpStatus }]) => {
      const text = JSON.stringify({ error: { code: "X", message: "why", reason, request_id: "1" } });
      return [
        reason,
        interpretResponse({ status: httpStatus, headers: { "retry-after": "7" }, text }, request),
      ] as const;
    });
    const of = (runContext: string) =>
      meanings.filter(([, verdict]) => verdict.means === runContext).map(([reason]) => reason);
    expect(of("badInput")).toEqual(["InvalidRequest", "Unsupported", "NotFound", "Conflict"]);
    expect(of("failed").sort()).toEqual(
      ["QuotaExceeded", "AccessDenied", "AccountSuspended", "SnapshotFailed", "Misconfigured"].sort(),
    );
    expect(of("wait")).toHaveLength(Object.keys(REASONS).length - 9);
    for (const [reason, { says, advice, retryAfterMs }] of meanings) {
      expect(says).toContain(`${reason}: why`);
      for (const line of advice ?? []) expect(line).toMatch(`${reason}: `);
      // A caller of the client sets none of these.
      expect(advice?.join()).not.toMatch(/make_room|Idempotency-Key|[A-Z]{2,}_[A-Z]{2,}|agency/);
      expect(retryAfterMs).toBe(7_000);
    }
  });
});

test("the gate client escapes characters that end a line, steer a terminal, are invisible or begin a pipeline command", () => {
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

describe("what it is called with", () => {
  const variables = { SNAPSHOT_GATE_URL: "https://gate.example.com/pre-deploy", SNAPSHOT_GATE_APP_CODE: CODE };
  const targets = join(CI, "snapshot-targets.json");
  const good = ["--deployment-id", "release-1", "--targets", targets];

  const idWith = (id: string, more: string[] = []) =>
    readOptions([...good, `--deployment-id=${id}`, ...more], variables).request.deployment_id;

  test.each([
    ["an unexpanded variable", ["$BUILD", "shop-$BUILD", `shop-\${BUILD}`, "$(Build.BuildId)", `\${{ github.sha }}`]],
    ["another unexpanded variable", ["%BUILD%", "shop-%BUILD%", "{{ sha }}", "{{sha}}", "#{sha}#", "<id>", "@BUILD@"]],
    [
      "an empty part",
      ["shop-", "shop/", "shop_", "shop.", "shop:", "-shop", "shop--prod", "shop-.-prod", "-", "__BUILD__"],
    ],
    ["a value that is missing", ["undefined", "null", "shop-undefined", "shop-null", "shop/null", "shop_undefined"]],
    ["another value that is missing", ["shop.undefined", "undefined-1", "shop-NULL", "shop:None", "build=null"]],
    [
      "a space or a control",
      [" ", "shop 1", "shop-1 ", "shop\t1", "shop-1\n", "shop\u00a01", "shop\u0085-1", "shop\u202e-1"],
    ],
  ])("the gate client refuses a deployment id with %s, unless any id is allowed", (_name, ids) => {
    for (const id of ids) {
      expect(() => idWith(id), id).toThrow(/^--deployment-id: expected .* add --allow-any-id\.$/s);
      expect(idWith(id, ["--allow-any-id"])).toBe(id);
    }
  });

  test.each([
    [
      "1234-1-987",
      "web-1.4.2",
      "feature/x-12",
      "f1828b0",
      "f1828b0c5a1de2f0a4b1c9e8d7f6a5b4c3d2e1f0",
      "20261121.3-shop",
    ],
    ["release-1", "v1.2.3-rc.1+build.5", "nullable-3", "fix-null-check-12", "2026-11-29T10:00:00Z"],
    ["5aa119a8-d25b-45a7-8d1b-88e127885635", "repo#12", "user@host-12", "发布-12", "größe-3", "x".repeat(128)],
  ])("the gate client accepts deployment ids such as %s", (...ids) => {
    for (const id of ids) expect(idWith(id)).toBe(id);
  });

  test("the gate client refuses a deployment id of 129 characters, even if any id is allowed", () => {
    expect(() => idWith("x".repeat(129), ["--allow-any-id"])).toThrow(
      /^--deployment-id: expected at most 128 characters/,
    );
  });

  test.each([
    ["[]", /at least one selection/],
    ["[null]", /targets\[0\] is none/],
    ['[{"kind":"snapshot","tags":{"a":"b"}},["snapshot"]]', /targets\[1\] is none/],
    ['[{"tags":{"a":"b"}}]', /targets\[0\] is none/],
    ['[{"kind":["snapshot"]}]', /targets\[0\] is none/],
    ['{"length":0}', /expected a JSON list/],
  ])("the gate client refuses a targets file that contains %s", (text, message) => {
    const path = join(folder, "wrong-targets.json");
    writeFileSync(path, text);
    expect(() => readOptions([...good, "--targets", path], variables)).toThrow(message);
  });

  test("options, or variables of their names", () => {
    const expected = {
      url: new URL("https://gate.example.com/pre-deploy"),
      credentials: { appCode: CODE },
      request: {
        deployment_id: "release-1",
        targets: [{ kind: "standard-snapshot", tags: { app: "shop" } }],
        policy: "releases",
        max_age_minutes: 60,
      },
      retryFailed: true,
      timeoutSeconds: 600,
    };
    const more = ["--policy", "releases", "--max-age-minutes", "60", "--timeout-seconds", "600", "--retry-failed"];
    expect(readOptions([...good, ...more], variables)).toEqual(expected);
    const set = {
      SNAPSHOT_GATE_DEPLOYMENT_ID: "release-1",
      SNAPSHOT_GATE_TARGETS: targets,
      SNAPSHOT_GATE_POLICY: "releases",
      SNAPSHOT_GATE_MAX_AGE_MINUTES: "60",
      SNAPSHOT_GATE_TIMEOUT_SECONDS: "600",
      SNAPSHOT_GATE_RETRY_FAILED: "true",
    };
    expect(readOptions([], { ...variables, ...set })).toEqual(expected);
    expect(readOptions(good, variables)).toMatchObject({ retryFailed: false, timeoutSeconds: 1_800 });
    const yes = { ...variables, ...set, SNAPSHOT_GATE_RETRY_FAILED: "1" };
    expect(readOptions([], yes)).toEqual(expected);
    expect(readOptions([], { ...yes, SNAPSHOT_GATE_RETRY_FAILED: "0" })).toMatchObject({ retryFailed: false });
  });

  test.each<[string, string[], Record<string, string>, RegExp]>([
    ["no address", good, { SNAPSHOT_GATE_URL: "" }, /^Expected --url/],
    ["an address without TLS", good, { SNAPSHOT_GATE_URL: "http://gate.example.com/" }, /^--url: expected .* https/],
    ["an address with a password", good, { SNAPSHOT_GATE_URL: "https://a:b@gate.example.com/" }, /^--url: expected/],
    ["an address with a query", good, { SNAPSHOT_GATE_URL: "https://gate.example.com/?a=b" }, /^--url: expected/],
    ["what is no address", good, { SNAPSHOT_GATE_URL: "gate" }, /^--url: expected/],
    ["no credentials", good, { SNAPSHOT_GATE_APP_CODE: "" }, /^Expected SNAPSHOT_GATE_APP_CODE/],
    ["half of a key", good, { SNAPSHOT_GATE_APP_CODE: "", HUAWEICLOUD_SDK_AK: "a" }, /neither is set/],
    ["a code with a line break", good, { SNAPSHOT_GATE_APP_CODE: `${CODE}\n` }, /such as a line break/],
    ["no id", good.slice(2), {}, /^Expected --deployment-id/],
    ["an id without its beginning", [...good, "--deployment-id=-shop"], {}, /^--deployment-id: expected/],
    ["an id without its end", [...good, "--deployment-id", "5541-"], {}, /^--deployment-id: expected/],
    ["an id that was not put together", [...good, "--deployment-id", `1-\${JOB}`], {}, /^--deployment-id: .*left as/],
    ["an id that is too long", [...good, "--deployment-id", "x".repeat(129)], {}, /at most 128 characters/],
    ["a yes that is none", good, { SNAPSHOT_GATE_RETRY_FAILED: "yes" }, /^--retry-failed: expected true or false/],
    [
      "an --allow-any-id that is neither true nor false",
      good,
      { SNAPSHOT_GATE_ALLOW_ANY_ID: "yes" },
      /^--allow-any-id: expected true or false/,
    ],
    [
      "an empty --max-age-minutes",
      [...good, "--max-age-minutes", ""],
      {},
      /^--max-age-minutes: expected a value, got an/,
    ],
    [
      "an empty --deployment-id",
      [...good, "--deployment-id", ""],
      {},
      /^--deployment-id: expected a value, got an empty one/,
    ],
    ["no targets", good.slice(0, 2), {}, /^Expected --targets/],
    ["no file", [...good, "--targets", "none.json"], {}, /^--targets: expected a file/],
    [
      "a file without a list",
      [...good, "--targets", join(ROOT, "package.json")],
      {},
      /^--targets: expected a JSON list/,
    ],
    ["an option that there is not", [...good, "--retry"], {}, /^Unknown option/],
    ["a time that is none", [...good, "--timeout-seconds", "soon"], {}, /^--timeout-seconds: expected a whole number/],
    ["no time", [...good, "--timeout-seconds", "0"], {}, /^--timeout-seconds: expected a whole number/],
  ])("%s", (_name, argv, changes, message) => {
    const read = () => readOptions(argv, { ...variables, ...changes });
    expect(read).toThrow(BadInput);
    expect(read).toThrow(message);
    expect(read).not.toThrow(CODE);
  });
});

test("the built file is small and needs nothing beside it", () => {
  const text = readFileSync(join(folder, ".ci", "snapshot-gate.cjs"), "utf8");
  expect(text.length).toBeLessThan(28 * 1024);
  const needed = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name = ""]) =>
    name.replace("node:", ""),
  );
  expect(needed.length).toBeGreaterThan(3);
  expect(needed.filter((name) => !builtinModules.includes(name))).toEqual([]);
});
