/** Replays a stored trigger event through a built bundle, and tells of it. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { bundlesIn, type Host, type Invocation, type Line, startHost } from "../host/index.ts";
import { parseRecord } from "../site/records.ts";
import { ownSnapshots, plainStatus, resourceOf, type TourEstate } from "../site/sample-inventory.ts";
import { DIST, type LocalSite, startSite } from "../site/site.ts";
import { formatTable } from "../terminal/table.ts";
import { fillPlaceholders, placeholdersIn, type Values } from "./placeholders.ts";
import { describeCloud, mayDelete } from "./real-cloud.ts";

/** What the environment may set for `--real`, passed on by name and nothing else (DESIGN 4.2). */
const SETTINGS = [
  "REGION",
  "PROJECT_ID",
  "EVS_ENDPOINT",
  "DWS_ENDPOINT",
  "ECS_ENDPOINT",
  "FUNCTIONGRAPH_ENDPOINT",
  "LTS_ENDPOINT",
  "LTS_LOG_GROUP_ID",
  "LTS_LOG_STREAM_ID",
  "EVS_LIMITS",
  "HTTP_TIMEOUT_MS",
  "MAX_CONCURRENCY",
  "SHARD_SIZE",
  "DISK_ATTACHED_KIND",
  "DISK_ATTACHED_RETENTION",
];
const CREDENTIALS = ["HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"];

const REAL_TIMEOUT_SECONDS = 900;

const USAGE = `npm run invoke -- <function> <event.json> [--real [--yes]]

Runs one function with a stored event and prints its records, its result and, on the embedded cloud, what is there
afterwards. Samples of events: test/events.

  --real   on the cloud that the environment names, not on the embedded one. Passed to the function, where set:
           ${wrap(SETTINGS)}
           ${wrap(CREDENTIALS)}
           It prints the endpoints first.
  --yes    lets it delete snapshots there: needed by prune-snapshots, and wherever room is made, but for a dry run

In the event these are filled in, inside a base64 body and a user_event too:
  {{volume_id}}                   the disk web-1-data, just attached to {{server_id}}   (embedded cloud only)
  {{volume_id_2}}                 the disk archive, not attached                        (embedded cloud only)
  {{server_id}}                   the server web-1, with two disks                      (embedded cloud only)
  {{cluster_id}}                  the cluster warehouse                                 (embedded cloud only)
  {{now}}, {{now_ms}}, {{now_s}}  the time: UTC text, milliseconds and seconds as numbers

Ends with 0; 1 when the invocation failed or its HTTP answer is 400 or more; 2 when it was called in the wrong way.`;

/** Called in the wrong way. */
export class BadUsage extends Error {}

type Print = (text: string) => void;

/** @returns the exit code: 0; 1 where the invocation failed or its HTTP answer is 400 or more. Throws BadUsage. */
export async function replay(argv: readonly string[], print: Print): Promise<number> {
  if (argv.includes("--help")) {
    print(USAGE);
    return 0;
  }
  const request = readRequest(argv);
  return request.real ? invokeReal(request, print) : invokeEmbedded(request, print);
}

interface Request {
  functionName: string;
  event: unknown;
  real: boolean;
  yes: boolean;
}

function readRequest(argv: readonly string[]): Request {
  const options = argv.filter((argument) => argument.startsWith("--"));
  const unknown = options.filter((option) => option !== "--real" && option !== "--yes");
  if (unknown.length > 0) throw new BadUsage(`expected no option but --real and --yes, got ${unknown.join(" ")}`);
  const [functionName, path, ...more] = argv.filter((argument) => !argument.startsWith("--"));
  if (!functionName || !path || more.length > 0) {
    const got = argv.length > 0 ? argv.join(" ") : "nothing";
    throw new BadUsage(`expected a function and the file of an event, got ${got}`);
  }
  const functions = bundlesIn(DIST);
  if (functions.length === 0) throw new Error(`no function in ${DIST}: run "npm run build" first`);
  if (!functions.includes(functionName)) {
    throw new BadUsage(`expected a function, got "${functionName}"`);
  }
  const real = options.includes("--real");
  return { functionName, event: readEvent(path, real), real, yes: options.includes("--yes") };
}

function readEvent(given: string, real: boolean): unknown {
  // npm runs scripts in the package's folder and tells where it was called from.
  const path = [given, resolve(process.env.INIT_CWD ?? "", given)].find((candidate) => existsSync(candidate));
  if (!path) throw new BadUsage(`expected the file of an event, but there is no ${given}`);
  if (!statSync(path).isFile()) throw new BadUsage(`expected the file of an event, but ${given} is a directory`);
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
    throw new BadUsage(`expected no placeholders but ${names(known)} ${where}, got ${names(unknown)} in ${path}`);
  }
  return event;
}

