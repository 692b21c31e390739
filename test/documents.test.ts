/** Compares the documents with the code and with each other. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { loadDefinitions } from "../infra/definitions.ts";
import { README, readmeText } from "../infra/documents/readme.ts";
import { RULES } from "../infra/local/simulate/simulate.ts";
import { instant } from "../shared/core/instant.ts";
import { createWallTimeConverter } from "../shared/core/time-zone.ts";
import { COVERAGE_STATES } from "../shared/coverage/coverage.ts";
import { VARIABLES } from "../shared/functiongraph/variables.ts";
import type { FoundSnapshot } from "../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../shared/snapshots/kinds/kinds.generated.ts";
import { planRetention, type Verdict } from "../shared/snapshots/retention/plan.ts";
import { EVERYTHING } from "./infra/terraform/everything.ts";
import { planOf, sources } from "./infra/terraform/plan.ts";
import { createFixture } from "./support/coverage-fixture.ts";

const ROOT = join(import.meta.dirname, "..");
/** The documents whose links are checked. A worktree can lack a document, so only existing documents are read. */
const DOCUMENTS = [
  "README.md",
  ".github/CONTRIBUTING.md",
  "functions/README.md",
  "infra/README.md",
  "infra/local/README.md",
  "shared/GUARANTEES.md",
  "shared/README.md",
  "test/README.md",
  "test/events/README.md",
  "test/infra/local/README.md",
  "test/policies/README.md",
].filter((path) => existsSync(join(ROOT, path)));
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** Returns the text of a section of functions/README.md, from its heading to the next heading of the same level. */
const sectionOf = (heading: string) =>
  read("functions/README.md").split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";

/** Returns the anchors that GitHub generates for the headings of a Markdown file. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, "")
      .replaceAll(" ", "-"),
  );

test("the list of functions in README.md is the current output of `npm run generate`", async () => {
  expect(readFileSync(README, "utf8")).toBe(await readmeText());
});

test("the table of variables in functions/README.md names exactly the variables that the code reads, and Terraform sets all of them except HTTP_TIMEOUT_MS", async () => {
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

test("functions/README.md lists the states and the CSV columns of a coverage report in the same order as the code", async () => {
  const section = sectionOf("report-coverage");
  expect([...section.matchAll(/^\d\. `(\w+)`/gm)].map(([, state]) => state)).toEqual(COVERAGE_STATES);
  const { addDisk, get } = await createFixture();
  addDisk("disk");
  const { result } = await get({ format: "csv" });
  const columns = /The columns of the CSV are ([\s\S]*?)\.\n/.exec(section)?.[1] ?? "";
  expect([...columns.matchAll(/`(\w+)`/g)].map(([, column]) => column)).toEqual(
    result.body.split("\r\n")[0].split(","),
  );
});

describe("the worked examples of retention in functions/README.md", () => {
  const rows = [...sectionOf("Retention").matchAll(/^\| `(\{"keep[^`]*\})`([^|]*)\|([^|]*)\|([^|]*)\|$/gm)].map(
    (cells) => cells.slice(1).map((cell) => cell.trim()),
  ) as [retention: string, zone: string, before: string, kept: string][];

  test("the table of worked examples in functions/README.md has an example for each retention rule", () => {
    const rules = new Set(rows.flatMap(([retention]) => Object.keys(JSON.parse(retention))));
    expect([...rules].sort()).toEqual([...RULES].sort());
  });

  test.each(rows)(
    "for the retention %s %s and the snapshots %s, planRetention keeps the snapshots that the table in functions/README.md states",
    (retention, zone, before, kept) => {
      const snapshots = readSnapshots(before);
      expect(snapshots.length).toBeGreaterThan(2);
      const verdicts = planRetention(snapshots, {
        retention: JSON.parse(retention),
        toWallTime: createWallTimeConverter(/[A-Z]\w+\/\w+/.exec(zone)?.[0] ?? "UTC"),
        hold: [],
      });
      expect(kept).toBe(describeKept(verdicts));
    },
  );

  const DAY_MS = 86_400_000;
  /** The time of a snapshot whose name in the table has only a date. */
  const TIME = "T02:00";

  /** Returns the snapshots in a cell such as "`11-12 … 11-19`, `11-20` failed, `11-20T14:00`". The dates are in 2026, in UTC. */
  function readSnapshots(cell: string): FoundSnapshot[] {
    return [...cell.matchAll(/`([^`]+)`(?: (\w+))?/g)].flatMap(([, dates = "", word = "available"]) => {
      const [from = 0, to = from] = dates
        .split(" … ")
        .map((date) => Date.parse(`2026-${date.includes("T") ? date : date + TIME}Z`));
      return Array.from({ length: Math.round((to - from) / DAY_MS) + 1 }, (_, index): FoundSnapshot => {
        const created = from + index * DAY_MS;
        const state = word === "held" ? "available" : (word as FoundSnapshot["state"]);
        return {
          id: new Date(created).toISOString().slice(5, 16).replace(TIME, ""),
          name: "",
          status: state,
          state,
          created: instant(created),
          labels: word === "held" ? { hold: "true" } : {},
          raw: {},
        };
      });
    });
  }

  /** Returns the snapshots that are not deleted, newest first. Neighbors with the same rule share one entry. */
  function describeKept(verdicts: readonly Verdict[]): string {
    const entries: { ids: string[]; rule: string }[] = [];
    for (const { snapshot, decision, rule } of verdicts) {
      if (decision === "deleted") continue;
      const last = entries.at(-1);
      if (last?.rule === rule) last.ids.push(snapshot.id);
      else entries.push({ ids: [snapshot.id], rule });
    }
    return entries.map(({ ids, rule }) => `${ids.map((id) => `\`${id}\``).join(", ")} by \`${rule}\``).join("; ");
  }
});

test("every sample file that functions/README.md names exists", () => {
  const samples = [...read("functions/README.md").matchAll(/\btest\/(?:events|policies)\/[\w.-]+\.json/g)].map(
    ([path]) => path,
  );
  expect(samples.length).toBeGreaterThan(10);
  expect(samples.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
