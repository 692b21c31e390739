/** Judges what a scenario left in the cloud and in the records. Knows nothing of how the functions work. */
import type { CreatedRow } from "./model-cloud.ts";
import { type ProcessResult, resourceName, type ScenarioResult } from "./run-scenario.ts";

/** What is wrong after a scenario. Each text describes one case. */
export interface Verdict {
  /** Younger duplicates although a list request that was sent before could have shown the older snapshot. */
  avoidable: string[];
  /** Younger duplicates that no list request could have prevented. */
  unavoidable: string[];
  /** Resources without a snapshot and without a failed record after a delivery that ended normally. */
  missed: string[];
  /** Targets without exactly one record in a process that was not killed. */
  unrecorded: string[];
  /** Failed records although the process had seen a good snapshot in a list response. */
  falselyFailed: string[];
  /** Duplicates that a process could see in a list response of all resources, but did not report. */
  silent: string[];
  /** Processes that created more than one duplicate. Must be empty only after a calm scenario (without faults). */
  tooMany: string[];
  /** Duplicates although the first list requests of both processes were far apart. Must be empty only after a calm scenario. */
  tooFar: string[];
}

/** The verdicts that must be empty after every scenario, and those that must be empty after a calm scenario. */
export const ALWAYS = ["avoidable", "missed", "unrecorded", "falselyFailed", "silent"] as const;
export const IF_CALM = [...ALWAYS, "tooMany", "tooFar"] as const;

/** Judges a scenario. */
export function judge(result: ScenarioResult): Verdict {
  const duplicates = findDuplicates(result);
  const describe = ({ older, younger }: Duplicate) =>
    `${younger.resource}: process ${older.process} at ${older.committedAt}, process ${younger.process} sent at ${younger.sentAt}`;
  const isAvoidable = (duplicate: Duplicate) => wasVisible(duplicate, result);
  return {
    avoidable: duplicates.filter(isAvoidable).map(describe),
    unavoidable: duplicates.filter((duplicate) => !isAvoidable(duplicate)).map(describe),
    missed: findMissed(result),
    unrecorded: result.processes.flatMap(findUnrecorded),
    falselyFailed: findFalselyFailed(result),
    silent: duplicates.flatMap((duplicate) => findSilent(duplicate, result)),
    tooMany: findTooMany(duplicates, result),
    tooFar: duplicates.filter((duplicate) => isTooFar(duplicate, result)).map(describe),
  };
}

interface Duplicate {
  older: CreatedRow;
  younger: CreatedRow;
}

function findDuplicates({ cloud }: ScenarioResult): Duplicate[] {
  const byResource = new Map<string, CreatedRow[]>();
  for (const row of cloud.rows) byResource.set(row.resource, [...(byResource.get(row.resource) ?? []), row]);
  return [...byResource.values()].flatMap((rows) => {
    const [older, ...others] = rows.sort((a, b) => a.committedAt - b.committedAt);
    return older === undefined ? [] : others.map((younger) => ({ older, younger }));
  });
}

const wasVisible = ({ older, younger }: Duplicate, { cloud }: ScenarioResult): boolean =>
  cloud.lists.some(
    (list) =>
      list.process === younger.process &&
      list.sentAt >= older.visibleAt &&
      list.sentAt < younger.sentAt &&
      (list.resource === undefined || list.resource === younger.resource),
  );

/** The margin between the first list requests of two processes, in addition to the duration of the list and its lag. */
const MARGIN_MS = 2_000;

function isTooFar({ older, younger }: Duplicate, { processes, scenario }: ScenarioResult): boolean {
  const looks = [older, younger].flatMap(({ process }) => processes[process]?.firstLook ?? []);
  const [first, second] = looks.sort((a, b) => a.at - b.at);
  if (first === undefined || second === undefined) return false;
  return second.at - first.at >= first.durationMs + scenario.listLagMs + MARGIN_MS;
}

function findTooMany(duplicates: readonly Duplicate[], { processes, scenario }: ScenarioResult): string[] {
  return processes.flatMap(({ resources }, number) => {
    const count = duplicates.filter(({ younger }) => younger.process === number).length;
    // A process with few targets starts all of them at the same time.
    const allowed = resources.length > scenario.concurrency ? 1 : resources.length;
    return count > allowed ? [`process ${number}: ${count}`] : [];
  });
}

const findUnrecorded = ({ isKilled, resources, records }: ProcessResult, number: number): string[] =>
  isKilled
    ? []
    : resources
        .map((resource) => ({ resource, count: records.filter((record) => record.resource === resource).length }))
        .filter(({ count }) => count !== 1)
        .map(({ resource, count }) => `process ${number}: ${resource} has ${count} records`);

function findFalselyFailed({ cloud, processes }: ScenarioResult): string[] {
  return processes.flatMap(({ records }, number) =>
    records
      .filter(
        ({ resource, outcome, at }) =>
          outcome === "failed" &&
          cloud.lists.some((list) => list.process === number && list.answeredAt < at && list.shown.has(resource)),
      )
      .map(({ resource }) => `process ${number}: ${resource}`),
  );
}

/** Returns the processes that could see both snapshots in a list response, ended normally, and reported no duplicate. */
const findSilent = ({ older, younger }: Duplicate, { cloud, processes }: ScenarioResult): string[] =>
  processes.flatMap(({ isKilled, records, notices }, number) => {
    const isOwn = records.some(({ resource, outcome }) => resource === younger.resource && outcome !== "deferred");
    const endedAt = Math.max(...records.map(({ at }) => at));
    const couldSee = cloud.lists.some(
      ({ process, sentAt, answeredAt, resource }) =>
        process === number &&
        resource === undefined &&
        sentAt >= Math.max(older.visibleAt, younger.visibleAt) &&
        answeredAt < endedAt,
    );
    const isSilent = couldSee && !isKilled && isOwn && notices.length === 0;
    return isSilent ? [`process ${number}: ${younger.resource}`] : [];
  });

function findMissed({ cloud, processes, scenario }: ScenarioResult): string[] {
  const created = new Set(cloud.rows.map(({ resource }) => resource));
  return scenario.deliveries.flatMap((_, delivery) => {
    const ofDelivery = processes.filter((process) => process.delivery === delivery);
    if (ofDelivery.some(({ isKilled }) => isKilled)) return [];
    const failed = new Set(ofDelivery.flatMap(failedResources));
    return Array.from({ length: scenario.targets }, (_, index) => resourceName(index))
      .filter((resource) => !created.has(resource) && !failed.has(resource))
      .map((resource) => `delivery ${delivery}: ${resource}`);
  });
}

const failedResources = ({ records }: ProcessResult): string[] =>
  records.filter(({ outcome }) => outcome === "failed").map(({ resource }) => resource);