function timeValues(): Values {
  const now = new Date();
  const now_ms = now.getTime();
  return { now: `${now.toISOString().slice(0, 19)}Z`, now_ms, now_s: Math.floor(now_ms / 1000) };
}

function embeddedValues(estate?: TourEstate): Values {
  return {
    volume_id: estate?.webData ?? "",
    volume_id_2: estate?.archive ?? "",
    server_id: estate?.web ?? "",
    cluster_id: estate?.warehouse ?? "",
  };
}

async function invokeEmbedded({ functionName, event }: Request, print: Print): Promise<number> {
  const site = await startSite({ onLine: (line) => printLine(line, print) });
  try {
    printTable(
      print,
      "The embedded cloud",
      ["", "name", "id", "attached to"],
      site.estate.lines.map(({ what, name, id, attachedTo }) => [what, name, id, attachedTo]),
    );
    const filled = fillPlaceholders(event, { ...timeValues(), ...embeddedValues(site.estate) });
    const code = await invoke(site.host, functionName, filled, print);
    await settled(site);
    printCloud(site, print);
    return code;
  } finally {
    await site.close();
  }
}

/** What the invocation handed on to others may hand on more. */
async function settled({ cloud, host }: LocalSite): Promise<void> {
  let before = -1;
  while (cloud.invocations.length !== before) {
    before = cloud.invocations.length;
    await cloud.idle();
    await host.idle();
  }
}

async function invokeReal({ functionName, event: stored, yes }: Request, print: Print): Promise<number> {
  const settings = fromEnvironment(SETTINGS);
  const credentials = fromEnvironment(CREDENTIALS);
  const key = credentials.HUAWEICLOUD_SDK_AK
    ? "the keys of the environment"
    : "no keys (HUAWEICLOUD_SDK_AK is not set)";
  for (const line of describeCloud(functionName, settings, key)) print(line);
  const event = fillPlaceholders(stored, timeValues());
  const why = mayDelete(functionName, event, settings);
  if (why !== undefined && !yes) throw new BadUsage(why);
  const host = await startHost({
    dist: DIST,
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

function fromEnvironment(names: readonly string[]): Record<string, string> {
  const found = names.map((name) => [name, process.env[name] ?? ""] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== ""));
}

async function invoke(host: Host, functionName: string, event: unknown, print: Print): Promise<number> {
  print("Records");
  const invocation = await host.invoke(functionName, event);
  print("");
  return printResult(invocation, print);
}

function printLine({ text, stream }: Line, print: Print): void {
  print(parseRecord(text) ? `  ${text}` : `  ${stream}: ${text}`);
}

/** The exit code too: an HTTP function answers its errors instead of throwing them (DESIGN 4.3). */
function printResult({ result, error, durationMs }: Invocation, print: Print): number {
  if (error) {
    print(`Failed after ${durationMs} ms: ${error.errorType}\n  ${indent(pretty(error.errorMessage))}\n`);
    return 1;
  }
  const answer = result as { statusCode?: unknown; headers?: object; body?: unknown } | null;
  if (typeof answer?.statusCode !== "number" || typeof answer.body !== "string") {
    print(`Result after ${durationMs} ms\n  ${indent(JSON.stringify(result, null, 2))}\n`);
    return 0;
  }
  const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => `  ${name}: ${value}\n`);
  print(`HTTP ${answer.statusCode} after ${durationMs} ms\n${headers.join("")}\n  ${indent(pretty(answer.body))}\n`);
  return answer.statusCode < 400 ? 0 : 1;
}

function printCloud({ cloud, estate }: LocalSite, print: Print): void {
  const rows = ownSnapshots(cloud).map((snapshot) => [
    snapshot.kind,
    estate.nameOf(resourceOf(snapshot)),
    snapshot.name,
    snapshot.id,
    plainStatus(snapshot.status),
  ]);
  if (rows.length === 0) print("No snapshot in the embedded cloud");
  else
    printTable(print, "In the embedded cloud afterwards", ["kind", "resource", "name", "snapshot id", "status"], rows);
}

function printTable(print: Print, title: string, headings: string[], rows: string[][]): void {
  print(title);
  for (const line of formatTable(headings, rows)) print(`  ${line}`);
  print("");
}

/** JSON laid out to be read; any other text as it is. */
function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function indent(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

function wrap(names: readonly string[]): string {
  const lines: string[] = [];
  for (let from = 0; from < names.length; from += 4) lines.push(names.slice(from, from + 4).join(", "));
  return lines.join(",\n           ");
}
