import { defineConfig } from "vitest/config";
import config from "./vitest.config.mjs";

/** Configures `npm run test:slow`. Its files do not end with `.test.ts`, so `npm test` does not run them. */
export default defineConfig({ ...config, test: { ...config.test, include: ["test/**/*.slow.ts"] } });
