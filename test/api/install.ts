/** Installs schemathesis in `node_modules/.cache/api`. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
/** The folder for schemathesis and for the files of a run. */
export const CACHE = join(ROOT, "node_modules", ".cache", "api");

/** The file with the version of every package. */
const REQUIREMENTS = join(import.meta.dirname, "schemathesis.txt");

/**
 * Installs schemathesis unless it is installed already.
 *
 * @returns the path of the program `schemathesis`
 * @throws Error if Python is missing, or if the installation fails
 */
export function installSchemathesis(): string {
  if (spawnSync("python3", ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 11))"]).status !== 0) {
    throw new Error(
      "npm run test:api: Python not found. Install Python 3.11 or later with its module venv. Only few commands need it.",
    );
  }
  const folder = join(CACHE, "python");
  const stamp = join(folder, "installed.txt");
  const wanted = readFileSync(REQUIREMENTS, "utf8");
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(CACHE, { recursive: true });
    run("python3", ["-m", "venv", folder]);
    run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", "--no-deps", "-r", REQUIREMENTS]);
    writeFileSync(stamp, wanted);
  }
  return join(folder, "bin", "schemathesis");
}

function run(program: string, args: string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
