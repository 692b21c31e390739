import { asSnapshotError, type SnapshotError } from "../core/errors.ts";
import {
  COVERAGE_STATES,
  type Coverage,
  type Orphan,
  RESOURCE_TYPES,
  type ResourceCoverage,
  type ResourceType,
} from "./coverage.ts";
import { createSnapshotFolder, GROUP_KIND, type SnapshotFolder } from "./fold-snapshots.ts";
import { type CoverageOptions, type Entry, judgeEntries, uncertaintyOf } from "./judge-entries.ts";
import { createOrphanCollector, type OrphanCollector, sortOrphans } from "./orphans.ts";
import {
  emptyListFault,
  listFault,
  noHostNotice,
  resourceListFault,
  secondListFault,
  unlocatedNotice,
  unreadableRowsFault,
} from "./reasons.ts";
import { createSummary, type SnapshotSummary } from "./snapshot-summary.ts";
import type { CoverageSource, CoveredKind } from "./source.ts";

export type { CoverageOptions };

/** The resources of one type, and what is known about their snapshots. */
interface Section {
  /** True if the endpoint does not offer the resources, and nothing in the deployment uses them. */
  isAbsent: boolean;
  resources: ResourceCoverage[];
  orphans: { orphans: Orphan[]; count: number };
  /** The error if the list of resources could not be read. */
  listError?: SnapshotError;
  faults: Fault[];
  notices: string[];
}

interface Fault {
  text: string;
  error?: SnapshotError;
}

/** The kinds of snapshots that protect each type of resource. The members of groups are in the list of standard snapshots. */
const KINDS_OF: Readonly<Record<ResourceType, readonly CoveredKind[]>> = {
  volume: ["snapshot", "standard-snapshot", "snapshot-group"],
  cluster: ["cluster-snapshot"],
};

/**
 * Reads each list of the project once, and returns which disks and clusters have a good and recent snapshot. A list that cannot be
 * read completely makes every resource `unknown` that is neither protected nor excluded.
 *
 * @throws SnapshotError the first error, if no list of resources could be read
 * @example await collectCoverage({ now, maxAgeHours: 26, types: ["volume"], tags: [], excludeTags: [] }, source)
 */
export async function collectCoverage(options: CoverageOptions, source: CoverageSource): Promise<Coverage> {
  // One slow service must not take the time of the other one.
  const sections = await Promise.all(
    RESOURCE_TYPES.filter((type) => options.types.includes(type)).map((type) => collectSection(type, options, source)),
  );
  const [first] = sections.flatMap(({ listError }) => listError ?? []);
  if (first !== undefined && sections.every(({ listError, isAbsent }) => isAbsent || listError)) throw first;
  const faults = sections.flatMap((section) => section.faults);
  const resources = sections.flatMap((section) => section.resources);
  return {
    generatedAt: options.now,
    maxAgeHours: options.maxAgeHours,
    projectId: source.projectId,
    complete: faults.length === 0,
    faults: faults.map(({ text }) => text),
    errors: faults.map(({ error }) => error),
    notices: sections.flatMap(({ notices }) => notices),
    resources,
    orphans: sortOrphans(sections.flatMap(({ orphans }) => orphans.orphans)),
    counts: countStates(
      resources,
      sections.reduce((sum, { orphans }) => sum + orphans.count, 0),
    ),
  };
}

const EMPTY_SECTION: Section = {
  isAbsent: false,
  resources: [],
  orphans: { orphans: [], count: 0 },
  faults: [],
  notices: [],
};

