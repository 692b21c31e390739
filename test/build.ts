import { spawnSync } from "node:child_process";

/** Builds the bundles before a test run, because some tests run the bundles as they are deployed. */
export default function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ["esbuild.config.mjs", "--quiet"], { encoding: "utf8" });
  if (status !== 0)
    throw new Error(`The tests need the bundles, but the build failed with exit code ${status}:\n${stderr}`);
}
