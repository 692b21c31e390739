/** Checks commands whose reader closes the pipe early, such as `head`. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");

test("simulate ends without an error if the reader of its output closes the pipe after the first line", {
  timeout: 60_000,
}, () => {
  const command = "node node_modules/tsx/dist/cli.mjs infra/local/simulate/main.ts test/policies/nightly-disks.json";
  // `true` ends at once, so simulate writes to a closed pipe.
  const { status, stderr } = spawnSync("bash", ["-o", "pipefail", "-c", `${command} | true`], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
