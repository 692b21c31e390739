/** Says in one sentence what an invocation did, with the number of targets for each outcome. */

import type { Invocation } from "../host/index.ts";
import type { ResultRecord } from "../site/records.ts";
import type { WaitedSnapshot, WaitResult } from "./wait.ts";

type Phrase = (count: number) => string;

const plural = (count: number, noun: string): string =>
  `${count === 0 ? "no" : count} ${noun}${count === 1 || count === 0 ? "" : "s"}`;
const snapshots = (count: number) => plural(count, "snapshot");
const targets = (count: number) => plural(count, "target");
const resources = (count: number) => (count === 1 ? "resource" : "resources");
const rejected: Phrase = (count) => `rejected ${plural(count, "request")} as invalid`;

/** The phrase for each action and outcome, in the order of the sentence. `phraseOf` returns the keys. */
const PHRASES: Record<string, Record<string, Phrase>> = {
  create: {
    accepted: (count) => `started ${snapshots(count)}`,
    available: (count) => `found ${snapshots(count)} available`,
    existing: (count) => `found ${snapshots(count)} that an earlier request created`,
    planned: (count) => `would create ${snapshots(count)}`,
    deferred: (count) => `left ${targets(count)} to the next invocation`,
    skipped: (count) => `skipped ${targets(count)}`,
    unverified: (count) => `could not find out the state of ${snapshots(count)}`,
    failed: (count) => `failed to create ${snapshots(count)}`,
    rejected,
  },
  verify: {
    available: (count) => `found ${count} available ${count === 1 ? "snapshot" : "snapshots"}`,
    "found failed": (count) => `${count} failed ${count === 1 ? "snapshot" : "snapshots"}`,
    unverified: (count) => `${count} ${count === 1 ? "snapshot" : "snapshots"} in an unclear state`,
    failed: (count) => `failed to check ${targets(count)}`,
    rejected,
  },
  prune: {
    "would delete": (count) => `would delete ${snapshots(count)}`,
    "would keep": (count) => `keep ${count}`,
    "on hold": (count) => `keep ${count} on hold`,
    deleted: (count) => `deleted ${snapshots(count)}`,
    kept: (count) => `kept ${count}`,
    held: (count) => `kept ${count} on hold`,
    unverified: (count) => `could not find out whether ${snapshots(count)} ${count === 1 ? "is" : "are"} deleted`,
    failed: (count) => `failed to delete ${snapshots(count)}`,
    rejected,
  },
  coverage: {
    unprotected: (count) => `found ${count === 0 ? "no" : count} unprotected ${resources(count)}`,
    failing: (count) => `${count} with failing snapshots`,
    stale: (count) => `${count} whose snapshots are too old`,
    unknown: (count) => `${count} in an unclear state`,
    orphaned: (count) =>
      `${count} ${resources(count)} that no longer ${count === 1 ? "exists but has" : "exist but have"} snapshots`,
    failed: (count) => `could not read ${plural(count, "list")}`,
    rejected,
  },
};

/** What a dry run of prune-snapshots would do, by the decision in the `detail` of its records. */
const PLANS: Record<string, string> = { deleted: "would delete", kept: "would keep", held: "on hold" };

/** Returns the outcome of a record. For a dry run of prune-snapshots, returns what prune-snapshots would do. */
export const outcomeOf = ({ action, outcome, detail = "" }: ResultRecord): string =>
  (action === "prune" && outcome === "planned" && PLANS[detail]) || outcome;

/** Returns the key of the phrase for a record. A verification that finds a failed snapshot has not failed. */
const phraseOf = (record: ResultRecord): string =>
  record.action === "verify" && record.error?.reason === "SnapshotFailed" ? "found failed" : outcomeOf(record);

/** Returns the position of a record's outcome in the sentence. */
export const rankOf = (record: ResultRecord): number =>
  Object.keys(PHRASES[record.action] ?? {}).indexOf(outcomeOf(record));

/**
 * Returns one sentence about an invocation, such as `scheduled-snapshots started 5 snapshots.`
 *
 * @param records the result records of the invocation and of the invocations that it started
 */
