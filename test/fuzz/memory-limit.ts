/** Limits the memory of a process to 128 MB as FunctionGraph does, with a memory cgroup if possible. */
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export const FUNCTION_BYTES = 128 * 1024 * 1024;

export interface MemoryLimit {
  /** Describes in the report how the memory is limited. */
  name: string;
  /** Command-line options of Node.js that limit the memory. */
  options: readonly string[];
  /** The file to which the process must write its id to join the cgroup, or undefined without a cgroup. */
  processesFile?: string;
  /** Removes the cgroup. Call it after the process exited. */
  remove(): void;
}

/** Returns Node.js options that limit memory about as much as a cgroup does. 128 MB of memory leave 64 MB for the heap. */
const optionsFor = (megabytes: number) => [`--max-old-space-size=${megabytes / 2}`, "--max-semi-space-size=1"];

/**
 * Creates a memory limit for one process: a cgroup of version 1 or 2, or Node.js options if no cgroup can be created.
 *
 * @param bytes the limit, default 128 MB
 */
export function limitMemory(name: string, bytes = FUNCTION_BYTES): MemoryLimit {
  const megabytes = bytes / 1024 / 1024;
  for (const { version, folder } of findParentFolders()) {
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
        // The kernel removes an exited process from its cgroup with a delay. Leave the cgroup, because an empty cgroup does no
        // harm.
      }
    };
    try {
      writeFileSync(join(path, version === 1 ? "memory.limit_in_bytes" : "memory.max"), String(bytes));
      return {
        name: `cgroup v${version}, ${megabytes} MB`,
        options: [],
        processesFile: join(path, "cgroup.procs"),
        remove,
      };
    } catch {
      remove();
    }
  }
  const options = optionsFor(megabytes);
  return { name: `${options.join(" ")}, because no cgroup can be created`, options, remove() {} };
}

/** Returns the folders in which to create a memory cgroup: first the cgroup of this process, then the root cgroup. */
function findParentFolders(): { version: 1 | 2; folder: string }[] {
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
    // Only Linux has /proc. Without /proc, no cgroup can be created.
    return [];
  }
}

/** Resets the peak RSS of a process, so the next measurement ignores earlier peaks. */
export function resetPeak(pid: number): void {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, "5");
  } catch {
    // If the reset fails, the measured peak includes earlier invocations.
  }
}
