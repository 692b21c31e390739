import { type ParseArgsConfig, parseArgs } from "node:util";

/** Reports that a command was called with wrong arguments. */
export class BadUsage extends Error {}

/**
 * Parses command-line arguments.
 *
 * @throws BadUsage for an unknown option, a missing value and an unexpected argument
 */
export function readArguments<Config extends ParseArgsConfig>(config: Config) {
  try {
    return parseArgs(config);
  } catch (error) {
    // Node.js appends a hint about arguments that start with a hyphen.
    throw new BadUsage((error as Error).message.split(". ")[0]);
  }
}
