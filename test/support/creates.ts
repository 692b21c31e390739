/** The four create functions as their callers and the cloud see them; what the tests of all of them have in common. */
import { afterEach, beforeEach, expect, vi } from "vitest";
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../functions/create-standard-snapshot/handler.ts";
import type { EmbeddedCloud, Kind } from "../../infra/local/cloud/index.ts";
import type { Runtime } from "../../shared/middleware/runtime.ts";
import {
  apig,
  createTestEnvironment,
  type Invocation,
  type Invoked,
  START,
  type TestEnvironment,
} from "./environment.ts";

export type Json = Record<string, unknown>;
type Handler = (event: unknown, context: unknown) => Promise<unknown>;

export interface Create {
  kind: Kind;
  /** The function's name, and the policy that its snapshots are marked with. */
  name: string;
  factory: (runtime: Runtime) => Handler;
  envelope: "snapshot" | "snapshot_group";
  /** The cloud's own name of the call, and of the list that is read before it. */
  operation: string;
  list: string;
  /** The API's status for a create that it took. */
  status: number;
  /** Makes something in the cloud to take a snapshot of; the options that name it. */
  resource(cloud: EmbeddedCloud): Json;
  /** The options as they go out: with the marker. */
  marked(options: Json): Json;
}

const key = expect.stringMatching(/^[0-9a-f]{32}$/);
const content = expect.stringMatching(/^[0-9a-f]{8}$/);
const labels = (policy: string) => ({ "managed-by": "snapshot-functions", policy, key, content });

const disk = (cloud: EmbeddedCloud) => ({ volume_id: cloud.addVolume().id });

export const SNAPSHOT: Create = {
  kind: "snapshot",
  name: "create-snapshot",
  factory: createSnapshot,
  envelope: "snapshot",
  operation: "evs.createSnapshot",
  list: "evs.listSnapshots",
  status: 202,
  resource: disk,
  marked: ({ metadata, ...options }) => ({
    ...options,
    metadata: { ...(metadata as Json), ...labels("create-snapshot") },
  }),
};

export const STANDARD: Create = {
  kind: "standard-snapshot",
  name: "create-standard-snapshot",
  factory: createStandardSnapshot,
  envelope: "snapshot",
  operation: "evs.createStandardSnapshot",
  list: "evs.listStandardSnapshots",
  status: 202,
  resource: disk,
  marked: ({ tags, ...options }) => ({
    ...options,
    tags: { ...(tags as Json), ...labels("create-standard-snapshot") },
  }),
};

export const GROUP: Create = {
  kind: "snapshot-group",
  name: "create-snapshot-group",
  factory: createSnapshotGroup,
  envelope: "snapshot_group",
  operation: "evs.createSnapshotGroup",
  list: "evs.listSnapshotGroups",
  status: 202,
  resource(cloud) {
    const { id } = cloud.addServer();
    for (let disks = 0; disks < 2; disks += 1) cloud.addVolume({ serverId: id });
    return { server_id: id };
  },
  marked: ({ tags, ...options }) => ({ ...options, tags: { ...(tags as Json), ...labels("create-snapshot-group") } }),
};

const markerText = /managed-by:snapshot-functions policy:create-cluster-snapshot key:[0-9a-f]{32} content:[0-9a-f]{8}$/;

let names = 0;
export const CLUSTER: Create = {
  kind: "cluster-snapshot",
  name: "create-cluster-snapshot",
  factory: createClusterSnapshot,
  envelope: "snapshot",
  operation: "dws.createSnapshot",
  list: "dws.listSnapshots",
  status: 200,
  resource(cloud) {
    names += 1;
    return { name: `snapshot-${names}`, cluster_id: cloud.addCluster().id };
  },
  marked: ({ description, ...options }) => ({
    ...options,
    description: expect.stringMatching(
      new RegExp(`^${description === undefined ? "" : `${description} `}${markerText.source}`),
    ),
  }),
};

export const CREATES = [SNAPSHOT, STANDARD, GROUP, CLUSTER];

/** The creates that reached the cloud, as they came. */
export const creates = ({ cloud }: TestEnvironment) =>
  cloud.requests.filter(({ operation }) => /\.create/.test(operation ?? ""));

export const outcomes = ({ records }: Invoked) => records.map(({ action, outcome }) => `${action} ${outcome}`);

/** Opens a site with something in it to take a snapshot of. */
export async function stage(create: Create, options: Parameters<typeof createTestEnvironment>[0] = {}) {
  const site = await createTestEnvironment(options);
  const resource = create.resource(site.cloud);
  const body = (fields: Json = {}) => ({ [create.envelope]: { ...resource, ...fields } });
  const http = (event: unknown = apig(body()), how?: Invocation) => site.invoke(create.factory, event, how);
  return {
    ...site,
    resource,
    body,
    /** The gateway's event as it is given. */
    http,
    /** A POST of these fields, on top of the resource. */
    post: (fields: Json = {}, headers: Record<string, string> = {}, how?: Invocation) =>
      http(apig(body(fields), headers), how),
    direct: (event: unknown = body(), how?: Invocation) => site.invoke(create.factory, event, how),
  };
}

/** The error envelope of an HTTP answer. */
export const errorOf = ({ result }: Invoked) => JSON.parse(result.body).error;

/** LTS throws away what is two days off the wall clock; the site's clock begins at a date of its own. */
export function onTheSitesDay(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
