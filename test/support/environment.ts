/** Runs functions against the embedded cloud in one process, on a clock that moves only while every function sleeps. */
import { expect, onTestFinished } from "vitest";
import { type CloudOptions, type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import {
  type HttpRequest,
  type HttpResponse,
  nodeTransport,
  TransportFailure,
} from "../../shared/huaweicloud/http/transport.ts";
import { nodeRuntime, type Runtime } from "../../shared/middleware/runtime.ts";
import { withoutRight } from "./rights.ts";
import { createVirtualTime } from "./virtual-time.ts";

export const START = "2026-11-21T02:00:00Z";
const TOPIC = { group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293", stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6" };

export type Json = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of responses of many shapes
export type Any = any;

export interface TestEnvironmentOptions extends Omit<CloudOptions, "clock"> {
  /** Replaces variables that the environment sets. The value `undefined` removes a variable. */
  variables?: Record<string, string | undefined>;
  /** The timeout of the function in seconds. The default is 60. */
  timeoutSeconds?: number;
  random?: () => number;
}

export interface Invoked {
  /** The value that the handler returned, or undefined if the handler threw. */
  result: Any;
  /** The error that the handler threw. */
  error: (Error & { reason?: string }) | undefined;
  /** The records that the handler printed, in order. The logging topic has the same ones unless a fault prevents it. */
  records: Any[];
  /** The lines that the handler wrote to stderr. */
  warnings: string[];
  /** Everything that left the function. Tests search it for secrets. */
  output: string;
}

export interface Invocation {
  requestId?: string;
  /** Milliseconds until the platform's deadline, by the clock of the environment. */
  remainingMs?: number;
  variables?: Record<string, string | undefined>;
  /** Replaces the cloud's credentials. */
  credentials?: { ak?: string; sk?: string; securityToken?: string; token?: string };
  environment?: Record<string, string>;
  /** Replaces the whole context. */
  context?: unknown;
}

type Handler = (event: Any, context: Any) => Promise<unknown>;

export interface TestEnvironment {
  cloud: EmbeddedCloud;
  clock: StoppedClock;
  runtime: Runtime;
  /** Sends a request. Returns undefined at once if the cloud never responds to it. */
  exchange(request: HttpRequest): Promise<HttpResponse | undefined>;
  invoke(factory: (runtime: Runtime) => Handler, event: unknown, how?: Invocation): Promise<Invoked>;
  /** Returns the operations that reached the cloud, without the reports to the logging topic. */
  requests(): string[];
}

/** Starts an embedded cloud and returns it with a runtime for functions. The cloud is closed when the test ends. */
export async function createTestEnvironment(options: TestEnvironmentOptions = {}): Promise<TestEnvironment> {
  const { variables = {}, timeoutSeconds = 60, random = Math.random, ...cloudOptions } = options;
  const clock = new StoppedClock(START);
  const cloud = await startCloud({ topics: [TOPIC], ...cloudOptions, clock });
  onTestFinished(() => cloud.close());
  const time = createVirtualTime(clock, random);
  const send = transportTo(cloud);
  const exchange: TestEnvironment["exchange"] = (request) => time.busy(() => send(request));
  const transport = async (request: HttpRequest) => {
    const began = clock.now();
    const response = await exchange(request);
    if (response !== undefined) return response;
    await time.sleep(Math.max(0, began + request.timeoutMs - clock.now()));
    throw new TransportFailure(`no answer within ${request.timeoutMs} ms`, { requestSent: true });
  };
  let ids = 0;
  const runtime: Runtime = {
    ...nodeRuntime(),
    time,
    transport,
    environment: {},
    print: () => {},
    warn: () => {},
    newId: () => `made-up-${++ids}`,
    inFlight: new Map(),
  };

  const invoke: TestEnvironment["invoke"] = async (factory, event, how = {}) => {
    const requestId = how.requestId ?? `request-${++ids}`;
    const lines: string[] = [];
    const warnings: string[] = [];
    const calls: { method: string; path: string }[] = [];
    const own: Runtime = {
      ...runtime,
      transport: (request) => {
        calls.push({ method: request.method, path: request.url.pathname });
        return runtime.transport(request);
      },
      environment: how.environment ?? {},
      print: (line: string) => void lines.push(line),
      warn: (line: string) => void warnings.push(line),
    };
    const context = "context" in how ? how.context : contextOf({ ...how, requestId });
    let result: unknown;
    let error: Invoked["error"];
    try {
      result = await factory(own)(event, context);
    } catch (thrown) {
      error = thrown as Error;
    }
    const records = lines.map((line) => JSON.parse(line));
    // Every test checks this: the real cloud would refuse a call for which the agency has no permission.
    expect(withoutRight(records.at(-1)?.function, calls)).toEqual([]);
    const output = [
      ...lines,
      ...warnings,
      JSON.stringify(result) ?? "",
      error ? `${error.stack} ${error.message}` : "",
    ];
    return { result, error, records, warnings, output: output.join("\n") };
  };

  const contextOf = (how: Invocation & { requestId: string }) => {
    const deadline = clock.now() + (how.remainingMs ?? timeoutSeconds * 1000);
    const credentials = how.credentials ?? cloud.credentials;
    const userData: Record<string, string | undefined> = {
      REGION: cloud.region,
      PROJECT_ID: cloud.projectId,
      ...Object.fromEntries(
        ["EVS", "DWS", "ECS", "LTS", "FUNCTIONGRAPH"].map((name) => [`${name}_ENDPOINT`, cloud.url]),
      ),
      LTS_LOG_GROUP_ID: TOPIC.group,
      LTS_LOG_STREAM_ID: TOPIC.stream,
      ...variables,
      ...how.variables,
    };
    return {
      getRequestID: () => how.requestId,
      getRemainingTimeInMilliSeconds: () => deadline - clock.now(),
      getSecurityAccessKey: () => credentials.ak ?? "",
      getSecuritySecretKey: () => credentials.sk ?? "",
      getSecurityToken: () => credentials.securityToken ?? "",
      getToken: () => credentials.token ?? "",
      getUserData: (name: string) => userData[name],
      getProjectID: () => cloud.projectId,
      getPackage: () => "default",
      getFunctionName: () => "",
      getVersion: () => "latest",
    };
  };

  const requests = () =>
    cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs").map(({ operation }) => operation ?? "");
  return { cloud, clock, runtime, exchange, invoke, requests };
}

/** The time in milliseconds that a request may take on a machine that is busy with other work. */
const SLOW_MS = 60_000;

/**
 * Returns a transport that sends real requests although the time of the test stands still. The transport gives a request
 * up, and returns undefined, when the cloud itself reports that it never responds. A request that is slow because the
 * machine is busy is not given up.
 */
function transportTo(cloud: EmbeddedCloud): (request: HttpRequest) => Promise<HttpResponse | undefined> {
  const send = nodeTransport();
  let count = 0;
  return async (request) => {
    count += 1;
    const tag = String(count);
    const hangs = () =>
      /^(hang|stall)$/.test(cloud.requests.findLast(({ headers }) => headers[TAG] === tag)?.fault ?? "");
    let watch: NodeJS.Timeout | undefined;
    const hung = new Promise<undefined>((resolve) => {
      watch = setInterval(() => hangs() && resolve(undefined), 2);
    });
    const headers = { ...request.headers, [TAG]: tag };
    const sent = send({ ...request, headers, timeoutMs: SLOW_MS });
    // The connection of a request without a response is closed together with the cloud.
    sent.catch(() => {});
    return Promise.race([sent, hung]).finally(() => clearInterval(watch));
  };
}

const TAG = "x-test-request";

/** Returns the event that the API gateway sends for a POST with this body. */
export function apig(body: unknown, headers: Record<string, string> = {}, changes: Json = {}): Json {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return {
    body: Buffer.from(text).toString("base64"),
    requestContext: {
      apiId: "bc1dcffdaa35474d897cd53425a4c08e",
      requestId: "11cdcdcf33949dc6d722640a13091c77",
      stage: "RELEASE",
    },
    queryStringParameters: {},
    httpMethod: "POST",
    pathParameters: {},
    headers: { "content-type": "application/json", host: "snapshots.example.com", ...headers },
    path: "/",
    isBase64Encoded: true,
    ...changes,
  };
}

/** Returns the event that a timer sends (SOURCES.md#functiongraph-timer-event). */
export const timerEvent = (body: unknown, time = START): Json => ({
  version: "v1.0",
  time,
  trigger_type: "TIMER",
  trigger_name: "Timer_001",
  user_event: typeof body === "string" ? body : JSON.stringify(body),
});

/**
 * Expects what is true of the records of every invocation, however the invocation ended: each record has the common
 * fields, and the last one, and only the last one, is the record of the run. The record of the run counts the others, and
 * its outcome is `failed` if one of them failed.
 */
export function expectWholeRecords({ records }: Invoked): void {
  const run = records.at(-1);
  const others = records.slice(0, -1);
  const counts: Record<string, number> = {};
  for (const { outcome } of others) counts[outcome] = (counts[outcome] ?? 0) + 1;
  expect(run).toMatchObject({ action: "run", outcomes: counts });
  expect(Object.keys(run.outcomes)).toHaveLength(Object.keys(counts).length);
  const failed = run.error !== undefined || (counts.failed ?? 0) + (counts.rejected ?? 0) > 0;
  expect(run.outcome).toBe(failed ? "failed" : "done");
  const { function: name, request_id, trigger } = run;
  for (const record of records) {
    expect(record).toMatchObject({ version: 1, function: name, request_id, trigger });
    expect(record.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(record.action === "run").toBe(record === run);
    if (record !== run && ["failed", "rejected"].includes(record.outcome)) expect(record.error).toBeDefined();
  }
}

/** Returns the action and the outcome of each record, such as `create accepted`. */
export const outcomes = ({ records }: Pick<Invoked, "records">) =>
  records.map(({ action, outcome }) => `${action} ${outcome}`);

/** Returns the error in the body of an HTTP response. */
export const errorOf = ({ result }: Pick<Invoked, "result">) => JSON.parse(result.body).error;

/** Returns the id of the disk, server or cluster that a snapshot or a request names. */
export const resourceIdOf = ({ volume_id, server_id, cluster_id }: object & Any): string =>
  String(volume_id ?? server_id ?? cluster_id);

/** Counts the requests of a runtime that are in flight. Returns a function that returns the maximum so far. */
export function countInFlight(runtime: Runtime): () => number {
  let [inFlight, max] = [0, 0];
  const { transport } = runtime;
  runtime.transport = async (request) => {
    inFlight += 1;
    max = Math.max(max, inFlight);
    return transport(request).finally(() => {
      inFlight -= 1;
    });
  };
  return () => max;
}
