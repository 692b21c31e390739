/** Installs schemathesis in `node_modules/.cache/api`. */
import { join } from "node:path";
import { installPythonPackages } from "../support/python-packages.ts";

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
  const environment = join(CACHE, "python");
  installPythonPackages(environment, REQUIREMENTS, "npm run test:api");
  return join(environment, "bin", "schemathesis");
}
