/** Checks imports of packages, the top-level folders, generated files, the lock file, and tables of the documents. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { generateRegistries } from "../infra/registries/registries.ts";
import { generateSchemas } from "../infra/schemas/schemas.ts";
import { generateTerraform } from "../infra/terraform/generate.ts";
import { REASONS } from "../shared/core/errors.ts";
import { FIELD_DESCRIPTIONS, LEVELS, OUTCOME_DESCRIPTIONS } from "../shared/results/record.ts";
import { KINDS } from "../shared/snapshots/kinds/kinds.generated.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const ignored = read(".gitignore")
  .split("\n")
  .map((line) => line.replace(/\/$/, ""));

/** The paths of all files, relative to the root. */
const FILES = files(".");

function files(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.name === ".git" || ignored.includes(entry.name) || entry.name.endsWith(".log")) return [];
    return entry.isDirectory() ? files(path) : [path];
  });
}

const SOURCES = FILES.filter((path) => /^(functions|shared|infra)\/.*\.([cm]?ts|[cm]?js)$/.test(path));
const under = (...folders: string[]) =>
  SOURCES.filter((path) => folders.some((folder) => path.startsWith(`${folder}/`)));

/** Returns what a file imports: names of packages, and paths of files relative to the root. */
function imports(path: string): string[] {
  const statement = /^\s*(?:import|export)\b[^"';]*?\bfrom\s*["']([^"']+)["']|^\s*import\s*["']([^"']+)["']/gm;
  const call = /\b(?:import|require)\(\s*["']([^"']+)["']/g;
  const text = withoutComments(read(path));
  return [...text.matchAll(statement), ...text.matchAll(call)].map(([, one, other]) => {
    const name = one ?? other ?? "";
    return name.startsWith(".") ? posix.join(dirname(path), name) : name;
  });
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|\s)\/\/ .*$/gm, "$1");
const isFile = (name: string) => /^(functions|shared|infra|test)\//.test(name);
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

const lock: { packages: Record<string, Record<string, unknown>> } = JSON.parse(read("package-lock.json"));
const manifest: Record<string, Record<string, string>> = JSON.parse(read("package.json"));
const EVS = "@huaweicloud/huaweicloud-sdk-evs";

describe("imports of packages", () => {
  test("no file in shared/snapshots, except policy-schema.ts, imports an npm package or a Node.js module other than node:crypto", () => {
    const outside = under("shared/snapshots")
      .filter((path) => !path.endsWith("/policy-schema.ts"))
      .flatMap(imports)
      .filter((name) => !isFile(name));
    expect(new Set(outside)).toEqual(new Set(["node:crypto"]));
  });

  test("functions/ and shared/ import only `dependencies` and `optionalDependencies`, except in schemas, SDK stubs and type declarations", () => {
    const generators = /(^|\/)(schema|policy-schema|fields)\.ts$/;
    const deployed = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const path of under("functions", "shared")) {
      const packages = imports(path).filter(
        (name) => !isFile(name) && !name.startsWith("node:") && !builtinModules.includes(name),
      );
      const allowed =
        generators.test(path) || path.includes("/sdk-stubs/") || path.endsWith(".d.ts") ? manifest.devDependencies : {};
      for (const name of packages) expect({ ...deployed, ...allowed }, path).toHaveProperty([packageOf(name)]);
    }
  });
});

