/** Ways to collect a report with one deliberate fault each. The checker must report each of them. */
import { instant } from "../../shared/core/instant.ts";
import { collectCoverage } from "../../shared/coverage/collect.ts";
import type { Coverage, ResourceCoverage } from "../../shared/coverage/coverage.ts";
import type { CoverageSource, CoveredKind } from "../../shared/coverage/source.ts";
import type { FoundSnapshot } from "../../shared/snapshots/kinds/kind.ts";
import type { PromiseName } from "./check-report.ts";
import type { Collect } from "./run-project.ts";

/** A way to collect a report that breaks a promise in one of the random projects. */
export interface BrokenReport {
  /** What the report does wrong, as a clause such as "it counts failed snapshots as good". */
  fault: string;
  promise: PromiseName;
  collect: Collect;
}

/** Changes each listed snapshot. Omits the snapshots for which `change` returns undefined. */
const seeing =
  (change: (found: FoundSnapshot, kind: CoveredKind, now: number) => Partial<FoundSnapshot> | undefined): Collect =>
  (options, source) =>
    collectCoverage(options, {
      ...source,
      listSnapshots: (kind, visit) =>
        source.listSnapshots(kind, (found) => {
          const changes = change(found, kind, options.now);
          if (changes !== undefined) visit({ ...found, ...changes });
        }),
    });

const withSource =
  (change: (source: CoverageSource) => Partial<CoverageSource>): Collect =>
  (options, source) =>
    collectCoverage(options, { ...source, ...change(source) });

/** Changes the finished report. */
const reporting =
  (change: (report: Coverage) => Partial<Coverage>): Collect =>
  async (options, source) => {
    const report = await collectCoverage(options, source);
    return { ...report, ...change(report) };
  };

const changingResources = (change: (resource: ResourceCoverage) => Partial<ResourceCoverage>): Collect =>
  reporting(({ resources }) => ({ resources: resources.map((one) => ({ ...one, ...change(one) })) }));

const ignoreErrors = async (read: () => Promise<void>): Promise<void> => {
  try {
    await read();
  } catch {
    // The fault: the list counts as complete.
  }
};

const AVAILABLE = { state: "available" } as const;

export const BROKEN_REPORTS: BrokenReport[] = [
  {
    fault: "the report counts snapshots with an unknown status as good",
    promise: "certain",
    collect: seeing(({ state }) => (state === "unknown" ? AVAILABLE : {})),
  },
  {
    fault: "the report counts snapshots in creation as good",
    promise: "certain",
    collect: seeing(({ state }) => (state === "creating" ? AVAILABLE : {})),
  },
  {
    fault: "the report counts the snapshots of backups",
    promise: "certain",
    collect: seeing(() => ({ name: "by-hand" })),
  },
  {
    fault: "the report counts group members as snapshots that belong to no group",
    promise: "certain",
    collect: seeing(({ raw }) => ({ raw: { ...raw, snapshot_group_id: undefined } })),
  },
  {
    fault: "the report counts a snapshot twice if the lists of both EVS versions contain the snapshot",
    promise: "certain",
    collect: seeing(({ id }, kind) => (kind === "snapshot" ? { id: `${id}-v2` } : {})),
  },
  {
    fault: "the report counts group members as single snapshots if the group id is not a string",
    promise: "certain",
    collect: seeing(({ raw }) =>
      typeof raw.snapshot_group_id === "string" ? {} : { raw: { ...raw, snapshot_group_id: undefined } },
    ),
  },
  {
    fault: "the report ignores failed groups without members",
    promise: "state",
    collect: seeing((_, kind) => (kind === "snapshot-group" ? { resource: undefined } : {})),
  },
  {
    fault: "the report counts the members of a failed group as good snapshots",
    promise: "certain",
    collect: seeing((_, kind) => (kind === "snapshot-group" ? AVAILABLE : {})),
  },
  {
    fault: "the report treats a creation time that is not credible as a recent time",
    promise: "certain",
    collect: seeing(({ created }, _, now) => (created === undefined || created > now ? { created: instant(now) } : {})),
  },
  {
    fault: "the report uses a maximum age that is one hour too high",
    promise: "certain",
    collect: (options, source) => collectCoverage({ ...options, maxAgeHours: options.maxAgeHours + 1 }, source),
  },
  {
    fault: "the report assigns all snapshots to the same disk",
    promise: "certain",
    collect: seeing(({ resource }) => ({ resource: resource && "disk-0" })),
  },
  {
    fault: "the report treats a list of snapshots that could not be read as complete",
    promise: "complete",
    collect: withSource(({ listSnapshots }) => ({
      listSnapshots: (kind, visit) => ignoreErrors(() => listSnapshots(kind, visit)),
    })),
  },
  {
    fault: "the report treats every kind of snapshot that the endpoint does not offer as unused",
    promise: "complete",
    collect: withSource(() => ({ isUnused: () => true })),
  },
  {
    fault: "the report treats a list of disks that could not be read as complete",
    promise: "orphans",
    collect: withSource(({ listResources }) => ({
      listResources: async (type, visit) => {
        await ignoreErrors(async () => void (await listResources(type, visit)));
        return 0;
      },
    })),
  },
  {
    fault: "the report ignores that rows in the list of disks have no valid id",
    promise: "orphans",
    collect: withSource(({ listResources }) => ({
      listResources: async (type, visit) => (await listResources(type, visit)) * 0,
    })),
  },
  {
    fault: "the report skips snapshots whose row does not contain the id of a disk",
    promise: "state",
    collect: seeing(({ resource }) => (resource ? {} : undefined)),
  },
  {
    fault: "the report counts a deletion as a failure",
    promise: "state",
    collect: seeing(({ state }) => (state === "deleting" ? { state: "failed" } : {})),
  },
  {
    fault: "the report ignores the excluded tags",
    promise: "state",
    collect: (options, source) => collectCoverage({ ...options, excludeTags: [] }, source),
  },
  {
    fault: "the report ignores the tags that select resources",
    promise: "selection",
    collect: (options, source) => collectCoverage({ ...options, tags: [] }, source),
  },
  {
    fault: "the report omits a resource that its counts contain",
    promise: "counts",
    collect: reporting(({ resources }) => ({ resources: resources.slice(1) })),
  },
  {
    fault: "the report is marked as complete although a list could not be read",
    promise: "faults",
    collect: reporting(() => ({ complete: true, faults: [] })),
  },
  {
    fault: "the report lists the oldest restore point first",
    promise: "newest",
    collect: changingResources(({ restorePoints }) => ({ restorePoints: [...restorePoints].reverse() })),
  },
  {
    fault: "the report states an age that is an hour too low",
    promise: "ages",
    collect: changingResources(({ reason }) => ({
      reason: reason.replace(/[\d.]+(?= hours? old)/, (age) => String(Number(age) - 1)),
    })),
  },
  {
    fault: "the report counts a failed snapshot twice",
    promise: "summary",
    collect: changingResources(({ failed }) => ({ failed: failed * 2 })),
  },
  {
    fault: "the report fails if one list of snapshots cannot be read",
    promise: "ends",
    collect: async (options, source) => {
      const report = await collectCoverage(options, source);
      if (!report.complete) throw new Error("a list failed");
      return report;
    },
  },
];
