import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AsyncSettings, type FailureNotice, makeAsyncQueue } from "./async-queue.ts";
import { checkUserData } from "./environment.ts";
import { type Answer, type Credentials, type FunctionError, type Line, startInstance } from "./instance.ts";
import { ASYNC_PAYLOAD, SYNC_PAYLOAD, TIMER_USER_EVENT } from "./limits.ts";
import { makePool } from "./pool.ts";
import { functionUrn } from "./urn.ts";

export interface HostOptions {
  /** The folder of built bundles: `<dist>/<function>/index.js`. */
  dist: string;
  /** Default: every folder of `dist` with a bundle in it. */
  functions?: readonly string[];
  userData: Record<string, string>;
  /** What the agency gives; a function of it is asked at each request, so that credentials can change under a warm instance. */
  credentials: Credentials | (() => Credentials);
  projectId: string;
  /** Only for the URN in failure notices; no function learns its region from the platform. */
  region?: string;
  timeoutSeconds: number;
  memoryMb?: number;
  cpuMillicores?: number;
  /** Of one function; by name to set it for some (the platform's max_instance_num). */
  maxInstances?: number | Record<string, number>;
  /** More variables of the process, by name: for credentials outside FunctionGraph. */
  environment?: Record<string, string>;
  /** 0 to 3. */
  asyncRetries?: number;
  asyncMaxEventAgeSeconds?: number;
  asyncRetryDelayMs?: number;
  /** Each line that an instance printed, before the answer of its request is passed on. */
  onLine?: (line: Line) => void;
  /** Each ended invocation, synchronous or not. */
  onInvocation?: (invocation: Invocation) => void;
  /** An asynchronous event that was given up: what the on-failure destination would get. */
  onAsyncFailure?: (notice: FailureNotice) => void;
}

/** One finished invocation: `error` is undefined exactly when the function succeeded. */
export interface Invocation {
  function: string;
  requestId: string;
  result?: unknown;
  error?: FunctionError;
  /** A new instance had to be started for it. */
  cold: boolean;
  durationMs: number;
}

