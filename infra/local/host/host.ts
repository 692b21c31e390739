import { randomUUID } from "node:crypto";
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type AsyncSettings, createAsyncQueue, type FailureNotice } from "./async-queue.ts";
import { checkUserData } from "./environment.ts";
import { type Credentials, type OutputLine, type RequestOutcome, startInstance } from "./instance.ts";
import type { Invocation } from "./invocation.ts";
import { MAX_ASYNC_PAYLOAD, MAX_SYNC_PAYLOAD, USER_EVENT_LIMIT } from "./limits.ts";
import { createInstancePool } from "./pool.ts";
import { functionUrn } from "./urn.ts";

export interface HostOptions {
  /** The folder with the built bundles: `<dist>/<function>/index.js`. */
  dist: string;
  /** The names of the functions to run. Default: every folder in `dist` that contains a bundle. */
  functions?: readonly string[];
  userData: Record<string, string>;
  /** The agency's credentials, or a callback that returns new credentials for each request. */
  credentials: Credentials | (() => Credentials);
  projectId: string;
  /** The region, which appears only in the function URN of a failure notice. As on the platform, functions do not receive it. */
  region?: string;
  /** The timeout in seconds: one number for all functions, or a number for each function name. */
  timeoutSeconds: number | Record<string, number>;
  memoryMb?: number;
  cpuMillicores?: number;
  /**
   * The maximum number of instances of a function (`max_instance_num` in Terraform): one number for all functions, or a number
   * for each function name. Default 16.
   */
  maxInstances?: number | Record<string, number>;
  /** Environment variables that FunctionGraph does not set, such as an access key for `npm run invoke -- … --real`. */
  environment?: Record<string, string>;
  /** The maximum number of retries of an asynchronous event, from 0 to 3. Default 0. */
  asyncRetries?: number;
  asyncMaxEventAgeSeconds?: number;
  asyncRetryDelayMs?: number;
  /** Called with each line that an instance prints. Receives all lines of an invocation before `invoke` returns. */
  onLine?: (line: OutputLine) => void;
  /** Called after each synchronous or asynchronous invocation. */
  onInvocation?: (invocation: Invocation) => void;
  /** Called with the failure message after the last retry of an asynchronous event failed. */
  onAsyncFailure?: (notice: FailureNotice) => void;
}

export interface Host {
  readonly functions: readonly string[];
  invoke(name: string, event: unknown, options?: { requestId?: string }): Promise<Invocation>;
  /** Accepts an event and invokes the function later, as the platform does after its 202 response. */
  invokeAsync(name: string, event: unknown, options?: { requestId?: string }): Promise<{ requestId: string }>;
  /** Kills all instances of a function, as happens if their machine fails. An invocation in progress ends with an error. */
  kill(name: string): Promise<void>;
  /** Waits until all asynchronous events are finished, including their retries and the events that they cause. */
  idle(): Promise<void>;
  close(): Promise<void>;
}

const DEFAULT_MAX_INSTANCES = 16;

