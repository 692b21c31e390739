/** Plans copies of infra/terraform. Each copy contains one deliberate mistake. */
import { expect, test } from "vitest";
import { findFaults } from "./everything.ts";
import { type Sources, sources } from "./plan.ts";

export const original = sources();

/** Returns a copy of the Terraform module in which one file contains `to` instead of `from`. */
function copyWith(file: string, from: string | RegExp, to: string): Sources {
  const text = original[file] ?? "";
  const copy = text.replace(from, to);
  expect(copy, `${from} is in ${file}`).not.toBe(text);
  return { ...original, [file]: copy };
}

/** Adds a test for each mistake: its description, the file, the text to replace, the replacement, and the expected error. */
export const testBrokenCopies = (copies: [string, string, string | RegExp, string, RegExp][]): void =>
  test.each(copies)(
    "the checks of the Terraform module report an error if %s",
    async (_name, file, from, to, fault) => {
      expect((await findFaults(copyWith(file, from, to))).join("\n")).toMatch(fault);
    },
  );
