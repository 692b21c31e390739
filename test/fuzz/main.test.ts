import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";

const run = (...argv: string[]) =>
  spawnSync(process.execPath, ["--import", "tsx", join(import.meta.dirname, "main.ts"), ...argv], { encoding: "utf8" });

test.each([
  [["--answer", "5"], "fuzz: Unknown option '--answer'"],
  [["--answers", "many"], 'fuzz: --answers: expected a whole number, got "many".'],
  [["--call", "evs.none"], 'got "evs.none".'],
  [["--case", "5"], "fuzz: --case: expected --call and --seed as well."],
])("the fuzz refuses the arguments %j with the exit code 2", { timeout: 30_000 }, (argv, message) => {
  const { status, stdout, stderr } = run(...argv);
  expect(stderr).toContain(message);
  expect(stderr).toContain("npm run fuzz -- [--answers 10000]");
  expect([status, stdout]).toEqual([2, ""]);
});

test("the fuzz repeats a case with the same random responses", { timeout: 60_000 }, () => {
  const once = () => {
    const { stdout, stderr } = run("--seed", "7", "--call", "evs.showVolume", "--case", "3");
    expect(stderr).toBe("");
    return stdout.split("\n").filter((line) => /^ {2}(evs|dws)\.\w+, response|^ {4}evs\.\w+ /.test(line));
  };
  const first = once();
  expect(first.length).toBeGreaterThan(1);
  expect(once()).toEqual(first);
});
