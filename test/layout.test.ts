/** Checks which folders a file may import, how many lines a file may have, and that file names in shared/ are unique. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const MAX_LINES = 300;

const FILES = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: ROOT,
  encoding: "utf8",
})
  .split("\n")
  .filter((path) => /^(functions|shared|infra|test)\/.*\.([cm]?ts|[cm]?js)$/.test(path) && !path.includes("/dist/"));

const textOf = (path: string) => readFileSync(join(ROOT, path), "utf8");
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/ .*$/gm, "$1");

/** Returns the files that a file imports, including imports of types only, as paths from the root. */
function importsOf(path: string): string[] {
  const specifiers = withoutComments(textOf(path)).matchAll(/\b(?:from|import|require)\s*\(?\s*["'](\.[^"']+)["']/g);
  return [...specifiers].map(([, specifier]) => posix.join(posix.dirname(path), specifier as string));
}

const IMPORTS = new Map(FILES.map((path) => [path, importsOf(path)]));

/** Maps each folder to the other folders whose files it may import. */
const RULES: Record<string, string[]> = {
  "shared/core": [],
  "shared/validation": ["shared/core"],
  "shared/snapshots": ["shared/core", "shared/validation"],
  "shared/coverage": ["shared/core", "shared/snapshots"],
  "shared/functiongraph": ["shared/core"],
  "shared/huaweicloud": ["shared/core", "shared/coverage", "shared/snapshots"],
  "shared/results": ["shared/core", "shared/snapshots"],
  "shared/picture": ["shared/core"],
  "shared/middleware": ["shared"],
  functions: ["shared"],
  infra: ["shared", "functions"],
  "infra/local/cloud": [],
};

const isIn = (folder: string) => (path: string) => path.startsWith(`${folder}/`);

const RULE_CASES = Object.entries(RULES).map(([folder, others]) => [folder, [folder, ...others].join(", ")] as const);

test.each(RULE_CASES)("the files in %s import only files in these folders: %s", (folder, folders) => {
  const files = FILES.filter(isIn(folder));
  const allowed = folders.split(", ");
  const foreign = files.flatMap((path) =>
    (IMPORTS.get(path) ?? [])
      .filter((target) => !allowed.some((one) => isIn(one)(target)) && !target.endsWith("package.json"))
      .map((target) => `${path} imports ${target}`),
  );
  expect(files.length).toBeGreaterThan(1);
  expect(foreign).toEqual([]);
});

test("layout.test.ts has an import rule for every folder in shared/", () => {
  const folders = new Set(FILES.filter(isIn("shared")).map((path) => path.split("/").slice(0, 2).join("/")));
  expect([...folders].filter((folder) => !(folder in RULES))).toEqual([]);
});

test("no file of a function imports a file of another function", () => {
  const foreign = FILES.filter(isIn("functions")).flatMap((path) =>
    (IMPORTS.get(path) ?? []).filter(
      (target) => isIn("functions")(target) && target.split("/")[1] !== path.split("/")[1],
    ),
  );
  expect(foreign).toEqual([]);
});

test("no file imports itself through a chain of imports, even if the chain contains imports of types only", () => {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (path: string, chain: readonly string[]) => {
    const start = chain.indexOf(path);
    if (start >= 0) circles.push([...chain.slice(start), path].join(" -> "));
    if (start >= 0 || done.has(path)) return;
    for (const target of IMPORTS.get(path) ?? []) visit(target, [...chain, path]);
    done.add(path);
  };
  for (const path of FILES) visit(path, []);
  expect(circles).toEqual([]);
});

test(`no file has more than ${MAX_LINES} lines, except generated files`, () => {
  const long = FILES.filter((path) => !path.includes(".generated.") && textOf(path).split("\n").length - 1 > MAX_LINES);
  expect(long).toEqual([]);
});

test("no two files in shared/ have the same file name, except in the folders sdk-evs and sdk-stubs", () => {
  const names = FILES.filter(isIn("shared"))
    .filter((path) => !/\/sdk-(evs|stubs)\//.test(path))
    .map((path) => posix.basename(path));
  expect(names.filter((name, place) => names.indexOf(name) !== place)).toEqual([]);
});
