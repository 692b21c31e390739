/** Installs Python packages for the commands that compare the project with the software of others. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * Creates a Python virtual environment with the packages of a requirements file, unless the environment already has exactly these packages.
 *
 * @param environment the folder of the virtual environment
 * @param requirements the path of the file that pins every package
 * @param command the npm command that needs the packages, for the error message
 * @throws Error if Python is missing or too old, or if the installation fails
 */
export function installPythonPackages(environment: string, requirements: string, command: string): void {
  const isRecent = "import sys, venv; sys.exit(sys.version_info < (3, 11))";
  if (spawnSync("python3", ["-c", isRecent], { stdio: "ignore" }).status !== 0) {
    throw new Error(
      `${command}: no suitable Python found. Install Python 3.11 or later with its module venv. Only a few commands need Python.`,
    );
  }
  const stamp = join(environment, "installed.txt");
  const wanted = readFileSync(requirements, "utf8");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) return;
  console.error(`Installing the packages of ${command}.`);
  rmSync(environment, { recursive: true, force: true });
  mkdirSync(dirname(environment), { recursive: true });
  const run = (program: string, args: string[]) =>
    execFileSync(program, args, { stdio: ["ignore", "ignore", "inherit"] });
  run("python3", ["-m", "venv", environment]);
  run(join(environment, "bin", "python"), ["-m", "pip", "install", "--quiet", "--no-deps", "-r", requirements]);
  writeFileSync(stamp, wanted);
}
