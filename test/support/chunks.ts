/** Runs many seeded scenarios in child processes, one per core. */
import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";

/** Which seeds to run. */
export interface Seeds {
  first: number;
  count: number;
  /** The number of seeds in one child process. A child process ends before its memory grows. */
  perProcess: number;
}

/**
 * Runs a script with the option `--chunk <first>-<last>` for each range of seeds, one process per core.
 *
 * @param script the path of the script, which prints the result of a range as JSON
 * @param add receives the result of each range, in any order
 */
export async function runChunks<Result>(
  script: string,
  { first: start, count, perProcess }: Seeds,
  add: (result: Result) => void,
): Promise<void> {
  const end = start + count;
  let next = start;
  const worker = async () => {
    while (next < end) {
      const first = next;
      next = Math.min(first + perProcess, end);
      add((await runInChild(script, first, next - 1)) as Result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}

async function runInChild(script: string, first: number, last: number): Promise<unknown> {
  const child = spawn(process.execPath, [...process.execArgv, script, "--chunk", `${first}-${last}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  await new Promise((resolve) => child.once("close", resolve));
  return JSON.parse(text);
}
