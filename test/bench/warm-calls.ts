/** Creates a snapshot without a network. `chain` runs the whole function. `bare` runs the function without its middlewares. */
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { instant } from "../../shared/core/instant.ts";
import { createWallTimeConverter } from "../../shared/core/time-zone.ts";
import { createEvsV2Creator } from "../../shared/huaweicloud/evs-v2.ts";
import { createRateLimiter } from "../../shared/huaweicloud/http/rate-limiter.ts";
import type { Connection } from "../../shared/huaweicloud/http/sdk-client.ts";
import type { Transport } from "../../shared/huaweicloud/http/transport.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { createOnce } from "../../shared/snapshots/create/create-once.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import { snapshotKind as kind } from "../../shared/snapshots/kinds/snapshot.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { planRetention } from "../../shared/snapshots/retention/plan.ts";

const LIST = '{"snapshots":[],"count":0}';
const CREATED = '{"snapshot":{"id":"ffa9bc5e-1172-4021-acaf-cdcd78a9584d","status":"creating","name":"a"}}';
const transport: Transport = async ({ method }) =>
  method === "GET" ? { status: 200, headers: {}, text: LIST } : { status: 202, headers: {}, text: CREATED };
const runtime = { ...nodeRuntime(), transport, print() {} };
const credentials = {
  accessKey: "EMBEDDEDCLOUDACCESS1",
  secretKey: "embedded-cloud-secret-key",
  securityToken: "token",
};
const PROJECT = "0123456789abcdef0123456789abcdef";

export const chain = createSnapshot(runtime);

export const bare = (event: { body: string }, context: { getRequestID(): string }) => {
  const { time, inFlight } = runtime;
  const deadline = instant(time.now() + 30_000);
  const connection: Connection = {
    transport,
    credentials,
    projectId: PROJECT,
    endpoint: () => "http://127.0.0.1:1",
    timeoutMs: 10_000,
    now: () => time.now(),
    sleep: time.sleep,
    limiter: createRateLimiter(time),
    deadline,
  };
  const { snapshot: options } = JSON.parse(Buffer.from(event.body, "base64").toString());
  const key = deriveKey("request", context.getRequestID());
  const common = { projectId: PROJECT, policy: "create-snapshot", label: "create-snapshot", time: time.now() };
  return createOnce(
    { kind, options, idempotencyKey: key, ...common },
    createEvsV2Creator(connection),
    { time, deadline },
    inFlight,
  );
};

/** Plans the retention of `snapshots` snapshots, spread over 250 disks. Returns the CPU time in milliseconds. */
export function plan(snapshots: number): number {
  const now = Date.now();
  const disks = new Map<string, FoundSnapshot[]>();
  for (let index = 0; index < snapshots; index += 1) {
    const resource = `disk-${index % 250}`;
    const found: FoundSnapshot = {
      id: `id-${index}`,
      name: "n",
      resource,
      status: "available",
      state: "available",
      created: instant(now - index * 60_000),
      labels: {},
      raw: {},
      marker: { policy: "nightly", idempotencyKey: deriveKey("schedule", String(index)), requestHash: "00000000" },
    };
    disks.set(resource, [...(disks.get(resource) ?? []), found]);
  }
  const retention = { keep_last: 3, keep_daily: 7, keep_weekly: 4, keep_monthly: 12 };
  const options = { retention, toWallTime: createWallTimeConverter("Europe/Berlin"), hold: [], now: instant(now) };
  const cpu = process.cpuUsage();
  for (const ofDisk of disks.values()) planRetention(ofDisk, options);
  return process.cpuUsage(cpu).user / 1000;
}
