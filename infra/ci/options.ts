import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { isObject, type JsonObject } from "../../shared/core/json.ts";
import type { Credentials } from "./call.ts";

/** One entry of the targets file. Only its kind is checked here: pre-deploy validates the rest. */
export type Selection = JsonObject & { kind: string };

export interface Options {
  url: URL;
  credentials: Credentials;
  /** The fields of the request body that are the same in every call. */
  request: {
    deployment_id: string;
    targets: Selection[];
    policy?: string;
    max_age_minutes?: number;
  };
  retryFailed: boolean;
  timeoutSeconds: number;
}

/** Reports a mistake of the caller. The client sends no request. */
export class BadInput extends Error {}

export const USAGE = `node snapshot-gate.cjs --deployment-id <id> --targets <file.json> [options]

Creates a snapshot of every target and waits until all of them are available. A repeated call with the same deployment id
creates no second snapshot.

  --url <address>           of the API, such as https://gate.example.com/pre-deploy
  --deployment-id <id>      identifies the deployment; at most 128 characters
  --targets <file.json>     a JSON array, such as [{"kind":"snapshot","tags":{"app":"shop"}}]
  --timeout-seconds <n>     how long to wait for all snapshots; default 1800
  --policy <name>           the policy of the snapshots, for prune-snapshots; default pre-deploy
  --max-age-minutes <n>     refuse an id whose snapshots are older; default 1440
  --retry-failed            create the snapshots again that failed the last time
  --allow-any-id            accept an id that has an empty part or looks like a variable that was not expanded
  --help                    print this text; only without other options

Each option can also be set as an environment variable: SNAPSHOT_GATE_URL, SNAPSHOT_GATE_TIMEOUT_SECONDS, ...

The credentials are environment variables: SNAPSHOT_GATE_APP_CODE (the code of an application of the gateway), or
HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN) to sign the requests.

Exit codes: 0: every snapshot is available. 1: a snapshot failed, the deployment must not begin. 2: the snapshots are not
ready in time. 3: the call has a mistake.`;

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

type Environment = Record<string, string | undefined>;

/** Returns the credentials that are set, complete or not: none of them may be printed. */
export const secretsIn = (environment: Environment): string[] =>
  ["SNAPSHOT_GATE_APP_CODE", "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"]
    .map((name) => environment[name] ?? "")
    .filter((value) => value !== "");

/**
 * Reads the options from arguments and environment variables; an argument has priority.
 *
 * @throws {BadInput} when an option is missing or invalid
 */
export function readOptions(argv: readonly string[], environment: Environment): Options {
  const values = parse(argv);
  const given = (name: keyof typeof OPTIONS): string | undefined => {
    // A variable of the pipeline is probably not set, and the default could be more permissive than the intended value.
    if (values[name] === "") throw new BadInput(`--${name}: expected a value, got an empty one.`);
    const value = values[name] ?? environment[`SNAPSHOT_GATE_${name.toUpperCase().replaceAll("-", "_")}`];
    return value === undefined || value === "" ? undefined : String(value);
  };
  const required = (name: keyof typeof OPTIONS): string => {
    const value = given(name);
    if (value === undefined) throw new BadInput(`Expected --${name}; it is missing.`);
    return value;
  };
  const policy = given("policy");
  const maxAge = given("max-age-minutes");
  return {
    url: readUrl(required("url")),
    credentials: readCredentials(environment),
    request: {
      deployment_id: readId(required("deployment-id"), readBoolean("allow-any-id", given("allow-any-id") ?? "false")),
      targets: readTargets(required("targets")),
      ...(policy === undefined ? {} : { policy }),
      ...(maxAge === undefined ? {} : { max_age_minutes: readNumber("max-age-minutes", maxAge) }),
    },
    retryFailed: readBoolean("retry-failed", given("retry-failed") ?? "false"),
    timeoutSeconds: readNumber("timeout-seconds", given("timeout-seconds") ?? "1800"),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true }).values;
  } catch (thrown) {
    throw new BadInput((thrown as Error).message);
  }
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

function readUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // The check below reports it.
  }
  // The app code is sent as it is, so the connection must be encrypted.
  const allowed = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (url === undefined || !allowed || url.username !== "" || url.password !== "" || url.search !== "") {
    throw new BadInput(
      "--url: expected an address such as https://gate.example.com/pre-deploy, with https and no more than a path.",
    );
  }
  return url;
}

/** Matches letters and digits of any script, and punctuation that no notation for variables uses. */
const ID = /^[\p{L}\p{M}\p{N}._/:+@#=,~-]+$/u;
/** Matches the words that programming languages print for a missing value. */
const MISSING = /^(undefined|null|none|nil|nan)$/i;

/**
 * Refuses an id in which a variable is unset or unexpanded. Such an id is the same for every deployment, so pre-deploy would
 * report the snapshots of an old deployment.
 */
function readId(id: string, allowAny: boolean): string {
  const parts = id.split(/[^\p{L}\p{M}\p{N}]/u);
  // In the middle of an id these words can belong to the name of a branch, such as fix-null-check-12.
  const isMissing = [parts[0], parts.at(-1)].some((part = "") => MISSING.test(part));
  const isExpanded = ID.test(id) && !parts.includes("") && !isMissing;
  if (id.length <= 128 && (isExpanded || allowAny)) return id;
  throw new BadInput(
    `--deployment-id: expected at most 128 characters without spaces, none of its parts empty, "undefined" or "null", and no variable left as $X, %X%, {{X}} or <X>; got ${JSON.stringify(id)}. If no other deployment has this id, add --allow-any-id.`,
  );
}

function readBoolean(name: string, text: string): boolean {
  if (["true", "1"].includes(text)) return true;
  if (["false", "0"].includes(text)) return false;
  throw new BadInput(`--${name}: expected true or false, got ${JSON.stringify(text)}.`);
}

function readCredentials(environment: Environment): Credentials {
  const {
    SNAPSHOT_GATE_APP_CODE: appCode,
    HUAWEICLOUD_SDK_AK: accessKey,
    HUAWEICLOUD_SDK_SK: secretKey,
    HUAWEICLOUD_SDK_SECURITY_TOKEN: securityToken,
  } = environment;
  let credentials: Credentials;
  if (appCode) credentials = { appCode };
  else if (accessKey && secretKey) credentials = { accessKey, secretKey, ...(securityToken ? { securityToken } : {}) };
  else {
    throw new BadInput(
      "Expected SNAPSHOT_GATE_APP_CODE, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK; neither is set.",
    );
  }
  // People paste secrets together with a line break.
  if (!Object.values(credentials).every((value) => /^[\x21-\x7e]+$/.test(value))) {
    throw new BadInput(
      "Expected credentials of printable characters without spaces; one of them has others, such as a line break.",
    );
  }
  return credentials;
}

function readTargets(path: string): Selection[] {
  let targets: unknown;
  try {
    // Some editors write a byte order mark at the beginning.
    targets = JSON.parse(readFileSync(path, "utf8").replace(/^\ufeff/, ""));
  } catch (thrown) {
    throw new BadInput(`--targets: expected a file with a JSON list: ${(thrown as Error).message}.`);
  }
  if (!Array.isArray(targets)) throw new BadInput(`--targets: expected a JSON list in ${path}.`);
  if (targets.length === 0) throw new BadInput(`--targets: expected at least one selection in ${path}, got none.`);
  const wrong = targets.findIndex((entry) => !isObject(entry) || typeof entry.kind !== "string");
  if (wrong < 0) return targets;
  throw new BadInput(
    `--targets: expected selections such as {"kind":"snapshot","tags":{"app":"shop"}} in ${path}; targets[${wrong}] is none.`,
  );
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1_000_000) return value;
  throw new BadInput(`--${name}: expected a whole number from 1, got ${JSON.stringify(text)}.`);
}
