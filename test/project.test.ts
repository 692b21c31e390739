/** What holds for the project as a whole: who imports whom, what is installed, what the README says. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, posix, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { generateSchemas } from "../infra/schemas/schemas.ts";
import { REASONS } from "../shared/core/errors.ts";
import { FIELD_DESCRIPTIONS, OUTCOMES, OUTCOMES_SAY, type Outcome } from "../shared/results/record.ts";
import { KINDS } from "../shared/snapshots/kinds/kinds.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");
const ignored = read(".gitignore")
  .split("\n")
  .map((line) => line.replace(/\/$/, ""));

/** Every file of the project, by its path from the root. */
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

/** What a file imports: packages by name, files by their path from the root. */
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

describe("the arrows of imports", () => {
  const ARROWS: Record<string, string[]> = {
    "shared/core": [],
    "shared/validation": ["shared/core"],
    "shared/snapshots": ["shared/core", "shared/validation"],
    "shared/functiongraph": ["shared/core"],
    "shared/huaweicloud": ["shared/core", "shared/snapshots"],
    "shared/results": ["shared/core", "shared/snapshots"],
    "shared/middleware": ["shared"],
    functions: ["shared"],
    "infra/local/cloud": [],
  };

  test.each(Object.entries(ARROWS))("%s imports itself and %j", (from, to) => {
    const found = under(from).flatMap((path) =>
      imports(path)
        .filter((name) => isFile(name) && ![from, ...to].some((folder) => name.startsWith(`${folder}/`)))
        .map((name) => `${path} imports ${name}`),
    );
    expect(under(from).length).toBeGreaterThan(1);
    expect(found).toEqual([]);
  });

  test("every folder of shared has its arrows", () => {
    const folders = readdirSync(join(root, "shared"))
      .filter((name) => !name.endsWith(".md"))
      .map((name) => `shared/${name}`);
    expect(folders.filter((folder) => !(folder in ARROWS))).toEqual([]);
  });

  test("no function imports another one", () => {
    const found = under("functions").flatMap((path) =>
      imports(path).filter((name) => name.startsWith("functions/") && name.split("/")[1] !== path.split("/")[1]),
    );
    expect(found).toEqual([]);
  });

  test("the domain needs nothing but a hash", () => {
    const outside = under("shared/snapshots")
      .filter((path) => !path.endsWith("/policy-schema.ts"))
      .flatMap(imports)
      .filter((name) => !isFile(name));
    expect(new Set(outside)).toEqual(new Set(["node:crypto"]));
  });

  test("what is deployed imports what is installed for it; the rest is for development", () => {
    const making = /(^|\/)(schema|policy-schema|fields)\.ts$/;
    const deployed = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const path of under("functions", "shared")) {
      const packages = imports(path).filter(
        (name) => !isFile(name) && !name.startsWith("node:") && !builtinModules.includes(name),
      );
      const allowed =
        making.test(path) || path.includes("/sdk-stubs/") || path.endsWith(".d.ts") ? manifest.devDependencies : {};
      for (const name of packages) expect({ ...deployed, ...allowed }, path).toHaveProperty([packageOf(name)]);
    }
  });
});

