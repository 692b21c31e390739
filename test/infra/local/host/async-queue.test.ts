import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type FailureNotice,
  type Host,
  type HostOptions,
  runAsyncCall,
  startHost,
} from "../../../../infra/local/host/index.ts";
import { writeBundles } from "../../../support/bundles.ts";

const SOURCES = {
  failing: `exports.handler = async () => { throw new RangeError("out of range"); };`,
  flaky: `
    const fs = require("node:fs");
    exports.handler = async (event) => {
      fs.appendFileSync(event.file, "x");
      if (fs.readFileSync(event.file, "utf8").length <= event.failures) throw new Error("not yet");
    };`,
  silent: `exports.handler = async () => {};`,
};

let bundles: ReturnType<typeof writeBundles>;
let host: Host | undefined;

beforeAll(() => {
  bundles = writeBundles(SOURCES);
});
afterEach(() => host?.close());
afterAll(() => bundles.remove());

async function start(options: Partial<HostOptions> = {}): Promise<Host> {
  host = await startHost({
    dist: bundles.dist,
    userData: {},
    credentials: {},
    projectId: "p".repeat(32),
    timeoutSeconds: 5,
    asyncRetryDelayMs: 1,
    ...options,
  });
  return host;
}

describe("asynchronous invocations of the host", () => {
  const run = async (failures: number, options: Partial<HostOptions>) => {
    const attempts: string[] = [];
    const notices: FailureNotice[] = [];
    const started = await start({
      ...options,
      onInvocation: ({ requestId }) => attempts.push(requestId),
      onAsyncFailure: (notice) => notices.push(notice),
    });
    const file = `${bundles.dist}/flaky-${Math.random()}`;
    const { requestId } = await started.invokeAsync("flaky", { file, failures });
    await started.idle();
    return { requestId, attempts, notices };
  };

  test("the host does not retry an asynchronous event by default", async () => {
    const { requestId, attempts, notices } = await run(1, {});
    expect(attempts).toEqual([requestId]);
    expect(notices).toMatchObject([
      {
        request_context: { request_id: requestId, condition: "RetriesExhausted", approximate_invoke_count: 1 },
        response_payload: { errorMessage: "not yet", errorType: "Error" },
      },
    ]);
  });

  test("the host retries an asynchronous event `asyncRetries` times and then reports the failure", async () => {
    const { attempts, notices } = await run(9, { asyncRetries: 2 });
    expect(attempts).toHaveLength(3);
    expect(notices).toHaveLength(1);
  });

  test("the host stops retrying an asynchronous event after the first success", async () => {
    const { attempts, notices } = await run(1, { asyncRetries: 3 });
    expect(attempts).toHaveLength(2);
    expect(notices).toEqual([]);
  });

  test("the host stops retrying an asynchronous event that is older than `asyncMaxEventAgeSeconds`", async () => {
    const { attempts, notices } = await run(9, {
      asyncRetries: 3,
      asyncMaxEventAgeSeconds: 0.01,
      asyncRetryDelayMs: 50,
    });
    expect(attempts).toHaveLength(1);
    expect(notices).toMatchObject([{ request_context: { condition: "EventAgeExceeded" } }]);
  });

  test("the host rejects an `asyncRetries` option that is greater than 3", async () => {
    await expect(start({ asyncRetries: 4 })).rejects.toThrow("0 to 3");
  });

  test("closing the host discards asynchronous events that are waiting for a retry", async () => {
    let invocations = 0;
    await new Promise<void>((resolve) => {
      const onInvocation = () => {
        invocations += 1;
        resolve();
      };
      void start({ asyncRetries: 3, asyncRetryDelayMs: 60_000, onInvocation }).then((started) =>
        started.invokeAsync("failing", {}),
      );
    });
    await host?.close();
    await host?.idle();
    expect(invocations).toBe(1);
  });

  test("runAsyncCall runs the function that a URN names, with the request id that the caller received", async () => {
    const seen: string[] = [];
    const started = await start({ onInvocation: (done) => seen.push(`${done.function} ${done.requestId}`) });
    const urn = "urn:fss:eu-west-101:0123:function:default:silent:latest";
    await runAsyncCall(started, { urn, payload: {}, requestId: "request-1" });
    await started.idle();
    expect(seen).toEqual(["silent request-1"]);
    await expect(runAsyncCall(started, { urn: "urn:smn:x", payload: {}, requestId: "r" })).rejects.toThrow("urn:smn:x");
  });
});
