import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Host, type HostOptions, type OutputLine, startHost } from "../../../../infra/local/host/index.ts";
import { writeBundles } from "../../../support/bundles.ts";

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
  large: `exports.handler = async (event) => "x".repeat(event.bytes);`,
};

let bundles: ReturnType<typeof writeBundles>;
let host: Host;
/** Returns the variables that `test/dates/clock.cjs` adds to every process if `npm run test:dates` runs the tests. */
const shiftedClockVariables = () => {
  const { NODE_OPTIONS, TEST_CLOCK_OFFSET_MS, TZ } = process.env;
  return TEST_CLOCK_OFFSET_MS === undefined ? {} : { NODE_OPTIONS, TEST_CLOCK_OFFSET_MS, TZ };
};

const openHosts: Host[] = [];

beforeAll(() => {
  bundles = writeBundles(SOURCES);
});
afterEach(async () => {
  await Promise.all(openHosts.splice(0).map((opened) => opened.close()));
});
afterAll(() => bundles.remove());

async function start(options: Partial<HostOptions> = {}): Promise<Host> {
  host = await startHost({
    dist: bundles.dist,
    userData: { REGION: "eu-west-101" },
    credentials: { ak: "AK", sk: "SK", securityToken: "ST" },
    projectId: "p".repeat(32),
    timeoutSeconds: 5,
    ...options,
  });
  openHosts.push(host);
  return host;
}

describe("the context of the host", () => {
  test("the host passes to a function a context with the documented members and types", async () => {
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

  test("the host passes empty credentials to a function without an agency", async () => {
    const { result } = await (await start({ credentials: {} })).invoke("context", {});
    expect(result).toMatchObject({ getSecurityAccessKey: "", getSecuritySecretKey: "", getSecurityToken: "" });
  });

  test("the host passes the current credentials to a warm instance at each request", async () => {
    let round = 0;
    await start({ credentials: () => ({ ak: `AK${++round}`, sk: "SK" }) });
    expect((await host.invoke("context", {})).result).toMatchObject({ getSecurityAccessKey: "AK1" });
    const second = await host.invoke("context", {});
    expect(second.cold).toBe(false);
    expect(second.result).toMatchObject({ getSecurityAccessKey: "AK2" });
  });

  test("the host's logger prints time, request id, level and message, and no DEBUG messages by default", async () => {
    const lines: OutputLine[] = [];
    await (await start({ onLine: (line) => lines.push(line) })).invoke("logger", {}, { requestId: "request-1" });
    expect(lines.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z request-1 INFO one of 2 \{ three: 3 \}$/),
      expect.stringMatching(/ request-1 DEBUG kept$/),
    ]);
  });
});

describe("the instances of the host", () => {
  test("the host reuses a warm instance", async () => {
    await start();
    const first = await host.invoke("counter", {});
    const second = await host.invoke("counter", {});
    expect(first).toMatchObject({ cold: true, result: { count: 1 } });
    expect(second).toMatchObject({ cold: false, result: { count: 2 } });
  });

  test("the host runs two concurrent requests on two instances", async () => {
    await start();
    const results = await Promise.all([0, 0].map(() => host.invoke("counter", { ms: 20 })));
    expect(new Set(results.map(({ result }) => (result as { pid: number }).pid)).size).toBe(2);
  });

  test("the host rejects a synchronous request and delays an asynchronous request if `maxInstances` instances are busy", async () => {
    const results: unknown[] = [];
    await start({ maxInstances: { counter: 1 }, onInvocation: ({ result }) => results.push(result) });
    const running = host.invoke("counter", { ms: 50 });
    const refused = await host.invoke("counter", {});
    expect(refused.error?.errorType).toBe("TooManyInstances");
    await host.invokeAsync("counter", {});
    await running;
    await host.idle();
    expect(results).toMatchObject([undefined, { count: 1 }, { count: 2 }]);
  });

  test("the host kills an instance that exceeds its timeout, and starts a new instance for the next request", async () => {
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

  test("the host reports an error and the printed lines if an instance exits during a request", async () => {
    const lines: string[] = [];
    await start({ onLine: ({ text }) => lines.push(text) });
    const { error } = await host.invoke("exiting", {});
    expect(error).toEqual({ errorType: "RuntimeExited", errorMessage: "the instance exited (code 3)" });
    expect(lines).toEqual(["last words"]);
  });

  test("the host passes only the platform's environment variables and PATH to an instance", async () => {
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
      ...shiftedClockVariables(),
      execArgv: 0,
    });
  });
});

