import type { Instant } from "../core/instant.ts";
import { boundText } from "../core/untrusted.ts";
import type { ResourceCoverage, ResourceType } from "./coverage.ts";
import type { Unlocated } from "./fold-snapshots.ts";
import { CHECK_IT, clean, NOUNS, reasonFor, UNREADABLE_TAGS } from "./reasons.ts";
import { coverageStateOf, isYoung } from "./rules.ts";
import { MAX_NAME_LENGTH, orderOf, type SnapshotSummary } from "./snapshot-summary.ts";
import type { ListedResource } from "./source.ts";
import { hasTag, type TagFilter } from "./tag-filter.ts";

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

/** A resource and what its snapshots add up to. */
export interface Entry {
  resource: ListedResource;
  summary: SnapshotSummary;
}

/** The maximum number of tags of a resource in a report. EVS and DWS allow fewer. */
const MAX_TAGS = 100;

/** Why the snapshots that were read may lack a snapshot of any resource. */
export interface Uncertainty {
  text: string;
  /** True if only a snapshot that is too old to protect its resource can be missing. */
  isOld: boolean;
}

/** Returns why the report may lack a snapshot, or undefined if it lacks none. */
export function uncertaintyOf(
  type: ResourceType,
  failed: readonly string[],
  unlocated: Unlocated | undefined,
  { now, maxAgeHours }: CoverageOptions,
): Uncertainty | undefined {
  if (failed.length > 0) {
    const text = `The list of ${failed.join("s and the list of ")}s could not be read completely, so a newer snapshot may exist; see the faults of the report.`;
    return { text, isOld: false };
  }
  if (unlocated === undefined) return undefined;
  const { first, newest } = unlocated;
  const text = `The row of the ${first} does not contain the id of its ${NOUNS[type]}, so it may belong to this one. ${CHECK_IT}`;
  return { text, isOld: !isYoung(newest, now, maxAgeHours) };
}

/** Returns the coverage of the resources that the tags select, sorted by id. */
export function judgeEntries(
  type: ResourceType,
  entries: ReadonlyMap<string, Entry>,
  options: CoverageOptions,
  uncertainty: Uncertainty | undefined,
): ResourceCoverage[] {
  const { now, maxAgeHours, tags, excludeTags } = options;
  const resources: ResourceCoverage[] = [];
  for (const { resource, summary } of entries.values()) {
    const isSelected = tags.every((filter) => hasTag(resource.tags, filter));
    if (!isSelected && !resource.hasOtherTags) continue;
    const exclusion = excludeTags.find((filter) => hasTag(resource.tags, filter));
    const [newest] = summary.points;
    const judged = coverageStateOf(
      {
        newestGood: newest?.created,
        newestFailed: summary.failures[0],
        newestUnknown: summary.newestUnknown && orderOf(summary.newestUnknown.created),
      },
      {
        now,
        maxAgeHours,
        isExcluded: exclusion !== undefined,
        lacks: uncertainty && (uncertainty.isOld ? "old" : "any"),
      },
    );
    const state = isSelected || judged === "excluded" ? judged : "unknown";
    const excludedBy = exclusion && clean(`${exclusion.key}=${resource.tags[exclusion.key]}`);
    resources.push({
      type,
      ...resource,
      name: boundText(resource.name, MAX_NAME_LENGTH),
      tags: boundTags(resource.tags),
      state,
      reason: reasonFor(state, {
        type,
        summary,
        now,
        maxAgeHours,
        excludedBy,
        uncertainty: isSelected ? uncertainty?.text : UNREADABLE_TAGS,
      }),
      good: summary.good,
      failed: summary.failed,
      policies: summary.policies.sort(),
      ...(newest && { newest }),
      restorePoints: summary.points,
      timeline: summary.timeline,
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
