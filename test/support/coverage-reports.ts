/** Makes coverage reports with any number of resources, and with hostile names, for tests of the page and of the client. */
import { instant } from "../../shared/core/instant.ts";
import {
  COVERAGE_STATES,
  type Coverage,
  type CoverageState,
  type Orphan,
  type ResourceCoverage,
  type RestorePoint,
  TIMELINE,
  TIMELINE_DAYS,
} from "../../shared/coverage/coverage.ts";
import { createRandom } from "./random.ts";

const PROJECT = "0123456789abcdef0123456789abcdef";
const GENERATED_AT = instant(Date.UTC(2026, 10, 28, 2));
const HOUR_MS = 3_600_000;
const MAX_AGE_HOURS = 26;

const HOSTILE_CHARACTERS = "<script>window.hacked=1</script><img src=x onerror=window.hacked=1>";
/** Names that a page, a spreadsheet or a terminal could misread. */
export const HOSTILE_NAMES = [
  HOSTILE_CHARACTERS,
  `"'><svg onload=window.hacked=1>`,
  "</table></main></script><script>window.hacked=1</script>",
  "</style><style>*{display:none}</style>",
  "&lt;b&gt; &amp;amp; &#60;",
  "<!-- --> ]]> {{7*7}} #{7*7}",
  "\u202egnp.exe\u202c \u2066\u2069\u2069 after",
  "\u0000\u0007\u001b[31mred\r\n\u2028next\u009f",
  "\ud800 a lone surrogate",
  "نسخة احتياطية لقاعدة البيانات 42",
  "גיבוי של מסד הנתונים (2)",
  "数据库备份🗄️👩‍💻",
  '=HYPERLINK("http://example.com")',
  "   ",
  "W".repeat(255),
  "<".repeat(255),
  "長".repeat(255),
  "name with spaces ".repeat(15),
];

/** The share of each state among the resources of a report. The rest is protected. */
const USUAL: Partial<Record<CoverageState, number>> = {
  unprotected: 0.03,
  failing: 0.02,
  stale: 0.03,
  unknown: 0.02,
  excluded: 0.04,
};

export interface ReportOptions {
  resources: number;
  seed?: number;
  shares?: Partial<Record<CoverageState, number>>;
  names?: readonly string[];
  orphans?: number;
  faults?: readonly string[];
}

/** Makes a report. Equal options result in equal reports. */
export function makeReport(options: ReportOptions): Coverage {
  const { resources: count, seed = 1, shares = USUAL, names, orphans = 0, faults = [] } = options;
  const random = createRandom(seed);
  const resources = Array.from({ length: count }, (_, index) => {
    const name = names?.[index % names.length];
    return makeResource(index, stateAt(random(), shares), random, name);
  }).sort((a, b) => Number(a.type === "cluster") - Number(b.type === "cluster") || (a.id < b.id ? -1 : 1));
  const counts = Object.fromEntries(
    COVERAGE_STATES.map((state) => [state, resources.filter((resource) => resource.state === state).length]),
  ) as Record<CoverageState, number>;
  return {
    generatedAt: GENERATED_AT,
    maxAgeHours: MAX_AGE_HOURS,
    projectId: PROJECT,
    complete: faults.length === 0,
    faults,
    errors: faults.map(() => undefined),
    notices: [],
    resources,
    orphans: Array.from(
      { length: Math.min(orphans, 200) },
      (_, index): Orphan => ({
        kind: index % 2 === 0 ? "snapshot" : "standard-snapshot",
        id: makeId(random),
        resourceId: makeId(random),
        ...(index % 5 === 4 ? {} : { created: instant(GENERATED_AT - (400 - index) * 24 * HOUR_MS) }),
      }),
    ),
    counts: { ...counts, orphaned: orphans },
  };
}

/** Returns a restore call in the form of the API, as far as the page shows it. */
export const restoreCallOf = (resource: ResourceCoverage, point: RestorePoint) => ({
  requires: "The call overwrites the disk. First detach the disk, and stop the server of a system disk.",
  toText: () => `POST /v2/${PROJECT}/cloudsnapshots/${point.id}/rollback {"rollback":{"volume_id":"${resource.id}"}}`,
});

