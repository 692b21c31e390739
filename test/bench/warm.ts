/** Measures warm instances: without a network to compare the middlewares, and over a kept-alive connection. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { STUBBED_PACKAGES, sdkStubs } from "../../shared/huaweicloud/sdk-stubs/index.mjs";
import { CREATE, startAcceptingServer } from "./cold.ts";
import { BUILD_OPTIONS, DIST, runForJson } from "./process.ts";

export interface WarmCalls {
  /** The time in milliseconds and the allocated bytes of one invocation with all middlewares. */
  chain: { ms: number; bytes: number };
  /** The time in milliseconds and the allocated bytes of one invocation without middlewares. */
  bare: { ms: number; bytes: number };
  /** CPU time in milliseconds to plan the retention of 100,000 snapshots. */
  planCpu: number;
}

export async function measureWarmCalls(): Promise<WarmCalls> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const outfile = join(folder, "calls.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "warm-calls.ts")],
    outfile,
    ...BUILD_OPTIONS,
    supported: { "dynamic-import": false },
    alias: STUBBED_PACKAGES,
    plugins: [sdkStubs],
  });
  // The large young generation prevents garbage collection during the measurement.
  const options = ["--expose-gc", "--min-semi-space-size=256", "--max-semi-space-size=256"];
  const measured = await runForJson<WarmCalls>([
    ...options,
    join(import.meta.dirname, "warm.cjs"),
    "calls",
    outfile,
    JSON.stringify(CREATE),
  ]);
  rmSync(folder, { recursive: true });
  return measured;
}

export interface KeptAlive {
  invocations: number;
  requests: number;
  connections: number;
  /** The time in milliseconds of one invocation. */
  ms: number;
}

/** Measures consecutive invocations of one warm instance that sends its requests over loopback. */
export async function measureKeptAlive(invocations: number): Promise<KeptAlive> {
  const server = await startAcceptingServer();
  const variables = { PROJECT_ID: "0123456789abcdef0123456789abcdef", EVS_ENDPOINT: server.url };
  const bundle = join(DIST, "create-snapshot", "index.js");
  const values = [bundle, JSON.stringify(CREATE), JSON.stringify(variables), String(invocations)];
  const { ms } = await runForJson<{ ms: number }>([join(import.meta.dirname, "warm.cjs"), "network", ...values]);
  server.close();
  return { invocations, requests: server.requests(), connections: server.connections(), ms };
}
