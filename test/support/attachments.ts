/** Creates CTS traces of disk attachments, and test environments with a server and disks. */
import { expect } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import type { Runtime } from "../../shared/middleware/runtime.ts";
import { HOUR_MS, START_MS } from "./common.ts";
import {
  createTestEnvironment,
  expectWholeRecords,
  type Invocation,
  type Invoked,
  type Json,
  START,
  type TestEnvironmentOptions,
} from "./environment.ts";

/** Returns the fields that a request trace and a completion trace have in common. */
export const commonFields = (serverId: string, time: number) => ({
  time,
  record_time: time,
  service_type: "ECS",
  resource_type: "ecs",
  resource_id: serverId,
  resource_name: "web-1",
  trace_name: "attachVolume",
  trace_rating: "normal",
  trace_status: "normal",
  trace_id: "f1a1bd4c-c6a1-11f0-8a5e-0255ac100015",
  project_id: "0123456789abcdef0123456789abcdef",
});

/** Returns the CTS trace of a request to attach a disk. CTS writes this trace before ECS has attached the disk. */
export const createRequestTrace = (serverId: string, volumeId: string, time = START_MS) => ({
  cts: {
    ...commonFields(serverId, time),
    trace_type: "ApiCall",
    code: "200",
    user: { name: "ops", id: "0123456789abcdef0123456789abcdef", domain: { name: "example", id: "42" } },
    request: JSON.stringify({ volumeAttachment: { volumeId, device: "/dev/sdb" } }),
    response: JSON.stringify({ job_id: "70a599e0-31e7-49b7-b260-868f441e862b" }),
  },
});

/** Returns the CTS trace of a completed attach job. This trace names the server but not the disk. */
export const createCompletionTrace = (serverId: string, time = START_MS + 30_000) => ({
  cts: {
    ...commonFields(serverId, time),
    trace_type: "SystemAction",
    code: 200,
    user: null,
    request: {},
    response: {
      status: "SUCCESS",
      job_id: "70a599e0-31e7-49b7-b260-868f441e862b",
      job_type: "attachVolume",
      entities: { server_id: serverId },
    },
  },
});

/** Returns the CTS trace of a completed attach job with the id of the disk, which CTS does not usually include. */
export const createNamedCompletionTrace = (serverId: string, volumeId: string, time: number) =>
  withFields(createCompletionTrace(serverId, time), { request: { volumeAttachment: { volumeId } } });

/** Returns the CTS event with `changes` in the fields of its trace. The value `undefined` removes a field. */
export const withFields = ({ cts }: { cts: Json }, changes: Json) => ({ cts: { ...cts, ...changes } });

/** Returns a CloudEvent that contains a CTS trace, as EventGrid sends it. */
export const cloudEvent = (trace: unknown): Json => ({
  specversion: "1.0",
  id: "4b26115b-73d0-4f40-a5ba-1d9d5b9f40e1",
  source: "HC.ECS",
  type: "ECS:CloudTrace:ApiCall",
  subject: "web-1",
  time: START,
  datacontenttype: "application/json",
  ttl: "4000",
  data: trace,
});

/** Creates a test environment with a server, a disk that is attached to the server, and a disk that is not attached. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const { cloud } = environment;
  const server = cloud.addServer().id;
  const systemDisk = cloud.addVolume({ serverId: server, attachedAt: START_MS - 48 * HOUR_MS }).id;
  const disk = cloud.addVolume().id;
  return {
    ...environment,
    server,
    /** The id of a disk that was attached to the server two days before the clock starts. */
    systemDisk,
    /** The id of a disk that is not attached yet. */
    disk,
    /** Invokes `disk-attached` and expects a complete set of records. */
    deliver: async (event: unknown, how?: Invocation) => {
      const invoked = await environment.invoke(diskAttached, event, how);
      expectWholeRecords(invoked);
      return invoked;
    },
  };
}

/** Creates the same test environment as {@link createFixture}, but with both disks attached to the server. */
export async function createAttachedFixture(options: TestEnvironmentOptions = {}) {
  const fixture = await createFixture(options);
  fixture.cloud.attach(fixture.disk, fixture.server);
  return fixture;
}

/** Returns the disk id of each snapshot in the embedded cloud. The id of a disk with two snapshots occurs twice. */
export const disksWithSnapshots = (cloud: EmbeddedCloud) => cloud.snapshots().map(({ volume_id }) => volume_id);

/** Returns the record of the only disk that an invocation processed. Fails if there are records of other disks. */
export const recordOf = ({ records }: Invoked) => {
  expect(records).toHaveLength(2);
  return records[0];
};

/** Returns an array that is nested so deeply that a recursive function runs out of call stack. */
export const nestDeeply = (depth = 100_000): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));

/** Returns a string such as `accepted <disk id>` for each record except the record of the run. */
export const resourceOutcomes = ({ records }: Invoked) =>
  records.slice(0, -1).map(({ outcome, resource_id }) => `${outcome} ${resource_id}`);

/** Removes fields of attachments from each EVS response that describes disks. */
export function withoutAttachmentFields(runtime: Runtime, fields = ["attachment_id", "attached_at"]): void {
  const { transport } = runtime;
  runtime.transport = async (request) => {
    const response = await transport(request);
    if (!request.url.pathname.includes("/cloudvolumes/")) return response;
    const text = response.text.replace(new RegExp(`"(${fields.join("|")})":"[^"]*",?`, "g"), "");
    return { ...response, text: text.replaceAll(",}", "}") };
  };
}
