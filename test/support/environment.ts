/** Runs functions in the process of the test against an embedded cloud. The clock advances only while every function sleeps. */
import { expect, onTestFinished } from "vitest";
import { type CloudOptions, type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import { type HttpRequest, type HttpResponse, TransportFailure } from "../../shared/huaweicloud/http/transport.ts";
import { nodeRuntime, type Runtime } from "../../shared/middleware/runtime.ts";
import { transportTo } from "./embedded-transport.ts";
import { withoutRight } from "./rights.ts";
import { createVirtualTime } from "./virtual-time.ts";

/** The time at which the clock of each test environment starts. */
export const START = "2026-11-21T02:00:00Z";
const TOPIC = { group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293", stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6" };

export type Json = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: tests read fields of many types of responses
export type Any = any;

export interface TestEnvironmentOptions extends Omit<CloudOptions, "clock"> {
  /** Variables of the function that override the defaults of the test environment. `undefined` removes a variable. */
  variables?: Record<string, string | undefined>;
  /** The timeout of the function in seconds. The default is 60. */
  timeoutSeconds?: number;
  /** Returns a random number from 0 to 1 for a retry delay. The default is `Math.random`. */
  random?: () => number;
}

export interface Invoked {
  /** The value that the handler returned, or undefined if the handler threw. */
  result: Any;
  /** The error that the handler threw. */
  error: (Error & { reason?: string }) | undefined;
  /** The result records that the handler wrote to stdout, in order. LTS also receives them unless a fault prevents it. */
  records: Any[];
  /** The lines that the handler wrote to stderr. */
  warnings: string[];
  /** All text that the handler returned, threw, or wrote to stdout and stderr. Tests search the text for secrets. */
  output: string;
}

/** Options for the invocation of a function. */
export interface Invocation {
  requestId?: string;
  /** Milliseconds after the start of the invocation at which FunctionGraph stops the function. */
  remainingMs?: number;
  /** Variables of the function that override the variables of the test environment for one invocation. */
  variables?: Record<string, string | undefined>;
  /** The credentials of the function's agency. The default is a set that the embedded cloud accepts. */
  credentials?: { ak?: string; sk?: string; securityToken?: string; token?: string };
  /** The environment variables of the process. The default is none. */
  environment?: Record<string, string>;
  /** Replaces the context object that FunctionGraph passes to the handler. */
  context?: unknown;
}

type Handler = (event: Any, context: Any) => Promise<unknown>;

export interface TestEnvironment {
  cloud: EmbeddedCloud;
  clock: StoppedClock;
  runtime: Runtime;
  /** Sends a request to the embedded cloud. Resolves to undefined at once if a fault suppresses the response. */
  exchange(request: HttpRequest): Promise<HttpResponse | undefined>;
  invoke(factory: (runtime: Runtime) => Handler, event: unknown, invocation?: Invocation): Promise<Invoked>;
  /** Returns the operations that the embedded cloud received, in order, except deliveries of records to LTS. */
  requests(): string[];
  /** Returns the result records that LTS received, in order. */
  deliveredRecords(): unknown[];
  /** Returns the milliseconds on the clock of the test environment since the environment was created. */
  elapsedMs(): number;
  /** Adds disks to the embedded cloud and returns their ids. */
  addDisks(count: number, options?: Parameters<EmbeddedCloud["addVolume"]>[0]): string[];
}

/** Starts an embedded cloud and creates a runtime for functions that call it. The embedded cloud is closed after the test. */
export async function createTestEnvironment(options: TestEnvironmentOptions = {}): Promise<TestEnvironment> {
  const { variables = {}, timeoutSeconds = 60, random = Math.random, ...cloudOptions } = options;
  const clock = new StoppedClock(START);
  const cloud = await startCloud({ topics: [TOPIC], ...cloudOptions, clock });
  onTestFinished(() => cloud.close());
  const time = createVirtualTime(clock, random);
  const send = transportTo(cloud);
  const exchange: TestEnvironment["exchange"] = (request) => time.busy(() => send(request));
  const transport = async (request: HttpRequest) => {
    const startedAt = clock.now();
    const response = await exchange(request);
    if (response !== undefined) return response;
    await time.sleep(Math.max(0, startedAt + request.timeoutMs - clock.now()));
    throw new TransportFailure(`no response within ${request.timeoutMs} ms`, { requestSent: true });
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

  const invoke: TestEnvironment["invoke"] = async (factory, event, invocation = {}) => {
    const requestId = invocation.requestId ?? `request-${++ids}`;
    const lines: string[] = [];
    const warnings: string[] = [];
    const calls: { method: string; path: string }[] = [];
    const invocationRuntime: Runtime = {
      ...runtime,
      transport: (request) => {
        calls.push({ method: request.method, path: request.url.pathname });
        return runtime.transport(request);
      },
      environment: invocation.environment ?? {},
      print: (line: string) => void lines.push(line),
      warn: (line: string) => void warnings.push(line),
    };
    const context = "context" in invocation ? invocation.context : contextOf({ ...invocation, requestId });
    let result: unknown;
    let error: Invoked["error"];
    try {
      result = await factory(invocationRuntime)(event, context);
    } catch (thrown) {
      error = thrown as Error;
    }
    const records = lines.map((line) => JSON.parse(line));
    // Huawei Cloud rejects a call for which the agency of the function lacks a permission.
    expect(withoutRight(records.at(-1)?.function, calls)).toEqual([]);
    const output = [
      ...lines,
      ...warnings,
      JSON.stringify(result) ?? "",
      error ? `${error.stack} ${error.message}` : "",
    ];
    return { result, error, records, warnings, output: output.join("\n") };
  };

  const contextOf = (invocation: Invocation & { requestId: string }) => {
    const deadline = clock.now() + (invocation.remainingMs ?? timeoutSeconds * 1000);
    const credentials = invocation.credentials ?? cloud.credentials;
    const userData: Record<string, string | undefined> = {
      REGION: cloud.region,
      PROJECT_ID: cloud.projectId,
      ...Object.fromEntries(
        ["EVS", "DWS", "ECS", "LTS", "FUNCTIONGRAPH"].map((name) => [`${name}_ENDPOINT`, cloud.url]),
      ),
      LTS_LOG_GROUP_ID: TOPIC.group,
      LTS_LOG_STREAM_ID: TOPIC.stream,
      // Terraform deploys no policy in a test environment.
      DEPLOYED_POLICIES: "{}",
      ...variables,
      ...invocation.variables,
    };
    return {
      getRequestID: () => invocation.requestId,
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
  return {
    cloud,
    clock,
    runtime,
    exchange,
    invoke,
    requests,
    deliveredRecords: () => cloud.logs.map(({ line }) => line),
    elapsedMs: () => clock.now() - Date.parse(START),
    addDisks: (count, disk) => Array.from({ length: count }, () => cloud.addVolume(disk).id),
  };
}

/** Returns the event that the API gateway sends to a function for a POST request. `changes` replaces fields of the event. */
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

/** Returns the event that a FunctionGraph timer sends (SOURCES.md#functiongraph-timer-event). */
export const timerEvent = (body: unknown, time = START): Json => ({
  version: "v1.0",
  time,
  trigger_type: "TIMER",
  trigger_name: "Timer_001",
  user_event: typeof body === "string" ? body : JSON.stringify(body),
});

/** Returns the timer event for the policy `nightly` with one target. The default kind of the target is `snapshot`. */
export const nightly = (target: Json, policy: Json = {}): Json =>
  timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", ...target }], ...policy });

/**
 * Expects that every record of an invocation has the fields that all records share, and that only the last record describes the
 * run. The record of the run counts the outcomes of all other records. Its outcome is `failed` if any of them failed.
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

/** Returns the `error` object in the body of an HTTP response. */
export const errorOf = ({ result }: Pick<Invoked, "result">) => JSON.parse(result.body).error;

/** Returns the header of an HTTP response that contains the outcome, such as `accepted` or `existing`. */
export const outcomeHeader = ({ result }: Pick<Invoked, "result">) => result.headers["x-snapshot-outcome"];

/** Returns the id of the disk, server or cluster in the fields of a snapshot or of a request. */
export const resourceIdOf = ({ volume_id, server_id, cluster_id }: object & Any): string =>
  String(volume_id ?? server_id ?? cluster_id);

/** Wraps the transport of a runtime. Returns a function that returns the maximum number of simultaneous requests so far. */
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

/** Expects that the function rejected its input with a message of less than 1,000 characters and called no service. */
export function expectInvalidInput(invoked: Invoked, message: string, requests: string[]): void {
  const actual: string = invoked.error?.message ?? errorOf(invoked).message;
  expect(actual).toContain(message);
  expect(actual.length).toBeLessThan(1_000);
  expect(invoked.records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
  for (const { error } of invoked.records) expect(error.reason).toBe("InvalidRequest");
  expect(requests).toEqual([]);
}
