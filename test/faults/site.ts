/** The functions' world as it breaks: instances that crash at a request, requests that hang, and chance from a seed. */
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

type Handler = (event: unknown, context: unknown) => Promise<unknown>;
export type Factory = (runtime: Runtime) => Handler;

/** The instance is gone at its nth request: before it is sent, or when the cloud has done its work. */
export interface Crash {
  request: number;
  when: "before" | "after";
}

export interface Delivery {
  /** What it returned or threw; undefined where the instance crashed. */
  ended?: Invoked;
  startedAt: number;
  tookMs: number;
  /** Until the platform's deadline. */
  remainingMs: number;
  /** What was printed until the crash, where there was one. */
  lines: string[];
}

/** One process of a function: what its invocations share, and what a crash takes away. */
export interface Instance {
  readonly alive: boolean;
  deliver(factory: Factory, event: unknown, how?: Invocation & { crash?: Crash }): Promise<Delivery>;
}

export interface FaultySite extends TestEnvironment {
  /** A cold instance. */
  instance(): Instance;
  /** An answer that comes so many milliseconds late, on the site's clock; the work was done before. */
  slow(ms: number): Fault;
  /** How long a snapshot is being created. */
  creationMs: number;
  /** Shards that are handed on while this is set; without it they are only acknowledged. */
  onShard: ((event: unknown, requestId: string) => Promise<void>) | undefined;
}

export const TIMEOUT_MS = 900_000;

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function chanceOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface FaultySiteOptions extends TestEnvironmentOptions {
  seed?: number;
  creationMs?: number;
}

/** Requests are sent one at a time, in the order in which they were begun, so that a run can be replayed. */

export async function openFaultySite(options: FaultySiteOptions = {}): Promise<FaultySite> {
  const { seed = 1, creationMs = 3_000, ...siteOptions } = options;
  let faulty: FaultySite | undefined;
  const site = await createTestEnvironment({
    timeoutSeconds: TIMEOUT_MS / 1000,
    random: chanceOf(seed),
    creationMs,
    onInvokeAsync: ({ payload, requestId }) => faulty?.onShard?.(payload, requestId),
    ...siteOptions,
  });
  const slowness = { ms: 0 };
  const { transmit, sent } = onSitesClock(site, slowness);
  let deliveries = 0;

  const instance = (): Instance => {
    const gone = new AbortController();
    const crashed = new Promise<void>((resolve) => gone.signal.addEventListener("abort", () => resolve()));
    const inFlight: Runtime["inFlight"] = new Map();
    let requests = 0;
    let crash: (Crash & { after: number }) | undefined;

    /** Nothing comes back into an instance that is gone. */
    const never = new Promise<never>(() => {});
    const whileAlive = async <T>(work: () => Promise<T>): Promise<T> => {
      if (gone.signal.aborted) return never;
      try {
        const value = await work();
        return gone.signal.aborted ? never : value;
      } catch (thrown) {
        if (gone.signal.aborted) return never;
        throw thrown;
      }
    };
    const dying: Transport = (request) => {
      if (gone.signal.aborted) return never;
      requests += 1;
      const last = crash !== undefined && requests === crash.after + crash.request ? crash : undefined;
      if (last?.when === "before") {
        gone.abort();
        return never;
      }
      return whileAlive(async () => {
        try {
          return await transmit(request, crashed);
        } finally {
          if (last !== undefined) gone.abort();
        }
      });
    };
    const time: Time = {
      ...site.runtime.time,
      sleep: (ms, work) => {
        const ended = work === undefined ? crashed : Promise.race([crashed, work]);
        return whileAlive(() => site.runtime.time.sleep(ms, ended));
      },
    };

    return {
      get alive() {
        return !gone.signal.aborted;
      },
      async deliver(factory, event, { crash: planned, ...how } = {}) {
        crash = planned === undefined ? undefined : { ...planned, after: requests };
        const lines: string[] = [];
        const startedAt = site.clock.now();
        deliveries += 1;
        const invocation = { requestId: `delivery-${deliveries}`, ...how };
        const work = site.invoke(
          (runtime) =>
            factory({
              ...runtime,
              time,
              transport: dying,
              inFlight,
              print(line) {
                if (gone.signal.aborted) return;
                lines.push(line);
                runtime.print(line);
              },
            }),
          event,
          invocation,
        );
        const ended = await Promise.race([work, crashed.then(() => undefined)]);
        // What it had sent before it was gone is the cloud's to do.
        if (ended === undefined) await sent();
        return {
          ended,
          startedAt,
          tookMs: site.clock.now() - startedAt,
          remainingMs: how.remainingMs ?? (siteOptions.timeoutSeconds ?? TIMEOUT_MS / 1000) * 1000,
          lines,
        };
      },
    };
  };

  const slow = (ms: number): Fault => ({
    type: "mutatePage",
    mutate: () => {
      slowness.ms = ms;
    },
  });
  faulty = { ...site, instance, slow, creationMs, onShard: undefined };
  return faulty;
}

/**
 * Requests as they pass on the site's clock. One that the cloud leaves hanging is given up when what the function allowed
 * for it has passed there, one whose answer is slow comes so much later. On the wire they go one at a time.
 */
function onSitesClock(site: TestEnvironment, slowness: { ms: number }) {
  const { clock, runtime } = site;
  let wire: Promise<unknown> = Promise.resolve();

  /** The answer and how late it is; undefined: none. */
  const exchange = async (request: HttpRequest) => {
    slowness.ms = 0;
    const answer = await site.exchange(request);
    return answer && { answer, late: slowness.ms };
  };
  const transmit = async (request: HttpRequest, crashed: Promise<void>) => {
    const begunAt = clock.now();
    const exchanged = wire.then(() => exchange(request));
    wire = exchanged.catch(() => {});
    const { answer, late } = (await exchanged) ?? { late: Number.POSITIVE_INFINITY };
    const ends = begunAt + Math.min(late, request.timeoutMs);
    if (ends > clock.now()) await runtime.time.sleep(ends - clock.now(), crashed);
    if (answer !== undefined && late <= request.timeoutMs) return answer;
    throw new TransportFailure(`no answer within ${request.timeoutMs} ms`, { requestSent: true });
  };
  return { transmit, sent: () => wire };
}
