/** Checks the alarms of a planned deployment. */
import { finds } from "./keywords.ts";
import type { Observed } from "./observed.ts";
import type { Planned } from "./plan.ts";
import { different, isPruned, unprunedFunctions, type Wanted } from "./wanted.ts";

// biome-ignore lint/suspicious/noExplicitAny: values of every type
type Any = any;

const lines = new WeakMap<object, string>();

/** Returns a result record as a line of the logging topic. Caches the line, because many tests search the same records. */
function lineOf(record: object): string {
  const line = lines.get(record) ?? JSON.stringify(record);
  lines.set(record, line);
  return line;
}

/** Reports missing alarms, alarms with wrong arguments, and alarms that do not match exactly the expected records. */
export function alarmFaults(rules: Planned[], wanted: Wanted, observed: Record<string, Observed>): string[] {
  const records = Object.values(observed).flatMap((one) => one.records);
  const alarms = rules.map(({ address, values }) => {
    const [request] = values.keywords_requests;
    return {
      address,
      values,
      request,
      found: records.filter((record) => finds(request.keywords, lineOf(record))),
    };
  });
  const silenceFaults = (what: string, isRecordOf: (record: Any) => boolean, hours: number): string[] => {
    const expected = records.filter(isRecordOf);
    if (expected.length === 0) throw new Error(`observed.ts: expected at least one record of ${what}, got none`);
    const rule = alarms.find(
      ({ request, found }) =>
        request.condition === "<" &&
        request.number === 1 &&
        found.length === expected.length &&
        found.every((one) => expected.includes(one)),
    );
    if (rule === undefined) return [`no alarm reports missing runs of ${what}`];
    const { search_time_range: range, search_time_range_unit: unit } = rule.request;
    const days = Math.ceil(hours / 24) + 1;
    const { type } = rule.values.frequency[0];
    const [count, frequency] = [rule.values.trigger_condition_count, rule.values.trigger_condition_frequency];
    const fits =
      unit === "hour" &&
      (hours <= 24
        ? range === hours && type === "HOURLY" && count === 2 && frequency === 2
        : range === 24 && type === "DAILY" && count === days && frequency === days);
    return fits ? [] : [`the alarm on missing runs of ${what} does not fit ${hours} hours`];
  };
  const coverageSilenceFaults = (hours: number): string[] => {
    const isOfRuns = ({ request, found }: (typeof alarms)[number]) =>
      request.condition === "<" && found.some(isTimerRunOf("report-coverage"));
    if (hours > 0) return silenceFaults("report-coverage", isTimerRunOf("report-coverage"), hours);
    return alarms.some(isOfRuns) ? ["an alarm reports missing runs of report-coverage"] : [];
  };
  const alarmNamed = (name: string) =>
    alarms.find(({ request, values }) => values.name === name && request.condition === ">=" && request.number === 1);
  const failed = alarmNamed("snapshots-failed");
  const unprotected = records.filter(({ outcome }) => ["unprotected", "failing"].includes(outcome));
  const bad = records.filter(
    ({ outcome, action, level, function: name, trigger, detail = "" }) =>
      ["failed", "rejected", "unverified"].includes(outcome) ||
      (action === "run" &&
        level === "warn" &&
        (name === "scheduled-snapshots" ||
          (name === "report-coverage" && trigger === "timer" && detail.includes("selected nothing")) ||
          /Deployment check|Unreadable rows/.test(detail))),
  );
  // The alarm must match the warnings that a policy selects no resource or that a deployed policy has no snapshot, but not other
  // warnings, which can be permanent.
  const outcomes = new Set(bad.map(({ outcome }) => outcome));
  if (outcomes.size < 4)
    throw new Error(`observed.ts: expected records with at least 4 bad outcomes, got ${[...outcomes]}`);
  return [
    ...(failed === undefined
      ? ["no alarm on failed records"]
      : different("the alarm on failed records", ids(failed.found), ids(bad))),
    ...(wanted.functions.includes("report-coverage")
      ? [
          ...different(
            "the alarm on unprotected resources",
            ids(alarmNamed("snapshots-unprotected")?.found ?? []),
            ids(unprotected),
          ),
          ...coverageSilenceFaults(wanted.coverage.every_hours ?? 24),
        ]
      : []),
    ...silenceFaults("verify-snapshots", (one) => one.function === "verify-snapshots" && one.action === "run", 1),
    ...unprunedFunctions(wanted).flatMap((name) =>
      silenceFaults(`the pruning of ${name}`, isRunOf("prune-snapshots", name), 24),
    ),
    ...Object.entries(wanted.policies).flatMap(
      ([name, { schedule, every_hours = 24, prune_every_hours, ...policy }]) => {
        // A timer that only deletes duplicates starts once a day.
        const defaultHours = policy.retention ? Math.max(every_hours, 24) : 24;
        const ofPruning = prune_every_hours ?? (every_hours === 0 ? 0 : defaultHours);
        return [
          ...(schedule && every_hours > 0
            ? silenceFaults(`the policy ${name}`, isRunOf("scheduled-snapshots", name), every_hours)
            : []),
          ...(isPruned(wanted, policy) && ofPruning > 0
            ? silenceFaults(`the pruning of ${name}`, isRunOf("prune-snapshots", name), ofPruning)
            : []),
        ];
      },
    ),
    ...alarms.flatMap(({ address, values, request }) => [
      ...(values.send_notifications === true && values.notification_save_rule?.[0]?.topics?.[0]?.topic_urn
        ? []
        : [`${address} sends no notification`]),
      ...(values.status === undefined || values.status === "RUNNING" ? [] : [`${address} is ${values.status}`]),
      ...(request.log_stream_id === "<huaweicloud_lts_stream.results.id>"
        ? []
        : [`${address} does not read the log stream of the result records`]),
    ]),
  ];
}

/** Returns whether a record belongs to a run. A run proves that the timer works, even if it selects no resource. */
const isRunOf = (what: string, policy: string) => (one: Any) =>
  one.function === what && one.action === "run" && one.policy === policy;

const isTimerRunOf = (what: string) => (one: Any) =>
  one.function === what && one.action === "run" && one.trigger === "timer";

const ids = (records: Any[]): string[] => [...new Set(records.map(lineOf))];
