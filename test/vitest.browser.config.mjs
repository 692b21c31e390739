import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

/** Configures `npm run test:browser`. Its files do not end with `.test.ts`, so `npm test` needs no browser. */
export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  test: {
    include: ["test/browser/**/*.browser.ts"],
    // The tests measure times, so only one of them runs at a time.
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 60_000,
  },
});
