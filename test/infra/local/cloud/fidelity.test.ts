import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";

const root = new URL("../../../../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");
const localReadme = read("infra/local/README.md");
const testReadme = read("test/infra/local/README.md");

/** Returns the rows of the table under a heading of a document. */
function rows(document: string, heading: string): string[][] {
  const section = document.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

const tests = new Map(
  readdirSync(new URL("test/infra/local/cloud/", root), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .map((file) => [basename(file), file]),
);

test("each row of the fidelity table in test/infra/local/README.md contains an existing source and the name of an existing test", () => {
  const table = rows(testReadme, "Fidelity");
  expect(table.length).toBeGreaterThan(50);
  for (const [behavior, source, cell, ...others] of table) {
    expect(Boolean(behavior) && others.length === 0, behavior).toBe(true);
    expect(source, behavior).toMatch(/^\[[\w-]+\](, \[[\w-]+\])*$/);
    for (const entry of source?.match(/[\w-]+/g) ?? []) {
      expect(testReadme, behavior).toContain(`\n[${entry}]: ../../../shared/SOURCES.md#${entry}\n`);
    }
    const [, file, name] = /^`([\w-]+\.test\.ts)`: (.+)$/.exec(cell ?? "") ?? [];
    expect(read(`test/infra/local/cloud/${tests.get(file ?? "")}`), behavior).toContain(`\ntest("${name}", `);
  }
});

test("the fidelity table in test/infra/local/README.md contains a row for every test file of the embedded cloud", () => {
  const files = [...tests.keys()].filter((file) => !/^(fidelity|inventory|faults)\b/.test(file));
  const named = rows(testReadme, "Fidelity").map(([, , cell]) => cell?.split("`")[1]);
  for (const file of files) expect(named).toContain(file);
});

test("infra/local/README.md lists the fields of CloudBehavior in their order in cloud-behavior.ts", () => {
  const [, fields = ""] =
    /export interface CloudBehavior \{\n(.*?)\n\}/s.exec(read("infra/local/cloud/cloud-behavior.ts")) ?? [];
  const options = [...fields.matchAll(/^ {2}(\w+):/gm)].map(([, option]) => option);
  expect(options.length).toBeGreaterThan(10);
  expect(rows(localReadme, "Behavior options").map(([option]) => option?.replaceAll("`", ""))).toEqual(options);
});

test("infra/local/README.md lists the types of faults in their order in faults.ts", () => {
  const [, union = ""] =
    /export type Fault<[^=]*= unknown> =\n(.*?);\n\n/s.exec(read("infra/local/cloud/gateway/faults.ts")) ?? [];
  const types = [...union.matchAll(/\{ type: "(\w+)"/g)].map(([, type]) => type);
  expect(types.length).toBeGreaterThan(10);
  expect(rows(localReadme, "Faults").map(([type]) => type?.replaceAll("`", ""))).toEqual(types);
});
