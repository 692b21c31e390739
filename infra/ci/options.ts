import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Credentials } from "./call.ts";

export interface Options {
  url: URL;
  credentials: Credentials;
  /** What the gate is asked, beside how long it is to wait. */
  request: {
    deployment_id: string;
    targets: unknown[];
    policy?: string;
    max_age_minutes?: number;
  };
  retryFailed: boolean;
  timeoutSeconds: number;
}

/** The caller's mistake: nothing was asked of the gate, or it will never answer otherwise. */
export class BadInput extends Error {}

export const USAGE = `node snapshot-gate.cjs --deployment-id <id> --targets <file.json> [options]

Takes a snapshot of every target and waits until each of them is available. Asked again with the same id it takes none
twice.

  --url <address>           of the API, such as https://gate.example.com/pre-deploy
  --deployment-id <id>      what makes it this deployment: at most 128 characters
  --targets <file.json>     a list: [{"kind":"snapshot","tags":{"app":"shop"}}]
  --timeout-seconds <n>     how long to wait for all of it; default 1800
  --policy <name>           what the snapshots are marked with, for prune-snapshots; default pre-deploy
  --max-age-minutes <n>     an id whose snapshots are older is refused; default 1440
  --retry-failed            take again what failed the last time
  --help                    this text; alone

Each can also be set as a variable: SNAPSHOT_GATE_URL, SNAPSHOT_GATE_TIMEOUT_SECONDS, ...

Credentials, from variables only: SNAPSHOT_GATE_APP_CODE (the code of an application of the gateway), or
HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (and HUAWEICLOUD_SDK_SECURITY_TOKEN), which sign.

Ends with 0: every snapshot is available. 1: one failed, the deployment must not go on. 2: not ready in time.
3: called in the wrong way.`;

const OPTIONS = {
  url: { type: "string" },
  "deployment-id": { type: "string" },
  targets: { type: "string" },
  "timeout-seconds": { type: "string" },
  policy: { type: "string" },
  "max-age-minutes": { type: "string" },
  "retry-failed": { type: "boolean" },
} as const;

type Environment = Record<string, string | undefined>;

/** Reads arguments and variables. Throws BadInput. */
export function readOptions(argv: readonly string[], environment: Environment): Options {
  const values = parse(argv);
  const given = (name: keyof typeof OPTIONS): string | undefined => {
    const value = values[name] ?? environment[`SNAPSHOT_GATE_${name.toUpperCase().replaceAll("-", "_")}`];
    return value === undefined || value === "" ? undefined : String(value);
  };
  const needed = (name: keyof typeof OPTIONS): string => {
    const value = given(name);
    if (value === undefined) throw new BadInput(`Expected --${name}; it is not given.`);
    return value;
  };
  const policy = given("policy");
  const maxAge = given("max-age-minutes");
  return {
    url: readUrl(needed("url")),
    credentials: readCredentials(environment),
    request: {
      deployment_id: readId(needed("deployment-id")),
      targets: readTargets(needed("targets")),
      ...(policy === undefined ? {} : { policy }),
      ...(maxAge === undefined ? {} : { max_age_minutes: readNumber("max-age-minutes", maxAge) }),
    },
    retryFailed: readYes("retry-failed", given("retry-failed") ?? "false"),
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
    // Said below.
  }
  // An app code goes along in clear.
  const allowed = url?.protocol === "https:" || (url?.protocol === "http:" && LOOPBACK.test(url.hostname));
  if (url === undefined || !allowed || url.username !== "" || url.password !== "" || url.search !== "") {
    throw new BadInput(
      "--url: expected an address such as https://gate.example.com/pre-deploy, with https and no more than a path.",
    );
  }
  return url;
}

/** An id of parts, one of which the pipeline left empty or did not put in, would be the same at every deployment. */
function readId(id: string): string {
  if (/^-|-$|\$\{/.test(id) || id.length > 128) {
    throw new BadInput(
      `--deployment-id: expected at most 128 characters, none of its parts empty or left as \${...}; got ${JSON.stringify(id)}.`,
    );
  }
  return id;
}

function readYes(name: string, text: string): boolean {
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
  // A secret that was pasted with its line break.
  if (!Object.values(credentials).every((value) => /^[\x21-\x7e]+$/.test(value))) {
    throw new BadInput(
      "Expected credentials of printable characters without spaces; one of them has others, such as a line break.",
    );
  }
  return credentials;
}

function readTargets(path: string): unknown[] {
  let targets: unknown;
  try {
    targets = JSON.parse(readFileSync(path, "utf8"));
  } catch (thrown) {
    throw new BadInput(`--targets: expected a file with a JSON list: ${(thrown as Error).message}.`);
  }
  // What is in it is for the gate to judge.
  if (!Array.isArray(targets)) throw new BadInput(`--targets: expected a JSON list in ${path}.`);
  return targets;
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= 1_000_000) return value;
  throw new BadInput(`--${name}: expected a whole number from 1, got ${JSON.stringify(text)}.`);
}
