/** Installs schemathesis in `node_modules/.cache/api`. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");
/** The folder for schemathesis and for the files of a run. */
export const CACHE = join(ROOT, "node_modules", ".cache", "api");

/** The pinned packages. The last two generate the cases, so other versions of them would send other requests. */
export const PACKAGES = { schemathesis: "4.32.5", hypothesis: "6.170.17", jsonschema_rs: "0.60.3" };

/**
 * Installs schemathesis unless it is installed already.
 *
 * @returns the path of the program `schemathesis`
 * @throws Error if Python is missing, or if the installation fails
 */
export function installSchemathesis(): string {
  if (spawnSync("python3", ["-c", "import sys, venv; sys.exit(sys.version_info < (3, 10))"]).status !== 0) {
    throw new Error(
      "npm run test:api: Python not found. Install Python 3.10 or later with its module venv. Only few commands need it.",
    );
  }
  const folder = join(CACHE, "python");
  const stamp = join(folder, "installed.json");
  const wanted = JSON.stringify(PACKAGES);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(CACHE, { recursive: true });
    run("python3", ["-m", "venv", folder]);
    const pinned = Object.entries(PACKAGES).map(([name, version]) => `${name}==${version}`);
    run(join(folder, "bin", "python"), ["-m", "pip", "install", "--quiet", ...pinned]);
    writeFileSync(stamp, wanted);
  }
  return join(folder, "bin", "schemathesis");
}

function run(program: string, args: string[]): void {
  execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
}
