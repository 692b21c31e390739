import { parseEnv } from "node:util";
import { BadUsage } from "../terminal/arguments.ts";

/** Matches a line that sets a variable. Like a shell, accepts `export` before the name. */
const ASSIGNMENT = /^\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*\s*=/;
const BLANK_OR_COMMENT = /^\s*(#.*)?$/;

/**
 * Parses the text of a file with `KEY=VALUE` lines. Ignores empty lines and lines that begin with `#`. Removes the quotation marks
 * around a value.
 *
 * @param path the path of the file, for error messages
 * @throws BadUsage if a line has another format, or if the file sets no variable. The message never contains a value, because a
 *   value can be a secret.
 */
export function parseEnvFile(text: string, path: string): Record<string, string> {
  const wrong = text.split(/\r?\n/).findIndex((line) => !ASSIGNMENT.test(line) && !BLANK_OR_COMMENT.test(line));
  if (wrong >= 0) {
    throw new BadUsage(
      `--env-file: expected a line such as REGION=eu-west-101 in line ${wrong + 1} of ${path}, got another format. Correct this line.`,
    );
  }
  const variables = parseEnv(text) as Record<string, string>;
  if (Object.keys(variables).length > 0) return variables;
  throw new BadUsage(
    `--env-file: expected KEY=VALUE lines in ${path}, got none. Add a line such as REGION=eu-west-101.`,
  );
}
