/** Starts an instance of a function in a process of its own, and invokes it. */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { readLines } from "../../infra/local/host/lines.ts";
import { DIST } from "../bench/process.ts";
import { limitMemory, resetPeak } from "./memory-limit.ts";

export interface Call {
  event: unknown;
  /** What the platform's context says, except for the time. */
  context: ContextData;
  remainingMs: number;
  /** Of the function's own random numbers. */
  seed: number;
}

export interface ContextData {
  requestId: string;
  timeoutSeconds: number;
  credentials: { ak?: string; sk?: string; securityToken?: string; token?: string };
  userData: Record<string, string>;
  functionName: string;
  package: string;
  projectId: string;
  memoryMb: number;
  cpuMillicores: number;
}

export interface Invoked {
  /** JSON text; undefined where the function threw or the process ended. */
  result?: string;
  error?: { isError: boolean; message: string; printed: string };
  /** Why the process was lost; undefined where it lives on. */
  lost?: string;
  /** On the function's clock. */
  tookMs: number;
  stdout: string[];
  stderr: string[];
  /** The largest resident set, in bytes. */
  peakBytes: number;
}

export interface Instance {
  readonly functionName: string;
  readonly alive: boolean;
  readonly limit: string;
  invoke(call: Call): Promise<Invoked>;
  end(): Promise<void>;
}

/** In real time: what takes longer hangs. */
const HANGS_MS = 120_000;

let instances = 0;

/**
 * @param origin what its clock says at first, in epoch milliseconds
 * @param onTime is told what its clock says, before anything that happens then
 */
export function startInstance(functionName: string, origin: number, onTime: (now: number) => void): Instance {
  instances += 1;
  const limit = limitMemory(`${process.pid}-${instances}`);
  const argv = [...limit.options, join(import.meta.dirname, "child.cjs"), join(DIST, functionName), String(origin)];
  // Into its cgroup before Node.js begins, which sizes its heap by the limit.
  const join128 = limit.processesFile === undefined ? "" : `echo $$ > '${limit.processesFile}' && `;
  const child: ChildProcess = spawn("sh", ["-c", `${join128}exec "$0" "$@"`, process.execPath, ...argv], {
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
  const ended = new Promise<void>((resolve) => {
    child.on("close", (code, signal) => {
      alive = false;
      limit.remove();
      settle?.({ lost: `the process ended (${signal ?? `code ${code}`})` });
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
          resolve({ lost: `it did not end within ${HANGS_MS / 1000} s of real time` });
          child.kill("SIGKILL");
        }, HANGS_MS);
        settle = (settled) => {
          clearTimeout(watch);
          resolve(settled);
        };
        child.send({ run: call }, (error) => error && settle?.({ lost: error.message }));
      });
      settle = undefined;
      if (outcome.lost !== undefined) await ended;
      else await Promise.all(readers.map((reader) => reader.untilMark(call.context.requestId)));
      return { tookMs: 0, peakBytes: 0, ...outcome, stdout, stderr };
    },
    end() {
      child.kill("SIGKILL");
      return ended;
    },
  };
}
