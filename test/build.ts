import { spawnSync } from "node:child_process";

/** Tests judge the bundles as they are deployed: built anew before each run. */
export default function build(): void {
  const { status, stderr } = spawnSync(process.execPath, ["esbuild.config.mjs", "--quiet"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`npm run build failed:\n${stderr}`);
}
