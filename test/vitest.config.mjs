import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { stubbedSdk } from "../shared/huaweicloud/sdk-stubs/index.mjs";

// No test may depend on the machine's time zone. The default zone, UTC+5:45, exposes code that assumes offsets in whole hours.
process.env.TZ = process.env.TEST_TZ ?? "Asia/Kathmandu";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  // Load the SDK with the same stubs as the build. `resolve` applies the paths in tsconfig.json. They select an installed
  // huaweicloud-sdk-evs, or otherwise the copy in shared/huaweicloud/sdk-evs.
  plugins: [stubbedSdk],
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
    server: { deps: { inline: [/@huaweicloud/] } },
    isolate: false,
    // The default leaves one core idle, which doubles the duration on a machine with two cores.
    maxWorkers: "100%",
    testTimeout: 20_000,
  },
});
