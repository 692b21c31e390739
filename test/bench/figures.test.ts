/** Checks how `npm run bench` judges its measured values and reads its arguments, without measuring. */
import { expect, test } from "vitest";
import { BadUsage } from "../../infra/local/terminal/arguments.ts";
import { readBenchArguments } from "./arguments.ts";
import { conclusionOf, type Figure, figuresOf, type Results } from "./figures.ts";
import { MB } from "./process.ts";

const COLD = { bytes: 60 * 1024, load: 4, first: 14, whole: 20, rss: 45 * MB };
const RATIOS = { loadRatio: 0.08, firstRatio: 0.19, rssRatio: 1.03 };
const RUN = {
  disks: 10_000,
  invocations: 1,
  snapshots: 10_000,
  duplicates: 0,
  unnamed: 0,
  unrecorded: 0,
  requests: 10_049,
  throttled: 0,
  seconds: 204,
  minSeconds: 200,
  rssPeak: 80 * MB,
  cpu: 7_600,
  in128Mb: false,
  isSlow: false,
  shardSize: 10_000,
};

const CREATE: Results["cold"][number] = { name: "create-snapshot", ...COLD, ...RATIOS };
const COVERAGE = {
  format: "json",
  rssPeak: 170 * MB,
  cpu: 16_000,
  bytes: 2_300_000,
  requests: 229,
  pages: 222,
  isRight: true,
};

const RESULTS: Results = {
  cold: [CREATE, { name: "pre-deploy", ...COLD, bytes: 90 * 1024, ...RATIOS, loadRatio: 0.1, firstRatio: 0.2 }],
  runs: [
    { ...RUN, disks: 100, seconds: 3, minSeconds: 1 },
    { ...RUN, in128Mb: true },
    RUN,
    { ...RUN, invocations: 20, seconds: 220 },
  ],
  planCpu: 116,
  pruned: { snapshots: 100_000, left: 95_000, cpu: 9_000, rssPeak: 107 * MB, pages: 202 },
  coverage: [COVERAGE, { ...COVERAGE, format: "timer", bytes: 0, requests: 230 }],
};

const figureNamed = (figures: readonly Figure[], part: string) => figures.find(({ name }) => name.includes(part));

test("if no measured value exceeds its maximum, each figure counts as met, and the conclusion states that all figures are within their maximum", () => {
  const figures = figuresOf(RESULTS);
  expect(figures.filter(({ isMet }) => !isMet)).toEqual([]);
  expect(conclusionOf(figures)).toBe(`All ${figures.length} figures are within their maximum.`);
});

test("the figure for the bundle size names the function with the largest bundle and contains the size of this bundle", () => {
  expect(figureNamed(figuresOf(RESULTS), "bundle size")).toMatchObject({
    name: "largest bundle size in KB: pre-deploy",
    measured: 90,
    maximum: 96,
  });
});

const worse = (changes: Partial<Results>): Results => ({ ...RESULTS, ...changes });
const coldWith = (changes: Partial<Results["cold"][number]>) => worse({ cold: [{ ...CREATE, ...changes }] });
const runsWith = (index: number, changes: Partial<Results["runs"][number]>) =>
  worse({ runs: RESULTS.runs.map((run, at) => (at === index ? { ...run, ...changes } : run)) });
const coverageWith = (changes: Partial<Results["coverage"][number]>) =>
  worse({ coverage: [{ ...COVERAGE, ...changes }] });

