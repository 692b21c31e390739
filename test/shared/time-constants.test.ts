/** Compares the tables in the section "Time constants" of shared/README.md with the constants in the code. */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** The paths of all files with code of the functions, relative to the root. */
const FILES = ["functions", "shared"]
  .flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }))
  .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.includes(".generated."))
  .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
  .sort();

const UNIT_MS = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** The constants that are no durations of their own: units, dates, a number of processes, and the maximum of a parameter. */
const OTHERS = [
  ...["MINUTE_MS", "HOUR_MS", "DAY_MS"],
  ...["EARLIEST_MS", "LATEST_MS", "PROCESSES_PER_FRESH_MS", "MAX_AGE_HOURS"],
];

interface Constant {
  name: string;
  file: string;
  /** The numbers in the value, in milliseconds. A value that is an object has several. */
  values: number[];
}

/** Returns the number of milliseconds in a unit of a constant, which is the end of its name. */
function unitOf(name: string): number {
  if (/minutes$/i.test(name)) return UNIT_MS.min;
  if (/hours$/i.test(name)) return UNIT_MS.h;
  return /seconds$/i.test(name) ? UNIT_MS.s : UNIT_MS.ms;
}

/** Evaluates sums, differences, products and powers of whole numbers and of the named constants. */
function evaluate(expression: string, constants: ReadonlyMap<string, number>): number {
  const factor = (text: string) =>
    text
      .split("**")
      .map((part) => constants.get(part.trim()) ?? Number(part.trim().replaceAll("_", "")))
      .reduceRight((exponent, base) => base ** exponent);
  const product = (text: string) =>
    text
      .split(/(?<!\*)\*(?!\*)/)
      .map(factor)
      .reduce((a, b) => a * b);
  return expression
    .split(/(?=[+-])/)
    .map((term) => (term.startsWith("-") ? -1 : 1) * product(term.replace(/^[+-]/, "")))
    .reduce((a, b) => a + b);
}

const SHARED_CONSTANTS = new Map([
  ["LISTED_AFTER_MS", evaluate(/LISTED_AFTER_MS = (.+);/.exec(read("shared/core/retry.ts"))?.[1] ?? "", new Map())],
]);

/** Returns the constant of a name in a file. */
function readConstant(file: string, name: string): Constant {
  const pattern = new RegExp(`(?<![\\w.])${name}(?: =|:) (\\{[^}]*\\}|[^;,}]+)`, "g");
  const expressions = [...read(file).matchAll(pattern)].flatMap(([, expression = ""]) => {
    const text = expression.replace(" as const", "").trim();
    if (!text.startsWith("{")) return [text];
    return text
      .slice(1, -1)
      .split(",")
      .map((field) => field.split(":")[1] ?? "");
  });
  const values = expressions.map((text) => evaluate(text.trim(), SHARED_CONSTANTS) * unitOf(name));
  return { name, file, values: values.filter(Number.isFinite) };
}

/** Returns the durations in a cell, in milliseconds. */
const readCell = (cell: string): number[] =>
  [...cell.matchAll(/2\^31 - 1 ms|(\d[\d.]*) (ms|s|min|h|d)\b/g)].map(([, amount, unit]) =>
    unit === undefined ? 2 ** 31 - 1 : Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS],
  );

const SECTION = read("shared/README.md").split("\n## Time constants\n")[1]?.split("\n## ")[0] ?? "";
const ROWS = [...SECTION.matchAll(/^\| `(\w+)` +\| ([^|]+)\| `([^`|]+)` +\| ([^|]+)\|$/gm)].map(
  ([, name = "", value = "", file = "", why = ""]) => ({ name, value: value.trim(), file, why: why.trim() }),
);
const filesOf = (file: string) => FILES.filter((path) => path.endsWith(`/${file}`));

describe('the section "Time constants" of shared/README.md', () => {
  test("each row of the tables of time constants names exactly one file, and gives a reason", () => {
    expect(ROWS.length).toBeGreaterThan(0);
    expect(ROWS.filter(({ file, why }) => filesOf(file).length !== 1 || why.length < 10)).toEqual([]);
  });

  test("the tables of time constants give the values that the code has", () => {
    const documented = ROWS.map(({ name, value, file }) => ({ name, file, values: readCell(value) }));
    const actual = ROWS.map(({ name, file }) => ({ ...readConstant(filesOf(file)[0] ?? "", name), file }));
    expect(documented).toEqual(actual);
    expect(documented.filter(({ values }) => values.length === 0)).toEqual([]);
  });

  test("the tables of time constants contain each constant of the code whose name ends with a unit of time", () => {
    const documented = ROWS.flatMap(({ name, file }) => filesOf(file).map((path) => `${path}: ${name}`));
    const inCode = FILES.flatMap((path) =>
      [...read(path).matchAll(/^(?:export )?const ([A-Z_]+_(?:MS|SECONDS|MINUTES|HOURS)) =/gm)]
        .filter(([, name = ""]) => !OTHERS.includes(name))
        .map(([, name]) => `${path}: ${name}`),
    );
    expect(inCode.length).toBeGreaterThan(30);
    expect(inCode.filter((constant) => !documented.includes(constant))).toEqual([]);
    expect(documented.filter((constant, place) => documented.indexOf(constant) !== place)).toEqual([]);
  });
});
