/** Limits the memory of a process as FunctionGraph does, with a memory cgroup if it can be created. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const FUNCTION_BYTES = 128 * 1024 * 1024;

export interface MemoryLimit {
  /** How the memory is limited, for the report. */
  name: string;
  /** Command-line options of Node.js. */
  options: readonly string[];
  /** The file to which the id of the process must be written; undefined without a cgroup. */
  processesFile?: string;
  /** Removes the cgroup. Call it after the process has ended. */
  remove(): void;
}

/** Options with which Node.js uses about as much memory as in a cgroup of 128 MB. */
const WITHOUT_CGROUP = ["--max-old-space-size=64", "--max-semi-space-size=1"];

/** Returns a limit of 128 MB for one process: a cgroup of version 1 or 2, or else options of Node.js. */
export function limitMemory(name: string): MemoryLimit {
  for (const { version, folder } of parents()) {
    const path = join(folder, `snapshot-functions-${name}`);
    try {
      mkdirSync(path);
    } catch {
      continue;
    }
    const remove = () => {
      try {
        rmdirSync(path);
      } catch {
        // The kernel has not removed the process yet. An empty cgroup does no harm.
      }
    };
    try {
      writeFileSync(join(path, version === 1 ? "memory.limit_in_bytes" : "memory.max"), String(FUNCTION_BYTES));
      return { name: `cgroup v${version}, 128 MB`, options: [], processesFile: join(path, "cgroup.procs"), remove };
    } catch {
      remove();
    }
  }
  return { name: `no cgroup can be created, so ${WITHOUT_CGROUP.join(" ")}`, options: WITHOUT_CGROUP, remove() {} };
}

/** Returns the folders to create a memory cgroup in: that of this process, then the root of its hierarchy. */
function parents(): { version: 1 | 2; folder: string }[] {
  try {
    const own = readFileSync("/proc/self/cgroup", "utf8");
    const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
    return mounts.flatMap((line) => {
      const [, folder = "", type, options = ""] = line.split(" ");
      const version =
        type === "cgroup" && options.split(",").includes("memory") ? 1 : type === "cgroup2" ? 2 : undefined;
      if (version === undefined) return [];
      const path = (version === 1 ? /^\d+:(?:[^:]*,)?memory(?:,[^:]*)?:(.*)$/m : /^0::(.*)$/m).exec(own)?.[1] ?? "/";
      return [...new Set([join(folder, path), folder])].map((each) => ({ version, folder: each }) as const);
    });
  } catch {
    // Not Linux.
    return [];
  }
}

/** Resets the memory peak of a process, so the next reading covers only the time from now on. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // Then the peak covers the whole life of the process.
  }
}
