/** Checks a coverage report against the list responses that it is made of. Shares no code with `shared/coverage`. */
import type { Coverage, Orphan, ResourceCoverage } from "../../shared/coverage/coverage.ts";
import {
  type Attempt,
  areTagsReadable,
  HOUR_MS,
  isValidId,
  judgeSnapshots,
  readSnapshotFacts,
  tagsOf,
} from "./facts.ts";
import type { ListName, Project, Raw } from "./project.ts";

/**
 * The promises:
 *
 * - `certain`: a protected resource has a snapshot in the lists that is certainly good and young enough.
 * - `complete`: a resource is `unprotected`, `stale` or `failing` only if all lists that matter are complete.
 * - `state`: the state is the first one of the rules that applies.
 * - `selection`: the report contains each listed resource that the tags select, once, sorted by type and id.
 * - `counts`: the counts equal the resources.
 * - `summary`: the numbers of good and failed snapshots, the policies and the timeline are right.
 * - `newest`: the newest good snapshot and the restore points are the newest good snapshots in the lists.
 * - `ages`: the age in the reason is right, and does not contradict the state.
 * - `orphans`: the orphans are the snapshots of resources that do not exist. Without complete lists, there are none.
 * - `faults`: the report is complete, and has no faults, if and only if all lists are.
 * - `reasons`: each reason is a short sentence without control characters.
 * - `readOnly`: only GET requests are sent.
 * - `ends`: the report fails only if no list of resources could be read, and does fail then.
 */
export const PROMISES = [
  ...[
    "certain",
    "complete",
    "state",
    "selection",
    "counts",
    "summary",
    "newest",
    "ages",
    "orphans",
    "faults",
    "reasons",
    "readOnly",
    "ends",
  ],
] as const;
export type PromiseName =
  | "certain"
  | "complete"
  | "state"
  | "selection"
  | "counts"
  | "summary"
  | "newest"
  | "ages"
  | "orphans"
  | "faults"
  | "reasons"
  | "readOnly"
  | "ends";

export interface BrokenPromise {
  promise: PromiseName;
  text: string;
}

/** What a run of the report left for the checker. */
export interface Outcome {
  report?: Coverage;
  error?: unknown;
  delivered: ReadonlyMap<ListName, ReadonlySet<Raw>>;
  incomplete: ReadonlySet<ListName>;
  requests: readonly string[];
}

const TYPES = ["volume", "cluster"] as const;
type Type = (typeof TYPES)[number];
const RESOURCE_LIST: Record<Type, ListName> = { volume: "disks", cluster: "clusters" };
const SNAPSHOT_LISTS: Record<Type, ListName[]> = {
  volume: ["snapshot", "standard-snapshot", "snapshot-group"],
  cluster: ["cluster-snapshot"],
};

/** Returns whether a list counts as read because the endpoint does not offer it and the deployment does not use it. */
const isAbsent = ({ lists, deployedKinds }: Project, name: ListName): boolean => {
  const kind = name === "clusters" ? "cluster-snapshot" : name;
  return name !== "disks" && lists[name].fault.type === "unsupported" && deployedKinds?.includes(kind) === false;
};

