/** Judges what a scenario left in the cloud and in the records. Knows nothing of how the functions work. */
import { type ProcessResult, resourceName, type ScenarioResult } from "./run-scenario.ts";

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
  /** Further deliveries and shards that created more than one duplicate. */
  tooMany: string[];
  /** Duplicates although the first list requests of both processes were far apart. Only calm scenarios promise none. */
  separated: string[];
  /** Duplicates that a run could see in its last list response but did not report. */
  silent: string[];
  calls: number;
}

/** The margin between the first list requests of two processes in addition to the duration of the list and its lag. */
const MARGIN_MS = 2_000;

/** Judges a scenario. */
export function judge(result: ScenarioResult): Verdict {
  const { cloud, processes } = result;
  const verdict: Verdict = {
    avoidable: [],
    unavoidable: [],
    missed: [],
    unrecorded: [],
    falselyFailed: [],
    tooMany: [],
    separated: [],
    silent: [],
    calls: cloud.createRequests() + cloud.lists.length,
  };
  const byResource = new Map<string, typeof cloud.rows>();
  for (const row of cloud.rows) byResource.set(row.resource, [...(byResource.get(row.resource) ?? []), row]);

  const duplicatesOf = new Map<number, number>();
  for (const [resource, rows] of byResource) {
    const [oldest, ...younger] = [...rows].sort((a, b) => a.committedAt - b.committedAt);
    for (const row of younger) {
      duplicatesOf.set(row.process, (duplicatesOf.get(row.process) ?? 0) + 1);
      const couldShow = cloud.lists.some(
        (list) =>
          list.process === row.process &&
          list.sentAt >= (oldest?.visibleAt ?? 0) &&
          list.sentAt < row.sentAt &&
          (list.resource === undefined || list.resource === resource),
      );
      const text = `${resource}: process ${oldest?.process} at ${oldest?.committedAt}, process ${row.process} sent at ${row.sentAt}`;
      const [first, second] = [oldest?.process ?? 0, row.process].map((number) => processes[number]?.firstLook);
      if (first !== undefined && second !== undefined) {
        const [earlier, later] = first.at <= second.at ? [first, second] : [second, first];
        const distance = earlier.durationMs + result.scenario.listLagMs + MARGIN_MS;
        if (later.at - earlier.at >= distance) verdict.separated.push(text);
      }
      (couldShow ? verdict.avoidable : verdict.unavoidable).push(text);
    }
  }
  for (const [number, count] of duplicatesOf) {
    const { resources } = processes[number] as ProcessResult;
    // A process with few targets starts all of them at the same time.
    const allowed = resources.length > result.scenario.concurrency ? 1 : resources.length;
    if (count > allowed) verdict.tooMany.push(`process ${number}: ${count}`);
  }

  for (const [number, process] of processes.entries()) {
    if (process.isKilled) continue;
    const counts = new Map<string, number>();
    for (const { resource } of process.records) counts.set(resource, (counts.get(resource) ?? 0) + 1);
    for (const resource of process.resources)
      if (counts.get(resource) !== 1)
        verdict.unrecorded.push(`process ${number}: ${resource} has ${counts.get(resource) ?? 0} records`);
    for (const { resource, outcome, at } of process.records) {
      const wasShown = cloud.lists.some(
        (list) => list.process === number && list.answeredAt < at && list.shown.has(resource),
      );
      if (outcome === "failed" && wasShown) verdict.falselyFailed.push(`process ${number}: ${resource}`);
    }
  }
  for (const delivery of new Set(processes.map((process) => process.delivery))) {
    const ofDelivery = processes.filter((process) => process.delivery === delivery);
    if (ofDelivery.some(({ isKilled }) => isKilled)) continue;
    const failed = new Set(ofDelivery.flatMap(failedResources));
    for (let index = 0; index < result.scenario.targets; index += 1) {
      const resource = resourceName(index);
      if (!byResource.has(resource) && !failed.has(resource)) verdict.missed.push(`delivery ${delivery}: ${resource}`);
    }
  }
  return verdict;
}

const failedResources = ({ records }: ProcessResult): string[] =>
  records.filter(({ outcome }) => outcome === "failed").map(({ resource }) => resource);