function stateAt(share: number, shares: Partial<Record<CoverageState, number>>): CoverageState {
  let sum = 0;
  for (const [state, size] of Object.entries(shares)) {
    sum += size;
    if (share < sum) return state as CoverageState;
  }
  return "protected";
}

const SERVICES = ["orders", "billing", "search", "catalog", "mail", "warehouse", "reports", "login"];

function makeResource(index: number, state: CoverageState, random: () => number, name?: string): ResourceCoverage {
  const type = index % 25 === 24 ? "cluster" : "volume";
  const service = SERVICES[index % SERVICES.length];
  const pointCount = state === "unprotected" || state === "excluded" ? 0 : 1 + Math.floor(random() * 10);
  const ageHours = state === "protected" ? random() * MAX_AGE_HOURS : MAX_AGE_HOURS + 1 + random() * 400;
  const restorePoints = Array.from({ length: pointCount }, (_, place) =>
    makePoint(type, ageHours + place * 24, random),
  );
  const failed = state === "failing" ? 3 : state === "unprotected" && random() < 0.5 ? 1 : 0;
  return {
    type,
    id: makeId(random),
    name: name ?? `${service}-${type === "cluster" ? "warehouse" : "data"}-${index}`,
    state,
    reason: reasonOf(state, ageHours),
    sizeGb: [10, 40, 100, 500, 1_000][index % 5] as number,
    serverIds: type === "volume" && index % 3 > 0 ? [makeId(random)] : [],
    tags: { app: name ?? (service as string), backup: state === "excluded" ? "none" : "daily" },
    good: pointCount === 10 ? 21 : pointCount,
    failed,
    policies: pointCount === 0 ? [] : ["nightly"],
    ...(restorePoints[0] === undefined ? {} : { newest: restorePoints[0] }),
    restorePoints,
    timeline: makeTimeline(state, ageHours, pointCount, failed),
  };
}

function makePoint(type: string, ageHours: number, random: () => number): RestorePoint {
  const created = instant(GENERATED_AT - ageHours * HOUR_MS);
  const kind = type === "cluster" ? "cluster-snapshot" : "snapshot";
  const name = `nightly-${new Date(created).toISOString().slice(0, 10)}`;
  return { kind, id: makeId(random), name, created, policy: "nightly", createdBy: "the policy nightly" };
}

const TEXTS: Record<CoverageState, (age: string) => string> = {
  excluded: () => "The resource has the excluded tag backup=none.",
  protected: (age) => `The newest good snapshot is ${age} hours old.`,
  unknown: () =>
    "The list of v2 snapshots could not be read, and it could contain a newer snapshot. Call again; if this repeats, check the agency's permissions.",
  failing: (age) =>
    `3 attempts failed since the newest good snapshot, which is ${age} hours old. Check the records of scheduled-snapshots for the error.`,
  stale: (age) =>
    `The newest good snapshot is ${age} hours old; expected at most 26. No snapshot failed since then, so check the timer of the policy nightly.`,
  unprotected: () => "No snapshot exists. Add the disk to a policy, for example with a tag that a policy selects.",
};

const reasonOf = (state: CoverageState, ageHours: number) => TEXTS[state](ageHours.toFixed(1));

function makeTimeline(state: CoverageState, ageHours: number, points: number, failed: number): Uint8Array {
  const days = new Uint8Array(TIMELINE_DAYS);
  const newest = TIMELINE_DAYS - 1 - Math.floor(ageHours / 24);
  for (let place = 0; place < points; place += 1) {
    const day = newest - place;
    if (day >= 0) days[day] = TIMELINE.good;
  }
  for (let place = 0; place < failed; place += 1) {
    const day = TIMELINE_DAYS - 1 - place;
    days[day] = (days[day] ?? 0) | TIMELINE.failed;
  }
  if (state === "stale") days[TIMELINE_DAYS - 1] = (days[TIMELINE_DAYS - 1] ?? 0) | TIMELINE.creating;
  return days;
}

const makeId = (random: () => number): string => {
  const hex = Array.from({ length: 32 }, () => Math.floor(random() * 16).toString(16)).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};