export function describeInvocation(invocation: Invocation, records: readonly ResultRecord[]): string {
  const actions = [...new Set(records.map(({ action }) => action))].filter((action) => action !== "run");
  const phrases = actions.flatMap((action) => phrasesOf(action, records));
  const response = describeResponse(invocation);
  const parts = response === undefined ? phrases : [...phrases, response];
  const dryRun = isDryRun(records) ? " (dry run)" : "";
  const subject = `${invocation.function}${dryRun}`;
  if (invocation.error !== undefined) {
    return parts.length === 0 ? `${subject} failed.` : `${subject} ${join(parts)}, so the invocation failed.`;
  }
  return `${subject} ${parts.length === 0 ? "had nothing to do" : join(parts)}.`;
}

export const isDryRun = (records: readonly ResultRecord[]): boolean =>
  records.some(({ outcome }) => outcome === "planned");

/** Returns a phrase for each outcome of the records of one action. */
function phrasesOf(action: string, records: readonly ResultRecord[]): string[] {
  const counts = new Map<string, number>();
  const add = (outcome: string, count: number) => counts.set(outcome, (counts.get(outcome) ?? 0) + count);
  for (const record of records) if (record.action === action) add(phraseOf(record), 1);
  // If prune-snapshots deletes nothing, the sentence says so.
  if (counts.has("would keep") || counts.has("on hold")) add("would delete", 0);
  if (counts.has("kept") || counts.has("held")) add("deleted", 0);
  // The first phrase contains the verb and the noun of the phrases after it.
  if (["failing", "stale", "unknown", "orphaned"].some((state) => counts.has(state))) add("unprotected", 0);
  const phrases = PHRASES[action] ?? {};
  const known = Object.keys(phrases).filter((outcome) => counts.has(outcome));
  const others = [...counts.keys()].filter((outcome) => !(outcome in phrases));
  return [...known, ...others].map((outcome) => {
    const count = counts.get(outcome) ?? 0;
    return phrases[outcome]?.(count) ?? `${action} ${outcome}: ${targets(count)}`;
  });
}

/** Returns the HTTP response in words, such as `responded with HTTP 202 (pending)`. Undefined for an event function. */
function describeResponse({ result }: Invocation): string | undefined {
  const response = readHttpResult(result);
  if (response === undefined) return undefined;
  const { status } = Object(response.json) as { status?: unknown };
  return `responded with HTTP ${response.statusCode}${typeof status === "string" ? ` (${status})` : ""}`;
}

/** An HTTP response that a function returned. `json` is undefined if the body is not JSON. */
interface HttpResult {
  statusCode: number;
  headers: Record<string, string>;
  body: string;
  json: unknown;
}

/** Reads the result of an HTTP function. Returns undefined for any other result. */
export function readHttpResult(result: unknown): HttpResult | undefined {
  const { statusCode, headers = {}, body } = Object(result) as Partial<HttpResult>;
  if (typeof statusCode !== "number" || typeof body !== "string") return undefined;
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  return { statusCode, headers, body, json };
}

/** What became of a snapshot, as the end of a sentence about it. */
const FATES: Record<WaitedSnapshot["state"], string> = {
  available: "is available",
  failed: "failed",
  creating: "is still creating",
  unknown: "has an unknown status",
  deleting: "is being deleted",
  missing: "is missing",
};

/** Returns what became of a snapshot, such as `The snapshot 4f2c… failed.` */
export const describeFate = ({ id, state }: Pick<WaitedSnapshot, "id" | "state">): string =>
  `The snapshot ${id} ${FATES[state]}.`;

/** Returns one sentence about the wait for snapshots, such as `All 5 snapshots became available after 3.1 s.` */
export function describeWait({ snapshots: waited, seconds }: WaitResult): string {
  const time = `${seconds.toFixed(1)} s`;
  const states = waited.map(({ state }) => state);
  const others = [...new Set(states)].filter((state) => state !== "available");
  const [first] = states;
  if (others.length === 0) {
    return `${waited.length === 1 ? "The snapshot" : `All ${waited.length} snapshots`} became available after ${time}.`;
  }
  if (waited.length === 1 && first !== undefined) return `After ${time}, the snapshot ${FATES[first]}.`;
  const countOf = (state: string) => states.filter((candidate) => candidate === state).length;
  const parts = ["available" as const, ...others].map((state) => `${countOf(state)} ${FATES[state]}`);
  return `After ${time}, of ${waited.length} snapshots ${join(parts)}.`;
}

function join(parts: readonly string[]): string {
  if (parts.length < 3) return parts.join(" and ");
  return `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
