import { asSnapshotError, type SnapshotError } from "../core/errors.ts";
import type { Instant } from "../core/instant.ts";
import { boundText } from "../core/untrusted.ts";
import type { Kind } from "../snapshots/kinds/kind.ts";
import { KINDS } from "../snapshots/kinds/kinds.generated.ts";
import {
  COVERAGE_STATES,
  type Coverage,
  type Orphan,
  RESOURCE_TYPES,
  type ResourceCoverage,
  type ResourceType,
} from "./coverage.ts";
import { createSnapshotFolder, GROUP_KIND, type SnapshotFolder } from "./fold-snapshots.ts";
import { createOrphanCollector, type OrphanCollector, sortOrphans } from "./orphans.ts";
import {
  clean,
  listFault,
  NOUNS,
  reasonFor,
  resourceListFault,
  secondListFault,
  unreadableRowsFault,
} from "./reasons.ts";
import { coverageStateOf } from "./rules.ts";
import type { CoverageSource, CoveredKind, ListedResource } from "./source.ts";
import { hasTag, type TagFilter } from "./tag-filter.ts";
import { createTally, MAX_NAME_LENGTH, orderOf, type Tally } from "./tally.ts";

/** What a coverage report contains. */
export interface CoverageOptions {
  now: Instant;
  /** The maximum age of a good snapshot that protects its resource, in hours. */
  maxAgeHours: number;
  types: readonly ResourceType[];
  /** The report contains only resources with all of these tags. */
  tags: readonly TagFilter[];
  /** A resource with one of these tags has the state `excluded`. */
  excludeTags: readonly TagFilter[];
}

/** The resources of one type, and what is known about their snapshots. */
interface Section {
  /** True if the endpoint does not offer the resources, and nothing in the deployment uses them. */
  isAbsent: boolean;
  resources: ResourceCoverage[];
  orphans: { orphans: Orphan[]; count: number };
  faults: string[];
}

interface Entry {
  resource: ListedResource;
  tally: Tally;
}

/** The maximum number of tags of a resource in a report. EVS and DWS allow fewer. */
const MAX_TAGS = 100;

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
  const sections: Section[] = [];
  const errors: { type: ResourceType; error: SnapshotError }[] = [];
  for (const type of RESOURCE_TYPES.filter((one) => options.types.includes(one))) {
    const section = await collectSection(type, options, source);
    if ("error" in section) errors.push({ type, error: section.error });
    else sections.push(section);
  }
  const [first] = errors;
  if (first !== undefined && sections.every(({ isAbsent }) => isAbsent)) throw first.error;
  const faults = [
    ...errors.map(({ type, error }) => resourceListFault(type, error)),
    ...sections.flatMap((section) => section.faults),
  ];
  const resources = sections.flatMap((section) => section.resources);
  return {
    generatedAt: options.now,
    maxAgeHours: options.maxAgeHours,
    projectId: source.projectId,
    complete: faults.length === 0,
    faults,
    resources,
    orphans: sortOrphans(sections.flatMap(({ orphans }) => orphans.orphans)),
    counts: countStates(
      resources,
      sections.reduce((sum, { orphans }) => sum + orphans.count, 0),
    ),
  };
}

