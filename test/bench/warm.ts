/** A warm instance: what the middlewares and the validation cost an invocation; requests over a kept-alive connection. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { SUBSTITUTES, substitutes } from "../../shared/huaweicloud/substitutes/index.mjs";
import { CREATE, yesServer } from "./cold.ts";
import { DIST, jsonOf, ROOT } from "./process.ts";

/** The same create, once through the whole function and once without its middlewares; no network for either. */
const CALLS = `
import { createSnapshot } from "./functions/create-snapshot/handler.ts";
import { evsV2Creation } from "./shared/huaweicloud/evs-v2.ts";
import { makeLimiter } from "./shared/huaweicloud/limiter.ts";
import { nodeRuntime } from "./shared/middleware/runtime.ts";
import { ensure } from "./shared/snapshots/ensure.ts";
import { snapshot as kind } from "./shared/snapshots/kinds/snapshot.ts";
import { keyOf } from "./shared/snapshots/marker.ts";
import { planRetention } from "./shared/snapshots/retention.ts";
import { wallClockOf } from "./shared/snapshots/zone.ts";

const LIST = '{"snapshots":[],"count":0}';
const MADE = '{"snapshot":{"id":"ffa9bc5e-1172-4021-acaf-cdcd78a9584d","status":"creating","name":"a"}}';
const transport = async ({ method }) =>
  method === "GET" ? { status: 200, headers: {}, text: LIST } : { status: 202, headers: {}, text: MADE };
const runtime = { ...nodeRuntime(), transport, print() {} };
const credentials = { accessKey: "EMBEDDEDCLOUDACCESS1", secretKey: "embedded-cloud-secret-key", securityToken: "token" };
const PROJECT = "0123456789abcdef0123456789abcdef";

const handler = createSnapshot(runtime);
export const chain = (event, context) => handler(event, context);

export const bare = (event, context) => {
  const { time, inFlight } = runtime;
  const until = time.now() + 30_000;
  const connection = {
    transport, credentials, projectId: PROJECT, endpoint: () => "http://127.0.0.1:1", timeoutMs: 10_000,
    now: () => time.now(), sleep: time.sleep, limiter: makeLimiter(time), deadline: until,
  };
  const { snapshot: options } = JSON.parse(Buffer.from(event.body, "base64").toString());
  const key = keyOf("request", context.getRequestID());
  const request = { kind, options, key, projectId: PROJECT, policy: "create-snapshot", label: "create-snapshot", time: time.now() };
  return ensure(request, evsV2Creation(connection), { time, until }, inFlight);
};

export function plan(snapshots) {
  const now = Date.now();
  const found = Array.from({ length: snapshots }, (_, index) => ({
    id: "id-" + index, name: "n", resource: "disk-" + (index % 250), status: "available", state: "available",
    created: now - index * 60_000, labels: {}, raw: {},
    marker: { policy: "nightly", key: keyOf("schedule", String(index)), content: "00000000" },
  }));
  const disks = new Map();
  for (const one of found) disks.set(one.resource, [...(disks.get(one.resource) ?? []), one]);
  const retention = { keep_last: 3, keep_daily: 7, keep_weekly: 4, keep_monthly: 12 };
  const options = { retention, wallClock: wallClockOf("Europe/Berlin"), hold: [], now };
  const cpu = process.cpuUsage();
  for (const ofDisk of disks.values()) planRetention(ofDisk, options);
  return process.cpuUsage(cpu).user / 1000;
}
`;

export interface Warm {
  /** Milliseconds, and bytes that were allocated, of one invocation. */
  chain: { ms: number; bytes: number };
  bare: { ms: number; bytes: number };
  /** Milliseconds of CPU to plan the retention of 100,000 snapshots. */
  planCpu: number;
}

export async function warm(): Promise<Warm> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const outfile = join(folder, "calls.cjs");
  await build({
    stdin: { contents: CALLS, resolveDir: ROOT, loader: "ts" },
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    supported: { "dynamic-import": false },
    alias: SUBSTITUTES,
    plugins: [substitutes],
  });
  // Room for all that is allocated while it is measured, so that nothing of it is collected meanwhile.
  const options = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];
  const measured = await jsonOf<Warm>([
    ...options,
    join(import.meta.dirname, "warm.cjs"),
    "calls",
    outfile,
    JSON.stringify(CREATE),
  ]);
  rmSync(folder, { recursive: true });
  return measured;
}

/** Invocations of one warm instance, one after the other, over the network. */
export async function keptAlive(invocations: number) {
  const server = await yesServer();
  const variables = { PROJECT_ID: "0123456789abcdef0123456789abcdef", EVS_ENDPOINT: server.url };
  const bundle = join(DIST, "create-snapshot", "index.js");
  const values = [bundle, JSON.stringify(CREATE), JSON.stringify(variables), String(invocations)];
  const { ms } = await jsonOf<{ ms: number }>([join(import.meta.dirname, "warm.cjs"), "network", ...values]);
  server.close();
  return { invocations, requests: server.requests(), connections: server.connections(), ms };
}
