/**
 * Reads configuration variables. To add a variable:
 *
 * 1. Add its name to `VARIABLES` below. The compiler rejects names that are not in this list. `npm run invoke -- … --real`
 *    passes the variables in this list to the function.
 * 2. Read it with `readInteger`, `readChoice` or `readNames` in one of these places:
 *    - if all functions need it: shared/middleware/configuration.ts
 *    - if all functions with several targets need it: shared/middleware/create-run-context.ts
 *    - if it contains an endpoint: shared/huaweicloud/http/endpoints.ts
 *    - otherwise: the folder of the function that needs it
 * 3. Set it in `local.variables` in infra/terraform/locals.tf, or in `local.own_variables` if only some functions read it. If operators choose its value, declare an input in
 *    infra/terraform/variables.tf, too. The tests in test/infra/terraform fail if Terraform sets no value for a variable
 *    that a function reads. FunctionGraph allows 20 variables.
 * 4. Describe it in the table under "Configuration" in functions/README.md, with its default.
 */

import { SnapshotError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";

/**
 * The names of all configuration variables except `<SERVICE>_ENDPOINT`, which contains the address of a service. No bundle
 * contains this list.
 */
export const VARIABLES = [
  "REGION",
  "PROJECT_ID",
  "LTS_LOG_GROUP_ID",
  "LTS_LOG_STREAM_ID",
  "EVS_LIMITS",
  "HTTP_TIMEOUT_MS",
  "MAX_CONCURRENCY",
  "SHARD_SIZE",
  "DISK_ATTACHED_KIND",
  "DISK_ATTACHED_RETENTION",
  "PRE_DEPLOY_POLICIES",
  "DEPLOYED_POLICIES",
] as const;

/** The name of a configuration variable: a name in `VARIABLES`, or `<SERVICE>_ENDPOINT` for the address of a service. */
export type VariableName = (typeof VARIABLES)[number] | `${Uppercase<string>}_ENDPOINT`;

/** Returns the value of a configuration variable, or undefined if the variable is not set or empty. */
export type Variables = (name: VariableName) => string | undefined;

/**
 * Returns a function that reads configuration variables. The sources, in the order in which they are searched, are the user
 * data of the context, the JSON in RUNTIME_USERDATA, and the environment of the process. It is UNCONFIRMED which sources
 * exist in each runtime: SOURCES.md#functiongraph-user-data.
 */
export function variablesOf(
  userData: (key: string) => string,
  environment: Record<string, string | undefined>,
): Variables {
  const runtime = parseUserData(environment.RUNTIME_USERDATA);
  return (name) => userData(name) || runtime[name] || environment[name] || undefined;
}

function parseUserData(text: string | undefined): Record<string, string> {
  try {
    const value = parseJson(text ?? "{}");
    if (!isObject(value)) return {};
    // If a variable contains an object, return a description of the object as a string. The code that reads the variable then
    // rejects the string with a clear message.
    const toText = (inner: unknown) => (typeof inner === "object" ? preview(inner) : String(inner));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toText(inner)]));
  } catch {
    // Ignore invalid JSON, because the platform writes RUNTIME_USERDATA and the user cannot correct it.
    return {};
  }
}

/** Returns the error for a variable with an invalid value. The message has the format `NAME: expected ..., got "..."`. */
export const misconfiguredError = (name: string, expected: string, got: string): SnapshotError =>
  new SnapshotError("Misconfigured", `${name}: expected ${expected}, got ${preview(got)}.`);

/**
 * Reads a variable whose value must be a whole number from `min` to `max`.
 *
 * @throws SnapshotError Misconfigured if the variable has any other value
 * @example readInteger(variables, "MAX_CONCURRENCY", { defaultValue: 8, min: 1, max: 256 })
 */
export function readInteger(
  variables: Variables,
  name: VariableName,
  { defaultValue, min, max }: { defaultValue: number; min: number; max: number },
): number {
  const text = variables(name);
  if (text === undefined) return defaultValue;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw misconfiguredError(name, `a whole number from ${min} to ${max}`, text);
}

/**
 * Reads a variable whose value must be one of `choices`.
 *
 * @throws SnapshotError Misconfigured if the variable has any other value
 */
export function readChoice<Choice extends string>(
  variables: Variables,
  name: VariableName,
  { defaultValue, choices }: { defaultValue: Choice; choices: readonly Choice[] },
): Choice {
  const text = variables(name) ?? defaultValue;
  const choice = choices.find((allowed) => allowed === text);
  if (choice !== undefined) return choice;
  throw misconfiguredError(name, choices.map((allowed) => JSON.stringify(allowed)).join(" or "), text);
}

/**
 * Reads a variable whose value is a comma-separated list of names. Ignores spaces around a name, and empty names.
 *
 * @returns an empty array if the variable is not set
 */
export const readNames = (variables: Variables, name: VariableName): string[] =>
  (variables(name) ?? "")
    .trim()
    .split(/\s*,\s*/)
    .filter(Boolean);

/**
 * Returns an id for a URL path, after checking its characters. The check is necessary because the SDK does not encode
 * paths: SOURCES.md#sdk-unencoded-paths.
 *
 * @param name the name of the variable that contains the id, for the error message
 * @throws SnapshotError Misconfigured if the id has characters other than letters, digits, - and _
 */
export function checkId(name: string, text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw misconfiguredError(name, "an id of letters, digits, - and _", text);
}

/**
 * Reads the variable EVS_LIMITS, which selects the maximum lengths of names and descriptions of EVS v2 snapshots: `current`
 * (SOURCES.md#evs-v2-create-constraints) or `classic` for older clouds (SOURCES.md#evs-v2-classic-limits).
 *
 * @throws SnapshotError Misconfigured if the variable has any other value
 */
export const readEvsLimits = (variables: Variables): "current" | "classic" =>
  readChoice(variables, "EVS_LIMITS", { defaultValue: "current", choices: ["current", "classic"] });
