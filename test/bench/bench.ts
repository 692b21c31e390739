/** `npm run bench`: what the functions cost, beside what else could be had, in one run. A table, then a line of JSON. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EmbeddedCloud, ScaledClock, startCloud } from "../../infra/local/cloud/index.ts";
import { keyOf } from "../../shared/snapshots/marker.ts";
import { buildBaselines } from "./baselines.ts";

const ROOT = join(__dirname, "..", "..");
const DIST = join(ROOT, "dist");
const PROJECT = "0123456789abcdef0123456789abcdef";
const PROCESSES = Number(process.env.BENCH_PROCESSES ?? 21);
/** How many times faster the clocks of the estate's runs go. */
const FACTOR = 8;
const MB = 1024 * 1024;

interface Measured {
  load: number;
  first: number;
  seconds: number;
  rssLoaded: number;
  rssPeak: number;
  cpu: number;
  answer: Record<string, unknown>;
}

function run(bundle: string, event: unknown, variables: Record<string, string>, factor = 1): Promise<Measured> {
  const child = spawn(
    process.execPath,
    [join(__dirname, "child.cjs"), bundle, JSON.stringify(event), JSON.stringify(variables), String(factor)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("close", () => {
      try {
        resolve(JSON.parse(text));
      } catch {
        reject(new Error(`${bundle} said no figures: ${text.slice(0, 200)}`));
      }
    });
  });
}

const median = (values: number[]): number => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const apig = (body: unknown) => ({
  httpMethod: "POST",
  headers: {},
  body: Buffer.from(JSON.stringify(body)).toString("base64"),
  isBase64Encoded: true,
  requestContext: {},
});

