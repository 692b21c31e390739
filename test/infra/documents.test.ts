/** Checks the size and the pictures of the documents. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
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
  "test/README.md": 36,
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
