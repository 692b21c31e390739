/** Measures the cold start of each function, of bare Node.js, of the plain SDK, and of middy with a compiled schema. */
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundlesIn } from "../../infra/local/host/index.ts";
import { endpointsAt } from "../support/user-data.ts";
import { buildBaselines } from "./baselines.ts";
import { DIST, type Measured, median, ROOT, run, timerEvent } from "./process.ts";

const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";
const SNAPSHOT = "ffa9bc5e-1172-4021-acaf-cdcd78a9584d";
const SERVER = "b0afa7a7-5d8a-4ce9-8d0c-1a2ab5b8d6c2";

const apig = (body: unknown) => ({
  httpMethod: "POST",
  headers: {},
  body: Buffer.from(JSON.stringify(body)).toString("base64"),
  isBase64Encoded: true,
  requestContext: {},
});
const apigGet = (query: Record<string, string>) => ({
  httpMethod: "GET",
  headers: {},
  queryStringParameters: query,
  body: "",
  isBase64Encoded: true,
  requestContext: {},
});
const targets = [{ kind: "snapshot", volume_ids: [DISK] }];

export const CREATE = apig({ snapshot: { volume_id: DISK } });

/** Maps each function to an event for which the function sends as few requests as possible. */
export const EVENTS: Record<string, unknown> = {
  "create-snapshot": CREATE,
  "create-standard-snapshot": apig({ snapshot: { volume_id: DISK } }),
  "create-snapshot-group": apig({ snapshot_group: { server_id: SERVER } }),
  "create-cluster-snapshot": apig({ snapshot: { name: "snap-1", cluster_id: SERVER } }),
  "scheduled-snapshots": timerEvent({ policy: "nightly", targets }),
  "disk-attached": {
    cts: {
      trace_name: "attachVolume",
      service_type: "ECS",
      trace_rating: "normal",
      time: Date.parse("2026-11-21T02:00:00Z"),
      resource_id: SERVER,
      request: { volumeAttachment: { volumeId: DISK } },
    },
  },
  "pre-deploy": apig({ deployment_id: "web-1.4.2", targets }),
  "verify-snapshots": timerEvent({}),
  "prune-snapshots": timerEvent({ policy: "nightly", retention: { keep_last: 3 } }),
  "report-coverage": apigGet({ format: "json" }),
};

/** Starts a server that responds to every request immediately, so the measured times include no work of the embedded cloud. */
export async function startAcceptingServer() {
  const attachment = { attachment_id: SNAPSHOT, server_id: SERVER, attached_at: "2026-11-21T02:00:00.000000" };
  const lists = { snapshots: [], snapshot_groups: [], volumes: [], servers: [], clusters: [], count: 0 };
  const shown = { volume: { id: DISK, status: "in-use", attachments: [attachment] } };
  const made = { snapshot: { id: SNAPSHOT, status: "creating", name: "a" }, job_id: "1", snapshot_id: SNAPSHOT };
  const texts = [lists, shown, { ...made, snapshot_group_id: SNAPSHOT }].map((body) => JSON.stringify(body));
  const [list, show, make] = texts as [string, string, string];
  let requests = 0;
  let connections = 0;
  const server = createServer((request, response) => {
    requests += 1;
    request.resume();
    request.on("end", () => {
      const created = request.method === "POST";
      response.writeHead(created ? 202 : 200, { "content-type": "application/json" });
      response.end(created ? make : request.url?.includes("/cloudvolumes/") ? show : list);
    });
  });
  server.on("connection", () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, requests: () => requests, connections: () => connections, close: () => server.close() };
}

/** The medians of the cold starts of one bundle. Times are in milliseconds, and `rss` is the RSS in bytes after loading. */
export interface ColdStart {
  name: string;
  bytes: number;
  load: number;
  /** The time from the start of loading to the first response. */
  first: number;
  /** The time from the start of loading to the return of the handler. */
  whole: number;
  rss: number;
  /** `load` and `first` divided by those of the plain SDK, and `rss` divided by that of bare Node.js. */
  loadRatio: number;
  firstRatio: number;
  rssRatio: number;
}

/**
 * Loads and invokes each bundle in `processes` new processes. The bundles take turns, so a slow moment of the machine affects every
 * bundle. Returns the medians of bare Node.js, the plain SDK and middy, and of each function.
 */
export async function measureColdStarts(processes: number): Promise<Record<"baselines" | "cold", ColdStart[]>> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const baselines = await buildBaselines(ROOT, folder);
  const server = await startAcceptingServer();
  const endpoints = endpointsAt(server.url, ["EVS", "DWS", "ECS", "FUNCTIONGRAPH"]);
  const variables = { PROJECT_ID: "0123456789abcdef0123456789abcdef", ...endpoints };
  const functions = bundlesIn(DIST);
  const bundles = [
    { name: "bare Node.js", bundle: "-", event: CREATE },
    { name: "the plain SDK", bundle: baselines.sdk, event: CREATE },
    { name: "middy, schema compiled at run time", bundle: baselines.middy, event: CREATE },
    ...functions.map((name) => ({ name, bundle: join(DIST, name, "index.js"), event: EVENTS[name] })),
  ];
  const measured = new Map(bundles.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round < processes; round += 1) {
    for (const { name, bundle, event } of bundles) measured.get(name)?.push(await run({ bundle, event, variables }));
  }
  server.close();
  const rows = bundles.map(({ name, bundle }) => {
    const runs = measured.get(name) ?? [];
    const failed = runs.find(({ result }) => result.error !== undefined || Number(result.statusCode ?? 202) >= 400);
    if (failed !== undefined)
      throw new Error(`${name}: expected a successful invocation, got ${JSON.stringify(failed.result)}.`);
    const medianOf = (figure: "load" | "first" | "whole" | "rssLoaded") => median(runs.map((one) => one[figure]));
    return {
      name,
      bytes: bundle === "-" ? 0 : statSync(bundle).size,
      load: medianOf("load"),
      first: medianOf("first"),
      whole: medianOf("whole"),
      rss: medianOf("rssLoaded"),
    };
  });
  rmSync(folder, { recursive: true });
  const [bare, sdk] = rows as [(typeof rows)[number], (typeof rows)[number]];
  const all = rows.map((row) => ({
    ...row,
    loadRatio: row.load / sdk.load,
    firstRatio: row.first / sdk.first,
    rssRatio: row.rss / bare.rss,
  }));
  const cold = all.splice(-functions.length);
  return { baselines: all, cold };
}