/** A server that says yes: what it takes to answer is not what is measured. */
async function yesServer() {
  const snapshot = { id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", status: "creating", name: "a" };
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => {
      const list = request.method === "GET" && request.url?.includes("/detail");
      response.writeHead(list ? 200 : 202, { "content-type": "application/json" });
      response.end(
        JSON.stringify(list ? { snapshots: [], volumes: [], snapshot_groups: [], servers: [] } : { snapshot }),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
}

/** Load, and load plus first signed request, of fresh processes; one of each after the other, many times. */
async function coldStart() {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const baselines = await buildBaselines(ROOT, folder);
  const server = await yesServer();
  const variables = { PROJECT_ID: PROJECT, EVS_ENDPOINT: server.url };
  const event = apig({ snapshot: { volume_id: "5aa119a8-d25b-45a7-8d1b-88e127885635" } });
  const functions = readdirSync(DIST).filter((name) => !name.endsWith(".zip"));
  const bundles: [string, string][] = [
    ["bare Node.js", "-"],
    ["the SDK as it comes", baselines.sdk],
    ["middy, schema compiled at run time", baselines.middy],
    ...functions.map((name): [string, string] => [name, join(DIST, name, "index.js")]),
  ];
  const all = new Map(bundles.map(([name]) => [name, [] as Measured[]]));
  for (let round = 0; round < PROCESSES; round += 1) {
    for (const [name, bundle] of bundles) all.get(name)?.push(await run(bundle, event, variables));
  }
  server.close();
  const rows = bundles.map(([name, bundle]) => {
    const runs = all.get(name) ?? [];
    return {
      name,
      bytes: bundle === "-" ? 0 : statSync(bundle).size,
      load: median(runs.map((one) => one.load)),
      first: median(runs.map((one) => one.first)),
      rss: median(runs.map((one) => one.rssLoaded)),
    };
  });
  rmSync(folder, { recursive: true });
  const bare = rows[0] as (typeof rows)[number];
  const sdk = rows[1] as (typeof rows)[number];
  return rows.map((row) => ({
    ...row,
    loadRatio: row.load / sdk.load,
    // Only this function makes the same call as the baseline; the others refuse an event that is not theirs.
    firstRatio: row.name === "create-snapshot" || row === sdk ? row.first / sdk.first : undefined,
    rssRatio: row.rss / bare.rss,
  }));
}

const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
const timer = (body: unknown, time: string) => ({
  version: "v1.0",
  time,
  trigger_type: "TIMER",
  trigger_name: "bench",
  user_event: JSON.stringify(body),
});

function variablesFor(cloud: EmbeddedCloud, more: Record<string, string> = {}): Record<string, string> {
  const endpoints = ["EVS", "DWS", "ECS", "LTS", "FUNCTIONGRAPH"].map((name) => [`${name}_ENDPOINT`, cloud.url]);
  return {
    REGION: cloud.region,
    PROJECT_ID: cloud.projectId,
    ...Object.fromEntries(endpoints),
    LTS_LOG_GROUP_ID: "group",
    LTS_LOG_STREAM_ID: "stream",
    ...more,
  };
}

/** scheduled-snapshots over an estate at 50 requests a second and 30 ms latency; its time and the cloud's are scaled. */
async function estate(disks: number, shardSize: number) {
  const RATE = 50;
  const calls: Promise<Measured>[] = [];
  const cloud: EmbeddedCloud = await startCloud({
    clock: new ScaledClock(FACTOR),
    rate: { perSecond: RATE },
    latencyMs: 30 / FACTOR,
    keepRequests: false,
    onInvokeAsync: ({ payload }) => {
      calls.push(run(bundle, payload, variables, FACTOR));
    },
  });
  const bundle = join(DIST, "scheduled-snapshots", "index.js");
  const variables = variablesFor(cloud, { SHARD_SIZE: String(shardSize) });
  for (let index = 0; index < disks; index += 1) cloud.addVolume({ tags: { backup: "daily" } });
  const begun = cloud.clock.now();
  const first = await run(bundle, timer(policy, new Date().toISOString()), variables, FACTOR);
  await cloud.idle();
  const runs = [first, ...(await Promise.all(calls))];
  const seconds = (cloud.clock.now() - begun) / 1000;
  const creates = cloud.count("evs.createSnapshot", 202);
  const throttled = cloud.count(/./, 429);
  const requests = cloud.count(/^(evs|functiongraph)\./);
  const result = {
    disks,
    invocations: runs.length,
    snapshots: cloud.snapshots("snapshot").length,
    creates,
    requests,
    throttled,
    seconds,
    // The bucket is full at the beginning.
    least: Math.max(0, (requests - throttled - RATE) / RATE),
    rssPeak: Math.max(...runs.map((one) => one.rssPeak)),
    cpu: runs.reduce((sum, one) => sum + one.cpu, 0),
  };
  await cloud.close();
  return result;
}

/** prune-snapshots over an estate whose snapshots all stay: what it costs to read and to judge them. */
async function prune(snapshots: number) {
  const cloud = await startCloud({ keepRequests: false });
  const disks = Array.from({ length: 250 }, () => cloud.addVolume().id);
  for (let index = 0; index < snapshots; index += 1) {
    const key = keyOf("schedule", "nightly", String(index));
    cloud.addSnapshot({
      kind: "snapshot",
      volumeId: disks[index % disks.length],
      createdAt: Date.now() - index * 60_000,
      status: "available",
      metadata: { "managed-by": "snapshot-functions", policy: "nightly", key, content: "00000000" },
    } as never);
  }
  const bundle = join(DIST, "prune-snapshots", "index.js");
  const event = timer({ policy: "nightly", retention: { keep_last: 100_000 } }, new Date().toISOString());
  const { LTS_ENDPOINT: _, LTS_LOG_GROUP_ID: __, LTS_LOG_STREAM_ID: ___, ...variables } = variablesFor(cloud);
  const measured = await run(bundle, event, variables);
  await cloud.close();
  return { snapshots, cpu: measured.cpu, rssPeak: measured.rssPeak, outcomes: measured.answer.outcomes };
}

function table(head: string[], rows: (string | number)[][]): string {
  const lines = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const line = (cells: string[]) => `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  return [line(head), `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`, ...lines.slice(1).map(line)].join(
    "\n",
  );
}

async function main() {
  const started = Date.now();
  console.log(
    `Node.js ${process.version}, ${new Date().toISOString().slice(0, 10)}, medians of ${PROCESSES} processes\n`,
  );
  const cold = await coldStart();
  console.log(
    table(
      ["bundle", "KB", "load ms", "of the SDK", "load + first request ms", "of the SDK", "RSS MB", "of bare"],
      cold.map((row) => [
        row.name,
        (row.bytes / 1024).toFixed(1),
        row.load.toFixed(1),
        row.loadRatio.toFixed(2),
        row.first.toFixed(1),
        row.firstRatio?.toFixed(2) ?? "",
        (row.rss / MB).toFixed(1),
        row.rssRatio.toFixed(2),
      ]),
    ),
  );
  const estates = [];
  for (const [disks, shard] of [
    [100, 10_000],
    [1_000, 10_000],
    [10_000, 10_000],
    [10_000, 500],
  ] as const) {
    estates.push(await estate(disks, shard));
  }
  console.log(
    `\n${table(
      [
        "disks",
        "invocations",
        "snapshots",
        "requests",
        "throttled",
        "seconds",
        "at least",
        "peak RSS MB",
        "CPU ms a disk",
      ],
      estates.map((one) => [
        one.disks,
        one.invocations,
        one.snapshots,
        one.requests,
        one.throttled,
        one.seconds.toFixed(1),
        one.least.toFixed(1),
        (one.rssPeak / MB).toFixed(1),
        (one.cpu / one.disks).toFixed(2),
      ]),
    )}`,
  );
  const pruned = await prune(100_000);
  console.log(
    `\nprune-snapshots over ${pruned.snapshots} snapshots: ${(pruned.cpu / 1000).toFixed(1)} s of CPU, peak RSS ${(pruned.rssPeak / MB).toFixed(0)} MB`,
  );
  console.log(`\n${((Date.now() - started) / 1000).toFixed(0)} s in all`);
  console.log(JSON.stringify({ node: process.version, cold, estates, pruned }));
}

main().catch((error: Error) => {
  console.error(error);
  process.exit(1);
});
