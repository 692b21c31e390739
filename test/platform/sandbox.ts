/** Prepares the files of an instance: read-only code, and a Node.js program that an unprivileged user can start. */
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onExit } from "../support/cleanup.ts";
import type { NodeRuntime } from "./node-runtimes.ts";

/** The user id of `nobody` on Linux. */
const NOBODY = 65_534;

/** True if this process can start another process as `nobody`. */
export const CAN_CHANGE_USER = process.getuid?.() === 0;

/** Whether `changedFiles` finds files outside the sandbox. Other systems than Linux give a new file the group of its folder. */
export const CAN_FIND_FILES = CAN_CHANGE_USER && process.platform === "linux";

/** The group of the instances of this process. No other process uses it, so it identifies the files of the functions. */
const GROUP = 60_000 + (process.pid % 5_000);

/** The options of `spawn` that start a process as `nobody`, if this process is allowed to do so. */
export const USER: { uid?: number; gid?: number } = CAN_CHANGE_USER ? { uid: NOBODY, gid: GROUP } : {};

/** The folders in which every user can create files. */
const WRITABLE_FOLDERS = ["/tmp", "/var/tmp", "/dev/shm", "/run/lock"];

/** The files of one function in a new temporary folder. */
export interface Sandbox {
  /** The working directory of the function. It is the parent of the code folder (SOURCES.md#functiongraph-folders). */
  folder: string;
  code: string;
  loader: string;
  program: string;
  /** Returns the files that the function changed or created, as far as they can be found. */
  changedFiles(): string[];
  remove(): void;
}

/** Copies a bundle and the loader into a read-only folder. */
export function createSandbox(bundle: string, runtime: NodeRuntime): Sandbox {
  const root = mkdtempSync(join(tmpdir(), "platform-"));
  const folder = join(root, "function");
  const code = join(folder, "code");
  mkdirSync(code, { recursive: true });
  copyFileSync(bundle, join(code, "index.js"));
  const loader = join(root, "loader.cjs");
  copyFileSync(join(import.meta.dirname, "loader.cjs"), loader);
  for (const file of [join(code, "index.js"), loader]) chmodSync(file, 0o444);
  for (const each of [code, folder, root]) chmodSync(each, 0o555);
  const before = listFiles(root);
  return {
    folder,
    code,
    loader,
    program: CAN_CHANGE_USER ? executableByOthers(runtime) : runtime.program,
    changedFiles() {
      const changed = [...listFiles(root)].filter(([path, state]) => before.get(path) !== state).map(([path]) => path);
      return [...changed, ...filesOfGroup()];
    },
    remove() {
      for (const each of [root, folder, code]) chmodSync(each, 0o755);
      rmSync(root, { recursive: true });
    },
  };
}

/** The copies of Node.js programs by their paths. */
const copies = new Map<string, string>();

/** Returns a path at which every user can start a Node.js program. Copies the program if necessary, until this process exits. */
function executableByOthers({ program, version }: NodeRuntime): string {
  if (isExecutableByOthers(program)) return program;
  const existing = copies.get(program);
  if (existing !== undefined) return existing;
  const folder = mkdtempSync(join(tmpdir(), "platform-node-"));
  onExit(() => rmSync(folder, { recursive: true, force: true }));
  const copy = join(folder, `node-${version}`);
  copyFileSync(program, copy);
  for (const each of [copy, folder]) chmodSync(each, 0o555);
  copies.set(program, copy);
  return copy;
}

/** Whether a user without rights on the file can start it. Then every parent folder must also be open. */
function isExecutableByOthers(path: string): boolean {
  for (let each = dirname(path); ; each = dirname(each)) {
    if ((statSync(each).mode & 0o001) === 0) return false;
    if (each === dirname(each)) return (statSync(path).mode & 0o005) === 0o005;
  }
}

/** Maps each file and folder below a folder to its size and its time of change. */
function listFiles(root: string): Map<string, string> {
  const paths = readdirSync(root, { recursive: true }).map((name) => join(root, String(name)));
  return new Map(
    [root, ...paths].map((path) => {
      const { size, mtimeMs } = statSync(path);
      return [path, `${size} ${mtimeMs}`];
    }),
  );
}

/** Returns the files that the functions left in the folders in which every user can create files. */
function filesOfGroup(): string[] {
  if (!CAN_FIND_FILES) return [];
  return WRITABLE_FOLDERS.flatMap((folder) => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      // The machine has no such folder.
      return [];
    }
  }).filter((path) => statSync(path, { throwIfNoEntry: false })?.gid === GROUP);
}
