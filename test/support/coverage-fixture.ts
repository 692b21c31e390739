/** Creates test environments for `report-coverage`. */
import { reportCoverage } from "../../functions/report-coverage/handler.ts";
import type { SnapshotView } from "../../infra/local/cloud/index.ts";
import { HOUR_MS, type Kind, START_MS } from "./common.ts";
import {
  type Any,
  apig,
  createTestEnvironment,
  type Invocation,
  type Invoked,
  type Json,
  type TestEnvironmentOptions,
  timerEvent,
} from "./environment.ts";
import { type Seed, seedSnapshot } from "./retention-seeds.ts";

/** Returns the event of the API gateway for a GET request with these query parameters. */
export const getRequest = (query: unknown = {}, headers: Record<string, string> = {}, changes: Json = {}): Json =>
  apig("", headers, { httpMethod: "GET", path: "/report-coverage", queryStringParameters: query, ...changes });

/** Creates a test environment and functions that add resources and call `report-coverage`. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud, invoke } = environment;
  const get = (query: unknown = {}, headers: Record<string, string> = {}, how: Invocation = {}) =>
    invoke(reportCoverage, getRequest(query, headers), how);
  /** Adds a disk, and a snapshot of the disk for each seed. `hours` is the age of the snapshot. */
  const addDisk = (
    name: string,
    snapshots: readonly (Partial<Seed> & { hours: number; kind?: Kind })[] = [],
    disk: Parameters<typeof cloud.addVolume>[0] = {},
  ): { id: string; snapshots: SnapshotView[] } => {
    const { id } = cloud.addVolume({ name, ...disk });
    const added = snapshots.map(({ hours, kind = "snapshot", ...seed }) =>
      seedSnapshot(cloud, kind, id, { ...seed, at: START_MS - hours * HOUR_MS }),
    );
    return { id, snapshots: added };
  };
  return {
    ...environment,
    get,
    /** Returns the report in JSON. */
    async report(query: Json = {}): Promise<Any> {
      return reportIn(await get(query));
    },
    timer: (body: unknown = {}, how: Invocation = {}) => invoke(reportCoverage, timerEvent(body), how),
    addDisk,
    /** Adds a cluster, and a snapshot of the cluster for each age in hours. */
    addCluster(name: string, ages: readonly number[]): string {
      const { id } = cloud.addCluster({ name });
      for (const hours of ages) seedSnapshot(cloud, "cluster-snapshot", id, { at: START_MS - hours * HOUR_MS });
      return id;
    },
  };
}

/** Returns the report in an HTTP response. */
export const reportIn = ({ result, error }: Invoked): Any => {
  if (result?.statusCode !== 200) throw new Error(`expected the status 200, got ${result?.body ?? error}`);
  return JSON.parse(result.body);
};

/** Returns a string such as `data: protected` for each resource of a report. */
export const statesIn = ({ resources }: Any): string[] =>
  resources.map(({ name, state }: Any) => `${name}: ${state}`).sort();

/** The operations of the embedded cloud that list what a report needs. */
export const LISTS = [
  "evs.listVolumes",
  "evs.listSnapshots",
  "evs.listStandardSnapshots",
  "evs.listSnapshotGroups",
  "dws.listClusters",
  "dws.listSnapshots",
] as const;

/** Reads the rows of a CSV text. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    if (quoted === undefined && plain === "" && end === "") break;
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\r\n") rows.push([]);
  }
  return rows.filter((row) => row.length > 0);
}
