import { SnapshotError } from "../core/errors.ts";
import { isObject } from "../core/json.ts";
import { parseJson } from "../core/parse-json.ts";
import { preview } from "../core/preview.ts";

/** The value of a configuration variable; undefined where it is not set or empty. */
export type Variables = (name: string) => string | undefined;

/**
 * Reads variables as the platform may give them: from the context's user data, from RUNTIME_USERDATA (the same as JSON),
 * from the process's environment, the first that has it. Which of them an event function has is not documented for all
 * runtimes (functiongraph.md 1.5, UNCONFIRMED).
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
    // What is neither a string nor a number stays a wrong value, so that its reader refuses it.
    const textOf = (inner: unknown) => (typeof inner === "object" ? preview(inner) : String(inner));
    return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, textOf(inner)]));
  } catch {
    // The platform writes it, not the user: a text that is no JSON is none of theirs to mend.
    return {};
  }
}

/** `NAME: expected ..., got "..."` */
export const misconfigured = (name: string, expected: string, got: string): SnapshotError =>
  new SnapshotError("Misconfigured", `${name}: expected ${expected}, got ${preview(got)}.`);

/** A whole number within bounds. */
export function readInteger(
  variables: Variables,
  name: string,
  { byDefault, from, to }: { byDefault: number; from: number; to: number },
): number {
  const text = variables(name);
  if (text === undefined) return byDefault;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= from && value <= to) return value;
  throw misconfigured(name, `a whole number from ${from} to ${to}`, text);
}

/** One of the words that are allowed. */
export function readChoice<Choice extends string>(
  variables: Variables,
  name: string,
  { byDefault, choices }: { byDefault: Choice; choices: readonly Choice[] },
): Choice {
  const text = variables(name) ?? byDefault;
  const choice = choices.find((one) => one === text);
  if (choice !== undefined) return choice;
  throw misconfigured(name, choices.map((one) => JSON.stringify(one)).join(" or "), text);
}

/** An id that goes into a URL's path, where the SDK does not encode it (cloud-apis.md 5.4.15). */
export function checkId(name: string, text: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/.test(text)) return text;
  throw misconfigured(name, "an id of letters, digits, - and _", text);
}

/** Whose limits v2 names and descriptions have: seed 001's (`current`) or seed 002's, of older clouds (`classic`). */
export const readEvsLimits = (variables: Variables): "current" | "classic" =>
  readChoice(variables, "EVS_LIMITS", { byDefault: "current", choices: ["current", "classic"] });
