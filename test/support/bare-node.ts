/** Runs a bundle as the platform does: in its own Node.js process, without other files and without environment variables. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

/** Maps each getter of the FunctionGraph context to the value that it returns. `getUserData` reads `variables`. */
export interface BareContext {
  [getter: `get${string}`]: string | number;
  variables?: Record<string, string | undefined>;
}

/** The arguments of one call of a handler. */
export interface BareCall {
  event: unknown;
  context: BareContext;
}

export interface Returned {
  // biome-ignore lint/suspicious/noExplicitAny: tests read results of many shapes
  result?: any;
  thrown?: { name: string; message: string; stack: string };
}

export interface BareRun {
  returned: Returned[];
  stdout: string;
  stderr: string;
  status: number | null;
  /** The heap snapshot that the process wrote after the last call, or an empty string if `heap` is false. */
  heap: string;
  /** The names of the files in the code folder and in the home folder after the run. */
  files: { code: string[]; home: string[] };
}

const RUNNER = `
const { readFileSync, writeSync } = require("node:fs");
const { calls, together, heap } = JSON.parse(readFileSync(0, "utf8"));
const { handler } = require(process.argv[1]);
// As on the platform, each getter is a method of a class and must be called as a method of the context.
class Context {}
const contextOf = ({ variables, ...getters }) => {
  const own = class extends Context {};
  for (const [name, value] of Object.entries(getters)) own.prototype[name] = function () {
    if (!(this instanceof Context)) throw new TypeError(name + " was called without its context");
    return value;
  };
  if (variables !== undefined) own.prototype.getUserData = (name) => variables[name];
  return new own();
};
const call = async ({ event, context }) => {
  try {
    return { result: await handler(event, contextOf(context)) };
  } catch (thrown) {
    return { thrown: { name: thrown.name, message: thrown.message, stack: thrown.stack } };
  }
};
(async () => {
  const returned = [];
  if (together) returned.push(...(await Promise.all(calls.map(call))));
  else while (calls.length > 0) returned.push(await call(calls.shift()));
  writeSync(3, JSON.stringify(returned));
  // Release the events and results, so the heap snapshot contains only what the function retains.
  returned.length = 0;
  if (heap) setTimeout(() => require("node:v8").writeHeapSnapshot(heap), 10);
})();
`;

export interface BareOptions {
  environment?: Record<string, string>;
  /** True: all calls run concurrently. False: they run one after the other, like the calls of a warm instance. */
  together?: boolean;
  /** True: take a heap snapshot after the last call. */
  heap?: boolean;
}

/**
 * Calls the handler of a copy of `dist/<name>/index.js`, and waits until the process exits by itself.
 *
 * @throws Error if the process returns no results
 */
export async function runBare(
  name: string,
  calls: BareCall[],
  { environment = {}, together = false, heap = false }: BareOptions = {},
): Promise<BareRun> {
  const root = mkdtempSync(join(tmpdir(), "bare-"));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const code = join(root, "code");
  const home = join(root, "home");
  for (const folder of [code, home]) mkdirSync(folder);
  const snapshot = join(root, "heap");
  cpSync(join(DIST, name, "index.js"), join(code, "index.js"));
  const child = spawn(process.execPath, ["-e", RUNNER, join(code, "index.js")], {
    cwd: code,
    env: { HOME: home, USERPROFILE: home, ...environment },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  const [stdin, ...outputs] = child.stdio;
  stdin?.on("error", () => {});
  stdin?.end(JSON.stringify({ calls, together, ...(heap ? { heap: snapshot } : {}) }));
  const texts = outputs.map(async (stream) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  const [stdout = "", stderr = "", returned = ""] = await Promise.all(texts);
  if (returned === "")
    throw new Error(`dist/${name}: the process exited without results. Its output:\n${stdout}${stderr}`);
  return {
    returned: JSON.parse(returned),
    stdout,
    stderr,
    status,
    heap: heap ? readFileSync(snapshot, "utf8") : "",
    files: { code: readdirSync(code), home: readdirSync(home) },
  };
}
