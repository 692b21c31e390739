/** Functions over the embedded cloud in one process, on a clock that moves only when somebody sleeps. */
import { expect, onTestFinished } from "vitest";
import { type CloudOptions, type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import type { Time } from "../../shared/core/clock.ts";
import { instant } from "../../shared/core/instant.ts";
import {
  type HttpRequest,
  type HttpResponse,
  nodeTransport,
  TransportFailure,
} from "../../shared/huaweicloud/http/transport.ts";
import { nodeRuntime, type Runtime } from "../../shared/middleware/runtime.ts";
import { withoutRight } from "./rights.ts";

export const START = "2026-11-21T02:00:00Z";
const TOPIC = { group: "7a1d3b52-6c0e-4f7b-9d58-2e4f60718293", stream: "c5e8f0a4-1b2d-4c3e-8f90-a1b2c3d4e5f6" };

type Json = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of many shapes
type Any = any;

export interface TestEnvironmentOptions extends Omit<CloudOptions, "clock"> {
  /** Over what the site sets; `undefined` takes a variable away. */
  variables?: Record<string, string | undefined>;
  /** Default 60. */
  timeoutSeconds?: number;
  random?: () => number;
}

export interface Invoked {
  /** What the handler returned; undefined where it threw. */
  result: Any;
  /** What it threw. */
  error: (Error & { reason?: string }) | undefined;
  /** Its records, in order; also in the topic, unless a test broke that. */
  records: Any[];
  /** Lines on stderr. */
  warnings: string[];
  /** Everything that left the function, for the search for secrets. */
  output: string;
}

export interface Invocation {
  requestId?: string;
  /** Until the platform's deadline, on the site's clock. */
  remainingMs?: number;
  variables?: Record<string, string | undefined>;
  /** In place of the cloud's credentials. */
  credentials?: { ak?: string; sk?: string; securityToken?: string; token?: string };
  environment?: Record<string, string>;
  /** In place of the whole context. */
  context?: unknown;
}

type Handler = (event: Any, context: Any) => Promise<unknown>;

export interface TestEnvironment {
  cloud: EmbeddedCloud;
  clock: StoppedClock;
  runtime: Runtime;
  /** Sends a request; undefined, at once, where the cloud leaves it hanging. */
  exchange(request: HttpRequest): Promise<HttpResponse | undefined>;
  invoke(factory: (runtime: Runtime) => Handler, event: unknown, how?: Invocation): Promise<Invoked>;
  /** Requests that reached the cloud, without the reports to the topic. */
  requests(): string[];
}

export async function createTestEnvironment(options: TestEnvironmentOptions = {}): Promise<TestEnvironment> {
  const { variables = {}, timeoutSeconds = 60, random = Math.random, ...cloudOptions } = options;
  const clock = new StoppedClock(START);
  const cloud = await startCloud({ topics: [TOPIC], ...cloudOptions, clock });
  onTestFinished(() => cloud.close());
  const time = virtualTime(clock, random);
  const send = transportTo(cloud);
  const exchange: TestEnvironment["exchange"] = (request) => time.busy(() => send(request));
  const transport = async (request: HttpRequest) => {
    const began = clock.now();
    const answer = await exchange(request);
    if (answer !== undefined) return answer;
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
    // Whatever a test is about: a call that the agency may not make would not come through on the real cloud.
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

/** How long a request may take that is only slow: as long as a machine that is busy with other things may need. */
const SLOW_MS = 60_000;

/**
 * The real transport, for time that does not pass by itself: a request is given up, and answered with undefined, once the
 * cloud itself says that it leaves it hanging. One that is only slow on a busy machine is not taken for such a one.
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
    // The connection of a request that hangs is closed with the cloud.
    sent.catch(() => {});
    return Promise.race([sent, hung]).finally(() => clearInterval(watch));
  };
}

const TAG = "x-test-request";

/**
 * Time that moves only when nothing else can happen: no request is under way and somebody sleeps. Then it jumps to the
 * first who wakes. A test over hours takes milliseconds and sees the same order every time.
 */
function virtualTime(
  clock: StoppedClock,
  random: () => number,
): Time & { busy<T>(work: () => Promise<T>): Promise<T> } {
  const sleepers = new Set<{ wake: number; resolve: () => void }>();
  let underWay = 0;
  let idleTurns = 0;
  let pumping = false;

  const pump = () => {
    if (sleepers.size === 0) {
      pumping = false;
      return;
    }
    idleTurns = underWay === 0 ? idleTurns + 1 : 0;
    if (idleTurns >= 4) {
      idleTurns = 0;
      const first = [...sleepers].reduce((a, b) => (b.wake < a.wake ? b : a));
      if (first.wake > clock.now()) clock.set(first.wake);
      sleepers.delete(first);
      first.resolve();
    }
    setImmediate(pump);
  };

  return {
    now: () => instant(clock.now()),
    random,
    sleep: (milliseconds, work) =>
      new Promise((resolve) => {
        const sleeper = { wake: clock.now() + milliseconds, resolve };
        sleepers.add(sleeper);
        const wake = () => {
          sleepers.delete(sleeper);
          resolve();
        };
        work?.then(wake, wake);
        if (!pumping) {
          pumping = true;
          setImmediate(pump);
        }
      }),
    async busy(work) {
      underWay += 1;
      try {
        return await work();
      } finally {
        underWay -= 1;
      }
    },
  };
}

/** What the gateway sends for a POST with this body. */
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

/** What a timer sends (functiongraph.md 2.1). */
export const timerEvent = (body: unknown, time = START): Json => ({
  version: "v1.0",
  time,
  trigger_type: "TIMER",
  trigger_name: "Timer_001",
  user_event: typeof body === "string" ? body : JSON.stringify(body),
});

/**
 * What holds of the records of every invocation, however it ended: the run's own comes last and once, counts the others,
 * fails when one of them did, and each has the fields that all have.
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
