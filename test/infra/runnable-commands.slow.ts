/** Runs the commands in the documents that are marked as runnable. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");

/** Returns the files of the repository, with the files that are not committed yet. */
const listFiles = () =>
  spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: ROOT, encoding: "utf8" })
    .stdout.trim()
    .split("\n")
    .filter((file) => existsSync(join(ROOT, file)));

/** The commands in code blocks that begin with "```sh run", per document. `npm ci` is left out: the tests run after it. */
const RUNNABLE = listFiles()
  .filter((file) => file.endsWith(".md"))
  .flatMap((document) =>
    [...readFileSync(join(ROOT, document), "utf8").matchAll(/^```sh run\n([\s\S]*?)^```/gm)]
      .map(([, block = ""]) => block.replace(/^npm ci\n/m, ""))
      .map((commands, index) => [document, index + 1, commands] as const),
  );

describe("code blocks that are marked as runnable", () => {
  let copy = "";
  // The commands run in a copy, because a test must not write into the repository.
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "documents-"));
    for (const path of listFiles()) {
      cpSync(join(ROOT, path), join(copy, path));
    }
    symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  test("at least three code blocks are runnable", () => {
    expect(RUNNABLE.length).toBeGreaterThanOrEqual(3);
  });

  test.each(RUNNABLE)(
    "the commands in %s, runnable code block %i, end with exit code 0",
    { timeout: 120_000 },
    (_, __, commands) => {
      const env = { ...process.env, INIT_CWD: copy, NO_COLOR: "1" };
      const { status, stderr } = spawnSync("bash", ["-euo", "pipefail", "-c", commands], {
        cwd: copy,
        env,
        encoding: "utf8",
      });
      expect({ status, stderr: status === 0 ? "" : stderr }).toEqual({ status: 0, stderr: "" });
    },
  );
});
