/** Invokes bundles, each in a new process, and measures the elapsed time and used memory. */
import { spawn } from "node:child_process";
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "..", "..");
export const DIST = join(ROOT, "dist");
export const MB = 1024 * 1024;

/** The esbuild options for the bundles that the bench builds. The deployed bundles use the same options. */
export const BUILD_OPTIONS = { bundle: true, platform: "node", format: "cjs", target: "node20", minify: true } as const;

/** Returns the event that a timer sends at the current time. */
export const timerEvent = (body: unknown) => ({
  version: "v1.0",
  time: new Date().toISOString(),
  trigger_type: "TIMER",
  trigger_name: "bench",
  user_event: JSON.stringify(body),
});

export interface Measured {
  /** The time in milliseconds to load the bundle. */
  load: number;
  /** The time in milliseconds from the start of loading to the arrival of the first response. */
  first: number;
  /** The time in milliseconds from the start of loading to the return of the handler. */
  whole: number;
  /** The RSS in bytes after the bundle was loaded. */
  rssLoaded: number;
  /** The peak RSS of the process in bytes. */
  rssPeak: number;
  /** CPU time of the invocation in milliseconds. */
  cpu: number;
  /** CPU time of the process since its start in milliseconds. */
  cpuTotal: number;
  result: Record<string, unknown>;
}

export interface Invoke {
  /** The path of the bundle, or "-" to measure bare Node.js. */
  bundle: string;
  event: unknown;
  variables: Record<string, string>;
  /** How many times faster than real time the clock of the process runs. Default: 1. */
  factor?: number;
  /** Command-line options of Node.js. */
  options?: readonly string[];
}

export function run({ bundle, event, variables, factor = 1, options = [] }: Invoke): Promise<Measured> {
  const values = [bundle, JSON.stringify(event), JSON.stringify(variables), String(factor)];
  return runForJson([...options, join(import.meta.dirname, "child.cjs"), ...values]);
}

/** Runs Node.js with arguments and returns the JSON that it prints. */
export function runForJson<Result>(values: readonly string[]): Promise<Result> {
  const child = spawn(process.execPath, values, { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (chunk) => {
    text += chunk;
  });
  // The functions write plans to stderr. Only the end of the output is of use if the process fails.
  let errors = "";
  child.stderr.on("data", (chunk) => {
    errors = `${errors}${chunk}`.slice(-2_000);
  });
  return new Promise((resolve, reject) => {
    child.on("close", () => {
      try {
        resolve(JSON.parse(text));
      } catch {
        reject(
          new Error(
            `node ${values.join(" ").slice(0, 120)}: expected JSON on stdout, got "${text.slice(0, 200)}". ${errors}`,
          ),
        );
      }
    });
  });
}

export const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
