/** Invokes a built function with a stored event, a policy or a request body, and reports what the function did. */

import { nodeRuntime } from "../../../shared/middleware/runtime.ts";
import type { Cloud } from "../../../shared/snapshots/ports.ts";
import { type Host, type OutputLine, startHost } from "../host/index.ts";
import { environmentOf } from "../site/addresses.ts";
import { DIST_FOLDER, type LocalSite, startLocalSite } from "../site/local-site.ts";
import { parseRecord, type ResultRecord } from "../site/records.ts";
import type { SampleInventory } from "../site/sample-inventory.ts";
import { BadUsage } from "../terminal/arguments.ts";
import type { Screen } from "../terminal/screen.ts";
import { fillPlaceholders, type PlaceholderValues } from "./placeholders.ts";
import {
  CREDENTIALS,
  describeCloud,
  describeEnvFile,
  readVariables,
  SETTINGS,
  warnBeforeDeletion,
} from "./real-cloud.ts";
import { exitCodeOf, type InvokeReport, printReport } from "./report.ts";
import { type ReplayRequest, readRequest, timeValues } from "./request.ts";
import { describeSettings, type StoredEvent, toEvent } from "./stored-event.ts";
import { USAGE } from "./usage.ts";
import { connect, createdSnapshots, type WaitResult, waitForSnapshots } from "./wait.ts";

const REAL_TIMEOUT_SECONDS = 900;

/** Where the command prints: `out` is stdout, `err` is stderr. */
export interface Outputs {
  out: Screen;
  err: Screen;
}

/**
 * Runs the command `npm run invoke`.
 *
 * @returns the exit code: 1 if the invocation or a snapshot failed, or if the HTTP status is 400 or more, otherwise 0
 * @throws BadUsage if the arguments are wrong
 */
export async function replay(argv: readonly string[], outputs: Outputs): Promise<number> {
  const request = readRequest(argv);
  if (request === undefined) {
    outputs.out.line(USAGE);
    return 0;
  }
  return request.real ? invokeReal(request, outputs) : invokeEmbedded(request, outputs);
}

async function invokeEmbedded(request: ReplayRequest, outputs: Outputs): Promise<number> {
  const output = collectOutput(request, outputs);
  output.progress("Starting the embedded cloud");
  const localSite = await startLocalSite({ history: true, onLine: output.onLine });
  try {
    const { host, inventory } = localSite;
    const storedEvent = readEvent(request, { ...timeValues(), ...resourceValues(inventory) });
    return await invoke(request, storedEvent, outputs, output, {
      host,
      place: "on the embedded cloud with 60 days of sample snapshots",
      nameOf: inventory.nameOf,
      connectCloud: () => connect(environmentOf(localSite.cloud), environmentOf(localSite.cloud)),
      finish: () => waitForInvocations(localSite),
      countChanges: () => localSite.cloud.count(/\.(create|delete)/),
    });
  } finally {
    await localSite.close();
  }
}

async function invokeReal(request: ReplayRequest, outputs: Outputs): Promise<number> {
  const { functionName, envFile, yes, json } = request;
  const output = collectOutput(request, outputs);
  const settings = readVariables(SETTINGS, envFile);
  const credentials = readVariables(CREDENTIALS, envFile);
  const screen = json ? outputs.err : outputs.out;
  for (const line of describeCloud(functionName, settings, credentials)) screen.line(line);
  for (const line of describeEnvFile(envFile)) screen.line(line);
  screen.line();
  const storedEvent = readEvent(request, timeValues());
  const warning = warnBeforeDeletion(functionName, storedEvent.event, settings);
  if (warning !== undefined && !yes) throw new BadUsage(warning);
  const host = await startHost({
    dist: DIST_FOLDER,
    functions: [functionName],
    userData: settings,
    environment: credentials,
    credentials: {},
    projectId: settings.PROJECT_ID ?? "",
    timeoutSeconds: REAL_TIMEOUT_SECONDS,
    onLine: output.onLine,
  });
  try {
    return await invoke(request, storedEvent, outputs, output, {
      host,
      place: "on the endpoints above",
      nameOf: (id) => id,
      connectCloud: () => connect(settings, credentials),
      finish: async () => {},
    });
  } finally {
    await host.close();
  }
}

