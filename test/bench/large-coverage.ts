/** Runs report-coverage for 10,000 disks with 21 snapshots each in 256 MB of memory. */
import { join } from "node:path";
import { type EmbeddedCloud, startCloud } from "../../infra/local/cloud/index.ts";
import { deriveKey } from "../../shared/snapshots/marker.ts";
import { getRequest } from "../support/coverage-fixture.ts";
import { TOPIC } from "../support/user-data.ts";
import { PAGE_ROWS } from "./large-prune.ts";
import { variablesFor } from "./large-runs.ts";
import { DIST, MB, run, timerEvent } from "./process.ts";

const DISKS = 10_000;
/** The number of snapshots of each kind that a disk has. */
const PER_DISK = { snapshot: 7, "standard-snapshot": 13, "snapshot-group": 1 };
/** How many disks belong to one server, whose disks have one snapshot group. */
const DISKS_PER_SERVER = 4;
const HOUR_MS = 3_600_000;
export const MAX_COVERAGE_RSS = 200 * MB;
export const MAX_BODY_BYTES = 3_500_000;
/** The number of requests that a run may send in addition to one request for each page of a list. */
export const MAX_OTHER_REQUESTS = 10;

/** Node.js options that limit memory about as much as a cgroup of 256 MB does. */
const IN_256_MB = ["--max-old-space-size=128", "--max-semi-space-size=1"];

/**
 * The speed of the function's clock. The function reads lists for at most 50 s of its own clock, so a slow clock keeps other work on
 * the machine from ending the run early.
 */
const CLOCK_FACTOR = 0.1;

export interface CoverageRun {
  /** The format of the response, or `timer` for an invocation by a timer. */
  format: string;
  /** The peak RSS in bytes. */
  rssPeak: number;
  /** CPU time in milliseconds. */
  cpu: number;
  /** The size of the response in bytes. */
  bytes: number;
  requests: number;
  /** The number of list pages that the cloud has. */
  pages: number;
  isRight: boolean;
}

/** Adds the disks and their snapshots. One disk in a hundred has only old snapshots, and one in a hundred has none. */
function addDisks(cloud: EmbeddedCloud): void {
  const now = cloud.clock.now();
  const labelsOf = (index: number) => ({
    "managed-by": "snapshot-functions",
    policy: "nightly",
    key: deriveKey("schedule", "nightly", String(index)),
    content: index.toString(16).padStart(8, "0"),
  });
  for (let index = 0; index < DISKS / DISKS_PER_SERVER; index += 1) {
    const server = cloud.addServer({ name: `server-${index}` });
    const disks = Array.from({ length: DISKS_PER_SERVER }, (_, place) =>
      cloud.addVolume({ serverId: server.id, name: `server-${index}-data-${place}`, tags: { backup: "daily" } }),
    );
    if (index % 100 === 99) continue;
    const age = (index % 100 === 50 ? 99 : 1) * HOUR_MS;
    for (const { id } of disks) {
      for (let count = 0; count < PER_DISK.snapshot; count += 1) {
        const createdAt = now - age - count * 24 * HOUR_MS;
        cloud.addSnapshot({ kind: "snapshot", volumeId: id, createdAt, metadata: labelsOf(count) });
      }
      for (let count = 0; count < PER_DISK["standard-snapshot"]; count += 1) {
        const createdAt = now - age - (count + 7) * 24 * HOUR_MS;
        cloud.addSnapshot({ kind: "standard-snapshot", volumeId: id, createdAt, tags: labelsOf(count) });
      }
    }
    const createdAt = now - age - 20 * 24 * HOUR_MS;
    cloud.addSnapshot({ kind: "snapshot-group", serverId: server.id, createdAt, tags: labelsOf(index) });
  }
}

async function runFormat(cloud: EmbeddedCloud, pages: number, format: string, event: unknown): Promise<CoverageRun> {
  const bundle = join(DIST, "report-coverage", "index.js");
  const topic = { LTS_ENDPOINT: cloud.url, LTS_LOG_GROUP_ID: TOPIC.group, LTS_LOG_STREAM_ID: TOPIC.stream };
  const variables = variablesFor(cloud, { MEMORY_MB: "256", FUNCTION_NAME: "report-coverage", ...topic });
  const before = cloud.count(/^(evs|dws)\./);
  const { rssPeak, cpu, result } = await run({ bundle, event, variables, factor: CLOCK_FACTOR, options: IN_256_MB });
  const requests = cloud.count(/^(evs|dws)\./) - before;
  const { statusCode, body, outcomes } = result as {
    statusCode?: number;
    body?: string;
    outcomes?: Record<string, number>;
  };
  const bytes = Buffer.byteLength(body ?? "");
  const counts = format === "json" ? JSON.parse(body ?? "{}").counts : outcomes;
  const isWhole = format === "timer" || (statusCode === 200 && !/could not be read|"complete":false/.test(body ?? ""));
  const hasCounts = counts?.stale === 100 && counts?.unprotected === 100;
  const isRight = isWhole && (hasCounts || ((format === "csv" || format === "html") && bytes > 0));
  return { format, rssPeak, cpu, bytes, requests, pages, isRight };
}

/** Runs report-coverage once for each format of the response, and once as a timer invokes it. */
export async function runCoverage(): Promise<CoverageRun[]> {
  const cloud = await startCloud({ keepRequests: false, topics: [TOPIC] });
  addDisks(cloud);
  const kinds = ["snapshot", "standard-snapshot", "snapshot-group"] as const;
  const rows = [DISKS, ...kinds.map((kind) => cloud.snapshots(kind).length)];
  const pages = rows.reduce((sum, count) => sum + Math.ceil(count / PAGE_ROWS), 0);
  const runs: CoverageRun[] = [];
  for (const format of ["json", "csv", "html"])
    runs.push(await runFormat(cloud, pages, format, getRequest({ format })));
  runs.push(await runFormat(cloud, pages, "timer", timerEvent({})));
  await cloud.close();
  return runs;
}

/** Returns what is wrong with the reports, or an empty array. */
export const findCoverageProblems = (runs: readonly CoverageRun[]): string[] =>
  runs.filter(({ isRight }) => !isRight).map(({ format }) => `report-coverage: the report (${format}) is wrong`);