describe("the repository layout", () => {
  test("the top-level folders of the repository are functions, infra, shared and test", () => {
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !ignored.includes(entry.name))
      .map(({ name }) => name);
    expect(folders.sort()).toEqual(["functions", "infra", "shared", "test"]);
  });

  test("each handler.ts has 10 to 40 lines", () => {
    const handlers = FILES.filter((path) => /^functions\/[^/]+\/handler\.ts$/.test(path));
    expect(handlers.length).toBeGreaterThan(9);
    for (const name of handlers) {
      const lines = read(name).split("\n").length - 1;
      expect(lines, name).toBeGreaterThanOrEqual(10);
      expect(lines, name).toBeLessThanOrEqual(40);
    }
  });

  test("in functions/ and shared/, only code in shared/snapshots/kinds compares a value with the name of a kind of snapshot", () => {
    const names = Object.keys(KINDS);
    const constants = names.map((name) => `${name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())}Kind`);
    const one = `(?:["'\`](?:${names.join("|")})["'\`]|\\b(?:${constants.join("|")})\\.name\\b)`;
    const compared = new RegExp(
      [
        "switch\\s*\\([^)]*\\bkind\\b",
        `\\bcase\\s+${one}`,
        `[!=]==?\\s*${one}`,
        `${one}\\s*[!=]==?`,
        `\\bkind\\s*[!=]==?\\s*(?:${constants.join("|")})\\b`,
        `\\[[^\\]]*${one}[^\\]]*\\]\\.includes\\(`,
      ].join("|"),
    );
    const found = under("functions", "shared")
      .filter((path) => !path.startsWith("shared/snapshots/kinds/") && !path.includes(".generated."))
      .flatMap((path) =>
        withoutComments(read(path))
          .split("\n")
          .filter((line) => compared.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );
    expect(found).toEqual([]);
    expect(compared.test('if (target.kind === "snapshot-group") {')).toBe(true);
    expect(compared.test("if (kind === snapshotGroupKind) {")).toBe(true);
    expect(compared.test('case "cluster-snapshot":')).toBe(true);
    expect(compared.test("switch (target.kind) {")).toBe(true);
  });

  test("no file contains the address of a package registry or a path that exists only on a developer's machine", () => {
    // Allow /home/snuser, which is a folder of the platform.
    const machine = /(?<![\w.}])\/(?:work|home(?!\/snuser\b)|Users|root)\/|\b[A-Z]:\\{1,2}Users\b/;
    const registry =
      /registry\.npmjs\.org|registry\.yarnpkg\.com|\/\/[\w.-]*(?:registry|nexus|artifactory|verdaccio|npmmirror|jfrog)[\w.-]*|^registry\s*=/m;
    const found = FILES.flatMap((path) => {
      const text = read(path);
      return [machine, registry].flatMap((pattern) => {
        const hit = pattern.exec(text);
        return hit === null ? [] : [`${path}: ${text.slice(hit.index, hit.index + 40)}`];
      });
    });
    expect(found).toEqual([]);
  });

  test("the build targets Node.js 20, which is the version of the platform", () => {
    expect(read("esbuild.config.mjs")).toMatch(/\btarget: "node20"/);
    expect(manifest.engines?.node).toMatch(/^>=20\./);
  });
});

describe("generated files", () => {
  test("every generated file is the current output of `npm run generate`", async () => {
    const generated = [...(await generateSchemas()), ...(await generateRegistries()), ...(await generateTerraform())];
    for (const [path, text] of generated) expect(read(relative(root, path)), path).toBe(text);
    const committed = FILES.filter((path) => path.includes(".generated.") || /^infra\/terraform\/.*\.json$/.test(path));
    expect(committed.sort()).toEqual(generated.map(([path]) => relative(root, path)).sort());
  });

  test("the generated validators import nothing", () => {
    for (const path of FILES.filter((each) => each.endsWith(".generated.js"))) expect(imports(path), path).toEqual([]);
  });
});

