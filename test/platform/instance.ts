/** Starts instances of functions as FunctionGraph does: as a user without rights, with limits of memory and time. */
import { spawn } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { getPriority, setPriority } from "node:os";
import type { Duplex, Readable } from "node:stream";
import { limitMemory, type MemoryLimit } from "../fuzz/memory-limit.ts";
import { onExit } from "../support/cleanup.ts";
import type { NodeRuntime } from "./node-runtimes.ts";
import { createSandbox, USER } from "./sandbox.ts";

export interface FunctionSettings {
  name: string;
  /** The path of the bundle. */
  bundle: string;
  timeoutSeconds: number;
  memoryMb: number;
  projectId: string;
  userData: Readonly<Record<string, string>>;
}

export interface Figures {
  loadMs: number;
  loadedRssBytes: number;
  /** The peak RSS of the process since it started. */
  peakRssBytes: number;
  /** The bytes that the process wrote to a disk, or undefined if the operating system does not count them. */
  writtenBytes?: number;
}

export interface Invoked {
  /** The result as JSON. */
  result?: string;
  /** The response to a failed execution. */
  error?: { errorMessage: string; errorType: string };
  /** Why the process ended during the invocation. */
  lost?: string;
  /** The duration in milliseconds, as the process measured it. It includes loading for the first invocation. */
  tookMs: number;
  figures?: Figures;
  /** The lines that the function wrote to its log. */
  stdout: string[];
  stderr: string[];
}

export interface Instance {
  /** Describes how the memory is limited. */
  readonly limit: string;
  /** Whether a cgroup limits the memory of the whole process. Otherwise, options of Node.js limit only its heap. */
  readonly limitsMemory: boolean;
  invoke(event: unknown, credentials: object, requestId?: string): Promise<Invoked>;
  /** Stops the process until the next invocation, because the platform grants no time between invocations. */
  freeze(): void;
  /** Ends the process. Returns the files that the function changed or created. */
  end(): Promise<string[]>;
}

/** The maximum time in milliseconds from the start of the process until it is ready. */
const MAX_START_MS = 30_000;

let instances = 0;

/** Starts an instance in a new process. */
export function startInstance(settings: FunctionSettings, runtime: NodeRuntime): Instance {
  instances += 1;
  const sandbox = createSandbox(settings.bundle, runtime);
  const limit = limitMemory(`platform-${process.pid}-${instances}`, settings.memoryMb * 1024 * 1024);
  // The shell waits until the parent process has moved it to the cgroup, because Node.js derives its heap size from the limit.
  const child = spawn(
    "/bin/sh",
    ["-c", 'read -r start <&3 && exec "$0" "$@"', sandbox.program, ...limit.options, sandbox.loader],
    {
      ...USER,
      cwd: sandbox.folder,
      env: environmentOf(settings, sandbox.code),
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    },
  );
  // A frozen process would survive the end of this process.
  const removeCleanup = onExit(() => {
    child.kill("SIGKILL");
    removeCgroup(limit);
    sandbox.remove();
  });
  const pid = child.pid as number;
  const channel = child.stdio[3] as Duplex;
  channel.on("error", () => {});
  if (limit.processesFile !== undefined) writeFileSync(limit.processesFile, String(pid));
  preferProcess(pid);
  channel.write("start\n");

  const stdout = readLines(child.stdout as Readable);
  const stderr = readLines(child.stderr as Readable);
  const answers = readLines(channel);
  let lost: string | undefined;
  const closed = new Promise<void>((resolve) => {
    child.on("close", (code, signal) => {
      lost ??= `the process ended (${signal ?? `exit code ${code}`})`;
      limit.remove();
      resolve();
    });
  });
  // The start of the process does not count for the time limit.
  const ready = answers.next();
  const startTimer = setTimeout(() => {
    lost = `the process was not ready within ${MAX_START_MS / 1000} s`;
    child.kill("SIGKILL");
  }, MAX_START_MS);
  ready.finally(() => clearTimeout(startTimer));
  let invocations = 0;
  let ended: Promise<string[]> | undefined;
  const endProcess = async () => {
    child.kill("SIGKILL");
    await closed;
    removeCleanup();
    const changed = sandbox.changedFiles();
    sandbox.remove();
    return changed;
  };

  return {
    limit: limit.name,
    limitsMemory: limit.processesFile !== undefined,
    async invoke(event, credentials, requestId) {
      invocations += 1;
      const id = requestId ?? `${settings.name}-${invocations}`;
      child.kill("SIGCONT");
      await ready;
      const began = performance.now();
      channel.write(`${JSON.stringify({ requestId: id, event, credentials })}\n`);
      // If this process is busy, the timer can end before the process has read an answer that arrived in time.
      const stop = () => setImmediate(() => !isAnswered && kill());
      const kill = () => {
        lost = `the time limit of ${settings.timeoutSeconds} s ended`;
        child.kill("SIGKILL");
      };
      let isAnswered = false;
      const timer = setTimeout(stop, settings.timeoutSeconds * 1000);
      const answer = await answers.next();
      isAnswered = true;
      clearTimeout(timer);
      if (answer === undefined) await closed;
      const lines = { stdout: await stdout.untilMark(id), stderr: await stderr.untilMark(id) };
      if (answer === undefined) return { lost: lost as string, tookMs: performance.now() - began, ...lines };
      return { ...(JSON.parse(answer) as Omit<Invoked, "lost" | "stdout" | "stderr">), ...lines };
    },
    freeze() {
      child.kill("SIGSTOP");
    },
    end() {
      ended ??= endProcess();
      return ended;
    },
  };
}

