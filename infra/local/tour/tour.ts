import type { OutputLine } from "../host/index.ts";
import { type LocalSite, startLocalSite } from "../site/local-site.ts";
import { missingFromTopic, parseRecord, type ResultRecord, summarizeRecord } from "../site/records.ts";
import { normalizeStatus } from "../site/sample-inventory.ts";
import { type SnapshotWatcher, watchSnapshots } from "../site/watch.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatTable } from "../terminal/table.ts";
import { createTourSteps } from "./steps.ts";

/**
 * How long the embedded cloud takes to create a snapshot of each kind, in milliseconds. The durations differ, so a user can see
 * the progress.
 */
const CREATION_MS = { snapshot: 800, "standard-snapshot": 1200, "snapshot-group": 1600, "cluster-snapshot": 2000 };
/** The maximum time that the tour waits for snapshots to finish, in milliseconds. */
const MAX_WAIT_MS = 30_000;

export interface Tour {
  localSite: LocalSite;
  /** One message for each failed check. Empty if every snapshot is available and the logging topic received every record. */
  problems: string[];
  close(): Promise<void>;
}

/** Starts the local site, runs the steps of the tour, waits until the snapshots are finished, and prints a summary. */
export async function runTour(screen: Screen, dist?: string): Promise<Tour> {
  const { style } = screen;
  const records: ResultRecord[] = [];
  /** The lines to print after the line of the current step. Undefined while no step is running. */
  let delayedLines: string[] | undefined;
  let localSite: LocalSite | undefined;

  const print = (text: string) => (delayedLines ? delayedLines.push(text) : screen.line(text));
  const onLine = (line: OutputLine) => {
    const record = parseRecord(line.text);
    if (!record) return void print(style.dim(`     ${line.function}: ${line.text.slice(0, 200)}`));
    records.push(record);
    // Do not print the record of a whole run, because the records of its snapshots contain the same information.
    if (record.action === "run") return;
    print(style.dim(`     record  ${summarizeRecord(record, (id) => localSite?.inventory.nameOf(id) ?? id)}`));
  };

  const running = await startLocalSite({ creationMs: CREATION_MS, onLine, ...(dist ? { dist } : {}) });
  localSite = running;
  const { cloud, inventory } = running;
  printInventory(running, screen);

  let isRunning = true;
  let currentStep = "";
  const started = performance.now();
  const watch = watchSnapshots(
    cloud,
    ({ name, status, seconds, resourceId, kind }) => {
      // While the tour is running, do not print a status that the output already shows. The line of each step says that the
      // snapshot is being created. In a terminal, the progress line shows the number of snapshots by status.
      if (isRunning && (screen.terminal || status === "creating")) return;
      const duration = status === "creating" ? "" : `after ${seconds.toFixed(1)} s`;
      const text = `     ${status}  ${name || kind} of ${inventory.nameOf(resourceId)}  ${duration}`.trimEnd();
      print(style.dim(text));
    },
    () => {
      if (!isRunning) return;
      const elapsed = ((performance.now() - started) / 1000).toFixed(1);
      screen.update(`     ${[currentStep, watch.countByStatus()].filter(Boolean).join("  ")}  ${elapsed} s`);
    },
  );

  const problems: string[] = [];
  const ids: string[] = [];
  for (const [index, step] of createTourSteps(running).entries()) {
    if (step.waitsForSnapshots) await watch.waitUntilSettled(ids, MAX_WAIT_MS);
    delayedLines = [];
    currentStep = `${step.title} ${step.subject}`;
    const result = await step.run(running).catch((error: Error) => ({
      summary: error.message,
      snapshotIds: [],
      problems: [error.message],
    }));
    const mark = result.problems.length === 0 ? style.good("ok") : style.bad("FAILED");
    screen.line(`  ${index + 1}  ${step.title.padEnd(30)} ${step.subject.padEnd(11)} ${result.summary}  ${mark}`);
    for (const text of delayedLines) screen.line(text);
    delayedLines = undefined;
    currentStep = "";
    ids.push(...result.snapshotIds);
    problems.push(...result.problems.map((problem) => `${step.title} ${step.subject}: ${problem}`));
  }
  await cloud.idle();
  await running.host.idle();

  await watch.waitUntilSettled(ids, MAX_WAIT_MS);
  isRunning = false;
  screen.update("");
  printTable(ids, running, watch, records, screen);
  problems.push(...findProblems(ids, running, watch, records));
  printVerdict(problems, ids.length, records.length, screen);

  return {
    localSite: running,
    problems,
    async close() {
      watch.stop();
      await running.close();
    },
  };
}

