/** Installs the official clients in `node_modules/.cache/conformance`, and starts the drivers that send requests with them. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import type { Description, Reply, Send } from "./protocol.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const DRIVERS = join(import.meta.dirname, "drivers");
const CACHE = join(ROOT, "node_modules", ".cache", "conformance");
const NODE_EVS = "@huaweicloud/huaweicloud-sdk-evs";

const PYTHON_PACKAGES = {
  huaweicloudsdkcore: "3.1.219",
  huaweicloudsdkdws: "3.1.219",
  huaweicloudsdkecs: "3.1.219",
  huaweicloudsdkevs: "3.1.219",
};
const NODE_PACKAGES = {
  "@huaweicloud/huaweicloud-sdk-core": "3.1.211",
  "@huaweicloud/huaweicloud-sdk-ecs": "3.1.172",
  // huaweicloud-sdk-core requires `uuid`, but does not declare it as a dependency.
  uuid: "9.0.0",
};

/** An official client. */
export interface Client {
  name: string;
  /** The packages of the client and their versions. */
  packages: Record<string, string>;
  /** Installs the client. Returns the command that starts its driver, without the arguments that `start` appends. */
  install(): string[];
  /** Whether only some machines have the client. The committed table leaves out such a client. */
  isOptional?: true;
}

export const CLIENTS: readonly Client[] = [
  { name: "Python", packages: PYTHON_PACKAGES, install: installPython },
  { name: "Go", packages: goPackages(), install: installGo },
  { name: "Node.js", packages: NODE_PACKAGES, install: installNode },
  ...installedNodeEvs(),
];

/** Fails if a program is missing that the conformance run needs. */
export function requirePrograms(): void {
  const missing = [
    ["python3", "--version"],
    ["go", "version"],
  ].filter(([program = "", argument = ""]) => spawnSync(program, [argument]).status !== 0);
  if (missing.length === 0) return;
  const names = missing.map(([program]) => program).join(" and ");
  throw new Error(
    `npm run conformance: ${names} not found. Install Python 3 with its module venv, and Go 1.21 or later. Only this command needs them.`,
  );
}

function installPython(): string[] {
  const folder = join(CACHE, "python");
  const python = join(folder, "bin", "python");
  installOnce(folder, PYTHON_PACKAGES, () => {
    run("python3", ["-m", "venv", folder]);
    const pinned = Object.entries(PYTHON_PACKAGES).map(([name, version]) => `${name}==${version}`);
    run(python, ["-m", "pip", "install", "--quiet", ...pinned]);
  });
  return [python, join(DRIVERS, "driver.py")];
}

function installGo(): string[] {
  const program = join(CACHE, "go", "driver");
  // The flag -s leaves out the symbol table, which shortens the link step. The version of Go that is installed must suffice.
  run("go", ["build", "-ldflags=-s -w", "-o", program, "."], join(DRIVERS, "go"), { GOTOOLCHAIN: "local" });
  return [program];
}

function installNode(): string[] {
  const folder = join(CACHE, "node");
  installOnce(folder, NODE_PACKAGES, () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies: NODE_PACKAGES }));
    run("npm", ["install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"], folder);
  });
  return [process.execPath, join(DRIVERS, "driver.mjs"), folder];
}

/** Returns the Node.js client for EVS if it is installed in the repository, because the public registry lacks it. */
function installedNodeEvs(): Client[] {
  try {
    const { version } = createRequire(join(ROOT, "package.json"))(`${NODE_EVS}/package.json`);
    const install = () => [process.execPath, join(DRIVERS, "driver.mjs"), ROOT];
    return [{ name: "Node.js EVS", packages: { [NODE_EVS]: version }, install, isOptional: true }];
  } catch {
    return [];
  }
}

function goPackages(): Record<string, string> {
  const text = readFileSync(join(DRIVERS, "go", "go.mod"), "utf8");
  const [, name = "", version = ""] = /^require (\S+\/huaweicloud-sdk-go-v3) v(\S+)$/m.exec(text) ?? [];
  return { [name]: version };
}

/** Calls `install` unless the folder already has these packages. */
function installOnce(folder: string, packages: Record<string, string>, install: () => void): void {
  const stamp = join(folder, "installed.json");
  const wanted = JSON.stringify(packages);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  rmSync(folder, { recursive: true, force: true });
  install();
  writeFileSync(stamp, wanted);
}

function run(program: string, args: string[], cwd = ROOT, environment: Record<string, string> = {}): void {
  execFileSync(program, args, { cwd, env: { ...process.env, ...environment }, stdio: ["ignore", "ignore", "inherit"] });
}

/** A running driver. */
export interface Driver {
  send: Send;
  describe(operations: readonly [string, string][]): Promise<Description>;
  stop(): void;
}

/** Starts a driver that sends its requests to `cloud`. */
export function startDriver(command: readonly string[], cloud: Pick<EmbeddedCloud, "url" | "projectId">): Driver {
  const [program = "", ...args] = command;
  const child: ChildProcess = spawn(program, [...args, cloud.url, cloud.projectId], {
    stdio: ["pipe", "pipe", "inherit"],
    // The clients write a file into the folder `.huaweicloud` of the home folder.
    env: { ...process.env, HOME: CACHE, NO_PROXY: "127.0.0.1" },
  });
  // If the driver has ended, the write fails, and `exchange` reports the end of the output.
  child.stdin?.on("error", () => {});
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const exchange = async (message: unknown): Promise<unknown> => {
    child.stdin?.write(`${JSON.stringify(message)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`The driver ${program} ended. Its error output above has the reason.`);
    return JSON.parse(value);
  };
  return {
    send: (request) => exchange(request) as Promise<Reply>,
    describe: (operations) => exchange({ describe: operations }) as Promise<Description>,
    stop: () => void child.stdin?.end(),
  };
}
