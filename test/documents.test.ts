/** Compares the documents with the code and with each other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { expect, test } from "vitest";
import { loadDefinitions } from "../infra/definitions.ts";
import { README, readmeText } from "../infra/documents/readme.ts";
import { COVERAGE_STATES } from "../shared/coverage/coverage.ts";
import { VARIABLES } from "../shared/functiongraph/variables.ts";
import { KINDS } from "../shared/snapshots/kinds/kinds.generated.ts";
import { EVERYTHING } from "./infra/terraform/everything.ts";
import { planOf, sources } from "./infra/terraform/plan.ts";
import { createFixture } from "./support/coverage-fixture.ts";

const ROOT = join(import.meta.dirname, "..");
const DOCUMENTS = [
  "README.md",
  ".github/CONTRIBUTING.md",
  "infra/README.md",
  "infra/local/README.md",
  "shared/README.md",
  "test/events/README.md",
];
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Returns the text of a section of the README, from its heading to the next heading of the same level. */
const sectionOf = (heading: string) => read("README.md").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";

/** Returns the anchors that GitHub generates for the headings of a Markdown file. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

test("the table of functions in README.md is the current output of `npm run generate`", async () => {
  expect(readFileSync(README, "utf8")).toBe(await readmeText());
});

test("the table of variables in README.md names exactly the variables that the code reads, and Terraform sets all of them except HTTP_TIMEOUT_MS", async () => {
  const { locals } = await planOf(sources(), EVERYTHING);
  const set = Object.values<object>(locals.user_data).flatMap((variables) => Object.keys(variables));
  const documented = [...sectionOf("Configuration").matchAll(/`([A-Z]+(?:_[A-Z]+)*)`/g)].map(([, name = ""]) => name);
  // These variables contain credentials for functions that run outside FunctionGraph, so Terraform does not set them.
  const names = new Set(documented.filter((name) => !name.startsWith("HUAWEICLOUD_SDK_")));
  // The default of HTTP_TIMEOUT_MS depends on the function.
  expect([...names].filter((name) => name !== "HTTP_TIMEOUT_MS").sort()).toEqual([...new Set(set)].sort());
  expect([...names].filter((name) => !name.endsWith("_ENDPOINT")).sort()).toEqual([...VARIABLES].sort());
});

test("the first table in README.md has a row for each kind of snapshot", () => {
  const rows = [...read("README.md").matchAll(/^\| `([a-z-]+)` +\| (?:EVS|DWS)/gm)].map(([, kind]) => kind);
  expect(rows.sort()).toEqual(Object.keys(KINDS).sort());
});

test("test/events has a sample event for each function", async () => {
  const samples = readdirSync(join(ROOT, "test", "events"));
  const functions = (await loadDefinitions()).map(({ name }) => name);
  expect(functions.filter((name) => !samples.includes(`${name}.json`))).toEqual([]);
});

test.each(DOCUMENTS)(
  "every relative link in %s leads to an existing file and, if the link has an anchor, to an existing heading",
  (document) => {
    const links = [...read(document).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => {
      if (/^https?:/.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : relative(ROOT, join(ROOT, dirname(document), path));
      if (!existsSync(join(ROOT, target))) return true;
      return anchor !== undefined && !target.endsWith("SOURCES.md") && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  },
);

test("README.md lists the states of the coverage report in their order, and the columns of its CSV", async () => {
  const section = read("README.md").split("\n### The coverage report\n")[1]?.split("\n### ")[0] ?? "";
  expect([...section.matchAll(/^\d\. `(\w+)`/gm)].map(([, state]) => state)).toEqual(COVERAGE_STATES);
  const { addDisk, get } = await createFixture();
  addDisk("disk");
  const { result } = await get({ format: "csv" });
  const columns =
    /The columns of the CSV are ([\s\S]*?)\. The lines/.exec(section)?.[1]?.replace(/\([^)]*\)/g, "") ?? "";
  expect([...columns.matchAll(/`(\w+)`/g)].map(([, column]) => column)).toEqual(
    result.body.split("\r\n")[0].split(","),
  );
});