async function collectSection(
  type: ResourceType,
  options: CoverageOptions,
  source: CoverageSource,
): Promise<Section | { error: SnapshotError }> {
  const { now } = options;
  const entries = new Map<string, Entry>();
  // Every project has a list of disks, so the endpoint is wrong if it does not offer this list.
  const listed = await readList(type === "volume" ? [] : KINDS_OF[type], source, () =>
    source.listResources(type, (resource) => {
      const id = resource.id.toLowerCase();
      if (!entries.has(id)) entries.set(id, { resource, tally: createTally() });
    }),
  );
  if (listed.error !== undefined) return { error: listed.error };
  const { value: unreadable } = listed;
  if (unreadable === undefined)
    return { isAbsent: true, resources: [], orphans: { orphans: [], count: 0 }, faults: [] };
  const orphans = createOrphanCollector(now);
  const folder = createSnapshotFolder((id) => entries.get(id)?.tally, orphans, now);
  const failed = await readSnapshots(KINDS_OF[type], source, folder);
  folder.judgeMembers(!failed.has("standard-snapshot"));
  const secondError = await confirmOrphans(type, orphans, source);
  const isComplete = (kind: string) =>
    secondError === undefined &&
    unreadable === 0 &&
    !failed.has(kind) &&
    !(kind === GROUP_KIND && failed.has("standard-snapshot"));
  return {
    isAbsent: false,
    resources: judgeEntries(type, entries, options, uncertaintyOf(type, [...failed.keys()], folder)),
    orphans: orphans.collect(isComplete),
    faults: [
      ...(unreadable === 0 ? [] : [unreadableRowsFault(type, unreadable)]),
      ...[...failed].map(([kind, error]) => listFault(type, kind, error)),
      ...(secondError === undefined ? [] : [secondListFault(type, secondError)]),
    ],
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
  const { error } = await readList([], source, () =>
    source.listResources(type, ({ id }) => void ids.add(id.toLowerCase())),
  );
  if (error === undefined) orphans.confirm((id) => ids.has(id));
  return error;
}

/** Reads the lists of several kinds of snapshots, and returns the error of each list that could not be read completely. */
async function readSnapshots(
  kinds: readonly CoveredKind[],
  source: CoverageSource,
  folder: SnapshotFolder,
): Promise<Map<string, SnapshotError>> {
  const failed = new Map<string, SnapshotError>();
  for (const name of kinds) {
    const kind: Kind = KINDS[name];
    const { error } = await readList([name], source, () =>
      source.listSnapshots(name, (found) => folder.visit(kind, found)),
    );
    if (error !== undefined) failed.set(name, error);
  }
  return failed;
}

/**
 * Reads a list. If the endpoint does not offer the list, and nothing in the deployment uses the given kinds of snapshots, the list
 * counts as read and empty.
 *
 * @param kinds the kinds of snapshots that need the list. Empty if every endpoint must offer the list
 */
async function readList<T>(
  kinds: readonly CoveredKind[],
  source: CoverageSource,
  read: () => Promise<T>,
): Promise<{ value?: T; error?: SnapshotError; isAbsent: boolean }> {
  try {
    return { value: await read(), isAbsent: false };
  } catch (thrown) {
    const error = asSnapshotError(thrown);
    const isAbsent = error.reason === "Unsupported" && kinds.length > 0 && kinds.every((kind) => source.isUnused(kind));
    return isAbsent ? { isAbsent } : { error, isAbsent };
  }
}

/** Returns why the snapshots that were read may lack a snapshot of any resource, or undefined if they are complete. */
function uncertaintyOf(
  type: ResourceType,
  failed: readonly string[],
  { unlocated }: SnapshotFolder,
): string | undefined {
  if (failed.length > 0)
    return `The list of ${failed.join("s and the list of ")}s could not be read completely, so a newer snapshot may exist; see the faults of the report.`;
  if (unlocated === undefined) return undefined;
  const { kind, id } = unlocated;
  return `The row of the ${kind} ${id} does not contain the id of its ${NOUNS[type]}, so it may belong to this one. Check it in the console.`;
}

function judgeEntries(
  type: ResourceType,
  entries: ReadonlyMap<string, Entry>,
  options: CoverageOptions,
  uncertainty: string | undefined,
): ResourceCoverage[] {
  const { now, maxAgeHours, tags, excludeTags } = options;
  const resources: ResourceCoverage[] = [];
  for (const { resource, tally } of entries.values()) {
    if (!tags.every((filter) => hasTag(resource.tags, filter))) continue;
    const exclusion = excludeTags.find((filter) => hasTag(resource.tags, filter));
    const [newest] = tally.points;
    const state = coverageStateOf(
      {
        newestGood: newest?.created,
        newestFailed: tally.failures[0],
        newestUnknown: tally.newestUnknown && orderOf(tally.newestUnknown.created),
      },
      { now, maxAgeHours, isExcluded: exclusion !== undefined, isUncertain: uncertainty !== undefined },
    );
    const excludedBy = exclusion && clean(`${exclusion.key}=${resource.tags[exclusion.key]}`);
    resources.push({
      type,
      ...resource,
      name: boundText(resource.name, MAX_NAME_LENGTH),
      tags: boundTags(resource.tags),
      state,
      reason: reasonFor(state, { type, tally, now, maxAgeHours, excludedBy, uncertainty }),
      good: tally.good,
      failed: tally.failed,
      policies: tally.policies.sort(),
      ...(newest && { newest }),
      restorePoints: tally.points,
      timeline: tally.timeline,
    });
  }
  return resources.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Returns the first `MAX_TAGS` tags, with shortened keys and values. */
const boundTags = (tags: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(tags)
      .slice(0, MAX_TAGS)
      .map((tag) => tag.map((text) => boundText(text, MAX_NAME_LENGTH)) as [string, string]),
  );

function countStates(resources: readonly ResourceCoverage[], orphaned: number): Coverage["counts"] {
  const counts = Object.fromEntries(COVERAGE_STATES.map((state) => [state, 0])) as Record<
    keyof Coverage["counts"],
    number
  >;
  for (const { state } of resources) counts[state] += 1;
  counts.orphaned = orphaned;
  return counts;
}
