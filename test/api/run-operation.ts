/** Runs schemathesis on one operation, against functions of its own on an embedded cloud of its own. */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type LocalSite, startLocalSite } from "../../infra/local/site/local-site.ts";
import { onExit } from "../support/cleanup.ts";
import { CACHE } from "./install.ts";
import {
  APP_CODE,
  configuration,
  exampleIds,
  type OpenApiDocument,
  type ResourceType,
  withoutDefaultResponses,
} from "./settings.ts";

/**
 * How long the embedded cloud takes to create a snapshot, in milliseconds. Only legacy snapshots take time, so that pre-deploy also
 * responds with 202. While another snapshot is being created, a function would wait 10 seconds before it repeats the request.
 */
const CREATION_MS = { snapshot: 50, "standard-snapshot": 0, "snapshot-group": 0, "cluster-snapshot": 0 };

/** What the hooks of schemathesis counted. */
export interface Counts {
  /** The number of responses for each operation and HTTP status. */
  counts: Record<string, Record<string, number>>;
  modes: { valid?: number; invalid?: number };
  /** The number of failures that each exclusion removed. */
  excluded: Record<string, number>;
  exclusions: string[];
  /** A hash of all requests. */
  digest: string;
  /** The requests whose response took more than 3 seconds. */
  slow: string[];
}

export interface OperationResult extends Partial<Counts> {
  operation: string;
  seconds: number;
  passed: boolean;
  /** What schemathesis printed. */
  output: string;
}

export interface Plan {
  program: string;
  document: OpenApiDocument;
  seed: number;
  /** The number of random cases of each operation and round. */
  examples: number;
  rounds: number;
}

/**
 * Runs schemathesis on one operation.
 *
 * @param round 0: sends the sample requests, the requests that schemathesis derives from the schemas without a seed, and random
 *   requests. Otherwise: sends only random requests, with another seed for each round. Each round starts with a new cloud, in which
 *   the disks have room for snapshots
 */
export async function runOperation(operation: string, plan: Plan, round = 0): Promise<OperationResult> {
  const folder = join(CACHE, "runs", `${operation.replace(/\W+/g, "-").toLowerCase()}-${round}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const started = performance.now();
  const site = await startLocalSite({
    history: true,
    appCode: APP_CODE,
    creationMs: CREATION_MS,
    // A function takes 6 s to respond with 413, because it first waits until a list must show its snapshot.
    legacyPerVolume: round === 0 ? 7 : 1_000,
    onLine() {},
  });
  try {
    const ids = addResources(site, exampleIds(plan.document));
    const { examples } = plan;
    const seed = plan.seed * 1000 + round;
    writeFileSync(join(folder, "openapi.json"), JSON.stringify(withoutDefaultResponses(plan.document)));
    writeFileSync(join(folder, "settings.toml"), configuration({ url: site.gateway.url, seed, examples, ids }));
    const { code, output } = await start(plan.program, operation, folder, round === 0 ? [] : ["--phases", "fuzzing"]);
    const path = join(folder, "result.json");
    const counts: Partial<Counts> = existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
    const seconds = (performance.now() - started) / 1000;
    return { operation, seconds, passed: code === 0 && counts.digest !== undefined, output, ...counts };
  } finally {
    await site.close();
  }
}

/** Adds the resources of the sample requests to the sample resources. Returns the ids of all resources by type. */
function addResources({ cloud, inventory }: LocalSite, examples: Readonly<Record<ResourceType, string[]>>) {
  for (const id of examples.server) {
    cloud.addServer({ id });
    cloud.addVolume({ serverId: id });
  }
  for (const id of examples.disk) cloud.addVolume({ id });
  for (const id of examples.cluster) cloud.addCluster({ id });
  const idsOf = (wanted: ResourceType) => [
    ...examples[wanted],
    ...inventory.resources.filter(({ type }) => type === wanted).map(({ id }) => id),
  ];
  return { disk: idsOf("disk"), server: idsOf("server"), cluster: idsOf("cluster") };
}

function start(
  program: string,
  operation: string,
  folder: string,
  options: readonly string[],
): Promise<{ code: number | null; output: string }> {
  const files = ["--config-file", join(folder, "settings.toml"), "run", join(folder, "openapi.json")];
  const child = spawn(program, [...files, "--include-name", operation, "--no-color", ...options], {
    cwd: folder,
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      API_TEST_RESULT: join(folder, "result.json"),
      // The order of sets in Python depends on this number.
      PYTHONHASHSEED: "0",
      PYTHONDONTWRITEBYTECODE: "1",
      PYTHONUTF8: "1",
      NO_PROXY: "127.0.0.1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  // If another operation fails, the command exits while this program still runs.
  const removeCleanup = onExit(() => child.kill());
  child.once("close", removeCleanup);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, output }));
  });
}
