/** A warm instance: what the middlewares and the validation cost an invocation; requests over a kept-alive connection. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { STUBBED_PACKAGES, sdkStubs } from "../../shared/huaweicloud/sdk-stubs/index.mjs";
import { CREATE, yesServer } from "./cold.ts";
import { DIST, jsonOf } from "./process.ts";

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
    entryPoints: [join(import.meta.dirname, "warm-calls.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    supported: { "dynamic-import": false },
    alias: STUBBED_PACKAGES,
    plugins: [sdkStubs],
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
