import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

test.each([
  ["npm run faults", "run.ts", /^faults: Unknown option '--rnus'.*\n\nnpm run faults -- \[--runs 10000\]/s],
  ["npm run bench", "../bench/bench.ts", /^bench: Unknown option '--rnus'.*\n\nnpm run bench/s],
])(
  "%s exits with 2 and prints its usage if it gets an unknown option",
  { timeout: 30_000 },
  (_command, script, message) => {
    const argv = ["--import", "tsx", join(import.meta.dirname, script), "--rnus", "5"];
    const { status, stdout, stderr } = spawnSync(process.execPath, argv, { encoding: "utf8" });
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, ""]);
  },
);
