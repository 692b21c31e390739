import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** Every file of the repository, by its path from the root, except generated ones. */
const FILES = [".", "functions", "infra", "shared", "test"]
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: folder !== ".", withFileTypes: true }))
  .filter((entry) => entry.isFile())
  .map((entry) => relative(root, join(entry.parentPath, entry.name)))
  .filter((path) => !/(^|\/)(dist|\.terraform)\/|\.log$|^package-lock\.json$|\/sources\.test\.ts$/.test(path))
  .sort();

const page = read("shared/SOURCES.md");
const LINKS = new Map([...page.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)].map(([, id = "", url = ""]) => [id, url]));
const linksOf = (text: string) => [...text.matchAll(/\]\[([^\]]+)\]/g)].map(([, id = ""]) => id);
/** Name -> text on one line. */
const ENTRIES = new Map(
  page
    .replace(/^\[[^\]]+\]: .*/gm, "")
    .split(/^(?=#)/m)
    .filter((section) => section.startsWith("### "))
    .map((section) => section.slice(4).trim().split("\n"))
    .map(([name = "", ...lines]) => [name, lines.join(" ").replace(/\s+/g, " ")]),
);

describe("shared/SOURCES.md", () => {
  test("every entry has a name of its own, a fact, a source with a link and a status", () => {
    const wellFormed = /^ \S.*\. \*\*(Confirmed\*\*.*|Unconfirmed\*\*\. \S.*)\. Source: \[.*\]\.$/;
    /^ \S.*\. - Source: \[.* - Status: (confirmed|unconfirmed\. .+|confirmed by an experiment: .+)\.$/;
    const faulty = [...ENTRIES].filter(([name, text]) => !/^[a-z0-9-]+$/.test(name) || !wellFormed.test(text));
    expect(faulty).toEqual([]);
    expect(ENTRIES.size).toBe(page.match(/^### /gm)?.length);
  });

  test("every link leads to a public page, and the entries use every link", () => {
    const used = new Set([...ENTRIES.values()].flatMap(linksOf));
    expect([...LINKS.keys()].sort()).toEqual([...used].sort());
    expect([...LINKS.values()].filter((url) => !url.startsWith("https://"))).toEqual([]);
  });

  test("every citation of an entry, anywhere in the repository, names one that exists", () => {
    const broken = FILES.flatMap((path) =>
      [...read(path).matchAll(/SOURCES\.md#([\w-]+)/g)]
        .filter(([, name = ""]) => !ENTRIES.has(name))
        .map(([citation]) => `${path}: ${citation}`),
    );
    expect(broken).toEqual([]);
  });
});

/** Documents that are not in the repository, and abbreviations of documents that no reader can look up. */
const OUTSIDE = new RegExp(
  String.raw`(?<![A-Za-z])(cloud-apis|peers-and-models|(functiongraph|terraform|DESIGN|STYLE|CONTRACT|FAULTS)\.md|` +
    String.raw`[Ss]eeds? (00\d|\$seed)|the seeds|(the|The|its) seed's|DESIGN|OTC|HWC)(?![A-Za-z])`,
);

test("no file cites a document outside the repository", () => {
  expect(FILES.filter((path) => OUTSIDE.test(read(path)))).toEqual([]);
});
