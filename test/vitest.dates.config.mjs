import tests from "./vitest.config.mjs";

/** Configures `npm run test:dates`, which runs fast and slow tests. */
export default { ...tests, test: { ...tests.test, include: ["test/**/*.{test,slow}.ts"] } };