describe("the results of the host", () => {
  test.each([
    ["a function throws a RangeError", "failing", { errorType: "RangeError", errorMessage: "out of range" }],
    ["a function throws a string", "text", { errorType: "Error", errorMessage: "just text" }],
    [
      "a function returns a circular object",
      "circular",
      { errorType: "TypeError", errorMessage: expect.stringContaining("circular") },
    ],
    [
      "a bundle requires a missing package",
      "broken",
      { errorType: "Error", errorMessage: expect.stringContaining("no-such-package") },
    ],
    [
      "a bundle exports no handler",
      "bare",
      { errorType: "TypeError", errorMessage: 'index.js exports no function "handler"' },
    ],
  ])("the host returns errorMessage and errorType if %s", async (_what, name, error) => {
    const invocation = await (await start()).invoke(name, {});
    expect(invocation.error).toEqual(error);
    expect(invocation.result).toBeUndefined();
  });

  test("the host returns null if a function returns undefined", async () => {
    expect(await (await start()).invoke("silent", {})).toMatchObject({ result: null });
  });

  test("the host accepts the result or the error that a function passes to its callback", async () => {
    await start();
    expect((await host.invoke("callback", { a: 1 })).result).toEqual({ got: { a: 1 } });
    expect((await host.invoke("callback", { error: "no" })).error).toEqual({
      errorType: "Error",
      errorMessage: "no",
    });
  });

  test("the host reports every line that a function printed before it returns the function's result", async () => {
    const lines: OutputLine[] = [];
    await start({ onLine: (line) => lines.push(line) });
    await host.invoke("printing", { lines: 2000 }, { requestId: "request-1" });
    expect(lines).toHaveLength(2002);
    expect(lines.find(({ stream }) => stream === "stderr")?.text).toBe("to stderr");
    expect(lines.filter(({ stream }) => stream === "stdout").at(-1)?.text).toBe("no line end");
    expect(new Set(lines.map(({ requestId }) => requestId))).toEqual(new Set(["request-1"]));
  });

  test("the host rejects an event over 6 MB, an asynchronous event over 256 KB, and a result over 6 MB", async () => {
    await start();
    await expect(host.invoke("silent", { pad: "x".repeat(6 * 1024 * 1024) })).rejects.toThrow("FSS.1201");
    await expect(host.invokeAsync("silent", { pad: "x".repeat(256 * 1024) })).rejects.toThrow("FSS.1201");
    expect((await host.invoke("large", { bytes: 6 * 1024 * 1024 })).error?.errorType).toBe("ResponseTooLarge");
  });

  test("the host rejects a timer event with a user_event of 2,048 bytes, except in an asynchronous invocation", async () => {
    await start();
    const timer = (user_event: string) => ({ trigger_type: "TIMER", trigger_name: "nightly", user_event });
    expect((await host.invoke("silent", timer("ü".repeat(1_023)))).error).toBeUndefined();
    await expect(host.invoke("silent", timer("ü".repeat(1_024)))).rejects.toThrow(
      /fewer than 2048 bytes .* got 2048\. Select by tags/,
    );
    await host.invokeAsync("silent", timer("x".repeat(10_000)));
    await host.idle();
  });

  test("the host throws an error that names the unknown function and the known functions if a function does not exist", async () => {
    await start({ functions: ["silent", "text"] });
    await expect(host.invoke("slient", {})).rejects.toThrow(
      'There is no function "slient". Known functions: silent, text',
    );
  });

  test("the host rejects user data that has more than 20 variables, more than 4,096 characters or an invalid variable name", async () => {
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`V${i}`, "x"]));
    await expect(start({ userData: many })).rejects.toThrow("20 variables");
    await expect(start({ userData: { A: "x".repeat(4096) } })).rejects.toThrow("4096 characters");
    await expect(start({ userData: { "1A": "x" } })).rejects.toThrow('"1A"');
  });
});
