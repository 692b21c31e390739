import { defineConfig } from "vitest/config";
import config from "./vitest.config.mjs";

/** Configures `npm run test:slow`. Its files do not end with `.test.ts`, so `npm test` takes less than 4 minutes. */
export default defineConfig({ ...config, test: { ...config.test, include: ["test/**/*.slow.ts"] } });