export interface Host {
  readonly functions: readonly string[];
  invoke(name: string, event: unknown, options?: { requestId?: string }): Promise<Invocation>;
  /** Accepts the event (202 with a request id on the platform) and runs it later. */
  invokeAsync(name: string, event: unknown, options?: { requestId?: string }): Promise<{ requestId: string }>;
  /** Resolves when all asynchronous work is done, retries and what they set off included. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_MAX_INSTANCES = 16;

/** A stand-in for FunctionGraph: runs built bundles in processes of their own, the way the platform does. */
export async function startHost(options: HostOptions): Promise<Host> {
  checkUserData(options.userData);
  const dist = resolve(options.dist);
  const functions = options.functions ?? bundlesIn(dist);
  if (functions.length === 0) throw new Error(`no function in ${dist}: run "npm run build" first`);
  for (const name of functions) {
    const bundle = join(dist, name, "index.js");
    if (!existsSync(bundle)) throw new Error(`no bundle ${bundle}: run "npm run build" first`);
  }

  const settings = {
    dist,
    package: "default",
    projectId: options.projectId,
    timeoutSeconds: options.timeoutSeconds,
    memoryMb: options.memoryMb ?? 128,
    cpuMillicores: options.cpuMillicores ?? 300,
    userData: options.userData,
    extra: options.environment ?? {},
  };
  const poolOf = (name: string) =>
    makePool(
      () => startInstance({ ...settings, functionName: name }, (line) => options.onLine?.(line)),
      maxInstances(options.maxInstances, name),
    );
  const pools = new Map(functions.map((name) => [name, poolOf(name)]));
  const queue = makeAsyncQueue(asyncSettings(options), (notice) => options.onAsyncFailure?.(notice));
  let closed = false;

  const pool = (name: string) => {
    const found = pools.get(name);
    if (!found) throw new Error(`no function "${name}"; there are: ${functions.join(", ")}`);
    if (closed) throw new Error("the host is closed");
    return found;
  };

  const contextData = (name: string, requestId: string) => ({
    requestId,
    deadline: Date.now() + options.timeoutSeconds * 1000,
    timeoutSeconds: options.timeoutSeconds,
    credentials: typeof options.credentials === "function" ? options.credentials() : options.credentials,
    userData: options.userData,
    functionName: name,
    package: settings.package,
    projectId: options.projectId,
    memoryMb: settings.memoryMb,
    cpuMillicores: settings.cpuMillicores,
  });

  async function execute(name: string, requestId: string, kind: "sync" | "async", event: unknown): Promise<Invocation> {
    const { run, runInTurn } = pool(name);
    const started = performance.now();
    const context = () => contextData(name, requestId);
    const { answer, cold } = await (kind === "sync" ? run(event, context) : runInTurn(event, context));
    const invocation = {
      function: name,
      requestId,
      ...read(answer, kind),
      cold,
      durationMs: Math.round(performance.now() - started),
    };
    options.onInvocation?.(invocation);
    return invocation;
  }

  return {
    functions,
    async invoke(name, event, { requestId = randomUUID() } = {}) {
      checkPayload(event, SYNC_PAYLOAD);
      checkTimer(event);
      return execute(name, requestId, "sync", event);
    },
    async invokeAsync(name, event, { requestId = randomUUID() } = {}) {
      pool(name);
      checkPayload(event, ASYNC_PAYLOAD);
      // A copy: the platform took the text, whatever the caller does with the object later.
      const kept = structuredClone(event);
      queue.add({
        requestId,
        functionUrn: functionUrn(options.region ?? "local", options.projectId, name),
        event: kept,
        attempt: () => execute(name, requestId, "async", kept),
      });
      return { requestId };
    },
    idle: () => queue.idle(),
    async close() {
      closed = true;
      queue.close();
      await Promise.all([...pools.values()].map((one) => one.close()));
      await queue.idle();
    },
  };
}

/** The names of the folders in `dist` that hold a bundle. */
export function bundlesIn(dist: string): string[] {
  if (!existsSync(dist)) return [];
  return readdirSync(dist)
    .filter((name) => existsSync(join(dist, name, "index.js")))
    .sort();
}

function maxInstances(setting: HostOptions["maxInstances"], name: string): number {
  const own = typeof setting === "object" ? setting[name] : setting;
  return own ?? DEFAULT_MAX_INSTANCES;
}

function asyncSettings(options: HostOptions): AsyncSettings {
  const retries = options.asyncRetries ?? 0;
  if (!Number.isInteger(retries) || retries < 0 || retries > 3) {
    throw new Error(`asyncRetries is 0 to 3 on FunctionGraph, got ${retries}`);
  }
  return {
    retries,
    maxEventAgeSeconds: options.asyncMaxEventAgeSeconds ?? 3600,
    retryDelayMs: options.asyncRetryDelayMs ?? 1000,
  };
}

function checkPayload(event: unknown, limit: number): void {
  const size = Buffer.byteLength(JSON.stringify(event) ?? "null");
  if (size > limit) throw new Error(`FSS.1201: the event has ${size} bytes, the platform takes ${limit}`);
}

/** No timer could have sent it. What the function hands on to itself goes over `invokeAsync` and may be longer. */
function checkTimer(event: unknown): void {
  const { trigger_type, user_event } = Object(event) as Record<string, unknown>;
  if (trigger_type !== "TIMER" || typeof user_event !== "string") return;
  const size = Buffer.byteLength(user_event);
  if (size < TIMER_USER_EVENT) return;
  throw new Error(
    `FunctionGraph takes less than ${TIMER_USER_EVENT} bytes as a timer's user_event, this one has ${size}: select by tags instead of ids`,
  );
}

/** The JSON text that came back as a value; too large a one is an error, or emptied (functiongraph.md 1.6, 1.7). */
function read(answer: Answer, kind: "sync" | "async"): Pick<Invocation, "result" | "error"> {
  if (answer.error) return { error: answer.error };
  const size = Buffer.byteLength(answer.result);
  if (kind === "sync" && size > SYNC_PAYLOAD) {
    return { error: { errorMessage: `FSS.1201: the answer has ${size} bytes`, errorType: "ResponseTooLarge" } };
  }
  if (kind === "async" && size > ASYNC_PAYLOAD) return { result: "" };
  return { result: JSON.parse(answer.result) };
}
