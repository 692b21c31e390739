import { defineConfig } from "vitest/config";
import tests from "./vitest.config.mjs";

/** For `npm run mutation`: the tests that are given the domain itself. They need no bundles, no server and no time. */
export default defineConfig({
  ...tests,
  test: {
    ...tests.test,
    include: ["test/shared/snapshots/*.test.ts", "test/shared/huaweicloud/{errors,limiter}.test.ts"],
    // Stryker's own counting slows them down.
    exclude: ["test/shared/snapshots/retention-speed.test.ts"],
    globalSetup: [],
  },
});
