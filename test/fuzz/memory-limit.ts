/** Limits the memory of a process as FunctionGraph does: by a memory cgroup, where one can be made. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const FUNCTION_BYTES = 128 * 1024 * 1024;

export interface MemoryLimit {
  /** What limits the memory, for the report. */
  name: string;
  /** Arguments of Node.js. */
  options: readonly string[];
  /** File that takes the id of a process that is to be limited; undefined without a cgroup. */
  processesFile?: string;
  /** Removes the cgroup, once its process has ended. */
  remove(): void;
}

/** Near to what Node.js does in a memory cgroup of 128 MB. */
const WITHOUT_CGROUP = ["--max-old-space-size=64", "--max-semi-space-size=1"];

/** Returns a limit of 128 MB for one process: a cgroup of version 1 or 2, else options of Node.js. */
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
        // The kernel has not let go of the process yet: an empty cgroup costs nothing.
      }
    };
    try {
      writeFileSync(join(path, version === 1 ? "memory.limit_in_bytes" : "memory.max"), String(FUNCTION_BYTES));
      return { name: `cgroup v${version}, 128 MB`, options: [], processesFile: join(path, "cgroup.procs"), remove };
    } catch {
      remove();
    }
  }
  return { name: `no cgroup can be made, so ${WITHOUT_CGROUP.join(" ")}`, options: WITHOUT_CGROUP, remove() {} };
}

/** Folders in which a memory cgroup may be made: that of this process, then the root of its hierarchy. */
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

/** Forgets the peak of a process's memory, so that the next one is that of what it does from now on. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // The peak is that since its beginning then.
  }
}
