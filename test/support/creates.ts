/** The four create functions, and test fixtures with a resource for a snapshot of each kind. */
import { expect } from "vitest";
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
  type Json,
  resourceIdOf,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from "./environment.ts";

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

export interface Create {
  kind: Kind;
  /** The name of the function, which is also the policy in the marker of its snapshots. */
  name: string;
  factory: (runtime: Runtime) => Handler;
  envelope: "snapshot" | "snapshot_group";
  /** The embedded cloud's name of the create call, and of the call that lists existing snapshots. */
  operation: string;
  list: string;
  /** The HTTP status with which the API accepts a create. */
  status: number;
  /** Adds a resource to the cloud and returns the options that name it. */
  resource(cloud: EmbeddedCloud): Json;
  /** Returns the options as the function sends them, with the marker. */
  marked(options: Json): Json;
}

const key = expect.stringMatching(/^[0-9a-f]{32}$/);
const content = expect.stringMatching(/^[0-9a-f]{8}$/);
const labels = (policy: string) => ({ "managed-by": "snapshot-functions", policy, key, content });

const withLabels = (policy: string, field: "metadata" | "tags") => (options: Json) => ({
  ...options,
  [field]: { ...(options[field] as Json), ...labels(policy) },
});

const OF_DISK = {
  envelope: "snapshot",
  status: 202,
  resource: (cloud: EmbeddedCloud) => ({ volume_id: cloud.addVolume().id }),
} as const;

export const SNAPSHOT: Create = {
  ...OF_DISK,
  kind: "snapshot",
  name: "create-snapshot",
  factory: createSnapshot,
  operation: "evs.createSnapshot",
  list: "evs.listSnapshots",
  marked: withLabels("create-snapshot", "metadata"),
};

export const STANDARD: Create = {
  ...OF_DISK,
  kind: "standard-snapshot",
  name: "create-standard-snapshot",
  factory: createStandardSnapshot,
  operation: "evs.createStandardSnapshot",
  list: "evs.listStandardSnapshots",
  marked: withLabels("create-standard-snapshot", "tags"),
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
  marked: withLabels("create-snapshot-group", "tags"),
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

/** Returns the create requests that reached the cloud. */
export const creates = ({ cloud }: Pick<TestEnvironment, "cloud">) =>
  cloud.requests.filter(({ operation }) => /\.create/.test(operation ?? ""));

export type CreateFixture = Awaited<ReturnType<typeof createFixture>>;

/** Creates a test environment whose cloud has a resource for a snapshot of the kind. */
export async function createFixture(create: Create, options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const resource = create.resource(environment.cloud);
  const body = (fields: Json = {}) => ({ [create.envelope]: { ...resource, ...fields } });
  const http = (event: unknown = apig(body()), how?: Invocation) => environment.invoke(create.factory, event, how);
  return {
    ...environment,
    resource,
    resourceId: resourceIdOf(resource),
    /** Returns the body of a request with these fields in addition to those that name the resource. */
    body,
    /** Invokes the function with an event of the API gateway. */
    http,
    /** Invokes the function with a POST request of these fields in addition to those that name the resource. */
    post: (fields: Json = {}, headers: Record<string, string> = {}, how?: Invocation) =>
      http(apig(body(fields), headers), how),
    /** Invokes the function without a trigger. */
    direct: (event: unknown = body(), how?: Invocation) => environment.invoke(create.factory, event, how),
  };
}
