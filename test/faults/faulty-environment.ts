/** Runs functions in instances that can crash at any request, and delays responses on the virtual clock. */
import type { Fault } from "../../infra/local/cloud/index.ts";
import type { Time } from "../../shared/core/clock.ts";
import { type HttpRequest, type Transport, TransportFailure } from "../../shared/huaweicloud/http/transport.ts";
import type { Runtime } from "../../shared/middleware/runtime.ts";
import {
  createTestEnvironment,
  type Invocation,
  type Invoked,
  type TestEnvironment,
  type TestEnvironmentOptions,
} from "../support/environment.ts";
import { createRandom } from "../support/random.ts";

type Handler = (event: unknown, context: unknown) => Promise<unknown>;
export type Factory = (runtime: Runtime) => Handler;

/** A crash of an instance at one request of a delivery. */
export interface Crash {
  /** The number of the request. The first request of a delivery has the number 1. */
  request: number;
  /** Whether the instance crashes before it sends the request, or after the embedded cloud processed the request. */
  when: "before" | "after";
}

export interface Delivery {
  /** The result or the error of the function, or undefined if the instance crashed. */
  invoked?: Invoked;
  startedAt: number;
  tookMs: number;
  /** The time in milliseconds that FunctionGraph allows for the delivery, measured from its start. */
  remainingMs: number;
  /** The lines that the function printed before it finished or crashed. */
  lines: string[];
}

/** An instance of a function. Invocations of the same instance share its memory until the instance crashes. */
export interface Instance {
  readonly alive: boolean;
  deliver(factory: Factory, event: unknown, invocation?: Invocation & { crash?: Crash }): Promise<Delivery>;
}

export interface FaultyEnvironment extends TestEnvironment {
  /** Starts an instance without the memory of earlier invocations. */
  instance(): Instance;
  /** Returns a fault that delays the response to a processed request by `ms` on the environment's clock. */
  delayResponse(ms: number): Fault;
  /** The time in milliseconds that the embedded cloud takes to create a snapshot. */
  creationMs: number;
  /** Called for each asynchronous invocation. If it is undefined, the embedded cloud only acknowledges the invocation. */
  onShard: ((event: unknown, requestId: string) => Promise<void>) | undefined;
}

export const TIMEOUT_MS = 900_000;

export interface FaultyEnvironmentOptions extends TestEnvironmentOptions {
  seed?: number;
  creationMs?: number;
}

export async function createFaultyEnvironment(options: FaultyEnvironmentOptions = {}): Promise<FaultyEnvironment> {
  const { seed = 1, creationMs = 3_000, ...environmentOptions } = options;
  let faulty: FaultyEnvironment | undefined;
  const environment = await createTestEnvironment({
    timeoutSeconds: TIMEOUT_MS / 1000,
    random: createRandom(seed),
    creationMs,
    onInvokeAsync: ({ payload, requestId }) => faulty?.onShard?.(payload, requestId),
    ...environmentOptions,
  });
  const delay = { ms: 0 };
  const { transmit, sent } = createVirtualWire(environment, delay);
  let deliveries = 0;

  const instance = (): Instance => {
    const death = new AbortController();
    const crashed = new Promise<void>((resolve) => death.signal.addEventListener("abort", () => resolve()));
    const inFlight: Runtime["inFlight"] = new Map();
    let requests = 0;
    let crash: (Crash & { after: number }) | undefined;

    /** A promise that never settles. A crashed instance waits for this promise, so it never continues. */
    const never = new Promise<never>(() => {});
    const whileAlive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (death.signal.aborted) return never;
      try {
        const value = await work();
        return death.signal.aborted ? never : value;
      } catch (thrown) {
        if (death.signal.aborted) return never;
        throw thrown;
      }
    };
    const crashingTransport: Transport = (request) => {
      if (death.signal.aborted) return never;
      requests += 1;
      const last = crash !== undefined && requests === crash.after + crash.request ? crash : undefined;
      if (last?.when === "before") {
        death.abort();
        return never;
      }
      return whileAlive(async () => {
        try {
          return await transmit(request, crashed);
        } finally {
          if (last !== undefined) death.abort();
        }
      });
    };
    const time: Time = {
      ...environment.runtime.time,
      sleep: (ms, work) => {
        const invoked = work === undefined ? crashed : Promise.race([crashed, work]);
        return whileAlive(() => environment.runtime.time.sleep(ms, invoked));
      },
    };

    return {
      get alive() {
        return !death.signal.aborted;
      },
      async deliver(factory, event, { crash: planned, ...options } = {}) {
        crash = planned === undefined ? undefined : { ...planned, after: requests };
        const lines: string[] = [];
        const startedAt = environment.clock.now();
        deliveries += 1;
        const invocation = { requestId: `delivery-${deliveries}`, ...options };
        const work = environment.invoke(
          (runtime) =>
            factory({
              ...runtime,
              time,
              transport: crashingTransport,
              inFlight,
              print(line) {
                if (death.signal.aborted) return;
                lines.push(line);
                runtime.print(line);
              },
            }),
          event,
          invocation,
        );
        const invoked = await Promise.race([work, crashed.then(() => undefined)]);
        // The embedded cloud still processes the requests that the instance sent before the crash.
        if (invoked === undefined) await sent();
        return {
          invoked,
          startedAt,
          tookMs: environment.clock.now() - startedAt,
          remainingMs: options.remainingMs ?? (environmentOptions.timeoutSeconds ?? TIMEOUT_MS / 1000) * 1000,
          lines,
        };
      },
    };
  };

  const delayResponse = (ms: number): Fault => ({
    type: "mutatePage",
    mutate: () => {
      delay.ms = ms;
    },
  });
  faulty = { ...environment, instance, delayResponse, creationMs, onShard: undefined };
  return faulty;
}

/**
 * Sends requests. Their durations pass on the environment's clock, not in real time. A request without a response fails after its
 * timeout. Requests are sent one at a time in the order of their start, so two runs with one seed have the same result.
 */
function createVirtualWire(environment: TestEnvironment, delay: { ms: number }) {
  const { clock, runtime } = environment;
  let wire: Promise<unknown> = Promise.resolve();

  /** Returns the response and its delay, or undefined if the embedded cloud sends no response. */
  const exchange = async (request: HttpRequest) => {
    delay.ms = 0;
    const response = await environment.exchange(request);
    return response && { response, late: delay.ms };
  };
  const transmit = async (request: HttpRequest, crashed: Promise<void>) => {
    const startedAt = clock.now();
    const exchanging = wire.then(() => exchange(request));
    wire = exchanging.catch(() => {});
    const { response, late } = (await exchanging) ?? { late: Number.POSITIVE_INFINITY };
    const finishesAt = startedAt + Math.min(late, request.timeoutMs);
    if (finishesAt > clock.now()) await runtime.time.sleep(finishesAt - clock.now(), crashed);
    if (response !== undefined && late <= request.timeoutMs) return response;
    throw new TransportFailure(`no response within ${request.timeoutMs} ms`, { requestSent: true });
  };
  return { transmit, sent: () => wire };
}
