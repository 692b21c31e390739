/**
 * Describes the endpoints that `npm run invoke -- … --real` is about to call, and decides whether the invocation requires
 * `--yes`.
 */

import { isObject, type JsonObject } from "../../../shared/core/json.ts";
import { readHttp } from "../../../shared/functiongraph/read-http.ts";
import { readTimer } from "../../../shared/functiongraph/read-timer.ts";
import { VARIABLES } from "../../../shared/functiongraph/variables.ts";
import { endpointOf, isLoopback, type Service } from "../../../shared/huaweicloud/http/endpoints.ts";
import { callsOf, loadDefinitions } from "../../definitions.ts";
import { SERVICE_NAMES } from "../cloud/index.ts";

type Settings = Record<string, string>;

/** The configuration variables that `--real` passes from the environment to the function. */
export const SETTINGS: string[] = [...VARIABLES, ...SERVICE_NAMES.map((name) => `${name.toUpperCase()}_ENDPOINT`)];
export const CREDENTIALS = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"];

/**
 * Returns the variables with these names that have a value. A variable of the environment takes precedence over the file after
 * `--env-file`, even if its value is empty.
 */
export function readVariables(names: readonly string[], envFile: Settings): Settings {
  const found = names.map((name) => [name, process.env[name] ?? envFile[name] ?? ""] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== ""));
}

/** The services that the functions call. */
const SERVICES = SERVICE_NAMES.map((name) => name.toUpperCase() as Service);

/** Returns lines for the terminal: the region, the project, and the endpoint of each service that the functions call. */
export function describeCloud(functionName: string, settings: Settings, credentials: Settings): string[] {
  const endpoints = SERVICES.map((service) => ({ service, ...readEndpoint(service, settings) }));
  const isLocal = endpoints.every(({ origin, text }) =>
    origin === undefined ? text === NO_TOPIC : isLoopback(origin),
  );
  const { REGION: region = "(not set)", PROJECT_ID: project = "(not set)" } = settings;
  const keys = credentials.HUAWEICLOUD_SDK_AK
    ? "the access key in HUAWEICLOUD_SDK_AK"
    : "no access key (HUAWEICLOUD_SDK_AK is not set)";
  return [
    `Runs ${functionName} on ${isLocal ? "loopback" : "the REAL cloud"}: region ${region}, project ${project}, with ${keys}.`,
    ...endpoints.map(({ service, origin, text }) => {
      const loopback = origin !== undefined && isLoopback(origin) ? "  loopback" : "";
      return `  ${service.padEnd(14)} ${text}${loopback}`;
    }),
  ];
}

/** Returns lines about the names of the variables in the file after `--env-file`. The values can be secrets, so it omits them. */
export function describeEnvFile(envFile: Settings): string[] {
  const names = Object.keys(envFile);
  const known = [...SETTINGS, ...CREDENTIALS];
  const line = (title: string, list: readonly string[]) => (list.length === 0 ? [] : [`  ${title} ${list.join(", ")}`]);
  return [
    ...line(
      "--env-file sets:",
      names.filter((name) => known.includes(name) && process.env[name] === undefined),
    ),
    ...line(
      "The environment already sets:",
      names.filter((name) => known.includes(name) && process.env[name] !== undefined),
    ),
    ...line(
      "No function reads:",
      names.filter((name) => !known.includes(name)),
    ),
  ];
}

const NO_TOPIC = "not set: records are written to stdout only";

function readEndpoint(service: Service, settings: Settings): { origin?: string; text: string } {
  if (service === "LTS" && settings.LTS_ENDPOINT === undefined) return { text: NO_TOPIC };
  try {
    const origin = endpointOf(service, (name) => settings[name]);
    return { origin, text: origin };
  } catch (thrown) {
    return { text: (thrown as Error).message };
  }
}

/**
 * Returns an error message if an invocation may delete snapshots. Returns undefined if the invocation cannot delete a snapshot.
 * If the function is unknown or the event is unreadable, assumes that the invocation may delete snapshots.
 */
export function warnBeforeDeletion(functionName: string, event: unknown, settings: Settings): string | undefined {
  const warn = (why: string, alternative: string) => `Not run: ${why}. Add --yes to allow this deletion${alternative}.`;
  const orDryRun = ', or set "dry_run": true in the policy to list the snapshots only';
  const makesRoom = (cause: string) =>
    `${cause}, so ${functionName} deletes snapshots of each disk that has no room for a new snapshot`;
  switch (functionName) {
    case "prune-snapshots":
      return isDryRunPolicy(policyOf(event)) ? undefined : warn(`${functionName} deletes snapshots`, orDryRun);
    case "scheduled-snapshots": {
      const policy = policyOf(event);
      if (isDryRunPolicy(policy) || (policy !== undefined && !isSet(policy.make_room))) return undefined;
      return warn(makesRoom('the policy sets "make_room" or cannot be read'), orDryRun);
    }
    case "pre-deploy": {
      const body = bodyOf(event);
      if (body !== undefined && !isSet(body.make_room)) return undefined;
      return warn(
        makesRoom('the request body sets "make_room" or cannot be read'),
        ', or remove "make_room" from the body',
      );
    }
    case "disk-attached":
      if (settings.DISK_ATTACHED_RETENTION === undefined) return undefined;
      return warn(makesRoom("the variable DISK_ATTACHED_RETENTION is set"), ", or unset the variable");
    default:
      return mayCallDelete(functionName) ? warn(`${functionName} may delete snapshots`, "") : undefined;
  }
}

const DEFINITIONS = await loadDefinitions();

/** Returns whether the definition of a function contains a delete call. Returns true if the function is unknown. */
function mayCallDelete(functionName: string): boolean {
  const definition = DEFINITIONS.find(({ name }) => name === functionName);
  return definition === undefined || callsOf(definition, DEFINITIONS).some((call) => /delete/i.test(call));
}

const isDryRunPolicy = (policy: JsonObject | undefined): boolean => policy?.dry_run === true;
const isSet = (value: unknown): boolean => value !== undefined && value !== false;

/** Returns the policy in a timer event, or undefined if the event is unreadable. */
export const policyOf = (event: unknown): JsonObject | undefined => readOrUndefined(() => readTimer(event).body);

/** Returns the body of an API gateway event, or undefined if the event is unreadable. */
const bodyOf = (event: unknown): JsonObject | undefined =>
  readOrUndefined(() => {
    const { body } = readHttp(event as JsonObject);
    return isObject(body) ? body : undefined;
  });

function readOrUndefined<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
