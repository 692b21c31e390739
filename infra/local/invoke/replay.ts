/** Invokes a built function with a stored trigger event, and prints its result records and its result. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { VARIABLES } from "../../../shared/functiongraph/variables.ts";
import { SERVICE_NAMES } from "../cloud/index.ts";
import { bundlesIn, type Host, type Invocation, type OutputLine, startHost } from "../host/index.ts";
import { DIST_FOLDER, type LocalSite, startLocalSite } from "../site/local-site.ts";
import { parseRecord } from "../site/records.ts";
import {
  findRequestedSnapshots,
  normalizeStatus,
  resourceIdOf,
  type SampleInventory,
} from "../site/sample-inventory.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { formatTable } from "../terminal/table.ts";
import { fillPlaceholders, type PlaceholderValues, placeholdersIn } from "./placeholders.ts";
import { describeCloud, warnBeforeDeletion } from "./real-cloud.ts";

/** The configuration variables that `--real` passes from the environment to the function. */
const SETTINGS: string[] = [...VARIABLES, ...SERVICE_NAMES.map((name) => `${name.toUpperCase()}_ENDPOINT`)];
const CREDENTIALS = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"];

const REAL_TIMEOUT_SECONDS = 900;

const USAGE = `npm run invoke -- <function> <event.json> [--real [--yes]]

Invokes one function with a stored event, and prints its records and its result. On the embedded cloud, also prints the
snapshots that exist afterwards. Sample events: test/events.

  --real   calls the real endpoints instead of the embedded cloud, and prints these endpoints first.
           The function receives these environment variables if they are set:
           ${wrapNames(SETTINGS)}
           ${wrapNames(CREDENTIALS)}
  --yes    allows the function to delete snapshots on the real endpoints. Required for prune-snapshots and for every
           function that makes room for new snapshots, except in a dry run.

The command replaces these placeholders in the event, also in a base64 body and in a user_event:
  {{volume_id}}                   the disk web-1-data, just attached to {{server_id}}   (embedded cloud only)
  {{volume_id_2}}                 the disk archive, which is not attached               (embedded cloud only)
  {{server_id}}                   the server web-1, which has two disks                 (embedded cloud only)
  {{cluster_id}}                  the cluster warehouse                                 (embedded cloud only)
  {{now}}, {{now_ms}}, {{now_s}}  the current time as a UTC string, in epoch milliseconds, and in epoch seconds

Exit code: 0 on success, 1 if the invocation failed or returned an HTTP status of 400 or more, 2 if the arguments are
wrong.`;

type PrintText = (text: string) => void;

/**
 * Runs the command `npm run invoke`.
 *
 * @returns the exit code: 1 if the invocation failed or returned an HTTP status of 400 or more, otherwise 0
 * @throws BadUsage if the arguments are wrong
 */
export async function replay(argv: readonly string[], print: PrintText): Promise<number> {
  const options = { real: { type: "boolean" }, yes: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { values, positionals } = readArguments({ args: [...argv], options, allowPositionals: true });
  if (values.help) {
    print(USAGE);
    return 0;
  }
  const { real = false, yes = false } = values;
  const request = readRequest(positionals, real, yes);
  return request.real ? invokeReal(request, print) : invokeEmbedded(request, print);
}

interface ReplayRequest {
  functionName: string;
  event: unknown;
  real: boolean;
  yes: boolean;
}

function readRequest(positionals: readonly string[], real: boolean, yes: boolean): ReplayRequest {
  const [functionName, path, ...more] = positionals;
  if (!functionName || !path || more.length > 0) {
    throw new BadUsage(`expected a function and an event file, got ${positionals.join(" ") || "no arguments"}`);
  }
  const functions = bundlesIn(DIST_FOLDER);
  if (functions.length === 0) throw new Error(`No built function in ${DIST_FOLDER}. Run "npm run build" first.`);
  if (!functions.includes(functionName)) {
    throw new BadUsage(`expected the name of a function, got "${functionName}"`);
  }
  return { functionName, event: readEvent(path, real), real, yes };
}

function readEvent(given: string, real: boolean): unknown {
  // npm runs scripts in the package folder. INIT_CWD is the folder in which the user called npm.
  const path = [given, resolve(process.env.INIT_CWD ?? "", given)].find((candidate) => existsSync(candidate));
  if (!path) throw new BadUsage(`expected an event file, but ${given} does not exist`);
  if (!statSync(path).isFile()) throw new BadUsage(`expected an event file, but ${given} is not a file`);
  let event: unknown;
  try {
    event = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new BadUsage(`expected JSON in ${path}: ${(error as Error).message}`);
  }
  const known = Object.keys(real ? timeValues() : { ...timeValues(), ...embeddedValues() });
  const unknown = placeholdersIn(event).filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    const names = (list: readonly string[]) => list.map((name) => `{{${name}}}`).join(", ");
    const where = real ? "with --real" : "on the embedded cloud";
    throw new BadUsage(`expected only the placeholders ${names(known)} ${where}, got ${names(unknown)} in ${path}`);
  }
  return event;
}

