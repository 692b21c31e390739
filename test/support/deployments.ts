/** Creates test environments for `pre-deploy`, and reads its responses. */
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { changeRowsOf, type RowChange } from "./changed-rows.ts";
import {
  type Any,
  apig,
  createTestEnvironment,
  expectWholeRecords,
  type Invocation,
  type Json,
  type TestEnvironmentOptions,
} from "./environment.ts";
import { addResource as addKindResource, KIND_FACTS, KINDS, type Kind, targetOf } from "./kinds.ts";

export type { RowChange };

/** Creates a test environment whose list responses a test can change, with functions that invoke `pre-deploy`. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud, runtime } = environment;
  const changeRows = changeRowsOf(runtime);
  /** Invokes `pre-deploy`, expects a complete set of records, and returns the status and the parsed body of the response. */
  const call = async (event: unknown, how?: Invocation) => {
    const invoked = await environment.invoke(preDeploy, event, how);
    expectWholeRecords(invoked);
    const { statusCode, headers, body } = invoked.result ?? {};
    return { ...invoked, status: statusCode as number, headers, body: (body && JSON.parse(body)) as Any };
  };
  const addDisks = (count: number, tags: Record<string, string> = {}) =>
    Array.from({ length: count }, () => cloud.addVolume({ tags }).id);
  /** Adds a disk, a server with three disks, or a cluster. Returns the resource id, and targets that select the resource. */
  const addResource = (kind: Kind) => {
    const { id, disks } = addKindResource(cloud, kind, { diskCount: 3 });
    return { id, disks, targets: [targetOf(kind, [id]) as Json] };
  };
  return {
    ...environment,
    call,
    /** Invokes `pre-deploy` with a POST request for the deployment `release-7`. */
    post: (body: Json, how?: Invocation) => call(apig({ deployment_id: "release-7", ...body }), how),
    addDisks,
    addResource,
    /** Adds one resource for each kind of snapshot. */
    addResources: () => {
      const resources = KINDS.map(addResource);
      return {
        targets: resources.flatMap(({ targets }) => targets),
        members: resources.flatMap(({ disks }) => disks),
        ids: resources.map(({ id }) => id) as [string, string, string, string],
      };
    },
    /** Changes each row in a field of all later list responses. A second call for the same field replaces the first change. */
    changeRows,
  };
}

/** Returns the name of the field that has the rows in a list response for this kind of snapshot. */
export const listFieldOf = (kind: Kind) => KIND_FACTS[kind].rowsField;

/** Returns the `targets` of a `pre-deploy` request for snapshots of these disks. */
export const diskTargets = (...ids: string[]) => ({ targets: [{ kind: "snapshot", volume_ids: ids }] });

/** Returns the first snapshot of a kind in the embedded cloud. */
export const firstSnapshot = (cloud: { snapshots(kind: Kind): Any[] }, kind: Kind) => cloud.snapshots(kind)[0];

/** Returns the entry that describes the snapshot of a resource in a `pre-deploy` response. */
export const snapshotOf = ({ body }: { body: Any }, resource: string) =>
  body.snapshots.find((one: Any) => one.resource_id === resource);

/** Returns the outcome of each snapshot in a `pre-deploy` response. */
export const outcomesOf = ({ body }: { body: Any }): string[] => body.snapshots.map((one: Any) => one.outcome);

/** Returns the error of each snapshot in a `pre-deploy` response. */
export const errorsOf = ({ body }: { body: Any }) => body.snapshots.map((one: Any) => one.error);

/** Returns a function that removes these fields from a row of a list response. */
export const removeFields =
  (...fields: string[]): RowChange =>
  (row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !fields.includes(name)));
