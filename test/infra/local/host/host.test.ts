import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type FailureNotice,
  type Host,
  type HostOptions,
  type Line,
  runAsyncCall,
  startHost,
} from "../../../../infra/local/host/index.ts";
import { makeBundles } from "../../../support/bundles.ts";

const SOURCES = {
  context: `
    exports.handler = async (event, context) => {
      const members = {};
      for (const [name, member] of Object.entries(context)) {
        if (name === "getLogger" || name === "getUserData") continue;
        members[name] = member();
      }
      members.kept = context.getUserData("REGION");
      members.unknown = context.getUserData("toString") ?? "undefined";
      members.logger = Object.keys(context.getLogger());
      return members;
    };`,
  logger: `
    exports.handler = async (event, context) => {
      const logger = context.getLogger();
      logger.debug("dropped");
      logger.info("%s of %d", "one", 2, { three: 3 });
      logger.setLevel("debug");
      logger.debug("kept");
    };`,
  counter: `
    let count = 0;
    exports.handler = async (event) => {
      await new Promise((resolve) => setTimeout(resolve, event.ms ?? 0));
      return { pid: process.pid, count: ++count };
    };`,
  callback: `exports.handler = (event, context, callback) => callback(event.error ?? null, { got: event });`,
  failing: `exports.handler = async () => { throw new RangeError("out of range"); };`,
  text: `exports.handler = async () => { throw "just text"; };`,
  silent: `exports.handler = async () => {};`,
  circular: `exports.handler = async () => { const a = {}; a.a = a; return a; };`,
  exiting: `exports.handler = async () => { console.log("last words"); process.exit(3); };`,
  broken: `require("no-such-package");`,
  bare: `exports.other = () => {};`,
  hanging: `exports.handler = (event) => { console.log("started"); while (event.hang); };`,
  environment: `exports.handler = async () => ({ ...process.env, execArgv: process.execArgv.length });`,
  printing: `
    exports.handler = async (event) => {
      for (let i = 0; i < event.lines; i++) console.log(JSON.stringify({ i, pad: "x".repeat(500) }));
      console.error("to stderr");
      process.stdout.write("no line end");
      return "done";
    };`,
  flaky: `
    const fs = require("node:fs");
    exports.handler = async (event) => {
      fs.appendFileSync(event.file, "x");
      if (fs.readFileSync(event.file, "utf8").length <= event.failures) throw new Error("not yet");
    };`,
  large: `exports.handler = async (event) => "x".repeat(event.bytes);`,
};

let bundles: ReturnType<typeof makeBundles>;
let host: Host;
/** Returns the variables that `test/dates/clock.cjs` gives every process if the tests run at another date. */
const ofAShiftedClock = () => {
  const { NODE_OPTIONS, TEST_CLOCK_OFFSET_MS, TZ } = process.env;
  return TEST_CLOCK_OFFSET_MS === undefined ? {} : { NODE_OPTIONS, TEST_CLOCK_OFFSET_MS, TZ };
};

const open: Host[] = [];

beforeAll(() => {
  bundles = makeBundles(SOURCES);
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});
afterAll(() => bundles.remove());

async function start(options: Partial<HostOptions> = {}): Promise<Host> {
  host = await startHost({
    dist: bundles.dist,
    userData: { REGION: "eu-west-101" },
    credentials: { ak: "AK", sk: "SK", securityToken: "ST" },
    projectId: "p".repeat(32),
    timeoutSeconds: 5,
    asyncRetryDelayMs: 1,
    ...options,
  });
  open.push(host);
  return host;
}

