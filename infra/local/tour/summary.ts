import type { LocalSite } from "../site/local-site.ts";
import { missingFromTopic, type ResultRecord, summarizeRecord } from "../site/records.ts";
import { findRequestedSnapshots, markerOf, normalizeStatus, resourceIdOf } from "../site/sample-inventory.ts";
import type { SnapshotWatcher } from "../site/watch.ts";
import type { Screen } from "../terminal/screen.ts";
import { formatTable, wrapText } from "../terminal/table.ts";
import { countOf, type Problem, type StepResult } from "./step.ts";

/** What the steps of the tour left in the embedded cloud and in the logging topic. */
export interface Measurement {
  /** The number of requests and events for which a function wrote a record about the creation of a snapshot, with every repetition. */
  deliveries: number;
  /** The number of new snapshots that have the same labels as another new snapshot of the same resource. */
  duplicates: number;
  /** The number of result records that the functions wrote. */
  records: number;
  /** The failed checks that concern the whole run. */
  problems: Problem[];
}

/** Measures what the steps left. `ids` are the ids of the snapshots that the steps created. */
export function measureRun(ids: readonly string[], localSite: LocalSite, watch: SnapshotWatcher): Measurement {
  const { cloud, inventory, records } = localSite;
  const nameOf = (id: string) => watch.get(id)?.name || id;
  const requests = findRequestedSnapshots(cloud)
    .filter(({ id }) => ids.includes(id))
    .map((snapshot) => JSON.stringify([snapshot.kind, resourceIdOf(snapshot), markerOf(snapshot)]));
  const duplicates = requests.length - new Set(requests).size;
  const unavailable = ids.filter((id) => normalizeStatus(watch.get(id)?.status ?? "") !== "available");
  const isRecorded = (id: string) =>
    records.some(({ snapshot_id, outcome }) => snapshot_id === id && outcome === "accepted");
  const problems = [
    ...unavailable.map((id) => ({
      expected: `the status available for the snapshot ${nameOf(id)}`,
      got: watch.get(id)?.status ?? "no snapshot",
    })),
    ...ids
      .filter((id) => !isRecorded(id))
      .map((id) => ({ expected: `a result record with the outcome accepted for ${nameOf(id)}`, got: "none" })),
    ...missingFromTopic(records, cloud).map((record) => ({
      expected: `this result record in the logging topic: ${summarizeRecord(record, inventory.nameOf)}`,
      got: "none",
    })),
    ...(duplicates === 0 ? [] : [{ expected: "no duplicate snapshot", got: String(duplicates) }]),
  ];
  const deliveries = new Set(records.flatMap(({ action, request_id }) => (action === "create" ? request_id : []))).size;
  return { deliveries, duplicates, records: records.length, problems };
}

/** Prints which guarantees the run demonstrated, and how. */
export function printGuarantees(
  results: readonly StepResult[],
  ids: readonly string[],
  { deliveries, duplicates, records }: Measurement,
  { line, style, width }: Screen,
): void {
  const repeats = results.reduce((sum, { repeats: count = 0 }) => sum + count, 0);
  const guarantees = [
    {
      name: "No duplicates",
      how: `${deliveries - repeats} different requests and events, delivered ${deliveries} times in all, created ${countOf(ids.length, "snapshot")} and ${countOf(duplicates, "duplicate")}.`,
    },
    { name: "Available", how: `All ${ids.length} new snapshots became available.` },
    ...results.flatMap(({ guarantee }) => guarantee ?? []),
    { name: "Recorded", how: `The logging topic received all ${records} result records that the functions wrote.` },
  ];
  const verdict = `All ${results.length} steps passed. The cloud and the logging topic show these results:`;
  for (const part of wrapText(verdict, width)) line(style.good(part));
  for (const { name, how } of guarantees) {
    const [first = "", ...rest] = wrapText(how, width - INDENT.length);
    line(`  ${style.bold(name.padEnd(INDENT.length - 2))}${first}`);
    for (const text of rest) line(INDENT + text);
  }
}

const INDENT = " ".repeat(17);

/** Prints a table of the snapshots that the steps created. */
export function printSnapshots(
  ids: readonly string[],
  { inventory, records }: LocalSite,
  watch: SnapshotWatcher,
  { line, style, width }: Screen,
): void {
  const triggerOf = (id: string) =>
    records.find(({ snapshot_id, action }: ResultRecord) => snapshot_id === id && action === "create")?.trigger;
  const rows = ids.map((id) => {
    const seen = watch.get(id);
    const resource = inventory.nameOf(seen?.resourceId ?? "");
    const seconds = seen?.seconds.toFixed(1) ?? "";
    return [seen?.kind ?? "?", resource, seen?.name ?? "", triggerOf(id) ?? "?", seen?.status ?? "not found", seconds];
  });
  const headings = ["kind", "resource", "name", "triggered by", "status", "seconds"];
  const [head = "", ...body] = formatTable(headings, rows, width);
  line();
  line(style.bold(head));
  for (const row of body) line(row);
}