/** Removes the cgroup of a process that was killed. Waits up to 0.2 s, because the kernel ends a process with a delay. */
function removeCgroup({ processesFile, remove }: MemoryLimit): void {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < 20 && processesFile !== undefined && existsSync(processesFile); attempt += 1) {
    Atomics.wait(pause, 0, 0, 10);
    remove();
  }
}

/** Prefers a process over the other processes of the test run, because on the platform an instance shares no processor with them. */
function preferProcess(pid: number): void {
  try {
    setPriority(pid, Math.max(-20, getPriority() - 5));
  } catch {
    // Without the right to do so, the process keeps its priority.
  }
}

/** Returns the environment variables that FunctionGraph sets (SOURCES.md#functiongraph-runtime-variables). HOME is not among them. */
function environmentOf(settings: FunctionSettings, code: string): Record<string, string> {
  return {
    RUNTIME_PROJECT_ID: settings.projectId,
    RUNTIME_FUNC_NAME: settings.name,
    RUNTIME_FUNC_VERSION: "latest",
    RUNTIME_PACKAGE: "default",
    RUNTIME_HANDLER: "index.handler",
    RUNTIME_TIMEOUT: String(settings.timeoutSeconds),
    RUNTIME_USERDATA: JSON.stringify(settings.userData),
    RUNTIME_CPU: "300",
    RUNTIME_MEMORY: String(settings.memoryMb),
    RUNTIME_MAX_RESP_BODY_SIZE: "6291456",
    RUNTIME_INITIALIZER_HANDLER: "",
    RUNTIME_INITIALIZER_TIMEOUT: "0",
    RUNTIME_ROOT: "/home/snuser/runtime",
    RUNTIME_CODE_ROOT: code,
    RUNTIME_LOG_DIR: "/home/snuser/log",
  };
}

/** Reads a stream line by line. */
function readLines(stream: Readable) {
  const lines: string[] = [];
  let incomplete = "";
  let isEnded = false;
  let wake = () => {};
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const parts = (incomplete + text).split("\n");
    incomplete = parts.pop() ?? "";
    lines.push(...parts);
    wake();
  });
  stream.on("close", () => {
    if (incomplete !== "") lines.push(incomplete);
    isEnded = true;
    wake();
  });
  /** Returns the next line, or undefined at the end of the stream. */
  const next = async (): Promise<string | undefined> => {
    while (lines.length === 0 && !isEnded) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return lines.shift();
  };
  /** Returns the lines before the end mark of a request, or all remaining lines if the stream ended. */
  const untilMark = async (requestId: string): Promise<string[]> => {
    const mark = `\0${requestId}\0`;
    const found: string[] = [];
    for (let line = await next(); line !== undefined; line = await next()) {
      if (!line.endsWith(mark)) found.push(line);
      else {
        if (line !== mark) found.push(line.slice(0, -mark.length));
        return found;
      }
    }
    return found;
  };
  return { next, untilMark };
}
