import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import tests from "./vitest.config.mjs";

/** Runs fast test files first, because Stryker stops testing a mutant at the first test that fails. */
class FastFirst extends BaseSequencer {
  async sort(files) {
    const slowFiles = ["cloud-errors.test", "time-zone.test", "properties.test", "test/functions/"];
    const rank = ({ moduleId }) => slowFiles.findIndex((name) => moduleId.includes(name));
    return files.sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** Configures `npm run mutation`. Includes the unit tests, and the tests of functions that verify and delete snapshots. */
export default defineConfig({
  ...tests,
  test: {
    ...tests.test,
    include: [
      "test/shared/core/*.test.ts",
      "test/shared/snapshots/**/*.test.ts",
      "test/shared/huaweicloud/http/cloud-errors.test.ts",
      "test/functions/deployed-policies.test.ts",
      "test/functions/*make-room*.test.ts",
      "test/functions/prune*.test.ts",
      "test/functions/verify*.test.ts",
    ],
    // These tests take too long to run them for each change.
    exclude: ["test/functions/prune-properties.test.ts"],
    globalSetup: [],
    sequence: { sequencer: FastFirst },
    env: { RUNS: "100" },
  },
});
