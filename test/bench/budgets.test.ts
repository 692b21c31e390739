/** Bytes and modules of each bundle, which do not depend on the machine's mood. Times are printed by the bench, not held. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Bundle, budgetsFor, bundles, excess, hasSdkEvs, limitsOf, readBudgets } from "./budgets.ts";

describe("the build", () => {
  let all: Bundle[] = [];
  beforeAll(async () => {
    all = await bundles();
  });

  test("the build writes no bundle that exceeds its budget", async () => {
    const limits = await limitsOf();
    expect(all.map(({ name }) => name).sort()).toEqual(Object.keys(limits).sort());
    for (const bundle of all) expect(excess(bundle, limits[bundle.name] as never, readBudgets())).toBeUndefined();
  });

  test.skipIf(hasSdkEvs())("the build has no budget that is 7% or more above the size of its bundle", () => {
    for (const { name, contents } of all) {
      expect([name, (readBudgets().functions[name]?.bytes ?? 0) < contents.length * 1.07]).toEqual([name, true]);
    }
  });

  test.skipIf(hasSdkEvs())("README.md has the size of every bundle with an error of less than 10%", () => {
    const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
    for (const { name, contents } of all) {
      const row = readme.split("\n").find((line) => new RegExp(`^\\| ${name} +\\| +\\d`).test(line)) ?? "";
      const kb = Number(row.split("|")[2]);
      expect([name, Math.abs(kb * 1024 - contents.length) < contents.length / 10]).toEqual([name, true]);
    }
  });
});

test("the report of an exceeded budget names the files that grew", () => {
  const bundle = (inputs: Record<string, number>): Bundle => ({
    name: "create-snapshot",
    contents: new Uint8Array(Object.values(inputs).reduce((sum, bytes) => sum + bytes, 0)),
    inputs,
  });
  const before = budgetsFor([bundle({ "a.ts": 20_000, "b.ts": 10_000 })]);
  const limit = before.functions["create-snapshot"] as { bytes: number; modules: number };
  expect(excess(bundle({ "a.ts": 20_100, "b.ts": 10_000 }), limit, before)).toBeUndefined();
  expect(excess(bundle({ "a.ts": 24_000, "b.ts": 9_000, "c.ts": 700 }), limit, before)).toBe(
    `create-snapshot has 33700 bytes, but may have only ${limit.bytes}. What grew:
  a.ts: 24000 bytes, 4000 more
  c.ts: 700 bytes, new
If this is intended, run: npx tsx test/bench/budgets.ts`,
  );
  const scattered = bundle({ "a.ts": 14_000, "b.ts": 10_000, "c.ts": 3_000, "d.ts": 3_000 });
  expect(excess(scattered, limit, before)).toMatch(
    /^create-snapshot has 4 modules, but may have only 3\. What grew:\n {2}c\.ts/,
  );
});
