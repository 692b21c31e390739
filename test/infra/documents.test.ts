/** Checks the size, the pictures and the runnable commands of the documents. */
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { drawPictures, PICTURE_FOLDER } from "../../infra/documents/pictures.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The maximum size of each document in KB. A document that is larger answers no question quickly. */
const MAX_KB: Record<string, number> = {
  "README.md": 10,
  "functions/README.md": 47,
  "infra/README.md": 67,
  "infra/local/README.md": 23,
  "shared/GUARANTEES.md": 11,
  "shared/README.md": 39,
  "test/README.md": 33,
  ".github/CONTRIBUTING.md": 6,
};

test.each(Object.entries(MAX_KB))("%s is at most %i KB large", (document, maxKb) => {
  expect(statSync(join(ROOT, document)).size / 1024).toBeLessThanOrEqual(maxKb);
});

test("the pictures of README.md are the current output of `npm run generate`", () => {
  for (const [name, content] of Object.entries(drawPictures()))
    expect([name, readFileSync(join(PICTURE_FOLDER, name), "utf8") === content]).toEqual([name, true]);
});

test("the policy in README.md equals test/policies/nightly-disks.json without the field $schema", () => {
  const shown = /```json\n(\{\s*"policy"[\s\S]*?)```/.exec(read("README.md"))?.[1] ?? "";
  const { $schema, ...sample } = JSON.parse(read("test/policies/nightly-disks.json"));
  expect($schema).toBeDefined();
  expect(JSON.parse(shown)).toEqual(sample);
});

/** The commands in code blocks that begin with "```sh run", per document. `npm ci` is left out: the tests run after it. */
const RUNNABLE = Object.keys(MAX_KB).flatMap((document) =>
  [...read(document).matchAll(/^```sh run\n([\s\S]*?)^```/gm)]
    .map(([, block = ""]) => block.replace(/^npm ci\n/m, ""))
    .map((commands, index) => [document, index + 1, commands] as const),
);

describe("code blocks that are marked as runnable", () => {
  let copy = "";
  // The commands run in a copy, because a test must not write into the repository.
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), "documents-"));
    const { stdout } = spawnSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
      cwd: ROOT,
      encoding: "utf8",
    });
    for (const path of stdout
      .trim()
      .split("\n")
      .filter((file) => existsSync(join(ROOT, file)))) {
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