describe("the house", () => {
  test("has four rooms", () => {
    const folders = readdirSync(root, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith(".") && !ignored.includes(entry.name))
      .map(({ name }) => name);
    expect(folders.sort()).toEqual(["functions", "infra", "shared", "test"]);
  });

  test("a handler reads as one sentence", () => {
    for (const name of readdirSync(join(root, "functions"))) {
      const lines = read(`functions/${name}/handler.ts`).split("\n").length - 1;
      expect(lines, name).toBeGreaterThanOrEqual(10);
      expect(lines, name).toBeLessThanOrEqual(40);
    }
  });

  test("kinds are told apart in shared/snapshots/kinds and nowhere else", () => {
    const names = Object.keys(KINDS);
    const constants = names.map((name) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase()));
    const one = `(?:["'\`](?:${names.join("|")})["'\`]|\\b(?:${constants.join("|")})\\.kind\\b)`;
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
    expect(compared.test("if (kind === snapshotGroup) {")).toBe(true);
    expect(compared.test('case "cluster-snapshot":')).toBe(true);
    expect(compared.test("switch (target.kind) {")).toBe(true);
  });

  test("names no registry and no machine's path", () => {
    // The platform's own folders are no machine's.
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

  test("is built for the platform's Node.js", () => {
    expect(read("esbuild.config.mjs")).toMatch(/\btarget: "node20"/);
    expect(manifest.engines?.node).toMatch(/^>=20\./);
  });
});

describe("the generated validators", () => {
  test("are what their schemas make", async () => {
    const made = await generateSchemas();
    for (const [path, text] of made) expect(read(relative(root, path)), path).toBe(text);
    const committed = FILES.filter((path) => path.includes(".generated."));
    expect(committed.sort()).toEqual([...made.keys()].map((path) => relative(root, path)).sort());
    expect(committed.length).toBeGreaterThanOrEqual(8);
  });

  test("need nothing at run time", () => {
    for (const path of FILES.filter((each) => each.endsWith(".generated.js"))) expect(imports(path), path).toEqual([]);
  });
});

describe("the tests", () => {
  /** Files that read the wall clock, and why a fixed date would not do there. */
  const READERS: Record<string, string> = {
    "test/bench/": "measures",
    "test/dates/": "sets the clock, and picks a date from now",
    "test/faults/process.ts": "starts processes, whose clock is that of the machine",
    "test/functions/pre-deploy.test.ts": "runs one deployment in real time",
    "test/infra/ci/gate.test.ts": "checks signatures of a process, whose clock is that of the machine",
    "test/support/cloud-client.ts": "signs requests, which no server accepts at another time",
    "test/project.test.ts": "has samples of such reads, below",
    "test/support/wire.ts": "connects to real servers",
  };
  const reads = (text: string) => /\bDate\.now\(|new Date\(\)|(?<![\w.])Date\(\)/.test(withoutComments(text));

  test("no test reads the wall clock, but those that have a process, a signature or a measurement to do with it", () => {
    const readers = FILES.filter((path) => /^test\/.*\.[cm]?[tj]s$/.test(path)).filter((path) => reads(read(path)));
    expect(readers.filter((path) => !Object.keys(READERS).some((known) => path.startsWith(known)))).toEqual([]);
    for (const known of Object.keys(READERS))
      expect([known, readers.some((path) => path.startsWith(known))]).toEqual([known, true]);
  });

  test("the rule about the wall clock recognises each way to read it", () => {
    const samples = ["Date.now()", "new Date()", "String(Date())", "new Date(0)", "Date.UTC(2020)", "clock.now()"];
    expect(samples.map(reads)).toEqual([true, true, true, false, false, false]);
  });
});

describe("the lock file", () => {
  const entries = Object.entries(lock.packages);
  const core = lock.packages["node_modules/@huaweicloud/huaweicloud-sdk-core"];

  test("says what to install and not from where", () => {
    expect(
      entries.filter(([, { resolved }]) => /^(\w+:)?\/\//.test(String(resolved ?? ""))).map(([name]) => name),
    ).toEqual([]);
    expect(read(".npmrc")).toContain("omit-lockfile-registry-resolved=true");
  });

  test("has an entry for everything optional, also for the platforms that it was not made on", () => {
    const missing = entries.flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies as object)
        .filter(
          (name) => !(`node_modules/${name}` in lock.packages) && !(`${path}/node_modules/${name}` in lock.packages),
        )
        .map((name) => `${path || "package.json"}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test("has the SDK's EVS package as optional, in step with its core, and without a hash of what may not be there", () => {
    expect(lock.packages[`node_modules/${EVS}`]).toEqual({
      version: core?.version,
      license: "Apache-2.0",
      optional: true,
    });
    expect(manifest.optionalDependencies).toEqual({ [EVS]: core?.version });
    expect(manifest.dependencies?.["@huaweicloud/huaweicloud-sdk-core"]).toBe(core?.version);
  });

  test("has a hash of everything else that is installed here", () => {
    const without = entries.filter(([path, { integrity, optional }]) => path !== "" && !integrity && !optional);
    expect(without.map(([path]) => path)).toEqual([]);
  });

  test("agrees with package.json, which names exact versions", () => {
    for (const group of ["dependencies", "devDependencies", "optionalDependencies"]) {
      expect(lock.packages[""]?.[group]).toEqual(manifest[group]);
      for (const [name, version] of Object.entries(manifest[group] ?? {})) {
        expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
        expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version);
      }
    }
  });
});

describe("the README", () => {
  /** The rows under a table's heading, without the marks of code. */
  function table(heading: string): string[][] {
    const lines = read("README.md").split("\n");
    const start = lines.findIndex((line) => line.replace(/ +/g, " ").startsWith(heading));
    expect(start, `the table ${heading}`).toBeGreaterThan(0);
    const rest = lines.slice(start + 2);
    return rest
      .slice(
        0,
        rest.findIndex((line) => !line.startsWith("|")),
      )
      .map((line) =>
        line
          .slice(1, -1)
          .split("|")
          .map((cell) => cell.trim()),
      );
  }

  const code = (cell: string | undefined) => /^`(.+)`$/.exec(cell ?? "")?.[1];

  test("has a reason for every package", () => {
    const rows = table("| package | why |");
    const packages = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((group) =>
      Object.keys(manifest[group] ?? {}),
    );
    expect(rows.map(([name]) => code(name)).sort()).toEqual(packages.sort());
    for (const [name, why = ""] of rows) expect(why.length, name).toBeGreaterThan(3);
  });

  test("has the catalogue of reasons: status, wait and what to do", () => {
    expect(table("| reason | HTTP |").map(([reason, ...cells]) => [code(reason), ...cells])).toEqual(
      Object.entries(REASONS).map(([reason, { httpStatus, retryClass: wait, advice }]) => [
        reason,
        String(httpStatus),
        wait,
        advice,
      ]),
    );
  });

  test("has the fields of a record", () => {
    expect(table("| field |").map(([field, says]) => [code(field), says])).toEqual(Object.entries(FIELD_DESCRIPTIONS));
  });

  test("README.md documents no outcome that the code never gives a record", () => {
    const code = under("functions", "shared")
      .filter((path) => path !== "shared/snapshots/reporting.ts" && !path.includes(".generated."))
      .map((path) => withoutComments(read(path)))
      .join("\n");
    expect(Object.keys(OUTCOMES).filter((outcome) => !code.includes(`"${outcome}"`))).toEqual([]);
  });

  test("has the outcomes, with level and meaning", () => {
    expect(table("| outcome |").map(([outcome, ...cells]) => [code(outcome), ...cells])).toEqual(
      Object.entries(OUTCOMES).map(([outcome, level]) => [outcome, level, OUTCOMES_SAY[outcome as Outcome]]),
    );
  });
});
