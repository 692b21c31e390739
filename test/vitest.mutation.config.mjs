import { defineConfig } from "vitest/config";
import { BaseSequencer } from "vitest/node";
import tests from "./vitest.config.mjs";

/** The quick ones first: the first test that fails ends a mutant, and most of them need but one example. */
class QuickFirst extends BaseSequencer {
  async sort(files) {
    const slow = ["cloud-errors.test", "time-zone.test", "properties.test"];
    const rank = ({ moduleId }) => slow.findIndex((name) => moduleId.includes(name));
    return files.sort((a, b) => rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId));
  }
}

/** For `npm run mutation`: the tests that are given the domain itself. They need no bundles and take no time. */
export default defineConfig({
  ...tests,
  test: {
    ...tests.test,
    include: [
      "test/shared/core/*.test.ts",
      "test/shared/snapshots/**/*.test.ts",
      "test/shared/huaweicloud/http/cloud-errors.test.ts",
    ],
    // Stryker's own counting slows it down.
    exclude: ["test/shared/snapshots/retention/plan-speed.test.ts"],
    globalSetup: [],
    sequence: { sequencer: QuickFirst },
    env: { RUNS: "100" },
  },
});