export function checkReport(project: Project, outcome: Outcome): BrokenPromise[] {
  const broken: BrokenPromise[] = [];
  const add = (promise: PromiseName, text: string) => void broken.push({ promise, text });
  const { report, requests } = outcome;
  for (const request of requests) if (!request.startsWith("GET ")) add("readOnly", request);
  const types = TYPES.filter((type) => project.types.includes(type));
  const isUnread = (name: ListName) => outcome.incomplete.has(name) && !isAbsent(project, name);
  const readTypes = types.filter((type) => !isUnread(RESOURCE_LIST[type]));
  const mustFail = readTypes.length < types.length && readTypes.every((type) => isAbsent(project, RESOURCE_LIST[type]));
  if ((report === undefined) !== mustFail) add("ends", report === undefined ? String(outcome.error) : "no error");
  if (report === undefined) return broken;
  const now = Date.parse(project.now);
  const rowsOf = (name: ListName): Raw[] => [...(outcome.delivered.get(name) ?? [])];
  const wanted: string[] = [];
  const orphans: Attempt[] = [];
  let isComplete = readTypes.length === types.length;
  for (const type of readTypes) {
    // Without its clusters, the report does not read the list of cluster snapshots.
    const unread = isAbsent(project, RESOURCE_LIST[type]) ? [] : SNAPSHOT_LISTS[type].filter(isUnread);
    const resources = rowsOf(RESOURCE_LIST[type]);
    const hasInvalid = resources.some(({ id }) => !isValidId(id));
    isComplete &&= unread.length === 0 && !hasInvalid;
    const facts = SNAPSHOT_LISTS[type].flatMap((name) => rowsOf(name).map((raw) => readSnapshotFacts(name, raw, now)));
    const disksOf = (server: string) =>
      resources
        .filter(({ id, attachments }) => isValidId(id) && serversOf(attachments).includes(server))
        .map(({ id }) => String(id).toLowerCase());
    const attempts = judgeSnapshots(facts, new Set(unread), disksOf);
    const unlocated = attempts.filter((one) => one.resource === undefined && !isNothing(one));
    const isYoung = ({ created = now }: Attempt) => now - created <= project.maxAgeHours * HOUR_MS;
    const known = new Set<string>();
    for (const raw of resources) {
      if (!isValidId(raw.id)) continue;
      known.add(raw.id.toLowerCase());
      const tags = tagsOf(raw.tags);
      const has = ([key, value]: [string, string?]) =>
        tags.has(key) && (value === undefined || tags.get(key) === value);
      const isSelected = project.tags.every(has);
      if (!isSelected && areTagsReadable(raw.tags)) continue;
      wanted.push(`${type} ${raw.id}`);
      const found = report.resources.find((one) => one.type === type && one.id === raw.id);
      if (found === undefined) continue;
      const ofResource = attempts.filter(({ resource }) => resource === String(raw.id).toLowerCase());
      const isExcluded = project.excludeTags.some(has);
      const isCertain = unread.length === 0 && !unlocated.some(isYoung);
      const mayLackOld = unlocated.length > 0;
      checkResource(
        found,
        ofResource,
        { project, now, isCertain, mayLackOld, isExcluded, isSelected, unread: unread.length > 0 },
        add,
      );
    }
    if (hasInvalid || isAbsent(project, RESOURCE_LIST[type])) continue;
    const lost = attempts.filter(
      (one) => one.resource !== undefined && !known.has(one.resource) && !isNothing(one) && !one.lacksGroup,
    );
    // An empty list although snapshots exist is a fault.
    if (resources.length === 0 && lost.length > 0) isComplete = false;
    else orphans.push(...lost.filter((one) => !listsOf(one).some((name) => unread.includes(name))));
  }
  const ids = report.resources.map(({ type, id }) => `${type} ${id}`);
  const order = wanted.sort(
    (a, b) => Number(a.startsWith("cluster")) - Number(b.startsWith("cluster")) || (a < b ? -1 : 1),
  );
  if (ids.join() !== order.join()) add("selection", `expected ${order.join()}, got ${ids.join()}`);
  checkCounts(report, add);
  checkOrphans(report, orphans, add);
  if (report.complete !== isComplete || (report.faults.length === 0) !== isComplete)
    add("faults", `complete ${report.complete}, ${report.faults.length} faults; expected complete ${isComplete}`);
  return broken;
}

const serversOf = (attachments: unknown): unknown[] =>
  Array.isArray(attachments) ? attachments.map((one) => String(one.server_id).toLowerCase()) : [];

/** Returns whether a snapshot is in deletion or of a backup, by itself or with its group. Such a snapshot is never an orphan. */
const isNothing = ({ status, weight }: Attempt): boolean => status === "deleting" || weight === "none";

const listsOf = ({ list, group }: Attempt): ListName[] =>
  group === undefined || list !== "standard-snapshot" ? [list] : [list, "snapshot-group"];

const kindOf = (one: Attempt): string => (listsOf(one).length > 1 ? "snapshot-group" : one.list);

type Add = (promise: PromiseName, text: string) => void;

interface Setting {
  project: Project;
  now: number;
  isCertain: boolean;
  /** Whether a snapshot without the id of a resource exists. */
  mayLackOld: boolean;
  isExcluded: boolean;
  /** Whether the readable tags select the resource. */
  isSelected: boolean;
  unread: boolean;
}

