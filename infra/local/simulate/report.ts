/** Describes the result of a simulation as text. */
import { formatTable } from "../terminal/table.ts";
import { type KindResult, peakOf, type SimulatedPolicy } from "./kinds.ts";
import { DEFAULT_PRUNE_EVERY, type RetainedSnapshot, type SimulatedDay, type SimulationPlan } from "./simulate.ts";

/** Returns how often a snapshot is created, in words. */
export const describeInterval = ({ everyHours }: Pick<SimulationPlan, "everyHours">): string =>
  every(everyHours, "hour");

const every = (count: number, unit: string): string => `every ${count === 1 ? unit : `${count} ${unit}s`}`;

const UNITS = { m: "minute", h: "hour", d: "day" };

/** Returns when prune-snapshots runs, in words if the schedule is a duration or a daily time, such as `daily at 03:40 UTC`. */
export function describePruneRuns({ pruneEvery = DEFAULT_PRUNE_EVERY }: SimulationPlan, zone = "UTC"): string {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(pruneEvery) ?? [];
  if (count !== undefined) return every(Number(count), UNITS[unit as keyof typeof UNITS]);
  const [, givenZone = zone, minute = "", hour = ""] =
    /^(?:CRON_TZ=(\S+) )?0 (\d\d?) (\d\d?) [*?] \* [*?]$/.exec(pruneEvery) ?? [];
  if (hour === "") return `by the schedule ${pruneEvery}`;
  return `daily at ${hour.padStart(2, "0")}:${minute.padStart(2, "0")} ${givenZone}`;
}

export const countSnapshots = (count: number): string => `${count} ${count === 1 ? "snapshot" : "snapshots"}`;

/** Returns whether the policy fits, in a few words. */
export const shortVerdict = (results: readonly KindResult[]): string => {
  if (results.every(({ labels }) => labels.length === 0)) return "No limit checked";
  return results.some(({ failed }) => failed > 0) ? "Does not fit" : "Fits";
};

/** Returns the verdict in one sentence: whether the policy fits, and for each kind the number of snapshots and the limit. */
export const describeVerdict = ({ policy }: SimulatedPolicy, results: readonly KindResult[]): string =>
  `${shortVerdict(results)}: the policy ${policy} ${describeNeeds(results)}.`;

/** Returns how many snapshots of each kind the policy needs at the same time, and the limit of each kind. */
export const describeNeeds = (results: readonly KindResult[]): string =>
  `needs ${results.map(describeNeed).join("; ")}`;

function describeNeed({ labels, limit, makesRoom, days, peak, failed, keeps = 0 }: KindResult): string {
  // `peak` is calculated without a limit and without `make_room`, so `peak` does not apply to a policy with `make_room`.
  // If create requests fail in spite of `make_room`, the policy needs room for the snapshots that the retention keeps, and for one
  // new snapshot.
  const needed = makesRoom ? (failed > 0 ? keeps + 1 : peakOf(days)) : peak;
  if (labels.length === 0) return `${countSnapshots(needed)} of an unknown kind (it has no targets)`;
  const ofKind = labels.length === 1 ? `of the kind ${labels[0]}` : `of each of the kinds ${labels.join(", ")}`;
  const end = limit === undefined ? "which has no limit" : `and the limit is ${limit}`;
  return `${countSnapshots(needed)} ${ofKind}${makesRoom ? " with make_room" : ""}, ${end}`;
}

/** Returns sentences for each kind whose create requests fail: how many, since when, and what to change. */
export function describeFailures(
  policy: SimulatedPolicy,
  plan: SimulationPlan,
  results: readonly KindResult[],
): string[] {
  return results
    .filter(({ failed }) => failed > 0)
    .map((result) => {
      const { labels, days, failed, requests } = result;
      const first = days.find((day) => day.failed > 0)?.day;
      const ofKind = results.length === 1 ? "" : ` of the kind ${labels.join(" or ")}`;
      const since =
        failed === 1 ? `fails with QuotaExceeded, on ${first}` : `fail with QuotaExceeded, the first one on ${first}`;
      return [
        `${failed} of ${requests} requests to create a snapshot${ofKind} ${since}.`,
        ...describeEnd(days, failed),
        advise(policy, plan, result),
      ].join(" ");
    });
}

/** Returns a sentence about the last created snapshot if all later requests fail. A single failed request does not show this. */
function describeEnd(days: readonly SimulatedDay[], failed: number): string[] {
  const last = days.findLastIndex(({ created }) => created > 0);
  const failedLater = days.slice(last + 1).reduce((sum, day) => sum + day.failed, 0);
  return failed > 1 && failedLater === failed ? [`No snapshot is created after ${days[last]?.day}.`] : [];
}

/** Returns which change of the policy or of the prune runs makes the policy fit. */
function advise({ retention }: SimulatedPolicy, plan: SimulationPlan, result: KindResult): string {
  const { limit = 0, makesRoom, peak, keeps = 0 } = result;
  const maxKept = limit - 1;
  if (makesRoom) {
    return `make_room finds no snapshot to delete, because the retention keeps all ${limit}: keep at most ${maxKept}.`;
  }
  if (retention === undefined) return `Add a retention that keeps at most ${countSnapshots(maxKept)}.`;
  const interval = describeInterval(plan);
  if (keeps < limit) return `Prune ${interval}: the policy then needs ${countSnapshots(keeps + 1)}.`;
  // Between two prune runs, `peak - keeps` snapshots are created.
  const also = peak - keeps > 1 ? `, and prune ${interval}` : "";
  return `The retention keeps up to ${countSnapshots(keeps)}: keep at most ${maxKept}${also}.`;
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

/** Returns a table of all days, in which similar days share a row. */
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