describe("test files", () => {
  /** Maps each file or folder that may read the wall clock to the reason why it needs the real time. */
  const READERS: Record<string, string> = {
    "test/bench/": "measures durations",
    "test/dates/": "sets the clock and chooses a date relative to today",
    "test/faults/process.ts": "starts processes that use the clock of the machine",
    "test/functions/pre-deploy-real-time.test.ts": "runs one deployment in real time",
    "test/infra/ci/gate-connection.test.ts": "checks signatures of a process that uses the clock of the machine",
    "test/platform/": "starts processes that use the clock of the machine",
    "test/support/cloud-client.ts": "signs requests, which servers accept only at the current time",
    "test/project.test.ts": "contains samples of reads of the wall clock",
    "test/support/wire.ts": "connects to real servers",
  };
  const reads = (text: string) => /\bDate\.now\(|new Date\(\)|(?<![\w.])Date\(\)/.test(withoutComments(text));

  test("project.test.ts lists every test file that reads the wall clock, with the reason", () => {
    const readers = FILES.filter((path) => /^test\/.*\.[cm]?[tj]s$/.test(path)).filter((path) => reads(read(path)));
    expect(readers.filter((path) => !Object.keys(READERS).some((known) => path.startsWith(known)))).toEqual([]);
    for (const known of Object.keys(READERS))
      expect([known, readers.some((path) => path.startsWith(known))]).toEqual([known, true]);
  });

  test("the search for test files that read the wall clock finds Date.now(), new Date() and Date()", () => {
    const samples = ["Date.now()", "new Date()", "String(Date())", "new Date(0)", "Date.UTC(2020)", "clock.now()"];
    expect(samples.map(reads)).toEqual([true, true, true, false, false, false]);
  });
});

describe("the lock file", () => {
  const entries = Object.entries(lock.packages);
  const core = lock.packages["node_modules/@huaweicloud/huaweicloud-sdk-core"];

  test("the lock file contains no address of a package registry", () => {
    expect(
      entries.filter(([, { resolved }]) => /^(\w+:)?\/\//.test(String(resolved ?? ""))).map(([name]) => name),
    ).toEqual([]);
    expect(read(".npmrc")).toContain("omit-lockfile-registry-resolved=true");
  });

  test("the lock file has an entry for each optional package, including packages for other operating systems", () => {
    const missing = entries.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies as object)
        .filter(
          (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
        )
        .map((name) => `${path || "package.json"}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("the lock file lists the optional EVS package without a hash and with the version of the SDK core package", () => {
    expect(lock.packages[`node_modules/${EVS}`]).toEqual({
      version: core?.version,
      license: "Apache-2.0",
      optional: true,
    });
    expect(manifest.optionalDependencies).toEqual({ [EVS]: core?.version });
    expect(manifest.dependencies?.["@huaweicloud/huaweicloud-sdk-core"]).toBe(core?.version);
  });

  test("the lock file has a hash for each package that is not optional", () => {
    const without = entries.filter(([path, { integrity, optional }]) => path !== "" && !integrity && !optional);
    expect(without.map(([path]) => path)).toEqual([]);
  });

  test("the lock file and package.json pin the same exact versions", () => {
    for (const group of ["dependencies", "devDependencies", "optionalDependencies"]) {
      expect(lock.packages[""]?.[group]).toEqual(manifest[group]);
      for (const [name, version] of Object.entries(manifest[group] ?? {})) {
        expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
        expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
      }
    }
  });
});

describe("tables of the documents", () => {
  /** Returns the rows of the table in a document whose header begins with `heading`. */
  function table(document: string, heading: string): string[][] {
    const lines = read(document).split("\n");
    const start = lines.findIndex((line) => line.replace(/ +/g, " ").startsWith(heading));
    expect(start, `the table ${heading} in ${document}`).toBeGreaterThan(0);
    const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
    const cells = (line: string) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim());
    return lines.slice(start + 2, end).map(cells);
  }

  const FUNCTIONS = "functions/README.md";
  const code = (cell: string | undefined) => /^`(.+)`$/.exec(cell ?? "")?.[1];

  test("shared/README.md explains why each dependency is needed", () => {
    const rows = table("shared/README.md", "| package | purpose |");
    const packages = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((group) =>
      Object.keys(manifest[group] ?? {}),
    );
    expect(rows.map(([name]) => code(name)).sort()).toEqual(packages.sort());
    for (const [name, why = ""] of rows) expect(why.length, name).toBeGreaterThan(3);
  });

  test("functions/README.md lists each error reason with its HTTP status, its retry class, its advice, and what operators check", () => {
    const rows = read(FUNCTIONS).matchAll(/^- `(\w+)` \((\d+), (\w+)\): (.+) Operators: check .+\.$/gm);
    expect([...rows].map(([, ...parts]) => parts)).toEqual(
      Object.entries(REASONS).map(([reason, { httpStatus, retryClass, advice }]) => [
        reason,
        String(httpStatus),
        retryClass,
        advice,
      ]),
    );
  });

  test("functions/README.md describes each field of a result record with the text in FIELD_DESCRIPTIONS", () => {
    expect(table(FUNCTIONS, "| field of a record |").map(([field, meaning]) => [code(field), meaning])).toEqual(
      Object.entries(FIELD_DESCRIPTIONS),
    );
  });

  test("every outcome that functions/README.md lists occurs in the code", () => {
    const code = under("functions", "shared")
      .filter((path) => path !== "shared/snapshots/reporting.ts" && !path.includes(".generated."))
      .map((path) => withoutComments(read(path)))
      .join("\n");
    expect(Object.keys(OUTCOME_DESCRIPTIONS).filter((outcome) => !code.includes(`"${outcome}"`))).toEqual([]);
  });

  test("functions/README.md lists each outcome of a result record with its log level and meaning", () => {
    expect(table(FUNCTIONS, "| outcome |").map(([outcome, ...cells]) => [code(outcome), ...cells])).toEqual(
      Object.entries(OUTCOME_DESCRIPTIONS).map(([outcome, text]) => [
        outcome,
        LEVELS[outcome as keyof typeof LEVELS] ?? "info",
        text,
      ]),
    );
  });
});
