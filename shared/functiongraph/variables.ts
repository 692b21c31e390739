import { SnapshotError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";

/** Returns the value of a configuration variable; undefined if it is not set or empty. */
export type Variables = (name: string) => string | undefined;

/**
 * Returns a function that reads variables. The first source with the variable wins: the context's user data, the JSON in
 * RUNTIME_USERDATA, the process's environment. Which of them exist in each runtime is UNCONFIRMED:
 * SOURCES.md#functiongraph-user-data.
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
    // An object becomes its description, which the reader of the variable rejects.
    const toText = (inner: unknown) => (typeof inner === "object" ? preview(inner) : String(inner));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, toText(inner)]));
  } catch {
    // The platform writes RUNTIME_USERDATA, so the user cannot correct invalid JSON.
    return {};
  }
}

/** Returns the error for a variable with a wrong value: `NAME: expected ..., got "..."`. */
export const misconfigured = (name: string, expected: string, got: string): SnapshotError =>
  new SnapshotError("Misconfigured", `${name}: expected ${expected}, got ${preview(got)}.`);

/**
 * Reads a variable that is a whole number from `min` to `max`.
 *
 * @throws SnapshotError Misconfigured
 * @example readInteger(variables, "MAX_CONCURRENCY", { defaultValue: 8, min: 1, max: 256 })
 */
export function readInteger(
  variables: Variables,
  name: string,
  { defaultValue, min, max }: { defaultValue: number; min: number; max: number },
): number {
  const text = variables(name);
  if (text === undefined) return defaultValue;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw misconfigured(name, `a whole number from ${min} to ${max}`, text);
}

/**
 * Reads a variable that is one of several strings.
 *
 * @throws SnapshotError Misconfigured
 */
export function readChoice<Choice extends string>(
  variables: Variables,
  name: string,
  { defaultValue, choices }: { defaultValue: Choice; choices: readonly Choice[] },
): Choice {
  const text = variables(name) ?? defaultValue;
  const choice = choices.find((allowed) => allowed === text);
  if (choice !== undefined) return choice;
  throw misconfigured(name, choices.map((allowed) => JSON.stringify(allowed)).join(" or "), text);
}

/**
 * Returns an id that becomes part of a path. The SDK does not encode it: SOURCES.md#sdk-unencoded-paths.
 *
 * @param name the variable with the id, for the error
 * @throws SnapshotError Misconfigured if the id has other characters than letters, digits, - and _
 */
export function checkId(name: string, text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw misconfigured(name, "an id of letters, digits, - and _", text);
}

/**
 * Reads which limits the names and descriptions of legacy snapshots have: `current` (SOURCES.md#evs-v2-create-constraints) or
 * `classic`, of older clouds (SOURCES.md#evs-v2-classic-limits).
 *
 * @throws SnapshotError Misconfigured
 */
export const readEvsLimits = (variables: Variables): "current" | "classic" =>
  readChoice(variables, "EVS_LIMITS", { defaultValue: "current", choices: ["current", "classic"] });
