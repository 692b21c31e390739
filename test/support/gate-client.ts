/** Builds and runs the client of the deployment gate. Starts a gateway with pre-deploy, or a server with predefined responses. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { Server as SecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, type TestContext } from "vitest";
import { type CloudOptions, startCloud } from "../../infra/local/cloud/index.ts";
import { startGateway, startHost } from "../../infra/local/host/index.ts";
import { endpointsAt } from "./user-data.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
export const CI = join(ROOT, "infra", "ci");
export const APP_CODE = "app-code-that-nobody-may-see-4711";
export const TAGS = { app: "shop" };
/** The entry of an available snapshot in a pre-deploy response. It satisfies the only selection in the sample targets file. */
export const AVAILABLE = {
  kind: "standard-snapshot",
  snapshot_id: "2a4d0f86-67cd-408a-8b66-a8c33d1fe9b1",
  outcome: "available",
};
export const READY = JSON.stringify({ status: "ready", deployment_id: "release-1", snapshots: [AVAILABLE] });

/** Writes the built clients and the sample targets file to `.ci` in a temporary folder. Returns a getter of the folder's path. */
export function buildClient(): () => string {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "gate-test-"));
    mkdirSync(join(folder, ".ci"));
    const built = spawnSync(process.execPath, [join(CI, "build.mjs"), join(folder, ".ci")], {
      encoding: "utf8",
    });
    expect(built.stderr).toBe("");
    cpSync(join(CI, "snapshot-targets.json"), join(folder, ".ci", "snapshot-targets.json"));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  return () => folder;
}

export interface Exited {
  code: number | null;
  output: string;
}

/** Runs a shell command in a folder. The command gets only the given environment variables and PATH. */
export function runCommand(folder: string, command: string, variables: Record<string, string>): Promise<Exited> {
  return new Promise((resolve) => {
    const child = spawn("bash", ["--norc", "-e", "-o", "pipefail", "-c", command], {
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", ...variables },
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (chunk) => {
        output += chunk;
      });
    child.on("close", (code) => resolve({ code, output }));
  });
}

const GATE = "node .ci/snapshot-gate.cjs --targets .ci/snapshot-targets.json --deployment-id release-1";

/** Returns two functions: `gate` runs the gate client in the folder, and `hurried` makes the client's clock run faster. */
export function gateIn(folder: () => string) {
  const gate = (url: string, options = "", variables: Record<string, string> = { SNAPSHOT_GATE_APP_CODE: APP_CODE }) =>
    runCommand(folder(), `${GATE} ${options}`, { SNAPSHOT_GATE_URL: url, ...variables });

  /**
   * Returns environment variables that make the client's clock run a hundred times faster. Before the client starts,
   * Node.js also runs the code in `more`.
   */
  function hurried(name: string, more = ""): Record<string, string> {
    const file = join(folder(), `${name}.cjs`);
    const scale = JSON.stringify(join(ROOT, "test", "bench", "scaled-time.cjs"));
    const keep = "const own = performance.now.bind(performance);";
    const scaled = "performance.now = () => own() * 100;";
    writeFileSync(file, `${keep}\nrequire(${scale}).scaleTime(100);\n${scaled}\n${more}`);
    return { SNAPSHOT_GATE_APP_CODE: APP_CODE, NODE_OPTIONS: `--require ${file}` };
  }
  return { gate, hurried };
}

/** Starts a server on loopback, closes it when the test finishes, and returns its port. */
export async function listen(server: Server | SecureServer, { onTestFinished }: TestContext): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Starts an embedded cloud with two disks, the built pre-deploy function, and a local gateway in front of pre-deploy. */
export async function startGate(
  { onTestFinished }: TestContext,
  options: CloudOptions & { backendTimeoutMs?: number } = {},
) {
  const { backendTimeoutMs = 60_000, ...cloudOptions } = options;
  const cloud = await startCloud({ creationMs: 300, ...cloudOptions });
  const server = cloud.addServer({ tags: TAGS }).id;
  const volumes = [1, 2].map(() => cloud.addVolume({ serverId: server, tags: TAGS }).id);
  const lines: string[] = [];
  const host = await startHost({
    onLine: ({ text }) => lines.push(text),
    dist: join(ROOT, "dist"),
    functions: ["pre-deploy"],
    userData: { REGION: cloud.region, ...endpointsAt(cloud.url, ["EVS", "DWS", "ECS"]) },
    credentials: cloud.credentials,
    projectId: cloud.projectId,
    timeoutSeconds: 60,
  });
  const gateway = await startGateway({ host, routes: ["pre-deploy"], backendTimeoutMs });
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

interface MadeUpResponse {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

/** Starts a server that records requests. If `respond` returns no response to a request, the server closes the connection. */
export async function startServer(
  context: TestContext,
  respond: (body: string, headers: IncomingHttpHeaders, path: string) => MadeUpResponse | undefined,
) {
  const requests: { body: string; headers: IncomingHttpHeaders }[] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    requests.push({ body, headers: request.headers });
    const made = respond(body, request.headers, request.url ?? "");
    if (made === undefined) return void request.socket.destroy();
    response.writeHead(made.status, made.headers).end(made.body);
  });
  return { url: `http://127.0.0.1:${await listen(server, context)}/pre-deploy`, requests };
}