function timeValues(): PlaceholderValues {
  const now = new Date();
  const now_ms = now.getTime();
  return { now: `${now.toISOString().slice(0, 19)}Z`, now_ms, now_s: Math.floor(now_ms / 1000) };
}

function embeddedValues(inventory?: SampleInventory): PlaceholderValues {
  return {
    volume_id: inventory?.webData ?? "",
    volume_id_2: inventory?.archive ?? "",
    server_id: inventory?.web ?? "",
    cluster_id: inventory?.idOf("warehouse") ?? "",
  };
}

async function invokeEmbedded({ functionName, event }: ReplayRequest, print: PrintText): Promise<number> {
  const localSite = await startLocalSite({ onLine: (line) => printLine(line, print) });
  try {
    printTable(
      print,
      "Resources of the embedded cloud",
      ["type", "name", "id", "attached to"],
      localSite.inventory.resources.map(({ type, name, id, attachedTo }) => [type, name, id, attachedTo]),
    );
    const filled = fillPlaceholders(event, { ...timeValues(), ...embeddedValues(localSite.inventory) });
    const code = await invoke(localSite.host, functionName, filled, print);
    await waitForInvocations(localSite);
    printSnapshots(localSite, print);
    return code;
  } finally {
    await localSite.close();
  }
}

/** Waits until all asynchronous invocations are finished, including invocations that other invocations started. */
async function waitForInvocations({ cloud, host }: LocalSite): Promise<void> {
  let previousCount = -1;
  while (cloud.invocations.length !== previousCount) {
    previousCount = cloud.invocations.length;
    await cloud.idle();
    await host.idle();
  }
}

async function invokeReal({ functionName, event: stored, yes }: ReplayRequest, print: PrintText): Promise<number> {
  const settings = readVariables(SETTINGS);
  const credentials = readVariables(CREDENTIALS);
  const key = credentials.HUAWEICLOUD_SDK_AK
    ? "the access key in HUAWEICLOUD_SDK_AK"
    : "no access key (HUAWEICLOUD_SDK_AK is not set)";
  for (const line of describeCloud(functionName, settings, key)) print(line);
  const event = fillPlaceholders(stored, timeValues());
  const warning = warnBeforeDeletion(functionName, event, settings);
  if (warning !== undefined && !yes) throw new BadUsage(warning);
  const host = await startHost({
    dist: DIST_FOLDER,
    functions: [functionName],
    userData: settings,
    environment: credentials,
    credentials: {},
    projectId: settings.PROJECT_ID ?? "",
    timeoutSeconds: REAL_TIMEOUT_SECONDS,
    onLine: (line) => printLine(line, print),
  });
  try {
    return await invoke(host, functionName, event, print);
  } finally {
    await host.close();
  }
}

function readVariables(names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, process.env[name] ?? ""] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== ""));
}

async function invoke(host: Host, functionName: string, event: unknown, print: PrintText): Promise<number> {
  print("Records");
  const invocation = await host.invoke(functionName, event);
  print("");
  return printResult(invocation, print);
}

function printLine({ text, stream }: OutputLine, print: PrintText): void {
  print(parseRecord(text) ? `  ${text}` : `  ${stream}: ${text}`);
}

/** Prints the result and returns the exit code. An HTTP status of 400 or more counts as a failure. */
function printResult({ result, error, durationMs }: Invocation, print: PrintText): number {
  if (error) {
    print(`Failed after ${durationMs} ms: ${error.errorType}\n  ${indentLines(formatJson(error.errorMessage))}\n`);
    return 1;
  }
  const response = result as { statusCode?: unknown; headers?: object; body?: unknown } | null;
  if (typeof response?.statusCode !== "number" || typeof response.body !== "string") {
    print(`Result after ${durationMs} ms\n  ${indentLines(JSON.stringify(result, null, 2))}\n`);
    return 0;
  }
  const headers = Object.entries(response.headers ?? {}).map(([name, value]) => `  ${name}: ${value}\n`);
  print(
    `HTTP ${response.statusCode} after ${durationMs} ms\n${headers.join("")}\n  ${indentLines(formatJson(response.body))}\n`,
  );
  return response.statusCode < 400 ? 0 : 1;
}

function printSnapshots({ cloud, inventory }: LocalSite, print: PrintText): void {
  const rows = findRequestedSnapshots(cloud).map((snapshot) => [
    snapshot.kind,
    inventory.nameOf(resourceIdOf(snapshot)),
    snapshot.name,
    snapshot.id,
    normalizeStatus(snapshot.status),
  ]);
  if (rows.length === 0) print("The embedded cloud contains no snapshot.");
  else
    printTable(print, "Snapshots in the embedded cloud", ["kind", "resource", "name", "snapshot id", "status"], rows);
}

function printTable(print: PrintText, title: string, headings: string[], rows: string[][]): void {
  print(title);
  for (const line of formatTable(headings, rows)) print(`  ${line}`);
  print("");
}

/** Formats JSON with line breaks and indentation. Returns text that is not JSON unchanged. */
function formatJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function indentLines(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

function wrapNames(names: readonly string[]): string {
  const lines: string[] = [];
  for (let from = 0; from < names.length; from += 4) lines.push(names.slice(from, from + 4).join(", "));
  return lines.join(",\n           ");
}
