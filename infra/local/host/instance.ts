import { spawn } from "node:child_process";
import { join } from "node:path";
import { HANDLER, type InstanceSettings, instanceEnvironment } from "./environment.ts";
import { readLines } from "./lines.ts";

/** The credentials that the agency of a function provides. Empty for a function without an agency. */
export interface Credentials {
  ak?: string;
  sk?: string;
  securityToken?: string;
  token?: string;
}

/** The data of one request, from which `context.cjs` builds the context object. */
export interface ContextData {
  requestId: string;
  /** When the function times out, in epoch milliseconds. */
  deadline: number;
  timeoutSeconds: number;
  credentials: Credentials;
  userData: Record<string, string>;
  functionName: string;
  package: string;
  projectId: string;
  memoryMb: number;
  cpuMillicores: number;
}

/** The error of a failed invocation in FunctionGraph's format (SOURCES.md#functiongraph-failed-execution). */
export interface FunctionError {
  errorMessage: string;
  errorType: string;
}

/** The outcome of one request: the JSON that the function returned, or its error. */
export type RequestOutcome = { result: string; error?: undefined } | { result?: undefined; error: FunctionError };

/** One line that a function printed. */
export interface OutputLine {
  function: string;
  requestId: string;
  stream: "stdout" | "stderr";
  text: string;
}

export interface Instance {
  readonly pid: number | undefined;
  /** Whether the process is running. An instance whose process has exited must not receive another request. */
  readonly alive: boolean;
  /** Runs one request. The caller must wait for the outcome before it runs the next request. */
  run(event: unknown, context: ContextData): Promise<RequestOutcome>;
  kill(): Promise<void>;
}

/** Starts one instance: a Node.js child process without loaders and without command-line options. */
export function startInstance(settings: InstanceSettings, onLine: (line: OutputLine) => void): Instance {
  const folder = join(settings.dist, settings.functionName);
  const child = spawn(process.execPath, [join(import.meta.dirname, "runner.cjs"), folder, HANDLER], {
    cwd: folder,
    env: instanceEnvironment(settings),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let alive = true;
  let resolveExited: () => void;
  const exited = new Promise<void>((resolve) => {
    resolveExited = resolve;
  });
  let current: ContextData | undefined;
  let settle: ((outcome: RequestOutcome) => void) | undefined;

  const reader = (stream: "stdout" | "stderr") =>
    readLines(child[stream] as NonNullable<(typeof child)[typeof stream]>, (text) =>
      onLine({ function: settings.functionName, requestId: current?.requestId ?? "", stream, text }),
    );
  const readers = [reader("stdout"), reader("stderr")];

  const handleExit = (reason: string) => {
    alive = false;
    settle?.({ error: { errorMessage: reason, errorType: "RuntimeExited" } });
    resolveExited();
  };
  child.on("message", (outcome) => settle?.(outcome as RequestOutcome));
  child.on("error", (error) => handleExit(`the instance could not be started: ${error.message}`));
  child.on("exit", () => {
    alive = false;
  });
  // Handle "close" instead of "exit", because only "close" occurs after all output has been read.
  child.on("close", (code, signal) => handleExit(`the instance exited (${signal ?? `code ${code}`})`));

  const kill = () => {
    alive = false;
    child.kill("SIGKILL");
    return exited;
  };

  async function run(event: unknown, context: ContextData): Promise<RequestOutcome> {
    current = context;
    let timedOut = false;
    const settled = new Promise<RequestOutcome>((resolve) => {
      settle = resolve;
    });
    // The platform kills an instance at its deadline. A function cannot prevent this.
    const timer = setTimeout(() => {
      timedOut = true;
      void kill();
    }, context.deadline - Date.now());
    child.send({ event, context }, (error) => {
      if (error)
        settle?.({
          error: { errorMessage: "the instance exited before it received the request", errorType: "RuntimeExited" },
        });
    });
    const outcome = await settled;
    clearTimeout(timer);
    settle = undefined;
    if (timedOut) {
      const errorMessage = `the function timed out after ${context.timeoutSeconds} s`;
      return { error: { errorMessage, errorType: "FunctionTimeout" } };
    }
    await Promise.all(readers.map((lines) => lines.untilMark(context.requestId)));
    return outcome;
  }

  return {
    get pid() {
      return child.pid;
    },
    get alive() {
      return alive;
    },
    run,
    kill,
  };
}
