/**
 * `npm run mutation`: changes one expression at a time in the files of `mutate`, and expects a test to fail for each change.
 * If no test fails, either a test is missing or a comment in the changed file explains why no test can detect the change.
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
  // Stryker would rewrite tsconfig.json with a parser that TypeScript 7 does not have. No option in tsconfig.json needs a change.
  tsconfigFile: "none",
  concurrency: 2,
  // An endless loop stops without this timeout, because test/support/virtual-clock.ts limits the number of sleeps. The timeout is
  // long, because the machine may be busy.
  timeoutMS: 15_000,
  thresholds: { high: 98, low: 95, break: 95 },
  tempDirName: ".stryker-tmp",
  reporters: ["progress-append-only", "clear-text", "json", "html"],
  jsonReporter: { fileName: "reports/mutation.json" },
  htmlReporter: { fileName: "reports/mutation.html" },
  clearTextReporter: { reportTests: false, reportScoreTable: true },
};