async function collectSection(type: ResourceType, options: CoverageOptions, source: CoverageSource): Promise<Section> {
  const { now } = options;
  const entries = new Map<string, Entry>();
  const summariesOf = new Map<string, SnapshotSummary[]>();
  const notices: string[] = [];
  // Every project has a list of disks, so the endpoint is wrong if it does not offer this list.
  const listed = await readList(type === "volume" ? [] : KINDS_OF[type], source, notices, (onRow) =>
    source.listResources(type, (resource) => {
      onRow();
      const id = resource.id.toLowerCase();
      if (entries.has(id)) return;
      const summary = createSummary();
      entries.set(id, { resource, summary });
      for (const server of resource.serverIds.map((one) => one.toLowerCase()))
        summariesOf.set(server, [...(summariesOf.get(server) ?? []), summary]);
    }),
  );
  const { value: unreadable, error: listError } = listed;
  if (listError !== undefined)
    return { ...EMPTY_SECTION, listError, faults: [{ text: resourceListFault(type, listError), error: listError }] };
  if (unreadable === undefined) return { ...EMPTY_SECTION, isAbsent: true, notices };
  const orphans = createOrphanCollector(now);
  const folder = createSnapshotFolder(
    (id) => entries.get(id)?.summary,
    (server) => summariesOf.get(server) ?? [],
    orphans,
    now,
  );
  const failed = await readSnapshots(KINDS_OF[type], source, notices, folder);
  const unlocated = folder.judge(!failed.has("standard-snapshot"));
  if (unlocated !== undefined) notices.push(unlocatedNotice(type, unlocated));
  const faults: Fault[] = [...failed].map(([kind, error]) => ({ text: listFault(type, kind, error), error }));
  // The list of another project, or a list without the necessary rights, is empty, too.
  const isEmpty = entries.size + unreadable === 0 && orphans.added > 0;
  if (isEmpty) faults.unshift({ text: emptyListFault(type, orphans.added) });
  if (unreadable > 0) faults.unshift({ text: unreadableRowsFault(type, unreadable) });
  const secondError = isEmpty ? undefined : await confirmOrphans(type, orphans, source);
  if (secondError !== undefined) faults.push({ text: secondListFault(type, secondError), error: secondError });
  const isComplete = (kind: string) =>
    secondError === undefined &&
    !isEmpty &&
    unreadable === 0 &&
    !failed.has(kind) &&
    !(kind === GROUP_KIND && failed.has("standard-snapshot"));
  return {
    isAbsent: false,
    resources: judgeEntries(type, entries, options, uncertaintyOf(type, [...failed.keys()], unlocated, options)),
    orphans: orphans.collect(isComplete),
    faults,
    notices,
  };
}

/**
 * Reads the list of resources again if a snapshot without a resource is so young that its resource may have been created after the
 * first list was read.
 *
 * @returns the error of the second list
 */
async function confirmOrphans(
  type: ResourceType,
  orphans: OrphanCollector,
  source: CoverageSource,
): Promise<SnapshotError | undefined> {
  if (!orphans.needsSecondList()) return undefined;
  const ids = new Set<string>();
  const { error } = await readList([], source, [], () =>
    source.listResources(type, ({ id }) => void ids.add(id.toLowerCase())),
  );
  if (error === undefined) orphans.confirm((id) => ids.has(id));
  return error;
}

/** Reads the lists of several kinds of snapshots, and returns the error of each list that could not be read completely. */
async function readSnapshots(
  kinds: readonly CoveredKind[],
  source: CoverageSource,
  notices: string[],
  folder: SnapshotFolder,
): Promise<Map<string, SnapshotError>> {
  const failed = new Map<string, SnapshotError>();
  for (const name of kinds) {
    const { error } = await readList([name], source, notices, (onRow) =>
      source.listSnapshots(name, (found) => {
        onRow();
        folder.visit(name, found);
      }),
    );
    if (error !== undefined) failed.set(name, error);
  }
  return failed;
}

/**
 * Reads a list. If the endpoint does not offer the list, or its host name does not exist, and nothing in the deployment uses the
 * given kinds of snapshots, the list counts as read and empty. A list of which a row was read is never absent.
 *
 * @param kinds the kinds of snapshots that need the list. Empty if every endpoint must offer the list
 * @param notices receives a notice if the host name does not exist
 * @param read reads the list, and calls `onRow` for each row
 * @returns neither a value nor an error if the list is absent
 */
async function readList<T>(
  kinds: readonly CoveredKind[],
  source: CoverageSource,
  notices: string[],
  read: (onRow: () => void) => Promise<T>,
): Promise<{ value?: T; error?: SnapshotError }> {
  let isStarted = false;
  try {
    return {
      value: await read(() => {
        isStarted = true;
      }),
    };
  } catch (thrown) {
    const error = asSnapshotError(thrown);
    const hasNoHost = error.status === undefined && error.message.includes("ENOTFOUND");
    const isUnused = kinds.length > 0 && kinds.every((kind) => source.isUnused(kind));
    if (isStarted || !isUnused || !(hasNoHost || error.reason === "Unsupported")) return { error };
    if (hasNoHost) notices.push(noHostNotice(kinds, error));
    return {};
  }
}

function countStates(resources: readonly ResourceCoverage[], orphaned: number): Coverage["counts"] {
  const counts = Object.fromEntries(COVERAGE_STATES.map((state) => [state, 0])) as Record<
    keyof Coverage["counts"],
    number
  >;
  for (const { state } of resources) counts[state] += 1;
  counts.orphaned = orphaned;
  return counts;
}
