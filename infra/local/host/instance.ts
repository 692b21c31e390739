import { spawn } from "node:child_process";
import { join } from "node:path";
import { HANDLER, type InstanceSettings, instanceEnvironment } from "./environment.ts";
import { readLines } from "./lines.ts";

/** The credentials of the function's agency. A function without an agency has empty credentials. */
export interface Credentials {
  ak?: string;
  sk?: string;
  securityToken?: string;
  token?: string;
}

/** The data from which `context.cjs` builds the context of one request. */
export interface ContextData {
  requestId: string;
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

/** The result of a failed execution in the format of the platform (SOURCES.md#functiongraph-failed-execution). */
export interface FunctionError {
  errorMessage: string;
  errorType: string;
}

/** The JSON that a function returned, or its failure. */
export type Outcome = { result: string; error?: undefined } | { result?: undefined; error: FunctionError };

export interface Line {
  function: string;
  requestId: string;
  stream: "stdout" | "stderr";
  text: string;
}

export interface Instance {
  readonly pid: number | undefined;
  /** False after the process has ended. Such an instance must not receive another request. */
  readonly alive: boolean;
  /** Runs one request. The caller must wait for its outcome before it sends the next request. */
  run(event: unknown, context: ContextData): Promise<Outcome>;
  kill(): Promise<void>;
}

/** Starts one instance: a child process of plain Node.js without loaders and without options. */
export function startInstance(settings: InstanceSettings, onLine: (line: Line) => void): Instance {
  const folder = join(settings.dist, settings.functionName);
  const child = spawn(process.execPath, [join(import.meta.dirname, "runner.cjs"), folder, HANDLER], {
    cwd: folder,
    env: instanceEnvironment(settings),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let alive = true;
  let markEnded: () => void;
  const ended = new Promise<void>((resolve) => {
    markEnded = resolve;
  });
  let current: ContextData | undefined;
  let settle: ((outcome: Outcome) => void) | undefined;

  const reader = (stream: "stdout" | "stderr") =>
    readLines(child[stream] as NonNullable<(typeof child)[typeof stream]>, (text) =>
      onLine({ function: settings.functionName, requestId: current?.requestId ?? "", stream, text }),
    );
  const readers = [reader("stdout"), reader("stderr")];

  const handleEnd = (reason: string) => {
    alive = false;
    settle?.({ error: { errorMessage: reason, errorType: "RuntimeExited" } });
    markEnded();
  };
  child.on("message", (outcome) => settle?.(outcome as Outcome));
  child.on("error", (error) => handleEnd(`the instance could not be started: ${error.message}`));
  child.on("exit", () => {
    alive = false;
  });
  // Use "close", because all output has been read when it occurs. That is not true of "exit".
  child.on("close", (code, signal) => handleEnd(`the instance exited (${signal ?? `code ${code}`})`));

  const kill = () => {
    alive = false;
    child.kill("SIGKILL");
    return ended;
  };

  async function run(event: unknown, context: ContextData): Promise<Outcome> {
    current = context;
    let timedOut = false;
    const settled = new Promise<Outcome>((resolve) => {
      settle = resolve;
    });
    // The platform kills an instance at its deadline. A function cannot prevent this.
    const timer = setTimeout(() => {
      timedOut = true;
      void kill();
    }, context.deadline - Date.now());
    child.send({ event, context }, (error) => {
      if (error) settle?.({ error: { errorMessage: "the instance had exited", errorType: "RuntimeExited" } });
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