/** The host that runs the function, and what the report says about its surroundings. */
interface Surroundings extends Pick<InvokeReport, "place" | "nameOf"> {
  host: Host;
  connectCloud(): Cloud;
  /** Waits until the invocations that the function started have ended. */
  finish(): Promise<void>;
  /** Returns the number of create and delete requests that the embedded cloud received. Absent with `--real`. */
  countChanges?(): number;
}

async function invoke(
  request: ReplayRequest,
  { event, note }: StoredEvent,
  outputs: Outputs,
  { records, otherLines, progress }: CollectedOutput,
  { host, place, nameOf, connectCloud, finish, countChanges }: Surroundings,
): Promise<number> {
  const { functionName, json } = request;
  progress(`Running ${functionName}`);
  const invocation = await host.invoke(functionName, event);
  await finish();
  if (json) outputs.out.line(JSON.stringify(invocation.error ?? invocation.result ?? null));
  const wait = request.wait ? await waitFor(records, connectCloud, progress) : undefined;
  progress("");
  const changes = countChanges?.();
  const settings = describeSettings(functionName, event);
  const report: InvokeReport = {
    invocation,
    records,
    otherLines,
    place,
    nameOf,
    ...(changes === undefined ? {} : { changes }),
    ...(settings === undefined ? {} : { settings }),
    ...(note === undefined ? {} : { note }),
    ...(wait === undefined ? {} : { wait }),
  };
  if (!json) printReport(report, outputs.out);
  else if (exitCodeOf(report) !== 0) printReport({ ...report, records: [] }, outputs.err);
  return exitCodeOf(report);
}

/** Waits until the snapshots in the records have ended. Returns undefined if there is no snapshot to wait for. */
async function waitFor(
  records: readonly ResultRecord[],
  connectCloud: () => Cloud,
  progress: (text: string) => void,
): Promise<WaitResult | undefined> {
  const created = createdSnapshots(records);
  if (created.length === 0) return undefined;
  return waitForSnapshots(created, connectCloud(), {
    time: nodeRuntime().time,
    onPoll(snapshots, seconds) {
      const available = snapshots.filter(({ state }) => state === "available").length;
      progress(`Waiting: ${available} of ${snapshots.length} snapshots are available after ${Math.round(seconds)} s`);
    },
  });
}

interface CollectedOutput {
  records: ResultRecord[];
  otherLines: OutputLine[];
  onLine(line: OutputLine): void;
  /** Shows a progress line in a terminal. */
  progress(text: string): void;
}

/** Collects the lines that the functions print. With `--json`, also prints the records on stdout, and other lines on stderr. */
function collectOutput({ json }: ReplayRequest, { out, err }: Outputs): CollectedOutput {
  const records: ResultRecord[] = [];
  const otherLines: OutputLine[] = [];
  let title = "";
  const progress = (text: string) => {
    title = text;
    (json ? err : out).update(text);
  };
  return {
    records,
    otherLines,
    progress,
    onLine(line) {
      const record = line.stream === "stdout" ? parseRecord(line.text) : undefined;
      if (record === undefined) otherLines.push(line);
      else records.push(record);
      if (!json) out.update(records.length === 0 ? title : `${title}: ${records.length} records`);
      else if (record === undefined) err.line(line.text);
      else out.line(line.text);
    },
  };
}

function readEvent({ functionName, content, path }: ReplayRequest, values: PlaceholderValues): StoredEvent {
  return toEvent(functionName, fillPlaceholders(content, values), path);
}

const resourceValues = (inventory: SampleInventory): PlaceholderValues => ({
  volume_id: inventory.webData,
  volume_id_2: inventory.archive,
  server_id: inventory.web,
  cluster_id: inventory.idOf("warehouse"),
});

/** Waits until all asynchronous invocations are finished, including invocations that other invocations started. */
async function waitForInvocations({ cloud, host }: LocalSite): Promise<void> {
  let previousCount = -1;
  while (cloud.invocations.length !== previousCount) {
    previousCount = cloud.invocations.length;
    await cloud.idle();
    await host.idle();
  }
}
