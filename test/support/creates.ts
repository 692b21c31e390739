/** The four create functions, and a test environment in which each function has a resource to snapshot. */
import { expect } from "vitest";
import { createClusterSnapshot } from "../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../functions/create-standard-snapshot/handler.ts";
import type { EmbeddedCloud, Fault } from "../../infra/local/cloud/index.ts";
import type { HttpResponse } from "../../shared/huaweicloud/http/transport.ts";
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
import type { Kind } from "./kinds.ts";

type Handler = (event: unknown, context: unknown) => Promise<unknown>;

/** Describes one of the four create functions. */
export interface Create {
  kind: Kind;
  /** The name of the function. The label `policy` of each snapshot that it creates has this name as its value. */
  name: string;
  factory: (runtime: Runtime) => Handler;
  /** The only field of the request body. Its value is an object with the options of the snapshot. */
  envelope: "snapshot" | "snapshot_group";
  /** The name of the create operation in the embedded cloud, such as `evs.createSnapshot`. */
  operation: string;
  /** The name of the operation that lists existing snapshots in the embedded cloud, such as `evs.listSnapshots`. */
  list: string;
  /** The HTTP status with which EVS or DWS accepts a create request. The function returns the same status. */
  status: number;
  /** Adds a resource to the embedded cloud. Returns the request fields that name the resource. */
  addResource(cloud: EmbeddedCloud): Json;
  /** Adds the labels that identify a snapshot to snapshot options, as the function does. */
  withMarker(options: Json): Json;
}

const key = expect.stringMatching(/^[0-9a-f]{32}$/);
const content = expect.stringMatching(/^[0-9a-f]{8}$/);

/** Returns a function that adds the labels that identify a snapshot to the metadata or to the tags of a request. */
const withLabels = (policy: string, field: "metadata" | "tags") => (options: Json) => ({
  ...options,
  [field]: { ...(options[field] as Json), "managed-by": "snapshot-functions", policy, key, content },
});

const DISK_FIELDS = {
  envelope: "snapshot",
  status: 202,
  addResource: (cloud: EmbeddedCloud) => ({ volume_id: cloud.addVolume().id }),
} as const;

export const SNAPSHOT: Create = {
  ...DISK_FIELDS,
  kind: "snapshot",
  name: "create-snapshot",
  factory: createSnapshot,
  operation: "evs.createSnapshot",
  list: "evs.listSnapshots",
  withMarker: withLabels("create-snapshot", "metadata"),
};

export const STANDARD: Create = {
  ...DISK_FIELDS,
  kind: "standard-snapshot",
  name: "create-standard-snapshot",
  factory: createStandardSnapshot,
  operation: "evs.createStandardSnapshot",
  list: "evs.listStandardSnapshots",
  withMarker: withLabels("create-standard-snapshot", "tags"),
};

export const GROUP: Create = {
  kind: "snapshot-group",
  name: "create-snapshot-group",
  factory: createSnapshotGroup,
  envelope: "snapshot_group",
  operation: "evs.createSnapshotGroup",
  list: "evs.listSnapshotGroups",
  status: 202,
  addResource(cloud) {
    const { id } = cloud.addServer();
    for (let disks = 0; disks < 2; disks += 1) cloud.addVolume({ serverId: id });
    return { server_id: id };
  },
  withMarker: withLabels("create-snapshot-group", "tags"),
};

const markerText = /managed-by:snapshot-functions policy:create-cluster-snapshot key:[0-9a-f]{32} content:[0-9a-f]{8}$/;

let clusters = 0;
export const CLUSTER: Create = {
  kind: "cluster-snapshot",
  name: "create-cluster-snapshot",
  factory: createClusterSnapshot,
  envelope: "snapshot",
  operation: "dws.createSnapshot",
  list: "dws.listSnapshots",
  status: 200,
  addResource: (cloud) => ({ name: `snapshot-${++clusters}`, cluster_id: cloud.addCluster().id }),
  withMarker: ({ description, ...options }) => ({
    ...options,
    description: expect.stringMatching(
      new RegExp(`^${description === undefined ? "" : `${description} `}${markerText.source}`),
    ),
  }),
};

export const CREATES = [SNAPSHOT, STANDARD, GROUP, CLUSTER];

/** Returns a row for each function. In a title of `describe.each` or `test.each`, `%s` stands for the name. */
export const byName = <T extends { name: string }>(functions: readonly T[]): [name: string, unit: T][] =>
  functions.map((unit) => [unit.name, unit]);

/** Makes create-snapshot and the embedded cloud apply the limits of the older EVS v2 documents. */
export const CLASSIC = { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } } as const;

/** Returns the create requests that the embedded cloud received, in order. */
export const creates = ({ cloud }: Pick<TestEnvironment, "cloud">) =>
  cloud.requests.filter(({ operation }) => /\.create/.test(operation ?? ""));

export type CreateFixture = Awaited<ReturnType<typeof createFixture>>;

/** Creates a test environment for a create function, with one resource that the function can snapshot. */
export async function createFixture(create: Create, options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud, invoke } = environment;
  const resource = create.addResource(cloud);
  const body = (fields: Json = {}) => ({ [create.envelope]: { ...resource, ...fields } });
  const http = (event: unknown = apig(body()), invocation?: Invocation) => invoke(create.factory, event, invocation);
  const post = (fields: Json = {}, headers: Record<string, string> = {}, invocation?: Invocation) =>
    http(apig(body(fields), headers), invocation);
  return {
    ...environment,
    /** The fields of a create request that name the resource, such as `volume_id`. */
    resource,
    resourceId: resourceIdOf(resource),
    /** Returns a request body that names the resource and contains the given fields. */
    body,
    /** Invokes the function with an event of the API gateway. The default is a valid POST request. */
    http,
    /** Invokes the function with a POST request. The body names the resource and contains the given fields. */
    post,
    /** Like `post`, but every request has the same Idempotency-Key header. */
    postWithKey: (fields: Json = {}, invocation?: Invocation) =>
      post(fields, { "idempotency-key": "deploy-7" }, invocation),
    /** Invokes the function directly, which means with the request body as the event and without a trigger. */
    direct: (event: unknown = body(), invocation?: Invocation) => invoke(create.factory, event, invocation),
    /** Adds a fault to the create operation of the embedded cloud. By default the fault applies to every request. */
    failCreate: (fault: Fault, when: { nth?: number } = {}) =>
      cloud.fault({ operation: create.operation, ...when }, fault),
    /** Returns the snapshots of the kind that the function creates. */
    snapshots: () => cloud.snapshots(create.kind),
  };
}

/**
 * Replaces the responses to the first create requests of a function.
 *
 * @param times the number of create requests whose response is replaced
 * @param respond returns the response. Calling `send` executes the create request in the embedded cloud.
 */
export function replaceCreateResponses(
  { runtime }: Pick<TestEnvironment, "runtime">,
  times: number,
  respond: (send: () => Promise<HttpResponse>) => Promise<HttpResponse>,
): void {
  const { transport } = runtime;
  let left = times;
  runtime.transport = (request) => {
    if (request.method !== "POST" || request.url.pathname.includes("/lts/") || left === 0) return transport(request);
    left -= 1;
    return respond(() => transport(request));
  };
}
