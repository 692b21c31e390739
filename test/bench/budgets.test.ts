/** Bytes and modules of each bundle, which do not depend on the machine's mood. Times are printed by the bench, not held. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { type Bundle, budgetsFor, bundles, excess, hasSdkEvs, limitsOf, readBudgets } from "./budgets.ts";

describe("every function", () => {
  let all: Bundle[] = [];
  beforeAll(async () => {
    all = await bundles();
  });

  test("keeps to its budget", async () => {
    const limits = await limitsOf();
    expect(all.map(({ name }) => name).sort()).toEqual(Object.keys(limits).sort());
    for (const bundle of all) expect(excess(bundle, limits[bundle.name] as never, readBudgets())).toBeUndefined();
  });

  test.skipIf(hasSdkEvs())("has a budget that is not far above what it takes", () => {
    for (const { name, contents } of all) {
      expect([name, (readBudgets().functions[name]?.bytes ?? 0) < contents.length * 1.07]).toEqual([name, true]);
    }
  });

  test.skipIf(hasSdkEvs())("is in README.md with the size that it has, give or take a tenth", () => {
    const readme = readFileSync(join(import.meta.dirname, "..", "..", "README.md"), "utf8");
    for (const { name, contents } of all) {
      const row = readme.split("\n").find((line) => new RegExp(`^\\| ${name} +\\| +\\d`).test(line)) ?? "";
      const kb = Number(row.split("|")[2]);
      expect([name, Math.abs(kb * 1024 - contents.length) < contents.length / 10]).toEqual([name, true]);
    }
  });
});

test("what is too much names what grew", () => {
  const bundle = (inputs: Record<string, number>): Bundle => ({
    name: "create-snapshot",
    contents: new Uint8Array(Object.values(inputs).reduce((sum, bytes) => sum + bytes, 0)),
    inputs,
  });
  const before = budgetsFor([bundle({ "a.ts": 20_000, "b.ts": 10_000 })]);
  const limit = before.functions["create-snapshot"] as { bytes: number; modules: number };
  expect(excess(bundle({ "a.ts": 20_100, "b.ts": 10_000 }), limit, before)).toBeUndefined();
  expect(excess(bundle({ "a.ts": 24_000, "b.ts": 9_000, "c.ts": 700 }), limit, before)).toBe(
    `create-snapshot has 33700 bytes, and may have ${limit.bytes}. What grew:
  a.ts: 24000 bytes, 4000 more
  c.ts: 700 bytes, new
Is that meant? Then: npx tsx test/bench/budgets.ts`,
  );
  const scattered = bundle({ "a.ts": 14_000, "b.ts": 10_000, "c.ts": 3_000, "d.ts": 3_000 });
  expect(excess(scattered, limit, before)).toMatch(
    /^create-snapshot has 4 modules, and may have 3\. What grew:\n {2}c\.ts/,
  );
});
