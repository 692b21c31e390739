/**
 * `npm run mutation`: changes the domain and the error reading, one expression at a time, and expects a test to fail each
 * time. What survives is either a test that is missing or a line that says why no test can tell.
 */
export default {
  mutate: [
    "shared/core/{json,instant,concurrency,retry,errors,time-zone}.ts",
    "shared/snapshots/**/*.ts",
    "!shared/snapshots/policy-schema.ts",
    "shared/huaweicloud/http/cloud-errors.ts",
  ],
  plugins: ["@stryker-mutator/vitest-runner"],
  testRunner: "vitest",
  vitest: { configFile: "test/vitest.mutation.config.mjs", related: false },
  coverageAnalysis: "perTest",
  // Nothing to be rewritten in it, and TypeScript 7 has not the parser that it would be rewritten with.
  tsconfigFile: "none",
  concurrency: 2,
  // What is endless ends by itself, at the most calls that a story has: a machine that is busy kills no mutant.
  timeoutMS: 15_000,
  thresholds: { high: 98, low: 95, break: 95 },
  tempDirName: ".stryker-tmp",
  reporters: ["progress-append-only", "clear-text", "json", "html"],
  jsonReporter: { fileName: "reports/mutation.json" },
  htmlReporter: { fileName: "reports/mutation.html" },
  clearTextReporter: { reportTests: false, reportScoreTable: true },
};