describe("the context", () => {
  test("has the documented members with the documented types", async () => {
    const { result } = await (await start()).invoke("context", {}, { requestId: "request-1" });
    expect(result).toEqual({
      getRequestID: "request-1",
      getRemainingTimeInMilliSeconds: expect.any(Number),
      getRunningTimeInSeconds: 5000,
      getSecurityAccessKey: "AK",
      getSecuritySecretKey: "SK",
      getSecurityToken: "ST",
      getAccessKey: "",
      getSecretKey: "",
      getToken: "",
      getFunctionName: "context",
      getVersion: "latest",
      getMemorySize: "128",
      getCPUNumber: "300",
      getPackage: "default",
      getProjectID: "p".repeat(32),
      getAlias: "",
      getWorkflowID: "",
      getWorkflowRunID: "",
      getWorkflowStateID: "",
      kept: "eu-west-101",
      unknown: "undefined",
      logger: ["debug", "info", "warn", "error", "setLevel"],
    });
    const { getRemainingTimeInMilliSeconds: remaining } = result as { getRemainingTimeInMilliSeconds: number };
    expect(remaining).toBeGreaterThan(2000);
    expect(remaining).toBeLessThanOrEqual(5000);
  });

  test("without an agency every credential is empty", async () => {
    const { result } = await (await start({ credentials: {} })).invoke("context", {});
    expect(result).toMatchObject({ getSecurityAccessKey: "", getSecuritySecretKey: "", getSecurityToken: "" });
  });

  test("credentials are asked for at each request, on a warm instance too", async () => {
    let round = 0;
    await start({ credentials: () => ({ ak: `AK${++round}`, sk: "SK" }) });
    expect((await host.invoke("context", {})).result).toMatchObject({ getSecurityAccessKey: "AK1" });
    const second = await host.invoke("context", {});
    expect(second.cold).toBe(false);
    expect(second.result).toMatchObject({ getSecurityAccessKey: "AK2" });
  });

  test("its logger prints time, request id, level and message, from INFO on", async () => {
    const lines: Line[] = [];
    await (await start({ onLine: (line) => lines.push(line) })).invoke("logger", {}, { requestId: "request-1" });
    expect(lines.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z request-1 INFO one of 2 \{ three: 3 \}$/),
      expect.stringMatching(/ request-1 DEBUG kept$/),
    ]);
  });
});

describe("instances", () => {
  test("a warm one is used again", async () => {
    await start();
    const first = await host.invoke("counter", {});
    const second = await host.invoke("counter", {});
    expect(first).toMatchObject({ cold: true, result: { count: 1 } });
    expect(second).toMatchObject({ cold: false, result: { count: 2 } });
  });

  test("two requests at once get two, each has one at a time", async () => {
    await start();
    const results = await Promise.all([0, 0].map(() => host.invoke("counter", { ms: 20 })));
    expect(new Set(results.map((one) => (one.result as { pid: number }).pid)).size).toBe(2);
  });

  test("past the maximum a synchronous request is refused, an asynchronous one waits", async () => {
    const ended: unknown[] = [];
    await start({ maxInstances: { counter: 1 }, onInvocation: ({ result }) => ended.push(result) });
    const running = host.invoke("counter", { ms: 50 });
    const refused = await host.invoke("counter", {});
    expect(refused.error?.errorType).toBe("TooManyInstances");
    await host.invokeAsync("counter", {});
    await running;
    await host.idle();
    expect(ended).toMatchObject([undefined, { count: 1 }, { count: 2 }]);
  });

  test("one that is over its time is killed, and the next request gets another", async () => {
    const lines: string[] = [];
    await start({ timeoutSeconds: 1, onLine: ({ text }) => lines.push(text) });
    const late = await host.invoke("hanging", { hang: true });
    expect(late.error).toEqual({
      errorType: "FunctionTimeout",
      errorMessage: "the function timed out after 1 s",
    });
    expect(lines).toEqual(["started"]);
    expect(await host.invoke("hanging", {})).toMatchObject({ cold: true, result: null });
  });

  test("one that exits fails its request, with what it printed", async () => {
    const lines: string[] = [];
    await start({ onLine: ({ text }) => lines.push(text) });
    const { error } = await host.invoke("exiting", {});
    expect(error).toEqual({ errorType: "RuntimeExited", errorMessage: "the instance exited (code 3)" });
    expect(lines).toEqual(["last words"]);
  });

  test("see the platform's variables and PATH, nothing of ours", async () => {
    process.env.HUAWEICLOUD_SDK_SK = "a secret of the developer";
    process.env.NODE_OPTIONS ??= "";
    await start({ environment: { EXTRA: "given by name" } });
    const { result } = await host.invoke("environment", {});
    delete process.env.HUAWEICLOUD_SDK_SK;
    expect(result).toEqual({
      PATH: process.env.PATH,
      RUNTIME_PROJECT_ID: "p".repeat(32),
      RUNTIME_FUNC_NAME: "environment",
      RUNTIME_FUNC_VERSION: "latest",
      RUNTIME_PACKAGE: "default",
      RUNTIME_HANDLER: "index.handler",
      RUNTIME_TIMEOUT: "5",
      RUNTIME_USERDATA: '{"REGION":"eu-west-101"}',
      RUNTIME_CPU: "300",
      RUNTIME_MEMORY: "128",
      RUNTIME_MAX_RESP_BODY_SIZE: "6291456",
      RUNTIME_ROOT: "/home/snuser/runtime",
      RUNTIME_CODE_ROOT: expect.stringMatching(/environment$/),
      RUNTIME_LOG_DIR: "/home/snuser/log",
      EXTRA: "given by name",
      ...ofAShiftedClock(),
      execArgv: 0,
    });
  });
});

