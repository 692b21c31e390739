import { createRedactor } from "../../shared/results/redact.ts";
import { type Environment, secretsIn } from "./connection.ts";
import { printable } from "./printable.ts";

/** The maximum length of a log line in characters. Longer lines are truncated, because a response can be megabytes long. */
const MAX_LINE_LENGTH = 4_000;

/**
 * Returns a function that makes text safe to print: it replaces secrets, escapes unprintable characters and truncates the text.
 *
 * @param environment the environment variables that contain the credentials
 */
export function createSanitizer(environment: Environment): (text: string) => string {
  const redact = createRedactor(secretsIn(environment));
  return (text) => printable(redact(text)).slice(0, MAX_LINE_LENGTH);
}
