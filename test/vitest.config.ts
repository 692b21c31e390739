import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    root: `${__dirname}/..`,
    include: ["test/**/*.test.ts"],
    // The tour needs the built functions.
    exclude: ["test/infra/local/tour.test.ts"],
    isolate: false,
    testTimeout: 20_000,
  },
});
