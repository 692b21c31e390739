import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import type { Credentials } from "./call.ts";
import { BadInput, type Environment, readCredentials, readUrl } from "./connection.ts";

/** One entry of the targets file. The client checks only its `kind`. pre-deploy validates the other fields. */
export type TargetSelection = JsonObject & { kind: string };

export interface GateOptions {
  url: URL;
  credentials: Credentials;
  /** The fields of the request body that are the same in every call to pre-deploy. */
  request: {
    deployment_id: string;
    targets: TargetSelection[];
    policy?: string;
    max_age_minutes?: number;
  };
  retryFailed: boolean;
  timeoutSeconds: number;
}

export const USAGE = `node snapshot-gate.cjs --deployment-id <id> --targets <file.json> [options]

Creates a snapshot of every target and waits until all of them are available. A repeated call with the same deployment id
creates no second snapshot.

  --url <address>           the address of pre-deploy, such as https://gate.example.com/pre-deploy
  --deployment-id <id>      identifies the deployment; at most 128 characters
  --targets <file.json>     a JSON array, such as [{"kind":"snapshot","tags":{"app":"shop"}}]
  --timeout-seconds <n>     how long to wait for all snapshots; default 1800
  --policy <name>           the policy by which prune-snapshots deletes the snapshots; default pre-deploy, or a name in
                            gateway.policies
  --max-age-minutes <n>     reject a deployment id whose snapshots are older than this; default 1440
  --retry-failed            create another snapshot for each snapshot that failed last time
  --allow-any-id            accept a deployment id that looks as if a variable in it was not set or not expanded
  --help                    print this text; works only without other options

Each option can also be set as an environment variable: SNAPSHOT_GATE_URL, SNAPSHOT_GATE_TIMEOUT_SECONDS, ...

The credentials are environment variables: SNAPSHOT_GATE_APP_CODE (the app code of an API gateway application), or
HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN) to sign the requests.

Exit codes: 0: every snapshot is available. 1: a snapshot failed, so the deployment must not begin. 2: the timeout
expired before every snapshot was available. 3: an option, the targets file or a credential is wrong.`;

const OPTIONS = {
  url: { type: "string" },
  "deployment-id": { type: "string" },
  targets: { type: "string" },
  "timeout-seconds": { type: "string" },
  policy: { type: "string" },
  "max-age-minutes": { type: "string" },
  "retry-failed": { type: "boolean" },
  "allow-any-id": { type: "boolean" },
} as const;

/**
 * Reads the options from the command-line arguments and the environment variables. If both set an option, the argument
 * overrides the environment variable.
 *
 * @throws {BadInput} when an option is missing or invalid
 */
export function readOptions(argv: readonly string[], environment: Environment): GateOptions {
  const values = parseArguments(argv);
  const findOption = (name: keyof typeof OPTIONS): string | undefined => {
    // Reject an empty value, because it probably comes from a pipeline variable that is not set. The user probably does not
    // want the default value.
    if (values[name] === "") throw new BadInput(`--${name}: expected a value, got an empty string.`);
    const value = values[name] ?? environment[`SNAPSHOT_GATE_${name.toUpperCase().replaceAll("-", "_")}`];
    return value === undefined || value === "" ? undefined : String(value);
  };
  const findRequiredOption = (name: keyof typeof OPTIONS): string => {
    const value = findOption(name);
    if (value === undefined) throw new BadInput(`Expected the option --${name}, but it is missing.`);
    return value;
  };
  const policy = findOption("policy");
  const maxAge = findOption("max-age-minutes");
  return {
    url: readUrl(findRequiredOption("url")),
    credentials: readCredentials(environment),
    request: {
      deployment_id: readId(
        findRequiredOption("deployment-id"),
        readBoolean("allow-any-id", findOption("allow-any-id") ?? "false"),
      ),
      targets: readTargets(findRequiredOption("targets")),
      ...(policy === undefined ? {} : { policy }),
      ...(maxAge === undefined ? {} : { max_age_minutes: readNumber("max-age-minutes", maxAge) }),
    },
    retryFailed: readBoolean("retry-failed", findOption("retry-failed") ?? "false"),
    timeoutSeconds: readNumber("timeout-seconds", findOption("timeout-seconds") ?? "1800"),
  };
}

function parseArguments(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (thrown) {
    throw new BadInput((thrown as Error).message);
  }
}

/**
 * Matches a deployment id that contains no unexpanded variable. The id can have letters and digits of any script, and
 * punctuation. It cannot have the characters in which the syntax of variables begins or ends, such as `$`, `%`, `{` and `<`.
 */
const EXPANDED_ID = /^[\p{L}\p{M}\p{N}._/:+@#=,~-]+$/u;
/** Matches a word that programming languages print for a missing value, such as `undefined`. */
const MISSING_VALUE = /^(undefined|null|none|nil|nan)$/i;

/**
 * Rejects a deployment id that contains an unset or unexpanded variable. Otherwise every deployment would send the same id, and
 * pre-deploy would report the snapshots of an earlier deployment.
 */
function readId(id: string, allowAny: boolean): string {
  const parts = id.split(/[^\p{L}\p{M}\p{N}]/u);
  // Check only the first and the last part of the id. A part in the middle can come from a branch name that contains the word
  // `null`, such as fix-null-check-12.
  const hasMissingValue = [parts[0], parts.at(-1)].some((part = "") => MISSING_VALUE.test(part));
  const isExpanded = EXPANDED_ID.test(id) && !parts.includes("") && !hasMissingValue;
  if (id.length <= 128 && (isExpanded || allowAny)) return id;
  throw new BadInput(
    `--deployment-id: got ${JSON.stringify(id)}. Expected at most 128 characters without spaces. The id must not contain an unexpanded variable such as $X, %X%, {{X}} or <X>. It must not begin or end with a punctuation mark, or contain two in a row. Its first and last word must not stand for a missing value, such as "undefined" or "null". If the id has at most 128 characters and no other deployment has this id, add --allow-any-id.`,
  );
}

function readBoolean(name: string, text: string): boolean {
  if (["true", "1"].includes(text)) return true;
  if (["false", "0"].includes(text)) return false;
  throw new BadInput(`--${name}: expected true or false, got ${JSON.stringify(text)}.`);
}

function readTargets(path: string): TargetSelection[] {
  let targets: unknown;
  try {
    // Remove the byte order mark that some editors write.
    targets = JSON.parse(readFileSync(path, "utf8").replace(/^\ufeff/, ""));
  } catch (thrown) {
    throw new BadInput(`--targets: expected a file with a JSON array: ${(thrown as Error).message}.`);
  }
  if (!Array.isArray(targets)) throw new BadInput(`--targets: expected a JSON array in ${path}.`);
  if (targets.length === 0) throw new BadInput(`--targets: expected at least one selection in ${path}, got none.`);
  const invalidIndex = targets.findIndex((entry) => !isObject(entry) || typeof entry.kind !== "string");
  if (invalidIndex < 0) return targets;
  throw new BadInput(
    `--targets: expected selections such as {"kind":"snapshot","tags":{"app":"shop"}} in ${path}; targets[${invalidIndex}] has no string "kind".`,
  );
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1_000_000) return value;
  throw new BadInput(`--${name}: expected an integer from 1 to 1000000, got ${JSON.stringify(text)}.`);
}
