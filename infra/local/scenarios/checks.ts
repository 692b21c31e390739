import type { SnapshotView } from "../cloud/index.ts";
import { addNames, missingFromTopic, recordsInTopic } from "../site/records.ts";
import { normalizeStatus, resourceIdOf } from "../site/sample-inventory.ts";
import type { ScenarioEnvironment } from "./environment.ts";

/** One comparison of the embedded cloud with the guarantee. */
export interface Check {
  /** What was compared, such as `duplicates`. */
  text: string;
  expected: string;
  actual: string;
  holds: boolean;
}

export function equal(text: string, expected: string | number, actual: string | number | undefined): Check {
  return { text, expected: String(expected), actual: String(actual), holds: expected === actual };
}

export const atLeast = (text: string, minimum: number, actual: number): Check => ({
  text,
  expected: `at least ${minimum}`,
  actual: String(actual),
  holds: actual >= minimum,
});

/** What the embedded cloud and the logging topic must contain after a scenario. */
interface Expected {
  /** The names of the resources that must have exactly one snapshot that is not failed. */
  resources: readonly string[];
  /** The number of failed snapshots by the name of the resource. Default: none */
  failed?: Record<string, number>;
  /** The number of result records with each outcome in the logging topic, such as `4 accepted, 4 existing`. */
  outcomes: string;
}

/** Checks the snapshots of each resource, the duplicates, and the result records of each target of each delivery. */
export function checkCloud(environment: ScenarioEnvironment, { resources, failed = {}, outcomes }: Expected): Check[] {
  const counts = countUsable(environment);
  const failedCounts = countFailed(environment);
  const names = [...new Set([...resources, ...Object.keys(counts), ...Object.keys(failedCounts)])];
  // The no-break space keeps a name and its number on one line.
  const format = (count: (name: string) => number, failures: Record<string, number>) =>
    names
      .map(
        (name) => `${name}\u00a0${count(name)}${failures[name] === undefined ? "" : ` (and ${failures[name]} failed)`}`,
      )
      .join(", ");
  return [
    equal(
      "usable snapshots",
      format((name) => (resources.includes(name) ? 1 : 0), failed),
      format((name) => counts[name] ?? 0, failedCounts),
    ),
    equal("duplicates", 0, countDuplicates(environment)),
    checkRecords(environment),
    equal("outcomes in these records", outcomes, outcomesInTopic(environment)),
  ];
}

/** Returns the number of snapshots that the functions created and that are not failed, by the name of the resource. */
export const countUsable = (environment: ScenarioEnvironment): Record<string, number> =>
  countOwn(environment, (isFailed) => !isFailed);

/** Returns the number of failed snapshots that the functions created, by the name of the resource. */
const countFailed = (environment: ScenarioEnvironment): Record<string, number> =>
  countOwn(environment, (isFailed) => isFailed);

/** Counts snapshots that the functions created, by the name of the resource. A group with a failed member is failed. */
function countOwn(
  { site, ownSnapshots }: ScenarioEnvironment,
  isCounted: (isFailed: boolean) => boolean,
): Record<string, number> {
  const failed = new Set(site.cloud.snapshots().flatMap((snapshot) => (isFailed(snapshot) ? snapshot.id : [])));
  const counts: Record<string, number> = {};
  for (const snapshot of ownSnapshots()) {
    if (!isCounted([snapshot.id, ...(snapshot.member_ids ?? [])].some((id) => failed.has(id)))) continue;
    const name = site.inventory.nameOf(resourceIdOf(snapshot));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

export const isFailed = ({ status }: SnapshotView): boolean => normalizeStatus(status).includes("error");

/** Returns the number of snapshots that are not failed, without one snapshot for each resource. */
export const countDuplicates = (environment: ScenarioEnvironment): number =>
  Object.values(countUsable(environment)).reduce((sum, count) => sum + count - 1, 0);

/** Checks that the logging topic has exactly one record for each target of each delivery, and every printed record. */
function checkRecords({ site, deliveries, printed }: ScenarioEnvironment): Check {
  const records = recordsInTopic(site.cloud).filter(({ action }) => action !== "run");
  const wrong: string[] = [];
  let targets = 0;
  for (const { requestId, targets: names } of deliveries) {
    targets += names.length;
    for (const name of new Set(names)) {
      const id = site.inventory.idOf(name);
      const count = records.filter((record) => record.request_id === requestId && record.resource_id === id).length;
      if (count !== names.filter((one) => one === name).length) wrong.push(`${count} for ${name}`);
    }
  }
  const missing = missingFromTopic(printed, site.cloud).length;
  if (missing > 0) wrong.push(`${missing} printed but not delivered`);
  if (records.length !== targets) wrong.push(`${records.length} in all`);
  const functions = deliveries.flatMap(({ functionName, targets: names }) => (names.length > 0 ? functionName : []));
  const runs = [...new Set(functions)].map(
    (name) => `${plural(functions.filter((one) => one === name).length, "run")} of ${name}`,
  );
  const expected = `${targets} (1 per resource from ${runs.join(", ")})`;
  return equal("records in the logging topic", expected, wrong.length === 0 ? expected : wrong.join(", "));
}

/** Returns the number of result records with each outcome in the logging topic, such as `4 accepted, 4 existing`. */
export function outcomesInTopic({ site }: ScenarioEnvironment): string {
  const outcomes = recordsInTopic(site.cloud).flatMap(({ action, outcome }) => (action === "run" ? [] : outcome));
  return formatCounts(outcomes) || "none";
}

/** Returns how often each text occurs, such as `4 accepted, 4 existing`, in alphabetical order. */
export function formatCounts(texts: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const text of [...texts].sort()) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts].map(([text, count]) => `${count} ${text}`).join(", ");
}

/** Returns a text with names in place of the ids of resources and snapshots, which are new in each run and fill several lines. */
export const replaceIds = (text: string, { site }: ScenarioEnvironment): string =>
  addNames(
    text,
    (id) => site.cloud.snapshots().find((snapshot) => snapshot.id === id)?.name || site.inventory.nameOf(id),
    (name) => name,
  );

/** Returns a number and a noun, such as `1 snapshot` or `2 snapshots`. */
export const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
