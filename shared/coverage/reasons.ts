import type { SnapshotError } from "../core/errors.ts";
import type { Instant } from "../core/instant.ts";
import { preview } from "../core/preview.ts";
import { boundText, escapeControls } from "../core/untrusted.ts";
import type { CoverageState, ResourceType, RestorePoint } from "./coverage.ts";
import type { Unlocated } from "./fold-snapshots.ts";
import { ageHoursOf } from "./rules.ts";
import { MAX_FAILURES, type SnapshotSummary, type UnknownSnapshot } from "./snapshot-summary.ts";

/** The words for the types of resources in sentences. */
export const NOUNS: Readonly<Record<ResourceType, string>> = { volume: "disk", cluster: "cluster" };

/** The advice about a snapshot that the report cannot judge. */
export const CHECK_IT = "Check it in the console.";

/** The facts that the reason for a state can contain. */
export interface ReasonFacts {
  type: ResourceType;
  summary: SnapshotSummary;
  now: Instant;
  maxAgeHours: number;
  /** The excluded tag that matches. */
  excludedBy?: string;
  /** Why the lists are not certain to contain the newest snapshot of the resource, as a sentence. */
  uncertainty?: string;
}

/** Returns why a resource has its state, as one or more sentences that also say what to do. */
export function reasonFor(state: CoverageState, facts: ReasonFacts): string {
  const { type, summary, excludedBy, uncertainty } = facts;
  const [newest] = summary.points;
  const noun = NOUNS[type];
  switch (state) {
    case "excluded":
      return `The tag ${excludedBy} excludes the ${noun}.`;
    case "protected":
      return newest === undefined ? "" : `${ageSentence(newest, facts)}.`;
    case "unknown": {
      const cause = uncertainty ?? unknownSentence(summary.newestUnknown);
      return `${cause} ${newest === undefined ? "No good snapshot was found" : ageSentence(newest, facts)}.`;
    }
    case "failing":
      return `${failureSentence(newest, facts)} Check the records of the function that creates the snapshots, and the ${noun} in the console.${creatingSentence(facts)}`;
    case "stale":
      return newest === undefined
        ? ""
        : `${ageSentence(newest, facts)}; expected at most ${facts.maxAgeHours}. No snapshot failed since then, so ${staleAdvice(newest, noun)}${creatingSentence(facts)}`;
    case "unprotected":
      return summary.newestCreating === undefined
        ? `No snapshot exists${summary.ignored === 0 ? "" : " except those of backups and those in deletion"}. Add the ${noun} to a policy, for example with a tag that a policy selects.`
        : `No good snapshot exists.${creatingSentence(facts)} If no policy selects the ${noun}, add it to a policy.`;
  }
}

const ageSentence = ({ created }: RestorePoint, { now, maxAgeHours }: ReasonFacts): string =>
  `The newest good snapshot is ${hours(ageHoursOf(created, now, maxAgeHours))} old`;

const hours = (count: number): string =>
  count === 0 ? "less than 0.1 hours" : `${count} hour${count === 1 ? "" : "s"}`;

const staleAdvice = ({ policy, createdBy }: RestorePoint, noun: string): string =>
  policy === undefined
    ? `add the ${noun} to a policy, because ${clean(createdBy)} created the snapshot.`
    : `check the timer and the targets of the policy ${clean(policy)}.`;

function failureSentence(newest: RestorePoint | undefined, facts: ReasonFacts): string {
  const { summary, now, maxAgeHours } = facts;
  const attempts = (count: number) => `${count} attempt${count === 1 ? "" : "s"} failed`;
  if (newest === undefined) return `${attempts(summary.failed)}, and no good snapshot exists.`;
  const since = summary.failures.filter((failed) => failed > newest.created).length;
  // The summary contains no older failures.
  return `${since === MAX_FAILURES ? "At least " : ""}${attempts(since)} since the newest good snapshot, which is ${hours(ageHoursOf(newest.created, now, maxAgeHours))} old.`;
}

const creatingSentence = ({ summary, now, maxAgeHours }: ReasonFacts): string =>
  summary.newestCreating === undefined
    ? ""
    : ` A snapshot has been in creation for ${hours(ageHoursOf(summary.newestCreating, now, maxAgeHours))}.`;

function unknownSentence(unknown: UnknownSnapshot | undefined): string {
  if (unknown === undefined) return "";
  const { kind, id, groupId, status, created } = unknown;
  const what = groupId === undefined ? `the ${kind} ${id}` : `the member ${id} of the ${kind} ${clean(groupId)}`;
  if (created === undefined)
    return `The creation time of ${what} is missing or not credible, so it may be the newest. ${CHECK_IT}`;
  const why =
    groupId === undefined
      ? `its status is ${quote(status)}`
      : "the group is missing from its list, or the status of the group or of a member is unknown";
  return `It is unknown whether the newest snapshot, ${what}, is good: ${why}. ${CHECK_IT}`;
}

/** Prepares a string from a list response for a sentence: shortens it to 64 characters, and escapes control characters. */
export const clean = (text: string): string => escapeControls(boundText(text, 64));

const quote = (text: string): string => escapeControls(preview(text));

/** Returns the fault of a report that contains no disks or no clusters, because the list of this type could not be read. */
export const resourceListFault = (type: ResourceType, { message }: SnapshotError): string =>
  `The list of ${NOUNS[type]}s could not be read, so the report contains no ${NOUNS[type]}s. ${cleanMessage(message)}`;

/** Returns the fault of a list of resources with unreadable rows. */
export const unreadableRowsFault = (type: ResourceType, count: number): string =>
  `The list of ${NOUNS[type]}s has ${count} row${count === 1 ? "" : "s"} without a valid id, so the report lacks ${NOUNS[type]}s and contains no orphaned snapshots of ${NOUNS[type]}s. Check the list in the console.`;

/** The reason for the state of a resource whose tags could not be read. */
export const UNREADABLE_TAGS = "The tags could not be read, so it is unknown whether they select the resource.";

/** Returns the fault of a list of disks or clusters that is empty although snapshots of disks or clusters exist. */
export const emptyListFault = (type: ResourceType, count: number): string =>
  `The list of ${NOUNS[type]}s is empty although ${count} snapshot${count === 1 ? "" : "s"} of ${NOUNS[type]}s exist: check PROJECT_ID and the rights.`;

/** Returns the notice about snapshots whose rows do not contain the id of a resource. */
export const unlocatedNotice = (type: ResourceType, { first, count }: Unlocated): string =>
  `Unreadable rows: ${count} snapshot${count === 1 ? "" : "s"} without the id of a ${NOUNS[type]}, such as the ${first}. ${CHECK_IT}`;

/** Returns the notice about an endpoint whose host name does not exist. */
export const noHostNotice = (kinds: readonly string[], { message }: SnapshotError): string =>
  `No deployed policy creates a ${kinds.join(", ")}, so an unknown host counts as an absent service. ${cleanMessage(message)}`;

/** Returns the fault of a report whose second list of resources could not be read. */
export const secondListFault = (type: ResourceType, { message }: SnapshotError): string =>
  `The report contains no orphaned snapshots of ${NOUNS[type]}s, because the list of ${NOUNS[type]}s must be read twice, and the second read failed: ${cleanMessage(message)}`;

/** Returns the fault of a list of snapshots that could not be read completely. */
export const listFault = (type: ResourceType, kind: string, { message }: SnapshotError): string =>
  `The list of ${kind}s could not be read completely, so each ${NOUNS[type]} is unknown unless another snapshot protects it. ${cleanMessage(message)}`;

const cleanMessage = (message: string): string => escapeControls(boundText(message, 300));