/** Starts a local substitute for FunctionGraph. Like FunctionGraph, it runs each instance of a function in its own process. */
export async function startHost(options: HostOptions): Promise<Host> {
  checkUserData(options.userData);
  const dist = resolve(options.dist);
  const functions = options.functions ?? bundlesIn(dist);
  if (functions.length === 0) throw new Error(`No built function in ${dist}. Run "npm run build" first.`);
  for (const name of functions) {
    const bundle = join(dist, name, "index.js");
    if (!existsSync(bundle)) throw new Error(`The bundle ${bundle} does not exist. Run "npm run build" first.`);
  }

  const settings = {
    dist,
    package: "default",
    projectId: options.projectId,
    memoryMb: options.memoryMb ?? 128,
    cpuMillicores: options.cpuMillicores ?? 300,
    userData: options.userData,
    extra: options.environment ?? {},
  };
  const timeoutOf = (name: string): number => {
    const timeout = settingFor(options.timeoutSeconds, name);
    if (timeout === undefined) throw new Error(`timeoutSeconds: expected a number for the function ${name}, got none`);
    return timeout;
  };
  const createPool = (name: string) =>
    createInstancePool(
      () =>
        startInstance({ ...settings, timeoutSeconds: timeoutOf(name), functionName: name }, (line) =>
          options.onLine?.(line),
        ),
      settingFor(options.maxInstances, name) ?? DEFAULT_MAX_INSTANCES,
    );
  const pools = new Map(functions.map((name) => [name, createPool(name)]));
  const queue = createAsyncQueue(asyncSettings(options), (notice) => options.onAsyncFailure?.(notice));
  let closed = false;

  const findPool = (name: string) => {
    const found = pools.get(name);
    if (!found) throw new Error(`There is no function "${name}". Known functions: ${functions.join(", ")}`);
    if (closed) throw new Error("The host is closed.");
    return found;
  };

  const contextData = (name: string, requestId: string) => ({
    requestId,
    deadline: Date.now() + timeoutOf(name) * 1000,
    timeoutSeconds: timeoutOf(name),
    credentials: typeof options.credentials === "function" ? options.credentials() : options.credentials,
    userData: options.userData,
    functionName: name,
    package: settings.package,
    projectId: options.projectId,
    memoryMb: settings.memoryMb,
    cpuMillicores: settings.cpuMillicores,
  });

  async function execute(name: string, requestId: string, kind: "sync" | "async", event: unknown): Promise<Invocation> {
    const { run, runWhenFree } = findPool(name);
    const started = performance.now();
    const context = () => contextData(name, requestId);
    const { outcome, cold } = await (kind === "sync" ? run(event, context) : runWhenFree(event, context));
    const invocation = {
      function: name,
      requestId,
      ...parseOutcome(outcome, kind),
      cold,
      durationMs: Math.round(performance.now() - started),
    };
    options.onInvocation?.(invocation);
    return invocation;
  }

  return {
    functions,
    async invoke(name, event, { requestId = randomUUID() } = {}) {
      checkPayloadSize(event, MAX_SYNC_PAYLOAD);
      checkUserEventSize(event);
      return execute(name, requestId, "sync", event);
    },
    async invokeAsync(name, event, { requestId = randomUUID() } = {}) {
      findPool(name);
      checkPayloadSize(event, MAX_ASYNC_PAYLOAD);
      // Copy the event, because the caller may change the object before the function runs.
      const copy = structuredClone(event);
      queue.add({
        requestId,
        functionUrn: functionUrn(options.region ?? "local", options.projectId, name),
        event: copy,
        attempt: () => execute(name, requestId, "async", copy),
      });
      return { requestId };
    },
    kill: (name) => findPool(name).kill(),
    idle: () => queue.idle(),
    async close() {
      closed = true;
      queue.close();
      await Promise.all([...pools.values()].map((pool) => pool.close()));
      await queue.idle();
    },
  };
}

/** Returns the sorted names of all functions that have a built bundle in the folder `dist`. */
export function bundlesIn(dist: string): string[] {
  if (!existsSync(dist)) return [];
  return readdirSync(dist)
    .filter((name) => existsSync(join(dist, name, "index.js")))
    .sort();
}

/**
 * Returns the value of a setting for one function. The setting is one number for all functions, or a number for each function
 * name.
 */
function settingFor(setting: number | Record<string, number> | undefined, name: string): number | undefined {
  return typeof setting === "object" ? setting[name] : setting;
}

function asyncSettings(options: HostOptions): AsyncSettings {
  const retries = options.asyncRetries ?? 0;
  if (!Number.isInteger(retries) || retries < 0 || retries > 3) {
    throw new Error(`asyncRetries: expected an integer from 0 to 3, got ${retries}`);
  }
  return {
    retries,
    maxEventAgeSeconds: options.asyncMaxEventAgeSeconds ?? 3600,
    retryDelayMs: options.asyncRetryDelayMs ?? 1000,
  };
}

function checkPayloadSize(event: unknown, limit: number): void {
  const size = Buffer.byteLength(JSON.stringify(event) ?? "null");
  if (size > limit) throw new Error(`FSS.1201: the event has ${size} bytes, the limit is ${limit} bytes`);
}

/**
 * Throws if the `user_event` of a timer event is too long. Only `invoke` calls this check, because FunctionGraph allows a
 * longer event in an asynchronous invocation.
 */
function checkUserEventSize(event: unknown): void {
  const { trigger_type, user_event } = Object(event) as Record<string, unknown>;
  if (trigger_type !== "TIMER" || typeof user_event !== "string") return;
  const size = Buffer.byteLength(user_event);
  if (size < USER_EVENT_LIMIT) return;
  throw new Error(
    `user_event: expected fewer than ${USER_EVENT_LIMIT} bytes (the limit of FunctionGraph), got ${size}. Select by tags instead of ids.`,
  );
}

/**
 * Parses the JSON result of an instance. If the result is too large, a synchronous invocation fails, and the result of an
 * asynchronous invocation becomes an empty string (SOURCES.md#functiongraph-limits).
 */
function parseOutcome(outcome: RequestOutcome, kind: "sync" | "async"): Pick<Invocation, "result" | "error"> {
  if (outcome.error) return { error: outcome.error };
  const size = Buffer.byteLength(outcome.result);
  if (kind === "sync" && size > MAX_SYNC_PAYLOAD) {
    return {
      error: {
        errorMessage: `FSS.1201: the result has ${size} bytes, the limit is ${MAX_SYNC_PAYLOAD} bytes`,
        errorType: "ResponseTooLarge",
      },
    };
  }
  if (kind === "async" && size > MAX_ASYNC_PAYLOAD) return { result: "" };
  return { result: JSON.parse(outcome.result) };
}
