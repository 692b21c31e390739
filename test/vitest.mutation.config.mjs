import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import tests from "./vitest.config.mjs";

/** Runs fast test files first, because Stryker stops testing a mutant at the first test that fails. */
class FastFirst extends BaseSequencer {
  async sort(files) {
    const slowFiles = ["cloud-errors.test", "time-zone.test", "properties.test"];
    const rank = ({ moduleId }) => slowFiles.findIndex((name) => moduleId.includes(name));
    return files.sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** Configures `npm run mutation`. Includes only tests that import the source files directly, because they need no bundles. */
export default defineConfig({
  ...tests,
  test: {
    ...tests.test,
    include: [
      "test/shared/core/*.test.ts",
      "test/shared/snapshots/**/*.test.ts",
      "test/shared/huaweicloud/http/cloud-errors.test.ts",
    ],
    // These tests measure time, and Stryker's instrumentation slows the code down.
    exclude: ["test/shared/snapshots/retention/speed.test.ts"],
    globalSetup: [],
    sequence: { sequencer: FastFirst },
    env: { RUNS: "100" },
  },
});
