/** Sends six requests with a client for EVS v2, and returns what the SDK would send. */
import { BasicCredentials } from "@huaweicloud/huaweicloud-sdk-core/auth/BasicCredentials";
import { HcClient } from "@huaweicloud/huaweicloud-sdk-core/HcClient";
import type { HttpClient } from "@huaweicloud/huaweicloud-sdk-core/http/HttpClient";
import type { IHttpRequest } from "@huaweicloud/huaweicloud-sdk-core/http/IHttpRequest";

/** An object of the SDK. The objects of the official client and of its replacement have different types. */
type SdkObject = Record<string, (value: unknown) => unknown>;

/** The classes of a client, by name. */
export type EvsClasses = Record<string, new (...args: unknown[]) => SdkObject>;

/** One request of the SDK. */
export interface SentRequest {
  request: string;
  query: Record<string, unknown>;
  contentType: unknown;
  signedHeaders: string | undefined;
  body: unknown;
}

/** Six method names of the client, each with the class of the request, the arguments of its constructor, and further calls. */
const REQUESTS: [method: string, className: string, args: string[], calls: Record<string, unknown>][] = [
  ["listSnapshots", "ListSnapshotsRequest", [], { withOffset: 0, withLimit: 10, withVolumeId: "disk" }],
  ["deleteSnapshot", "DeleteSnapshotRequest", ["snapshot"], {}],
  ["deleteSnapshot", "DeleteSnapshotRequest", ["other"], { withSnapshotId: "snapshot" }],
  ["listVolumes", "ListVolumesRequest", [], { withServerId: "server", withEnterpriseProjectId: "all_granted_eps" }],
  ["showVolume", "ShowVolumeRequest", ["disk"], {}],
];

/** Returns the six requests that the client sends: one request that creates a snapshot, and `REQUESTS`. */
export async function sentRequests(classes: EvsClasses): Promise<SentRequest[]> {
  const sent: SentRequest[] = [];
  const record = async (request: IHttpRequest) => {
    sent.push(describe(request));
    return { data: {}, statusCode: 200, headers: {} };
  };
  const credentials = new BasicCredentials().withAk("ak").withSk("sk").withProjectId("project");
  const hcClient = new HcClient({ sendRequest: record } as unknown as HttpClient)
    .withCredential(credentials)
    .withEndpoints(["https://evs.example.com"]);
  const client = create(classes, "EvsClient", [hcClient], {});
  const calls = { withForce: true, withMetadata: { key: "value" }, withName: "name", withDescription: "text" };
  const option = create(classes, "CreateSnapshotOption", ["disk"], calls);
  const withBody = create(classes, "CreateSnapshotRequestBody", [option], {});
  await client.createSnapshot?.(create(classes, "CreateSnapshotRequest", [], { withBody }));
  for (const [method, className, args, further] of REQUESTS) {
    await client[method]?.(create(classes, className, args, further));
  }
  return sent;
}

function create(classes: EvsClasses, name: string, args: unknown[], calls: Record<string, unknown>): SdkObject {
  const Class = classes[name];
  if (Class === undefined) throw new Error(`There is no class ${name}.`);
  const object = new Class(...args);
  for (const [method, value] of Object.entries(calls)) object[method]?.(value);
  return object;
}

function describe({ method, endpoint, queryParams, headers, data }: IHttpRequest): SentRequest {
  const lower = Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const [, signedHeaders] = /SignedHeaders=([^,]*)/.exec(String(lower.authorization)) ?? [];
  return {
    request: `${method} ${endpoint}`,
    query: (queryParams ?? {}) as Record<string, unknown>,
    contentType: lower["content-type"],
    signedHeaders,
    body: data === undefined ? undefined : JSON.parse(typeof data === "string" ? data : JSON.stringify(data)),
  };
}
