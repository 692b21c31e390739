/** Runs each built function in its own process, and can kill the process at a request. */
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { type CloudOptions, type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import { type Instance, startInstance } from "../../infra/local/host/instance.ts";
import { TOPIC, userDataFor } from "../support/user-data.ts";
import type { Delivery } from "./faulty-environment.ts";
import type { Job } from "./jobs.ts";

const DIST = fileURLToPath(new URL("../../dist", import.meta.url));
const TIMEOUT_SECONDS = 60;
const SETTINGS = { package: "default", timeoutSeconds: TIMEOUT_SECONDS, memoryMb: 128, cpuMillicores: 100 };

export type Kill =
  /** Kill the process when the request arrives. The embedded cloud still processes the request. */
  | { request: number; when: "arrived" }
  /** Kill the process when the request arrives. The embedded cloud does not process the request. */
  | { request: number; when: "lost" }
  /** Kill the process after the embedded cloud responded to the request. */
  | { request: number; when: "answered" };

export interface Process {
  deliver(job: Pick<Job, "name" | "event" | "invocation">, kill?: Kill): Promise<Delivery>;
  end(): Promise<void>;
}

export interface ProcessEnvironment {
  cloud: EmbeddedCloud;
  /** The embedded cloud's clock, unless the options contain another clock. The processes use the machine's clock. */
  clock: StoppedClock;
  creationMs: number;
  start(name: string): Process;
  onShard: ((event: unknown, requestId: string) => Promise<void>) | undefined;
}

export async function createProcessEnvironment({ delayMs = 5, ...options }: CloudOptions & { delayMs?: number } = {}) {
  const clock = new StoppedClock();
  const creationMs = 3_000;
  let environment: ProcessEnvironment | undefined;
  /** Runs when a request arrives at the embedded cloud, to kill the process that sent the request. */
  let onArrival = (): void => {};
  const cloud = await startCloud({
    topics: [TOPIC],
    creationMs,
    onInvokeAsync: ({ payload, requestId }) => environment?.onShard?.(payload, requestId),
    clock,
    ...options,
    latencyMs: () => {
      onArrival();
      return delayMs;
    },
  });
  onTestFinished(() => cloud.close());
  let deliveries = 0;

  const start = (name: string): Process => {
    const lines: string[] = [];
    const process: Instance = startInstance(
      { ...SETTINGS, dist: DIST, functionName: name, projectId: cloud.projectId, userData: {}, extra: {} },
      ({ text }) => lines.push(text),
    );
    onTestFinished(() => process.kill());
    return {
      end: () => process.kill(),
      async deliver({ event, invocation }, kill) {
        lines.length = 0;
        deliveries += 1;
        const startedAt = cloud.clock.now();
        const cancelKill = kill === undefined ? undefined : scheduleKill(kill, process);
        const began = performance.now();
        const { requestId = `delivery-${deliveries}`, variables = {} } = invocation;
        const response = await process.run(event, { ...SETTINGS, ...contextData(name, requestId, variables) });
        const tookMs = performance.now() - began;
        cancelKill?.();
        const printed = lines.filter((line) => line.startsWith("{"));
        const delivery = { startedAt, tookMs, remainingMs: TIMEOUT_SECONDS * 1000, lines: printed };
        if (response.error?.errorType === "RuntimeExited") {
          await waitForRequests();
          return delivery;
        }
        const error = response.error && new Error(response.error.errorMessage);
        const result = response.result === undefined ? undefined : JSON.parse(response.result);
        const output = `${lines.join("\n")}\n${response.result ?? response.error?.errorMessage}`;
        return { ...delivery, invoked: { result, error, output, records: [], warnings: [] } };
      },
    };
  };

  /** Kills a process when it reaches the selected request. Returns a function that cancels the kill. */
  function scheduleKill({ request, when }: Kill, process: Instance): () => void {
    const first = cloud.requests.length;
    const hasArrived = () => cloud.requests.length === first + request;
    const lost = when === "lost" ? cloud.fault({ nth: request }, { type: "reset", after: false }) : undefined;
    if (when !== "answered") {
      onArrival = () => {
        if (hasArrived()) void process.kill();
      };
    }
    const hasResponse = () => when === "answered" && cloud.requests[first + request - 1]?.status !== undefined;
    const watch = setInterval(() => hasResponse() && void process.kill(), 1);
    return () => {
      clearInterval(watch);
      onArrival = () => {};
      lost?.remove();
    };
  }

  /** Waits until the embedded cloud has processed the requests that a process sent before it was killed. */
  async function waitForRequests(): Promise<void> {
    const open = () => cloud.requests.some(({ status, fault }) => status === undefined && fault === undefined);
    while (open()) await new Promise((resolve) => setTimeout(resolve, 1));
  }

  const contextData = (functionName: string, requestId: string, variables: Record<string, string | undefined>) => ({
    requestId,
    deadline: Date.now() + TIMEOUT_SECONDS * 1000,
    credentials: cloud.credentials,
    functionName,
    projectId: cloud.projectId,
    userData: { ...userDataFor(cloud), ...(variables as Record<string, string>) },
  });

  environment = { cloud, clock, creationMs, start, onShard: undefined };
  return environment satisfies ProcessEnvironment;
}
