/** Fresh processes, each with one bundle: what it costs them to load it and to answer with it. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
export const DIST = join(ROOT, "dist");
export const MB = 1024 * 1024;

export interface Measured {
  /** Milliseconds: to load the bundle, until the first request was answered, until the invocation was. */
  load: number;
  first: number;
  whole: number;
  rssLoaded: number;
  rssPeak: number;
  /** Milliseconds of the invocation. */
  cpu: number;
  answer: Record<string, unknown>;
}

export interface Invoke {
  /** Path of the bundle; "-": none. */
  bundle: string;
  event: unknown;
  variables: Record<string, string>;
  /** How many times faster the time of the process goes. */
  factor?: number;
  /** Options of Node. */
  options?: readonly string[];
}

export function run({ bundle, event, variables, factor = 1, options = [] }: Invoke): Promise<Measured> {
  const values = [bundle, JSON.stringify(event), JSON.stringify(variables), String(factor)];
  return jsonOf([...options, join(import.meta.dirname, "child.cjs"), ...values]);
}

/** The JSON that a process prints. */
export function jsonOf<Result>(values: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, values, { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on("close", () => {
      try {
        resolve(JSON.parse(text));
      } catch {
        reject(
          new Error(`Expected figures as JSON from ${values.join(" ").slice(0, 120)}, got ${text.slice(0, 200)}.`),
        );
      }
    });
  });
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
