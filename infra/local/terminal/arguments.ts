import { type ParseArgsConfig, parseArgs } from "node:util";

/** Reports that the user called a command with wrong arguments. */
export class BadUsage extends Error {}

/**
 * Parses command-line arguments.
 *
 * @throws BadUsage if an option is unknown, a value is missing or an argument is unexpected
 */
export function readArguments<Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config);
  } catch (error) {
    // Keep only the first sentence, because Node.js appends a hint about arguments that start with a hyphen.
    throw new BadUsage((error as Error).message.split(". ")[0]);
  }
}
