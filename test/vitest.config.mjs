import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { stubbedSdk } from "../shared/huaweicloud/sdk-stubs/index.mjs";

// No test may depend on the machine's time zone. The default is a zone whose offset from UTC is no whole hour.
process.env.TZ = process.env.TEST_TZ ?? "Asia/Kathmandu";

export default defineConfig({
  root: fileURLToPath(new URL("..", import.meta.url)),
  // As tsconfig.json and the build have it: the installed -evs first, ours second; the SDK as the build bundles it.
  plugins: [stubbedSdk],
  resolve: { tsconfigPaths: true },
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: ["test/build.ts"],
    server: { deps: { inline: [/@huaweicloud/] } },
    isolate: false,
    testTimeout: 20_000,
  },
});