function checkResource(found: ResourceCoverage, attempts: readonly Attempt[], setting: Setting, add: Add): void {
  const { project, now, isCertain, mayLackOld, isExcluded, isSelected, unread } = setting;
  const what = `${found.type} ${found.id} is ${found.state}`;
  const maxMs = project.maxAgeHours * HOUR_MS;
  const timesOf = (weight: Attempt["weight"]) =>
    attempts.filter((one) => one.weight === weight).map(({ created }) => created ?? Number.POSITIVE_INFINITY);
  const newestOf = (weight: Attempt["weight"]) => Math.max(...timesOf(weight));
  const newest = newestOf("good");
  const isYoung = now - newest <= maxMs;
  if (found.state === "protected" && !isYoung)
    add("certain", `${what}, but its newest good snapshot is from ${newest}`);
  if (unread && ["unprotected", "stale", "failing"].includes(found.state))
    add("complete", `${what}, but a list is incomplete`);
  const isOpen = !isCertain || timesOf("open").some((time) => time >= newest);
  const withoutGood = mayLackOld ? "unknown" : "unprotected";
  const withoutYoung = newestOf("bad") > newest ? "failing" : newest > 0 ? "stale" : withoutGood;
  const judged = isYoung ? "protected" : isOpen ? "unknown" : withoutYoung;
  const expected = isExcluded ? "excluded" : isSelected ? judged : "unknown";
  if (found.state !== expected) add("state", `${what}, expected ${expected}`);
  checkSummary(found, attempts, now, add);
  const good = attempts.filter(({ weight }) => weight === "good").sort((a, b) => Number(b.created) - Number(a.created));
  const points = found.restorePoints;
  if (
    points.map(({ created }) => created).join() !==
    good
      .slice(0, 10)
      .map(({ created }) => created)
      .join()
  )
    add("newest", `${what}: the restore points are ${points.map(({ id }) => id).join()}`);
  if (
    points.some(
      (point) =>
        !good.some(
          (one) =>
            one.id === point.id &&
            one.created === point.created &&
            kindOf(one) === point.kind &&
            one.group === point.groupId,
        ),
    )
  )
    add("newest", `${what}: a restore point is not a good snapshot of it`);
  if (found.newest !== points[0]) add("newest", `${what}: the newest is not the first restore point`);
  const age = /newest good snapshot(?: is|, which is) ([\d.]+) hours? old/.exec(
    found.reason.replace("less than 0.1 hours", "0 hours"),
  )?.[1];
  const trueAge = Math.max(0, now - newest) / HOUR_MS;
  if (["protected", "stale"].includes(found.state) && age === undefined)
    add("ages", `${what}: no age in ${found.reason}`);
  if (age !== undefined && (Math.abs(Number(age) - trueAge) > 0.1 || Number(age) <= project.maxAgeHours !== isYoung))
    add("ages", `${what}: ${age} hours instead of ${trueAge}`);
  if (!/^[A-Z0-9].*\.$/.test(found.reason) || found.reason.length > 500 || /[\p{Cc}\p{Cf}]/u.test(found.reason))
    add("reasons", `${what}: ${found.reason}`);
}

function checkSummary(found: ResourceCoverage, attempts: readonly Attempt[], now: number, add: Add): void {
  const count = (weight: Attempt["weight"]) => attempts.filter((one) => one.weight === weight).length;
  if (found.good !== count("good") || found.failed !== count("bad"))
    add(
      "summary",
      `${found.id}: ${found.good} good and ${found.failed} failed instead of ${count("good")} and ${count("bad")}`,
    );
  const days = new Array<number>(30).fill(0);
  for (const { weight, created = 0 } of attempts) {
    const value = { good: 1, bad: 2, creating: 4, open: 0, none: 0 }[weight];
    const day = 29 - Math.max(0, Math.floor(now / 86_400_000) - Math.floor(created / 86_400_000));
    if (day >= 0) days[day] = (days[day] ?? 0) | value;
  }
  if ([...found.timeline].join() !== days.join())
    add("summary", `${found.id}: the timeline is ${[...found.timeline].join("")}`);
  if (found.policies.some((policy) => policy !== "nightly"))
    add("summary", `${found.id}: policies ${found.policies.join()}`);
  const own = attempts.filter(
    ({ group, policy, weight }) => group === undefined && policy !== undefined && weight !== "none",
  );
  if (own.length > 0 && found.policies.length === 0) add("summary", `${found.id}: no policy`);
}

function checkCounts({ counts, resources }: Coverage, add: Add): void {
  for (const [state, count] of Object.entries(counts)) {
    const real = resources.filter((one) => one.state === state).length;
    if (state !== "orphaned" && real !== count) add("counts", `${state}: ${count} instead of ${real}`);
  }
  const { orphaned: _, ...states } = counts;
  if (Object.values(states).reduce((sum, count) => sum + count, 0) !== resources.length)
    add("counts", "the sum is wrong");
}

function checkOrphans({ orphans, counts }: Coverage, expected: readonly Attempt[], add: Add): void {
  const textOf = (kind: string, id: string | undefined, resource: string | undefined, created: number | undefined) =>
    `${kind} ${id} ${resource} ${created}`;
  const wanted = expected.map((one) => textOf(kindOf(one), one.id ?? "unreadable", one.resource, one.created)).sort();
  const got = orphans.map(({ kind, id, resourceId, created }: Orphan) => textOf(kind, id, resourceId, created)).sort();
  if (wanted.join("; ") !== got.join("; ")) add("orphans", `expected ${wanted.join("; ")}, got ${got.join("; ")}`);
  if (counts.orphaned !== wanted.length) add("orphans", `${counts.orphaned} are counted instead of ${wanted.length}`);
  const times = orphans.map(({ created = Number.POSITIVE_INFINITY }) => created as number);
  if (times.some((time, index) => time < (times[index - 1] ?? 0))) add("orphans", "they are not sorted by time");
}