describe("answers", () => {
  test.each([
    ["failing", { errorType: "RangeError", errorMessage: "out of range" }],
    ["text", { errorType: "Error", errorMessage: "just text" }],
    ["circular", { errorType: "TypeError", errorMessage: expect.stringContaining("circular") }],
    ["broken", { errorType: "Error", errorMessage: expect.stringContaining("no-such-package") }],
    ["bare", { errorType: "TypeError", errorMessage: 'index.js exports no function "handler"' }],
  ])("%s: the platform's two fields", async (name, error) => {
    const invocation = await (await start()).invoke(name, {});
    expect(invocation.error).toEqual(error);
    expect(invocation.result).toBeUndefined();
  });

  test("no value is null", async () => {
    expect(await (await start()).invoke("silent", {})).toMatchObject({ result: null });
  });

  test("a callback answers and fails too", async () => {
    await start();
    expect((await host.invoke("callback", { a: 1 })).result).toEqual({ got: { a: 1 } });
    expect((await host.invoke("callback", { error: "no" })).error).toEqual({
      errorType: "Error",
      errorMessage: "no",
    });
  });

  test("every line has been passed on before the answer is", async () => {
    const lines: Line[] = [];
    await start({ onLine: (line) => lines.push(line) });
    await host.invoke("printing", { lines: 2000 }, { requestId: "request-1" });
    expect(lines).toHaveLength(2002);
    expect(lines.find(({ stream }) => stream === "stderr")?.text).toBe("to stderr");
    expect(lines.filter(({ stream }) => stream === "stdout").at(-1)?.text).toBe("no line end");
    expect(new Set(lines.map(({ requestId }) => requestId))).toEqual(new Set(["request-1"]));
  });

  test("the payload limits hold", async () => {
    await start();
    await expect(host.invoke("silent", { pad: "x".repeat(6 * 1024 * 1024) })).rejects.toThrow("FSS.1201");
    await expect(host.invokeAsync("silent", { pad: "x".repeat(256 * 1024) })).rejects.toThrow("FSS.1201");
    expect((await host.invoke("large", { bytes: 6 * 1024 * 1024 })).error?.errorType).toBe("ResponseTooLarge");
  });

  test("a timer's user_event has less than 2,048 bytes; what a function hands on to itself may have more", async () => {
    await start();
    const timer = (user_event: string) => ({ trigger_type: "TIMER", trigger_name: "nightly", user_event });
    expect((await host.invoke("silent", timer("ü".repeat(1_023)))).error).toBeUndefined();
    await expect(host.invoke("silent", timer("ü".repeat(1_024)))).rejects.toThrow(
      /2048 bytes .* has 2048: select by tags/,
    );
    await host.invokeAsync("silent", timer("x".repeat(10_000)));
    await host.idle();
  });

  test("an unknown function is named, with those that there are", async () => {
    await start({ functions: ["silent", "text"] });
    await expect(host.invoke("slient", {})).rejects.toThrow('no function "slient"; there are: silent, text');
  });

  test("user data past the platform's limits is refused", async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`V${i}`, "x"]));
    await expect(start({ userData: many })).rejects.toThrow("20 variables");
    await expect(start({ userData: { A: "x".repeat(4096) } })).rejects.toThrow("4096 characters");
    await expect(start({ userData: { "1A": "x" } })).rejects.toThrow('"1A"');
  });
});

