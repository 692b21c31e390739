/** Creates test environments for `pre-deploy`, and reads its responses. */
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import type { Kind } from "../../infra/local/cloud/index.ts";
import { KINDS } from "./common.ts";
import {
  type Any,
  apig,
  createTestEnvironment,
  expectWholeRecords,
  type Invocation,
  type Json,
  type TestEnvironmentOptions,
} from "./environment.ts";

/** Changes a row of a list. The result `undefined` removes the row. */
export type RowChange = (row: Json) => Json | undefined;

/** Creates a test environment for `pre-deploy`. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud, runtime } = environment;
  const changes: [list: string, change: RowChange][] = [];
  const { transport } = runtime;
  runtime.transport = async (request) => {
    const response = await transport(request);
    if (request.method !== "GET" || changes.length === 0) return response;
    return { ...response, text: changeRows(response.text, changes) };
  };
  /** Invokes `pre-deploy`, expects complete records, and returns the status and the parsed body of the response. */
  const call = async (event: unknown, how?: Invocation) => {
    const invoked = await environment.invoke(preDeploy, event, how);
    expectWholeRecords(invoked);
    const { statusCode, headers, body } = invoked.result ?? {};
    return { ...invoked, status: statusCode as number, headers, body: (body && JSON.parse(body)) as Any };
  };
  const addDisks = (count: number, tags: Record<string, string> = {}) =>
    Array.from({ length: count }, () => cloud.addVolume({ tags }).id);
  /** Adds a resource for a snapshot of the kind, and returns its id with a target that names it. */
  const addResource = (kind: Kind): { id: string; disks?: string[]; targets: Json[] } => {
    if (kind === "cluster-snapshot") {
      const { id } = cloud.addCluster();
      return { id, targets: [{ kind, cluster_ids: [id] }] };
    }
    if (kind === "snapshot-group") {
      const { id } = cloud.addServer();
      const disks = [0, 1, 2].map(() => cloud.addVolume({ serverId: id }).id);
      return { id, disks, targets: [{ kind, server_ids: [id] }] };
    }
    const { id } = cloud.addVolume();
    return { id, targets: [{ kind, volume_ids: [id] }] };
  };
  return {
    ...environment,
    call,
    /** Invokes `pre-deploy` with a POST request for the deployment `release-7`. */
    post: (body: Json, how?: Invocation) => call(apig({ deployment_id: "release-7", ...body }), how),
    addDisks,
    addResource,
    /** Adds one resource for each kind. */
    addResources: () => {
      const resources = KINDS.map(addResource);
      return {
        targets: resources.flatMap(({ targets }) => targets),
        members: resources.flatMap(({ disks = [] }) => disks),
        ids: resources.map(({ id }) => id) as [string, string, string, string],
      };
    },
    /** Changes each row of a list in later responses of the cloud. The last change of a list replaces earlier ones. */
    changeRows: (list: string, change: RowChange) => void changes.unshift([list, change]),
  };
}

/** Returns the body of a list response after the first change for each of its lists. */
function changeRows(text: string, changes: [list: string, change: RowChange][]): string {
  const body = JSON.parse(text);
  for (const list of Object.keys(body)) {
    const change = changes.find(([name]) => name === list)?.[1];
    if (!Array.isArray(body[list]) || change === undefined) continue;
    body[list] = body[list].map(change).filter((row: unknown) => row !== undefined);
    if ("count" in body) body.count = body[list].length;
  }
  return JSON.stringify(body);
}

/** Returns the name of the array in a list response of the kind. */
export const listOf = (kind: Kind) => (kind === "snapshot-group" ? "snapshot_groups" : "snapshots");

/** Returns a target that names the disks. */
export const disksOf = (...ids: string[]) => ({ targets: [{ kind: "snapshot", volume_ids: ids }] });

/** Returns the first snapshot of a kind in the cloud. */
export const firstSnapshot = (cloud: { snapshots(kind: Kind): Any[] }, kind: Kind) => cloud.snapshots(kind)[0];

/** Returns the entry of a resource in a response. */
export const snapshotOf = ({ body }: { body: Any }, resource: string) =>
  body.snapshots.find((one: Any) => one.resource_id === resource);

/** Returns the outcome of each snapshot in a response. */
export const outcomesOf = ({ body }: { body: Any }): string[] => body.snapshots.map((one: Any) => one.outcome);

/** Returns the error of each snapshot in a response. */
export const errorsOf = ({ body }: { body: Any }) => body.snapshots.map((one: Any) => one.error);

/** Returns a change that removes fields of a row. */
export const without =
  (...fields: string[]): RowChange =>
  (row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)));
