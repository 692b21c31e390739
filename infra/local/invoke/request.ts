/** Reads the arguments of `npm run invoke` and the files that they name. */

import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { bundlesIn } from "../host/index.ts";
import { DIST_FOLDER } from "../site/local-site.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { parseEnvFile } from "./env-file.ts";
import { type PlaceholderValues, placeholdersIn } from "./placeholders.ts";

/** What the user asked for. */
export interface ReplayRequest {
  functionName: string;
  /** The path of the file, as the user typed it. */
  path: string;
  /** The JSON value in the file, with placeholders. */
  content: unknown;
  json: boolean;
  wait: boolean;
  real: boolean;
  yes: boolean;
  /** The variables in the file after `--env-file`. */
  envFile: Record<string, string>;
}

/** The placeholders for resources of the embedded cloud. */
const RESOURCE_PLACEHOLDERS = ["volume_id", "volume_id_2", "server_id", "cluster_id"];

const OPTIONS = {
  json: { type: "boolean", default: false },
  wait: { type: "boolean", default: false },
  real: { type: "boolean", default: false },
  yes: { type: "boolean", default: false },
  "env-file": { type: "string" },
  help: { type: "boolean", default: false },
} as const;

/**
 * Reads the arguments and the files that they name.
 *
 * @returns undefined if the user asked for help
 * @throws BadUsage if the arguments or the content of a file are wrong
 */
export function readRequest(argv: readonly string[]): ReplayRequest | undefined {
  const { values, positionals } = readArguments({ args: [...argv], options: OPTIONS, allowPositionals: true });
  const { help, json, wait, real, yes, "env-file": envPath } = values;
  if (help) return undefined;
  const [functionName, path, ...more] = positionals;
  if (!functionName || !path || more.length > 0) {
    throw new BadUsage(
      `Expected a function and a file, got ${positionals.join(" ") || "no arguments"}. ${listFunctions(bundlesIn(DIST_FOLDER))}`,
    );
  }
  const functions = bundlesIn(DIST_FOLDER);
  if (functions.length === 0) throw new Error(`No built function in ${DIST_FOLDER}. Run "npm run build" first.`);
  if (!functions.includes(functionName)) {
    throw new BadUsage(`Expected the name of a function, got "${functionName}". ${listFunctions(functions)}`);
  }
  if (envPath !== undefined && !real) {
    throw new BadUsage(
      "--env-file: expected --real, because the embedded cloud sets all variables itself. Add --real.",
    );
  }
  const envFile = envPath === undefined ? {} : parseEnvFile(readText(envPath, "--env-file: expected a file"), envPath);
  return { functionName, path, content: readContent(path, real), json, wait, real, yes, envFile };
}

const listFunctions = (functions: readonly string[]): string => `Functions: ${functions.join(", ")}.`;

function readContent(path: string, real: boolean): unknown {
  let content: unknown;
  try {
    content = JSON.parse(readText(path, "Expected a file with an event or a policy").replace(/^\ufeff/, ""));
  } catch (error) {
    if (error instanceof BadUsage) throw error;
    throw new BadUsage(`Expected JSON in ${path}: ${(error as Error).message}.`);
  }
  const known = [...Object.keys(timeValues()), ...(real ? [] : RESOURCE_PLACEHOLDERS)];
  const unknown = placeholdersIn(content).filter((name) => !known.includes(name));
  if (unknown.length === 0) return content;
  const names = (list: readonly string[]) => list.map((name) => `{{${name}}}`).join(", ");
  const [where, advice] = real
    ? ["with --real", "Copy the file, and replace the placeholder in the copy with the id of a resource."]
    : ["on the embedded cloud", "Correct the name of the placeholder."];
  throw new BadUsage(
    `Expected only the placeholders ${names(known)} ${where}, got ${names(unknown)} in ${path}. ${advice}`,
  );
}

/** Reads a file. Resolves its path from the folder of this process and from the folder in which the user called npm. */
function readText(given: string, expected: string): string {
  // npm runs scripts in the package folder. INIT_CWD is the folder in which the user called npm.
  const path = [given, resolve(process.env.INIT_CWD ?? "", given)].find((candidate) => existsSync(candidate));
  if (!path) throw new BadUsage(`${expected}, but ${given} does not exist. Correct the path.`);
  if (!statSync(path).isFile()) throw new BadUsage(`${expected}, but ${given} is not a file. Correct the path.`);
  return readFileSync(path, "utf8");
}

/** Returns the values of the placeholders for the current time. */
export function timeValues(now = new Date()): PlaceholderValues {
  const now_ms = now.getTime();
  return { now: `${now.toISOString().slice(0, 19)}Z`, now_ms, now_s: Math.floor(now_ms / 1000) };
}
