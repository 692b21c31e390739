/** Compares the bytes and modules of each bundle with its budget. Times depend on the machine, so no test limits them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import {
  type Bundle,
  budgetsFor,
  buildBundles,
  describeExcess,
  hasSdkEvs,
  readBudgets,
  readLimits,
} from "./budgets.ts";
import { EVENTS } from "./cold.ts";

describe("the build", () => {
  let all: Bundle[] = [];
  beforeAll(async () => {
    all = await buildBundles();
  });

  test("the benchmark has a sample event for each bundle", () => {
    expect(Object.keys(EVENTS).sort()).toEqual(all.map(({ name }) => name).sort());
  });

  test("no bundle has more bytes or modules than budgets.json allows", async () => {
    const limits = await readLimits();
    expect(all.map(({ name }) => name).sort()).toEqual(Object.keys(limits).sort());
    for (const bundle of all)
      expect(describeExcess(bundle, limits[bundle.name] as never, readBudgets())).toBeUndefined();
  });

  test.skipIf(hasSdkEvs())("each size limit in budgets.json is less than 7% larger than the bundle", () => {
    for (const { name, contents } of all) {
      expect([name, (readBudgets().functions[name]?.bytes ?? 0) < contents.length * 1.07]).toEqual([name, true]);
    }
  });

  test.skipIf(hasSdkEvs())("the bundle sizes in test/README.md differ from the actual sizes by less than 10%", () => {
    const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
    for (const { name, contents } of all) {
      const row = readme.split("\n").find((line) => new RegExp(`^\\| ${name} +\\| +\\d`).test(line)) ?? "";
      const kb = Number(row.split("|")[2]);
      expect([name, Math.abs(kb * 1024 - contents.length) < contents.length / 10]).toEqual([name, true]);
    }
  });
});

test("if a bundle exceeds its budget, the error lists the source files that grew", () => {
  const bundle = (inputs: Record<string, number>): Bundle => ({
    name: "create-snapshot",
    contents: new Uint8Array(Object.values(inputs).reduce((sum, bytes) => sum + bytes, 0)),
    inputs,
  });
  const before = budgetsFor([bundle({ "a.ts": 20_000, "b.ts": 10_000 })]);
  const limit = before.functions["create-snapshot"] as { bytes: number; modules: number };
  expect(describeExcess(bundle({ "a.ts": 20_100, "b.ts": 10_000 }), limit, before)).toBeUndefined();
  expect(describeExcess(bundle({ "a.ts": 24_000, "b.ts": 9_000, "c.ts": 700 }), limit, before)).toBe(
    `create-snapshot exceeds its budget: 33700 bytes, at most ${limit.bytes} allowed. Files that grew since the last budget:
  a.ts: 24000 bytes, 4000 more
  c.ts: 700 bytes, new
If the growth is intended, run: npx tsx test/bench/budgets.ts`,
  );
  const scattered = bundle({ "a.ts": 14_000, "b.ts": 10_000, "c.ts": 3_000, "d.ts": 3_000 });
  expect(describeExcess(scattered, limit, before)).toMatch(
    /^create-snapshot exceeds its budget: 4 modules, at most 3 allowed\. Files that grew .*:\n {2}c\.ts/,
  );
});
