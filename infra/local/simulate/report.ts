/** Describes the result of a simulation as text. */
import { formatTable } from "../terminal/table.ts";
import { type KindResult, peakOf, type SimulatedPolicy } from "./kinds.ts";
import type { RetainedSnapshot, SimulatedDay, SimulationPlan } from "./simulate.ts";

/** Returns how often a snapshot is created, in words. */
export const describeInterval = ({ everyHours }: Pick<SimulationPlan, "everyHours">): string =>
  `every ${everyHours === 1 ? "hour" : `${everyHours} hours`}`;

export const countSnapshots = (count: number): string => `${count} ${count === 1 ? "snapshot" : "snapshots"}`;

/** Returns the verdict in one sentence: whether the policy fits, and for each kind the peak and the limit. */
export function describeVerdict({ policy }: SimulatedPolicy, results: readonly KindResult[]): string {
  const kinds = results.filter(({ labels }) => labels.length > 0);
  if (kinds.length === 0) {
    return `No limit checked: ${policy} (peak ${results[0]?.peak}; without targets, the kind of its snapshots is unknown)`;
  }
  const verdict = kinds.some(({ failed }) => failed > 0) ? "Does not fit" : "Fits";
  return `${verdict}: ${policy} (${kinds.map(describeKind).join("; ")})`;
}

function describeKind({ labels, limit, makesRoom, days, peak }: KindResult): string {
  // With `make_room`, the peak without a limit says nothing.
  const shownPeak = makesRoom ? peakOf(days) : peak;
  return `${labels.join(", ")}: peak ${shownPeak}, ${limit === undefined ? "no limit" : `limit ${limit}`}${makesRoom ? " with make_room" : ""}`;
}

/** Returns a sentence for each kind whose create requests fail: how many, since when, and what to change. */
export function describeFailures({ retention }: SimulatedPolicy, results: readonly KindResult[]): string[] {
  return results
    .filter(({ failed }) => failed > 0)
    .map(({ labels, limit, makesRoom, days, failed, requests }) => {
      const first = days.find((day) => day.failed > 0)?.day;
      const advice = makesRoom
        ? `make_room found no snapshot to delete, because the retention keeps all ${limit}. Keep fewer snapshots.`
        : retention === undefined
          ? "Add a retention."
          : "Keep fewer snapshots, or prune more often.";
      return `${failed} of ${requests} create requests of ${labels.join(" and ")} fail with QuotaExceeded, the first one on ${first}. ${advice}`;
    });
}

/** A run of consecutive days. */
export interface DayRun {
  first: string;
  days: number;
  created: number;
  deleted: number;
  failed: number;
  /** The lowest and the highest number of snapshots at the end of a day. */
  min: number;
  max: number;
}

/** The maximum number of rows in a table. Rows in the middle are merged. */
const MAX_ROWS = 14;

/**
 * Divides the days into runs. A run ends before a day on which the number of snapshots reaches a new maximum, or on which create
 * requests begin or stop to fail. Days in a row that each reach a new maximum are one run.
 */
export function foldDays(days: readonly SimulatedDay[]): DayRun[] {
  const runs: DayRun[] = [];
  let highest = 0;
  let wasGrowing = false;
  for (const { day, created, deleted, failed, retained } of days) {
    const count = retained.length;
    const isGrowing = count > highest;
    const run = runs.at(-1);
    // Two growing days begin a run of growing days, which the next day without growth ends.
    const continues =
      run !== undefined && run.failed > 0 === failed > 0 && (isGrowing ? wasGrowing : !wasGrowing || run.days === 1);
    if (continues) {
      run.days += 1;
      run.created += created;
      run.deleted += deleted;
      run.failed += failed;
      run.min = Math.min(run.min, count);
      run.max = Math.max(run.max, count);
    } else runs.push({ first: day, days: 1, created, deleted, failed, min: count, max: count });
    highest = Math.max(highest, count);
    wasGrowing = isGrowing;
  }
  return runs;
}

/** Returns a table of the days on which something changes. */
export function formatDays(days: readonly SimulatedDay[], maxWidth: number): string[] {
  const runs = foldDays(days);
  const hasFailed = runs.some(({ failed }) => failed > 0);
  return formatTable(
    ["from", "days", "created", "deleted", ...(hasFailed ? ["failed"] : []), "snapshots at the end of a day"],
    foldMiddle(runs, mergeRuns).map(({ first, days: count, created, deleted, failed, min, max }) => [
      first,
      ...[count, created, deleted, ...(hasFailed ? [failed] : [])].map(String),
      min === max ? `${min} ` : `${min} to ${max}`,
    ]),
    maxWidth,
  );
}

const mergeRuns = (runs: readonly DayRun[]): DayRun => {
  const sum = (field: "days" | "created" | "deleted" | "failed") => runs.reduce((total, run) => total + run[field], 0);
  return {
    first: runs[0]?.first ?? "",
    days: sum("days"),
    created: sum("created"),
    deleted: sum("deleted"),
    failed: sum("failed"),
    min: Math.min(...runs.map(({ min }) => min)),
    max: Math.max(...runs.map(({ max }) => max)),
  };
};

/** Returns a table of the snapshots that exist at the end of the last day, newest first. Neighbors with the same rules share a row. */
export function formatRetained(
  retained: readonly RetainedSnapshot[],
  hasRetention: boolean,
  maxWidth: number,
): string[] {
  const withoutRule = hasRetention ? "(deleted by the next prune run)" : "(no retention)";
  const rows: { newest: string; oldest: string; count: number; rules: string }[] = [];
  for (const { day, rules: names } of [...retained].reverse()) {
    const rules = names.join(", ") || withoutRule;
    const row = rows.at(-1);
    if (row?.rules === rules) {
      row.oldest = day;
      row.count += 1;
    } else rows.push({ newest: day, oldest: day, count: 1, rules });
  }
  const merge = (some: typeof rows) => ({
    newest: some[0]?.newest ?? "",
    oldest: some.at(-1)?.oldest ?? "",
    count: some.reduce((sum, { count }) => sum + count, 0),
    rules: [...new Set(some.map(({ rules }) => rules))].join(" or "),
  });
  return formatTable(
    ["created on", "snapshots", "kept by"],
    foldMiddle(rows, merge).map(({ newest, oldest, count, rules }) => [
      newest === oldest ? newest : `${oldest} to ${newest}`,
      String(count),
      rules,
    ]),
    maxWidth,
  );
}

/** Returns at most `MAX_ROWS` rows. If there are more, merges the rows in the middle. */
function foldMiddle<Row>(rows: readonly Row[], merge: (some: Row[]) => Row): Row[] {
  if (rows.length <= MAX_ROWS) return [...rows];
  const head = Math.ceil(MAX_ROWS / 2);
  const tail = MAX_ROWS - head - 1;
  return [...rows.slice(0, head), merge(rows.slice(head, rows.length - tail)), ...rows.slice(rows.length - tail)];
}
