/** Provides a run context with a virtual clock and an in-memory cloud, for unit tests of shared/snapshots. */
import { expect, onTestFinished } from "vitest";
import type { EndFields, ResultReporter, RunNotices, TargetFields } from "../../shared/snapshots/reporting.ts";
import type { RunContext } from "../../shared/snapshots/run-context.ts";
import { createMemoryCloud, type MemoryCloud, type PlannedEvent } from "./memory-cloud.ts";
import { createVirtualClock, startPlus, type VirtualTime } from "./virtual-clock.ts";

export * from "./memory-cloud.ts";
export * from "./virtual-clock.ts";

/** The fields of a completed result record. */
export type CompletedRecord = TargetFields & EndFields;

/** The run context for a use case such as `createOnce` or `prune`, and everything that the use case reports. */
export interface DomainFixture {
  time: VirtualTime;
  cloud: MemoryCloud;
  runContext: RunContext;
  /** The notices that the use case added to the record of the run. */
  notices: string[];
  /** The lines that announced deletions, such as `a: kept by no rule; b: twin of c`. */
  announced: string[];
  /** The result records in the order in which they were completed. */
  records: CompletedRecord[];
  /** Allows records to stay open when the test ends. The runtime completes such records if a use case throws an error. */
  allowOpenRecords(): void;
  /** Returns a line for each record, such as `made-1 failed: kept by no rule: Busy`. */
  outcomes(): string[];
}

/** Returns the create requests with their times, such as `3 s create snapshot disk-1`. */
export const createCalls = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("create"));

/** Returns the time of each create request in seconds, as a string. */
export const createSeconds = (fixture: DomainFixture) => createCalls(fixture).map((call) => call.split(" ")[0]);

/**
 * Creates an in-memory cloud, a virtual clock and a run context with a deadline `seconds` after the start. `creates`
 * defines what happens in the first create requests. `sharedWith` is the fixture of another process, whose clock and cloud the
 * new fixture uses. The test fails if a result record was not completed exactly once.
 */
export function createFixture({
  seconds = 60,
  random = (): number => 0,
  concurrency = 2,
  creates = [] as PlannedEvent[],
  createMs = 0,
  listDelayMs = 0,
  newestFirst = false,
  sharedWith = undefined as DomainFixture | undefined,
} = {}): DomainFixture {
  const time = sharedWith === undefined ? createVirtualClock(random) : { ...sharedWith.time, random };
  const cloud = sharedWith?.cloud ?? Object.assign(createMemoryCloud(time), { createMs, listDelayMs, newestFirst });
  cloud.onNextCalls("create", ...creates);
  const records: CompletedRecord[] = [];
  const completions = new Map<object, number>();
  const report: ResultReporter = (target) => {
    completions.set(target, 0);
    return (end) => {
      completions.set(target, (completions.get(target) ?? 0) + 1);
      const fields = Object.entries({ ...target, ...end }).filter(([, value]) => value !== undefined);
      records.push(Object.fromEntries(fields) as unknown as CompletedRecord);
    };
  };
  onTestFinished(() =>
    expect(
      [...completions.values()].filter((count) => count !== 1),
      "records not completed exactly once",
    ).toEqual([]),
  );
  const retryBudget = { time, deadline: startPlus(seconds * 1000) };
  const notices: string[] = [];
  const announced: string[] = [];
  const runNotices: RunNotices = {
    addNotice: (detail) => void notices.push(detail),
    announceDeletions: (deletions) =>
      void announced.push(deletions.map(({ snapshot_id, rule }) => `${snapshot_id}: ${rule}`).join("; ")),
  };
  return {
    time,
    cloud,
    records,
    notices,
    announced,
    runContext: { cloud: cloud.service, retryBudget, report, inFlight: new Map(), concurrency, ...runNotices },
    allowOpenRecords: () => completions.forEach((count, target) => void (count === 0 && completions.delete(target))),
    outcomes: () =>
      records.map(({ resource_id, snapshot_id, outcome, rule, detail, error }) =>
        [`${snapshot_id ?? resource_id} ${outcome}`, rule, detail, error?.reason]
          .filter((part) => part !== undefined)
          .join(": "),
      ),
  };
}
