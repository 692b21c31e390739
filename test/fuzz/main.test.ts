import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const run = (...argv: string[]) =>
  spawnSync(process.execPath, ["--import", "tsx", join(import.meta.dirname, "main.ts"), ...argv], { encoding: "utf8" });

test.each([
  ["the unknown option --answer", ["--answer", "5"], "fuzz: Unknown option '--answer'"],
  [
    "--answers with a value that is not a number",
    ["--answers", "many"],
    'fuzz: --answers: expected a whole number, got "many".',
  ],
  ["--call with an unknown operation", ["--call", "evs.none"], 'got "evs.none".'],
  ["--case without --call and --seed", ["--case", "5"], "fuzz: --case: expected --call and --seed as well."],
])("npm run fuzz exits with 2 and prints its usage if it gets %s", { timeout: 30_000 }, (_what, argv, message) => {
  const { status, stdout, stderr } = run(...argv);
  expect(stderr).toContain(message);
  expect(stderr).toContain("npm run fuzz -- [--answers 10000]");
  expect([status, stdout]).toEqual([2, ""]);
});

test("npm run fuzz sends the same random responses if a case is repeated with the same seed", {
  timeout: 60_000,
}, () => {
  const once = () => {
    const { stdout, stderr } = run("--seed", "7", "--call", "evs.showVolume", "--case", "3");
    expect(stderr).toBe("");
    return stdout.split("\n").filter((line) => /^ {2}(evs|dws)\.\w+, response|^ {4}evs\.\w+ /.test(line));
  };
  const first = once();
  expect(first.length).toBeGreaterThan(1);
  expect(once()).toEqual(first);
});
