import { spawn } from "node:child_process";
import { join } from "node:path";
import { HANDLER, type InstanceSettings, instanceEnvironment } from "./environment.ts";
import { readLines } from "./lines.ts";

/** As the cloud's `credentials`: what the function's agency would give. All empty: a function without an agency. */
export interface Credentials {
  ak?: string;
  sk?: string;
  securityToken?: string;
  token?: string;
}

/** What context.cjs builds the context of one request from. */
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

/** The platform's words for a failed execution (functiongraph.md 1.2). */
export interface FunctionError {
  errorMessage: string;
  errorType: string;
}

/** JSON text as the function returned it, or its failure. */
export type Answer = { result: string; error?: undefined } | { result?: undefined; error: FunctionError };

export interface Line {
  function: string;
  requestId: string;
  stream: "stdout" | "stderr";
  text: string;
}

export interface Instance {
  readonly pid: number | undefined;
  /** False once the process has ended: such an instance takes no further request. */
  readonly alive: boolean;
  /** Runs one request; the caller sends the next one only after this one is answered. */
  run(event: unknown, context: ContextData): Promise<Answer>;
  kill(): Promise<void>;
}

/** Starts one instance: a child process of bare Node.js, without loaders or options of ours. */
export function startInstance(settings: InstanceSettings, onLine: (line: Line) => void): Instance {
  const folder = join(settings.dist, settings.functionName);
  const child = spawn(process.execPath, [join(import.meta.dirname, "runner.cjs"), folder, HANDLER], {
    cwd: folder,
    env: instanceEnvironment(settings),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  let alive = true;
  let ended: () => void;
  const end = new Promise<void>((resolve) => {
    ended = resolve;
  });
  let current: ContextData | undefined;
  let settle: ((answer: Answer) => void) | undefined;

  const reader = (stream: "stdout" | "stderr") =>
    readLines(child[stream] as NonNullable<(typeof child)[typeof stream]>, (text) =>
      onLine({ function: settings.functionName, requestId: current?.requestId ?? "", stream, text }),
    );
  const readers = [reader("stdout"), reader("stderr")];

  const gone = (why: string) => {
    alive = false;
    settle?.({ error: { errorMessage: why, errorType: "RuntimeExited" } });
    ended();
  };
  child.on("message", (answer) => settle?.(answer as Answer));
  child.on("error", (error) => gone(`the instance could not be started: ${error.message}`));
  child.on("exit", () => {
    alive = false;
  });
  // "close", not "exit": by then everything that it printed has been read.
  child.on("close", (code, signal) => gone(`the instance exited (${signal ?? `code ${code}`})`));

  const kill = () => {
    alive = false;
    child.kill("SIGKILL");
    return end;
  };

  async function run(event: unknown, context: ContextData): Promise<Answer> {
    current = context;
    let timedOut = false;
    const answered = new Promise<Answer>((resolve) => {
      settle = resolve;
    });
    // The platform kills an instance that is over its time; a function cannot catch that.
    const timer = setTimeout(() => {
      timedOut = true;
      void kill();
    }, context.deadline - Date.now());
    child.send({ event, context }, (error) => {
      if (error) settle?.({ error: { errorMessage: "the instance had exited", errorType: "RuntimeExited" } });
    });
    const answer = await answered;
    clearTimeout(timer);
    settle = undefined;
    if (timedOut) {
      const errorMessage = `the function timed out after ${context.timeoutSeconds} s`;
      return { error: { errorMessage, errorType: "FunctionTimeout" } };
    }
    await Promise.all(readers.map((lines) => lines.untilMark(context.requestId)));
    return answer;
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
