import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The paths of all files in the repository, relative to the root, except generated files. */
const FILES = [".", "functions", "infra", "shared", "test"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: folder !== ".", withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((path) => !/(^|\/)(dist|\.terraform)\/|\.log$|^package-lock\.json$|\/sources\.test\.ts$/.test(path))
  .sort();

const page = read("shared/SOURCES.md");
const LINKS = new Map([...page.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)].map(([, id = "", url = ""]) => [id, url]));
const linksOf = (text: string) => [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, id = ""]) => id);
/** Maps the name of each entry in SOURCES.md to its text, with line breaks replaced by spaces. */
const ENTRIES = new Map(
  page
    .replace(/^\[[^\]]+\]: .*/gm, "")
    .split(/^(?=#)/m)
    .filter((section) => section.startsWith("### "))
    .map((section) => section.slice(4).trim().split("\n"))
    .map(([name = "", ...lines]) => [name, lines.join(" ").replace(/\s+/g, " ")]),
);

describe("shared/SOURCES.md", () => {
  test("every entry of shared/SOURCES.md has a unique name, a fact, a status, and a source with a link", () => {
    const wellFormed = /^ \S.*\. \*\*(Confirmed\*\*.*|Unconfirmed\*\*\. \S.*)\. Source: \[.*\]\.$/;

    const faulty = [...ENTRIES].filter(([name, text]) => !/^[a-z0-9-]+$/.test(name) || !wellFormed.test(text));
    expect(faulty).toEqual([]);
    expect(ENTRIES.size).toBe(page.match(/^### /gm)?.length);
  });

  test("every link in shared/SOURCES.md starts with https:// and is used by an entry", () => {
    const used = new Set([...ENTRIES.values()].flatMap(linksOf));
    expect([...LINKS.keys()].sort()).toEqual([...used].sort());
    expect([...LINKS.values()].filter((url) => !url.startsWith("https://"))).toEqual([]);
  });

  test("every citation of shared/SOURCES.md in the repository names an existing entry", () => {
    const broken = FILES.flatMap((path) =>
      [...read(path).matchAll(/SOURCES\.md#([\w-]+)/g)]
        .filter(([, name = ""]) => !ENTRIES.has(name))
        .map(([citation]) => `${path}: ${citation}`),
    );
    expect(broken).toEqual([]);
  });
});

/** Matches the names and abbreviations of documents that a reader cannot look up. */
const OUTSIDE = new RegExp(
  String.raw`(?<![A-Za-z])(cloud-apis|peers-and-models|(functiongraph|terraform|DESIGN|STYLE|CONTRACT|FAULTS)\.md|` +
    String.raw`[Ss]eeds? (00\d|\$seed)|the seeds|(the|The|its) seed's|DESIGN|OTC|HWC)(?![A-Za-z])`,
);

test("no file cites a document outside the repository", () => {
  expect(FILES.filter((path) => OUTSIDE.test(read(path)))).toEqual([]);
});
