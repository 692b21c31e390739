/** Breaks copies of infra/terraform on purpose. */
import { expect, test } from "vitest";
import { findFaults } from "./everything.ts";
import { type Sources, sources } from "./plan.ts";

export const original = sources();

/** Returns a copy with one replacement in one file. */
function broken(file: string, from: string | RegExp, to: string): Sources {
  const text = original[file] ?? "";
  const copy = text.replace(from, to);
  expect(copy, `${from} is in ${file}`).not.toBe(text);
  return { ...original, [file]: copy };
}

/** Expects the checks to report each broken copy: the name, the file, what is replaced by what, and the reported fault. */
export const testBrokenCopies = (copies: [string, string, string | RegExp, string, RegExp][]): void =>
  test.each(copies)("the checks of the Terraform module report %s", async (_name, file, from, to, fault) => {
    expect((await findFaults(broken(file, from, to))).join("\n")).toMatch(fault);
  });
