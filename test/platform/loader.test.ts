/** Tests the loader and the limits of an instance with small handlers, which the installed Node.js runs. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type FunctionSettings, startInstance } from "./instance.ts";
import { CAN_CHANGE_USER, CAN_FIND_FILES } from "./sandbox.ts";

const RUNTIME = { version: process.versions.node, program: process.execPath };

/** Starts an instance of a function with this source code. */
function start(source: string, settings: Partial<FunctionSettings> = {}) {
  const folder = mkdtempSync(join(tmpdir(), "loader-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const bundle = join(folder, "index.js");
  writeFileSync(bundle, source);
  const defaults = { name: "probe", timeoutSeconds: 10, memoryMb: 128, projectId: "project-1", userData: {} };
  const instance = startInstance({ ...defaults, bundle, ...settings }, RUNTIME);
  return { ...instance, invoke: (event: unknown = {}) => instance.invoke(event, { ak: "key-1" }) };
}

test("the loader imports only built-in modules of Node.js and the handler of the function", () => {
  const text = readFileSync(join(import.meta.dirname, "loader.cjs"), "utf8");
  const modules = [...text.matchAll(/\brequire\(([^)]*)/g)].map(([, module = ""]) => module);
  expect(modules.filter((module) => !module.startsWith('"node:'))).toEqual([
    "join(environment.RUNTIME_CODE_ROOT, file",
  ]);
  expect(text).not.toMatch(/\bimport\b.*\bfrom\b|\bimport\(/);
});

test("the loader returns the value that a handler returns or passes to the callback, and loads the handler only once", async () => {
  const instance = start(
    `
    let calls = 0;
    exports.handler = (event, context, callback) => {
      calls += 1;
      const value = [calls, event, context.getRequestID(), context.getUserData("A"), context.getSecurityAccessKey()];
      if (event.call === "back") setTimeout(() => callback(null, value), 5);
      else return Promise.resolve(value);
    };`,
    { userData: { A: "b" } },
  );
  const first = await instance.invoke({ call: "back" });
  instance.freeze();
  const second = await instance.invoke({});
  expect([first, second].map(({ result }) => JSON.parse(result ?? ""))).toEqual([
    [1, { call: "back" }, "probe-1", "b", "key-1"],
    [2, {}, "probe-2", "b", "key-1"],
  ]);
  expect(await instance.end()).toEqual([]);
});

test("the loader returns errorMessage and errorType if a handler throws an error, rejects its promise, or passes an error to the callback", async () => {
  const instance = start(`
    exports.handler = (event, context, callback) => {
      const error = new RangeError(event);
      if (event === "throw") throw error;
      if (event === "reject") return Promise.reject(error);
      callback(error);
    };`);
  for (const event of ["throw", "reject", "call back"])
    expect((await instance.invoke(event)).error).toEqual({ errorMessage: event, errorType: "RangeError" });
  await instance.end();
});

test("the loader separates the log lines of each request, and adds the time, the request id and the level to lines of context.getLogger()", async () => {
  const instance = start(`
    exports.handler = async (event, context) => {
      console.log("line of", event);
      process.stderr.write("without a line break");
      context.getLogger().info("number %d", 7);
      context.getLogger().debug("not written");
    };`);
  await instance.invoke(1);
  const { stdout, stderr, result } = await instance.invoke(2);
  expect(stdout).toEqual(["line of 2", expect.stringMatching(/^\d{4}-\S+Z probe-2 INFO number 7$/)]);
  expect([stderr, result]).toEqual([["without a line break"], "null"]);
  await instance.end();
});

test("a function runs in the parent of its code folder, without the variable HOME, and as the user nobody if the machine allows it", async () => {
  const instance = start(`
    const { basename } = require("node:path");
    exports.handler = async () => [basename(process.cwd()), basename(__dirname), process.env.HOME ?? "none", process.getuid()];`);
  const { result } = await instance.invoke();
  const uid = CAN_CHANGE_USER ? 65_534 : process.getuid?.();
  expect(JSON.parse(result ?? "")).toEqual(["function", "code", "none", uid]);
  await instance.end();
});

test("a function can write files only in /tmp, and the instance reports the path of a written file", async () => {
  const instance = start(`
    const { writeFileSync } = require("node:fs");
    const write = (path) => {
      try {
        writeFileSync(path, "x".repeat(10_000));
        return "written";
      } catch (error) {
        return error.code;
      }
    };
    exports.handler = async ({ folders, name }) => {
      return folders.map((folder) => write(folder + "/" + name));
    };`);
  const folders = ["/tmp", ".", "./code", join(import.meta.dirname, "..", "..")];
  const name = `probe-${process.pid}`;
  onTestFinished(() => rmSync(join("/tmp", name), { force: true }));
  const { result } = await instance.invoke({ name, folders: CAN_CHANGE_USER ? folders : folders.slice(0, 3) });
  expect(JSON.parse(result ?? "")).toEqual(["written", ...Array(CAN_CHANGE_USER ? 3 : 2).fill("EACCES")]);
  const changed = await instance.end();
  if (CAN_FIND_FILES) expect(changed).toEqual([join("/tmp", name)]);
});

test("an instance ends if it reaches its time limit or its memory limit, or if a rejected promise is not handled", async () => {
  const endings: Record<string, [string, RegExp]> = {
    time: ["exports.handler = () => new Promise(() => setInterval(() => {}, 1000));", /the time limit of 1 s ended/],
    memory: [
      "exports.handler = async () => { const all = []; for (;;) all.push(Array(1e6).fill(all.length)); };",
      /the process ended/,
    ],
    rejection: [
      "exports.handler = () => { Promise.reject(new Error('lost')); return new Promise(() => {}); };",
      /the process ended \(exit code 1\)/,
    ],
  };
  for (const [name, [source, expected]] of Object.entries(endings)) {
    const instance = start(source, name === "time" ? { timeoutSeconds: 1 } : {});
    const { lost, result } = await instance.invoke();
    expect([name, lost, result]).toEqual([name, expect.stringMatching(expected), undefined]);
    await instance.end();
  }
});

/** Returns whether a process runs. Without a parent that waits for it, an ended process remains as a zombie, with the state Z. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !(existsSync("/proc/self/stat") && / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8")));
  } catch {
    return false;
  }
}

test.each(["SIGTERM", "SIGINT"] as const)(
  "if %s ends the test process, the process and the folder of a frozen instance are removed",
  async (signal) => {
    const folder = mkdtempSync(join(tmpdir(), "loader-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const bundle = join(folder, "index.js");
    writeFileSync(bundle, "exports.handler = async () => ({ pid: process.pid, folder: process.cwd() });");
    const settings = { name: "probe", bundle, timeoutSeconds: 10, memoryMb: 128, projectId: "project-1", userData: {} };
    const script = `
    import { startInstance } from ${JSON.stringify(join(import.meta.dirname, "instance.ts"))};
    const instance = startInstance(${JSON.stringify(settings)}, ${JSON.stringify(RUNTIME)});
    const { result } = await instance.invoke({}, {});
    instance.freeze();
    console.log(result);
    setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = await once(child.stdout, "data");
    const instance = JSON.parse(String(line));
    expect(existsSync(instance.folder)).toBe(true);
    child.kill(signal);
    expect(await once(child, "exit")).toEqual([null, signal]);
    expect(existsSync(instance.folder)).toBe(false);
    await expect.poll(() => isRunning(instance.pid)).toBe(false);
  },
);