/** Each entry has a figure, results of which only this figure exceeds its maximum, and the ratio of both. */
const EXCEEDED: [figure: string, results: Results, ratio: string][] = [
  ["largest bundle size in KB: create-snapshot", coldWith({ bytes: 96 * 1024 + 103 }), "96.101 instead of at most 96"],
  ["longest load time ÷ plain SDK: create-snapshot", coldWith({ loadRatio: 0.106 }), "0.106 instead of at most 0.1"],
  [
    "longest time to the first response ÷ plain SDK: create-snapshot",
    coldWith({ firstRatio: 0.21 }),
    "0.21 instead of at most 0.2",
  ],
  ["largest RSS ÷ bare Node.js: create-snapshot", coldWith({ rssRatio: 1.2 }), "1.2 instead of at most 1.1"],
  ["10,000 disks in 1 invocation: seconds ÷ minimum", runsWith(2, { seconds: 212 }), "1.06 instead of at most 1.05"],
  ["10,000 disks in 20 invocations: seconds ÷ minimum", runsWith(3, { seconds: 232 }), "1.16 instead of at most 1.15"],
  ["10,000 disks in 128 MB: seconds ÷ minimum", runsWith(1, { seconds: 212 }), "1.06 instead of at most 1.05"],
  ["10,000 disks in 128 MB: peak RSS in MiB", runsWith(1, { rssPeak: 129 * MB }), "129 instead of at most 128"],
  ["plan of the retention of 100,000 snapshots: CPU ms", worse({ planCpu: 301 }), "301 instead of at most 300"],
  [
    "prune of 100,000 snapshots in 128 MB: peak RSS in MiB",
    worse({ pruned: { ...RESULTS.pruned, rssPeak: 111 * MB } }),
    "111 instead of at most 110",
  ],
  [
    "prune of 100,000 snapshots in 128 MB: list requests",
    worse({ pruned: { ...RESULTS.pruned, pages: 304 } }),
    "304 instead of at most 303",
  ],
  [
    "coverage of 10,000 disks in 256 MB: peak RSS in MiB",
    coverageWith({ rssPeak: 201 * MB }),
    "201 instead of at most 200",
  ],
  [
    "coverage of 10,000 disks in 256 MB: requests in addition to the list pages",
    coverageWith({ requests: 233 }),
    "11 instead of at most 10",
  ],
  [
    "coverage of 10,000 disks in 256 MB: MB of the largest response",
    coverageWith({ bytes: 3_600_000 }),
    "3.6 instead of at most 3.5",
  ],
];

test.each(EXCEEDED)(
  "the conclusion of the benchmark names the only figure that exceeds its maximum: %s",
  (name, results, values) => {
    const figures = figuresOf(results);
    expect(figures.filter(({ isMet }) => !isMet).map((figure) => figure.name)).toEqual([name]);
    expect(conclusionOf(figures)).toBe(`1 of ${figures.length} figures exceeds its maximum: ${name}: ${values}.`);
  },
);

test("the table EXCEEDED of this test has an entry for each figure of the benchmark", () => {
  const withoutFunction = (name: string) => name.replace(/: (create-snapshot|pre-deploy)$/, "");
  const known = EXCEEDED.map(([name]) => withoutFunction(name));
  expect(figuresOf(RESULTS).map(({ name }) => withoutFunction(name))).toEqual(expect.arrayContaining(known));
  expect(new Set(known).size).toBe(figuresOf(RESULTS).length);
});

test("no figure of the coverage report is met if no report was measured", () => {
  const missed = figuresOf(worse({ coverage: [] })).filter(({ isMet }) => !isMet);
  expect(missed.map(({ name }) => name.split(":")[0])).toEqual(Array(3).fill("coverage of 10,000 disks in 256 MB"));
});

test("a figure of the benchmark does not count as met if its measured ratio is NaN", () => {
  const figures = figuresOf(worse({ cold: [{ ...CREATE, loadRatio: Number.NaN }, CREATE] }));
  expect(figureNamed(figures, "load time")?.isMet).toBe(false);
});

test.each([
  [[], { mode: "full", json: undefined }],
  [["--json", "a.json"], { mode: "full", json: "a.json" }],
  [["--slow"], { mode: "slow", json: undefined }],
  [["--peer"], { mode: "peer", disks: 1_000, json: undefined }],
  [["--peer", "--disks", "30", "--json", "a.json"], { mode: "peer", disks: 30, json: "a.json" }],
  [["--help", "--peer"], { mode: "help" }],
])("readBenchArguments parses the arguments %j", (argv, expected) => {
  expect(readBenchArguments(argv)).toMatchObject(expected);
});

test.each([
  [["--slow", "--peer"], "expected --slow or --peer, got both"],
  [["--disks", "30"], "--disks needs --peer"],
  [["--peer", "--disks", "1"], "--disks: expected an integer from 2 to 10000, got 1"],
  [["--peer", "--disks", "x"], "--disks: expected an integer from 2 to 10000, got x"],
  [["--json"], "Option '--json <value>' argument missing"],
  [["more"], "Unexpected argument 'more'"],
])("readBenchArguments throws BadUsage for the arguments %j", (argv, message) => {
  expect(() => readBenchArguments(argv)).toThrow(BadUsage);
  expect(() => readBenchArguments(argv)).toThrow(message);
});
