/** Tests that the bundles can use short names for the properties in INTERNAL_PROPERTIES (esbuild.config.mjs). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { transformSync } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { buildBundles, ROOT } from "./bench/budgets.ts";

let names: string[];
/** The sources of the functions as JavaScript, without types and comments. */
let sources: string;

beforeAll(async () => {
  const config: { INTERNAL_PROPERTIES: string[] } = await import(join(ROOT, "esbuild.config.mjs"));
  names = config.INTERNAL_PROPERTIES;
  sources = ["functions", "shared"]
    .flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" }).map((path) => join(folder, path)),
    )
    .filter((path) => /\.(ts|js)$/.test(path) && !path.endsWith(".d.ts"))
    .map((path) => transformSync(readFileSync(join(ROOT, path), "utf8"), { loader: "ts", minifyWhitespace: true }).code)
    .join("\n");
});

test("no string in functions/ or shared/ equals a property name in INTERNAL_PROPERTIES, because the bundles shorten these names", () => {
  const strings = new Set([...sources.matchAll(/(["'`])(\w+)\1/g)].map((match) => match[2]));
  expect(names.filter((name) => strings.has(name))).toEqual([]);
});

test("each property name in INTERNAL_PROPERTIES occurs in the source code of functions/ or shared/", () => {
  const words = new Set(sources.match(/\w+/g));
  expect(names.filter((name) => !words.has(name))).toEqual([]);
});

test("no npm package in the bundles uses a property name in INTERNAL_PROPERTIES", async () => {
  const inputs = new Set((await buildBundles()).flatMap((bundle) => Object.keys(bundle.inputs)));
  const files = [...inputs].filter((path) => path.includes("node_modules"));
  expect(files.length).toBeGreaterThan(3);
  for (const path of files) {
    const words = new Set(readFileSync(join(ROOT, path), "utf8").match(/\w+/g));
    expect(
      names.filter((name) => words.has(name)),
      path,
    ).toEqual([]);
  }
});
