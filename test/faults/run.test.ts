/** `npm run faults`, called in the wrong way. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test("an option that there is not ends with 2 and says how it is called", { timeout: 30_000 }, () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    ["--import", "tsx", join(__dirname, "run.ts"), "--rnus", "5"],
    {
      encoding: "utf8",
    },
  );
  expect(stderr).toMatch(/^faults: Unknown option '--rnus'.*\n\nnpm run faults -- \[--runs 10000\]/s);
  expect(status).toBe(2);
});
