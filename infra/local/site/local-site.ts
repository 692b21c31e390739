import { join } from "node:path";
import { loadDefinitions } from "../../definitions.ts";
import { type CloudOptions, type EmbeddedCloud, startCloud } from "../cloud/index.ts";
import {
  bundlesIn,
  functionUrn,
  type Gateway,
  type Host,
  type OutputLine,
  runAsyncCall,
  startGateway,
  startHost,
} from "../host/index.ts";
import { parseRecord, type ResultRecord } from "./records.ts";
import { addSampleHistory, type SampleHistory } from "./sample-history.ts";
import { addSampleInventory, type SampleInventory } from "./sample-inventory.ts";

/** The folder into which `npm run build` writes the bundles. */
export const DIST_FOLDER = join(import.meta.dirname, "..", "..", "..", "dist");

export const REGION = "eu-west-101";
const PROJECT_ID = "0123456789abcdef0123456789abcdef";
const TOPIC = { group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293", stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6" };

/** A complete local deployment: the embedded cloud, the host that runs the functions, and the API gateway. */
export interface LocalSite {
  cloud: EmbeddedCloud;
  host: Host;
  gateway: Gateway;
  inventory: SampleInventory;
  /** The ids of some snapshots of the sample history. Undefined if the local site started without snapshots. */
  history?: SampleHistory;
  /** The result records that the functions printed, oldest first. */
  readonly records: readonly ResultRecord[];
  close(): Promise<void>;
}

/**
 * Starts the embedded cloud with sample resources, a host that runs all built functions, and the API gateway.
 *
 * @param options.history whether the embedded cloud starts with further resources and 60 days of snapshots. Default false: the
 *   embedded cloud starts without snapshots.
 * @param options.legacyPerVolume the maximum number of legacy snapshots of a disk. Default 7
 * @param options.appCode the app code that the API gateway requires. Default: the gateway checks no credentials
 * @param options.port the port of the API gateway. The embedded cloud then has the next port. Default: any free ports
 */
export async function startLocalSite(options: {
  dist?: string;
  history?: boolean;
  port?: number;
  creationMs?: CloudOptions["creationMs"];
  appCode?: string;
  legacyPerVolume?: CloudOptions["legacyPerVolume"];
  onLine(line: OutputLine): void;
}): Promise<LocalSite> {
  const dist = options.dist ?? DIST_FOLDER;
  const functions = bundlesIn(dist);
  if (functions.length === 0) throw new Error(`No built function in ${dist}. Run "npm run build" first.`);
  const definitions = await loadDefinitions();
  const records: ResultRecord[] = [];
  let host: Host | undefined;
  const cloud = await startCloud({
    region: REGION,
    projectId: PROJECT_ID,
    topics: [TOPIC],
    functions: functions.map((name) => functionUrn(REGION, PROJECT_ID, name)),
    ...(options.creationMs ? { creationMs: options.creationMs } : {}),
    ...(options.port === undefined ? {} : { port: options.port + 1 }),
    ...(options.legacyPerVolume === undefined ? {} : { legacyPerVolume: options.legacyPerVolume }),
    onInvokeAsync: async (call) => {
      if (host) await runAsyncCall(host, call);
    },
  });
  const inventory = addSampleInventory(cloud);
  const history = options.history ? addSampleHistory(cloud, inventory) : undefined;
  host = await startHost({
    dist,
    functions,
    userData: userDataFor(cloud),
    credentials: cloud.credentials,
    projectId: cloud.projectId,
    region: cloud.region,
    timeoutSeconds: Object.fromEntries(definitions.map(({ name, timeoutSeconds }) => [name, timeoutSeconds])),
    maxInstances: Object.fromEntries(
      definitions.flatMap(({ name, maxInstances }) => (maxInstances === undefined ? [] : [[name, maxInstances]])),
    ),
    asyncRetries: 2,
    onLine(line) {
      const record = parseRecord(line.text);
      if (record) records.push(record);
      options.onLine(line);
    },
  });
  const routes = definitions
    .filter(({ name, trigger }) => trigger.type === "http" && functions.includes(name))
    .map(({ name }) => name);
  const gateway = await startGateway({
    host,
    routes,
    ...(options.port === undefined ? {} : { port: options.port }),
    ...(options.appCode === undefined ? {} : { appCode: options.appCode }),
  });
  return {
    cloud,
    host,
    gateway,
    inventory,
    ...(history ? { history } : {}),
    records,
    async close() {
      await gateway.close();
      await host.close();
      await cloud.close();
    },
  };
}

/** Returns the function configuration that Terraform sets in a deployment, with the endpoints of the embedded cloud. */
export function userDataFor(cloud: EmbeddedCloud): Record<string, string> {
  return {
    REGION: cloud.region,
    PROJECT_ID: cloud.projectId,
    ...Object.fromEntries(cloud.services.map((service) => [`${service.toUpperCase()}_ENDPOINT`, cloud.url])),
    LTS_LOG_GROUP_ID: TOPIC.group,
    LTS_LOG_STREAM_ID: TOPIC.stream,
    // Terraform deploys no policy here, so verify-snapshots expects no snapshots.
    DEPLOYED_POLICIES: "{}",
  };
}
