import type { Line } from "../host/index.ts";
import { missingFromTopic, parseRecord, type ResultRecord, summarise } from "../site/records.ts";
import { plainStatus } from "../site/sample-inventory.ts";
import { type LocalSite, startSite } from "../site/site.ts";
import { type Watch, watchSnapshots } from "../site/watch.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatTable } from "../terminal/table.ts";
import { tourSteps } from "./steps.ts";

/** Short, and different by kind, so that one can be seen after the other. */
const CREATION_MS = { snapshot: 800, "standard-snapshot": 1200, "snapshot-group": 1600, "cluster-snapshot": 2000 };
/** Past it a snapshot counts as stuck. */
const PATIENCE_MS = 30_000;

export interface Tour {
  site: LocalSite;
  /** What was not as it should be at the end; empty: every snapshot is available and every record was delivered. */
  missing: string[];
  close(): Promise<void>;
}

/** Starts everything, goes through the steps, waits for the snapshots, and sums up. */
export async function runTour(screen: Screen, dist?: string): Promise<Tour> {
  const { style } = screen;
  const records: ResultRecord[] = [];
  /** Kept back while a step is under way, so that its own line comes first; undefined: print at once. */
  let held: string[] | undefined;
  let site: LocalSite | undefined;

  const print = (text: string) => (held ? held.push(text) : screen.line(text));
  const onLine = (line: Line) => {
    const record = parseRecord(line.text);
    if (!record) return void print(style.dim(`     ${line.function}: ${line.text.slice(0, 200)}`));
    records.push(record);
    // The record of the run says nothing here that the target's has not said.
    if (record.action === "run") return;
    print(style.dim(`     record  ${summarise(record, (id) => site?.estate.nameOf(id) ?? id)}`));
  };

  const running = await startSite({ creationMs: CREATION_MS, onLine, ...(dist ? { dist } : {}) });
  site = running;
  const { cloud, estate } = running;
  describeEstate(running, screen);

  let touring = true;
  let doing = "";
  const started = performance.now();
  const watch = watchSnapshots(
    cloud,
    ({ name, status, seconds, resourceId, kind }) => {
      // That it is creating is what the step's own line says; on a terminal the updated line and the table say the rest.
      if (touring && (screen.terminal || status === "creating")) return;
      const took = status === "creating" ? "" : `after ${seconds.toFixed(1)} s`;
      const text = `     ${status}  ${name || kind} of ${estate.nameOf(resourceId)}  ${took}`.trimEnd();
      print(style.dim(text));
    },
    () => {
      if (!touring) return;
      const elapsed = ((performance.now() - started) / 1000).toFixed(1);
      screen.update(`     ${[doing, watch.counts()].filter(Boolean).join("  ")}  ${elapsed} s`);
    },
  );

  const missing: string[] = [];
  const ids: string[] = [];
  for (const [index, step] of tourSteps(running).entries()) {
    if (step.settled) await watch.settled(ids, PATIENCE_MS);
    held = [];
    doing = `${step.title} ${step.about}`;
    const { said, snapshotIds, problems } = await step.run(running).catch((error: Error) => ({
      said: error.message,
      snapshotIds: [],
      problems: [error.message],
    }));
    const mark = problems.length === 0 ? style.good("ok") : style.bad("NO");
    screen.line(`  ${index + 1}  ${step.title.padEnd(30)} ${step.about.padEnd(11)} ${said}  ${mark}`);
    for (const text of held) screen.line(text);
    held = undefined;
    doing = "";
    ids.push(...snapshotIds);
    missing.push(...problems.map((problem) => `${step.title} ${step.about}: ${problem}`));
  }
  await cloud.idle();
  await running.host.idle();

  await watch.settled(ids, PATIENCE_MS);
  touring = false;
  screen.update("");
  showTable(ids, running, watch, records, screen);
  missing.push(...findMissing(ids, running, watch, records));
  showVerdict(missing, ids.length, records.length, screen);

  return {
    site: running,
    missing,
    async close() {
      watch.stop();
      await running.close();
    },
  };
}

function describeEstate({ estate, host }: LocalSite, { line, style }: Screen): void {
  const all = (what: string) => estate.lines.filter((entry) => entry.what === what);
  const disksOf = (name: string) =>
    all("disk")
      .filter(({ attachedTo }) => attachedTo === name)
      .map((disk) => disk.name)
      .join(", ");
  const counts = `${all("server").length} servers, ${all("disk").length} disks, ${all("cluster").length} cluster`;
  line(style.bold(`${host.functions.length} functions and an estate: ${counts}`));
  for (const { name } of all("server")) line(style.dim(`     ${name}: ${disksOf(name)}`));
  line(style.dim(`     not attached: ${disksOf("-")}; cluster: ${all("cluster")[0]?.name}`));
  line();
}

function showTable(
  ids: readonly string[],
  { estate }: LocalSite,
  watch: Watch,
  records: readonly ResultRecord[],
  { line, style }: Screen,
): void {
  const rows = ids.map((id) => {
    const seen = watch.get(id);
    const trigger = records.find(({ snapshot_id, action }) => snapshot_id === id && action === "create")?.trigger;
    const resource = estate.nameOf(seen?.resourceId ?? "");
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

/** Every snapshot that is not available, every record that the topic did not get, every snapshot without a record. */
function findMissing(
  ids: readonly string[],
  site: LocalSite,
  watch: Watch,
  records: readonly ResultRecord[],
): string[] {
  const { cloud, estate } = site;
  const nameOf = (id: string) => watch.get(id)?.name || id;
  const unavailable = ids.filter((id) => plainStatus(watch.get(id)?.status ?? "") !== "available");
  const unrecorded = ids.filter(
    (id) => !records.some(({ snapshot_id, outcome }) => snapshot_id === id && outcome === "accepted"),
  );
  return [
    ...unavailable.map((id) => `${nameOf(id)} is ${watch.get(id)?.status ?? "not there"}, not available`),
    ...unrecorded.map((id) => `${nameOf(id)} has no result record`),
    ...missingFromTopic(records, cloud).map(
      (record) => `not in the logging topic: ${summarise(record, estate.nameOf)}`,
    ),
  ];
}

function showVerdict(missing: readonly string[], snapshots: number, records: number, { line, style }: Screen): void {
  if (missing.length === 0) {
    line(style.good(`${snapshots} snapshots available, all ${records} records in the logging topic`));
    return;
  }
  line(style.bad("Not as it should be:"));
  for (const text of missing) line(`  - ${text}`);
}
