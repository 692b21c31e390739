/** A bundle as the platform has it: alone in a folder, in a bare Node process, with an environment that holds nothing. */
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

export const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));

/** What each getter of the context returns; the function that is under `getUserData` has these variables. */
export interface BareContext {
  [getter: `get${string}`]: string | number;
  variables?: Record<string, string | undefined>;
}

export interface BareCall {
  event: unknown;
  context: BareContext;
}

// biome-ignore lint/suspicious/noExplicitAny: tests reach into answers of many shapes
export type Returned = { result?: any; thrown?: { name: string; message: string; stack: string } };

export interface BareRun {
  returned: Returned[];
  stdout: string;
  stderr: string;
  status: number | null;
  /** Everything that the process still held at its end, where that was asked for. */
  heap: string;
  /** All that is in the folders of the code and of the user afterwards. */
  files: { code: string[]; home: string[] };
}

const RUNNER = `
const { readFileSync, writeSync } = require("node:fs");
const { calls, together, heap } = JSON.parse(readFileSync(0, "utf8"));
const { handler } = require(process.argv[1]);
// Getters on a class of the platform's own, as documented, and nothing else.
class Context {}
const contextOf = ({ variables, ...getters }) => {
  const own = class extends Context {};
  for (const [name, value] of Object.entries(getters)) own.prototype[name] = function () {
    if (!(this instanceof Context)) throw new TypeError(name + " was torn off its context");
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
  // What came in and went out is the platform's: only what the function holds counts.
  returned.length = 0;
  if (heap) setTimeout(() => require("node:v8").writeHeapSnapshot(heap), 10);
})();
`;

export interface BareOptions {
  environment?: Record<string, string>;
  /** All calls at once; else one after the other, as a warm instance gets them. */
  together?: boolean;
  heap?: boolean;
}

/** Runs calls through `dist/<name>/index.js`, copied to an empty folder. The process has to end by itself. */
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
  if (returned === "") throw new Error(`Expected an answer of dist/${name}, got none:\n${stdout}${stderr}`);
  return {
    returned: JSON.parse(returned),
    stdout,
    stderr,
    status,
    heap: heap ? readFileSync(snapshot, "utf8") : "",
    files: { code: readdirSync(code), home: readdirSync(home) },
  };
}