function printInventory({ inventory, host }: LocalSite, { line, style }: Screen): void {
  const all = (type: string) => inventory.resources.filter((resource) => resource.type === type);
  const disksOf = (name: string) =>
    all("disk")
      .filter(({ attachedTo }) => attachedTo === name)
      .map((disk) => disk.name)
      .join(", ");
  const counts = `${all("server").length} servers, ${all("disk").length} disks, ${all("cluster").length} cluster`;
  line(style.bold(`${host.functions.length} functions and sample resources: ${counts}`));
  for (const { name } of all("server")) line(style.dim(`     ${name}: ${disksOf(name)}`));
  line(style.dim(`     not attached: ${disksOf("-")}; cluster: ${all("cluster")[0]?.name}`));
  line();
}

function printTable(
  ids: readonly string[],
  { inventory }: LocalSite,
  watch: SnapshotWatcher,
  records: readonly ResultRecord[],
  { line, style }: Screen,
): void {
  const rows = ids.map((id) => {
    const seen = watch.get(id);
    const trigger = records.find(({ snapshot_id, action }) => snapshot_id === id && action === "create")?.trigger;
    const resource = inventory.nameOf(seen?.resourceId ?? "");
    return [
      seen?.kind ?? "?",
      resource,
      seen?.name ?? "",
      id,
      trigger ?? "?",
      seen?.status ?? "not found",
      seen?.seconds.toFixed(1) ?? "",
    ];
  });
  const headings = ["kind", "resource", "name", "snapshot id", "triggered by", "status", "seconds"];
  const [head = "", ...body] = formatTable(headings, rows);
  line();
  line(style.bold(head));
  for (const row of body) line(row);
  line();
}

/**
 * Returns a message for each snapshot that is not available or has no result record, and for each record that the logging topic
 * did not receive.
 */
function findProblems(
  ids: readonly string[],
  localSite: LocalSite,
  watch: SnapshotWatcher,
  records: readonly ResultRecord[],
): string[] {
  const { cloud, inventory } = localSite;
  const nameOf = (id: string) => watch.get(id)?.name || id;
  const unavailable = ids.filter((id) => normalizeStatus(watch.get(id)?.status ?? "") !== "available");
  const unrecorded = ids.filter(
    (id) => !records.some(({ snapshot_id, outcome }) => snapshot_id === id && outcome === "accepted"),
  );
  return [
    ...unavailable.map(
      (id) => `${nameOf(id)}: expected the status available, got ${watch.get(id)?.status ?? "no snapshot"}`,
    ),
    ...unrecorded.map((id) => `${nameOf(id)}: expected a result record with the outcome accepted, got none`),
    ...missingFromTopic(records, cloud).map(
      (record) => `the logging topic did not receive this result record: ${summarizeRecord(record, inventory.nameOf)}`,
    ),
  ];
}

function printVerdict(problems: readonly string[], snapshots: number, records: number, { line, style }: Screen): void {
  if (problems.length === 0) {
    line(
      style.good(`${snapshots} snapshots are available, and the logging topic received all ${records} result records`),
    );
    return;
  }
  line(style.bad("Problems:"));
  for (const text of problems) line(`  - ${text}`);
}
