/** Starts an instance of a function in its own process and invokes the function. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import type { ContextData } from "../../infra/local/host/instance.ts";
import { readLines } from "../../infra/local/host/lines.ts";
import { DIST } from "../bench/process.ts";
import { limitMemory, resetPeak } from "./memory-limit.ts";

export interface Call {
  event: unknown;
  /** The values in the platform's context that differ between invocations. */
  context: Pick<ContextData, "requestId" | "timeoutSeconds" | "credentials" | "userData" | "projectId">;
  remainingMs: number;
  /** The seed of `Math.random` in the function. */
  seed: number;
}

export interface Invoked {
  /** The result as JSON, or undefined if the function threw or the process exited. */
  result?: string;
  error?: { isError: boolean; message: string; printed: string };
  /** The reason why the process exited, or undefined if the process is still running. */
  lost?: string;
  /** The duration in milliseconds on the function's clock. */
  tookMs: number;
  stdout: string[];
  stderr: string[];
  /** The peak RSS of the process in bytes. */
  peakBytes: number;
}

export interface Instance {
  readonly functionName: string;
  readonly alive: boolean;
  readonly limit: string;
  invoke(call: Call): Promise<Invoked>;
  end(): Promise<void>;
}

/** The maximum real time of an invocation in milliseconds. The parent process kills a slower instance. */
const MAX_REAL_MS = 120_000;

let instances = 0;

/**
 * Starts an instance in a new process.
 *
 * @param origin the start time of the instance's clock, in epoch milliseconds
 * @param onTime called with the current time of the instance's clock before each action of the instance
 */
export function startInstance(functionName: string, origin: number, onTime: (now: number) => void): Instance {
  instances += 1;
  const limit = limitMemory(`${process.pid}-${instances}`);
  const argv = [...limit.options, join(import.meta.dirname, "child.cjs"), join(DIST, functionName), String(origin)];
  // The process joins its cgroup before Node.js starts, because Node.js derives its heap size from the limit.
  const joinCgroup = limit.processesFile === undefined ? "" : `echo $$ > '${limit.processesFile}' && `;
  const child: ChildProcess = spawn("sh", ["-c", `${joinCgroup}exec "$0" "$@"`, process.execPath, ...argv], {
    env: { PATH: process.env.PATH ?? "", RUNTIME_FUNC_NAME: functionName },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let alive = true;
  let stdout: string[] = [];
  let stderr: string[] = [];
  let settle: ((outcome: Partial<Invoked>) => void) | undefined;
  const readers = [
    readLines(child.stdout as NonNullable<ChildProcess["stdout"]>, (line) => stdout.push(line)),
    readLines(child.stderr as NonNullable<ChildProcess["stderr"]>, (line) => stderr.push(line)),
  ];
  const exited = new Promise<void>((resolve) => {
    child.on("close", (code, signal) => {
      alive = false;
      limit.remove();
      settle?.({ lost: `the process exited (${signal ?? `code ${code}`})` });
      resolve();
    });
  });
  child.on("message", (message: { exchange?: number; now?: number; outcome?: Partial<Invoked> }) => {
    if (message.outcome !== undefined) return settle?.(message.outcome);
    onTime(message.now as number);
    child.send({ exchange: message.exchange }, () => {});
    return undefined;
  });

  return {
    functionName,
    limit: limit.name,
    get alive() {
      return alive;
    },
    async invoke(call) {
      const pid = child.pid as number;
      stdout = [];
      stderr = [];
      resetPeak(pid);
      const outcome = await new Promise<Partial<Invoked>>((resolve) => {
        const watch = setTimeout(() => {
          resolve({ lost: `the invocation did not finish within ${MAX_REAL_MS / 1000} s of real time` });
          child.kill("SIGKILL");
        }, MAX_REAL_MS);
        settle = (settled) => {
          clearTimeout(watch);
          resolve(settled);
        };
        const context = { functionName, package: "default", memoryMb: 128, cpuMillicores: 100, ...call.context };
        child.send({ run: { ...call, context } }, (error) => error && settle?.({ lost: error.message }));
      });
      settle = undefined;
      if (outcome.lost !== undefined) await exited;
      else await Promise.all(readers.map((reader) => reader.untilMark(call.context.requestId)));
      return { tookMs: 0, peakBytes: 0, ...outcome, stdout, stderr };
    },
    end() {
      child.kill("SIGKILL");
      return exited;
    },
  };
}
