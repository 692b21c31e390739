/** Creates events in the shapes that the documents of FunctionGraph describe (SOURCES.md#functiongraph-event-shapes). */

const EIGHT_HOURS_MS = 8 * 3_600_000;

/** Returns the event of a timer that fires now. The sample in the documents has the time zone of China. */
export const timer = (userEvent: unknown) => ({
  version: "v1.0",
  time: `${new Date(Date.now() + EIGHT_HOURS_MS).toISOString().slice(0, 19)}+08:00`,
  trigger_type: "TIMER",
  trigger_name: "Timer_001",
  user_event: JSON.stringify(userEvent),
});

/** Returns the event of an HTTP request that arrives through the API gateway, which encodes the body in base64. */
const gateway = (httpMethod: string, headers: Record<string, string>) => ({
  requestContext: {
    apiId: "bc1dcffd-aa35-474d-897c-d53425a4c08e",
    requestId: "11cdcdcf33949dc6d722640a13091c77",
    stage: "RELEASE",
  },
  queryStringParameters: {},
  httpMethod,
  pathParameters: { "": "snapshots" },
  headers: { host: "snapshots.example.com", "user-agent": "curl/8.5.0", "x-real-ip": "203.0.113.7", ...headers },
  path: "/snapshots",
  isBase64Encoded: true,
});

export const post = (body: unknown, headers: Record<string, string> = {}) => ({
  ...gateway("POST", { "content-type": "application/json", ...headers }),
  body: Buffer.from(JSON.stringify(body)).toString("base64"),
});

export const get = (queryStringParameters: Record<string, string>, headers: Record<string, string> = {}) => ({
  ...gateway("GET", headers),
  body: "",
  queryStringParameters,
});

/** Returns the trace of a request to attach a disk, as CTS writes it. */
const trace = (serverId: string, volumeId: string) => ({
  time: Date.now(),
  record_time: Date.now(),
  user: {
    name: "ops",
    id: "5e4a7c1c3f0d4b6f8a9b0c1d2e3f4a5b",
    domain: { name: "example", id: "0a1b2c3d4e5f60718293a4b5c6d7e8f9" },
  },
  request: { volumeAttachment: { volumeId, device: "/dev/vdb" } },
  response: { job_id: "70a599e0-31e7-49b7-b260-868f441e862b" },
  code: 200,
  service_type: "ECS",
  resource_type: "ecs",
  resource_name: "web-1",
  resource_id: serverId,
  trace_name: "attachVolume",
  trace_type: "ApiCall",
  trace_rating: "normal",
  trace_id: "8f1b6c1e-c6a2-11f0-9d3b-0255ac100031",
  trace_status: "normal",
});

export const cts = (serverId: string, volumeId: string) => ({ cts: trace(serverId, volumeId) });

export const eventGrid = (serverId: string, volumeId: string) => ({
  specversion: "1.0",
  id: "4b26115b-73d0-4f40-a5ba-1d9d5b9f40e1",
  source: "HC.ECS",
  type: "ECS:CloudTrace:ApiCall",
  subject: "web-1",
  time: new Date().toISOString(),
  datacontenttype: "application/json",
  dataschema: "",
  ttl: "4000",
  data: trace(serverId, volumeId),
});