describe("asynchronous invocation", () => {
  const run = async (failures: number, options: Partial<HostOptions>) => {
    const attempts: string[] = [];
    const notices: FailureNotice[] = [];
    await start({
      ...options,
      onInvocation: ({ requestId }) => attempts.push(requestId),
      onAsyncFailure: (notice) => notices.push(notice),
    });
    const file = `${bundles.dist}/flaky-${Math.random()}`;
    const { requestId } = await host.invokeAsync("flaky", { file, failures });
    await host.idle();
    return { requestId, attempts, notices };
  };

  test("is not retried unless that is set", async () => {
    const { requestId, attempts, notices } = await run(1, {});
    expect(attempts).toEqual([requestId]);
    expect(notices).toMatchObject([
      {
        request_context: { request_id: requestId, condition: "RetriesExhausted", approximate_invoke_count: 1 },
        response_payload: { errorMessage: "not yet", errorType: "Error" },
      },
    ]);
  });

  test("is retried as often as set, then given up", async () => {
    const { attempts, notices } = await run(9, { asyncRetries: 2 });
    expect(attempts).toHaveLength(3);
    expect(notices).toHaveLength(1);
  });

  test("ends with the first success", async () => {
    const { attempts, notices } = await run(1, { asyncRetries: 3 });
    expect(attempts).toHaveLength(2);
    expect(notices).toEqual([]);
  });

  test("an event that is too old is dropped", async () => {
    const { attempts, notices } = await run(9, {
      asyncRetries: 3,
      asyncMaxEventAgeSeconds: 0.01,
      asyncRetryDelayMs: 50,
    });
    expect(attempts).toHaveLength(1);
    expect(notices).toMatchObject([{ request_context: { condition: "EventAgeExceeded" } }]);
  });

  test("takes 0 to 3 retries", async () => {
    await expect(start({ asyncRetries: 4 })).rejects.toThrow("0 to 3");
  });

  test("closing gives up what waits for a retry", async () => {
    const failed = new Promise<void>((resolve) => {
      void start({ asyncRetries: 3, asyncRetryDelayMs: 60_000, onInvocation: () => resolve() }).then((started) =>
        started.invokeAsync("failing", {}),
      );
    });
    await failed;
    await host.close();
    await host.idle();
  });

  test("a URN of the invocation API finds the function, and keeps the id that was acknowledged", async () => {
    const seen: string[] = [];
    const started = await start({ onInvocation: (done) => seen.push(`${done.function} ${done.requestId}`) });
    const urn = "urn:fss:eu-west-101:0123:function:default:silent:latest";
    await runAsyncCall(started, { urn, payload: {}, requestId: "request-1" });
    await started.idle();
    expect(seen).toEqual(["silent request-1"]);
    await expect(runAsyncCall(started, { urn: "urn:smn:x", payload: {}, requestId: "r" })).rejects.toThrow("urn:smn:x");
  });
});
