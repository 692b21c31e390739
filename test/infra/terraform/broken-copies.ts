/** Plans copies of infra/terraform with one deliberate mistake each. */
import { expect, test } from "vitest";
import { findFaults } from "./everything.ts";
import { type Sources, sources } from "./plan.ts";

export const original = sources();

/** Returns a copy of the module with a replacement in one file. */
function copyWith(file: string, from: string | RegExp, to: string): Sources {
  const text = original[file] ?? "";
  const copy = text.replace(from, to);
  expect(copy, `${from} is in ${file}`).not.toBe(text);
  return { ...original, [file]: copy };
}

/** Adds a test for each broken copy. A copy has a description, a file, the text to replace, its replacement, and the expected fault. */
export const testBrokenCopies = (copies: [string, string, string | RegExp, string, RegExp][]): void =>
  test.each(copies)("the checks of the Terraform module report %s", async (_name, file, from, to, fault) => {
    expect((await findFaults(copyWith(file, from, to))).join("\n")).toMatch(fault);
  });
