/**
 * Adds a function and a kind of snapshot to a copy of the repository and changes no existing file. The tests check that bundles,
 * documents, Terraform, the local host and the tour then include the function and the kind. `shared/README.md` has a checklist.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");
const ADDITIONS = join(import.meta.dirname, "additions");

/** The files that a developer writes to add a function. */
const FUNCTION_FILES = ["function.ts", "handler.ts", "schema.ts"].map((file) => `functions/count-snapshots/${file}`);
/** The files that a developer writes to add a kind of snapshot. */
const KIND_FILES = [
  ...["function.ts", "handler.ts", "schema.ts"].map((file) => `functions/create-share-snapshot/${file}`),
  "infra/local/cloud/services/sfs.ts",
  "shared/huaweicloud/sfs.ts",
  "shared/snapshots/kinds/share-snapshot.ts",
];

let copy = "";

const run = (command: string, ...args: string[]): string =>
  execFileSync(command, args, {
    cwd: copy,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, VITEST: "", NO_COLOR: "1" },
  });
const bin = (name: string) => join(ROOT, "node_modules", ".bin", name);
const readJson = (path: string) => JSON.parse(readFileSync(join(copy, path), "utf8"));

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), "additions-"));
  const listFiles = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", listFiles, { cwd: ROOT, encoding: "utf8" }).split("\0");
  for (const file of files.filter((name) => name !== "" && !name.startsWith("test/additions/"))) {
    cpSync(join(ROOT, file), join(copy, file));
  }
  cpSync(ADDITIONS, copy, { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  run("git", "init", "--quiet");
  run("npm", "run", "--silent", "generate");
  run("npm", "run", "--silent", "build", "--", "--quiet");
}, 120_000);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

test("adding a function takes three new files, and adding a kind of snapshot with its create function takes six new files", () => {
  const added = readdirSync(ADDITIONS, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(ADDITIONS.length + 1));
  expect(added.sort()).toEqual([...FUNCTION_FILES, ...KIND_FILES].sort());
});

test("if a function and a kind of snapshot are added to a copy of the repository, the new files pass the linter, and the copy passes the type check and the layout rules", {
  timeout: 120_000,
}, () => {
  run(bin("biome"), "check", "--vcs-enabled=false", ...new Set([...FUNCTION_FILES, ...KIND_FILES].map(dirname)));
  run(bin("tsc"));
  run(bin("vitest"), "run", "--config", "test/vitest.config.mjs", "test/layout.test.ts");
});

test("if an HTTP function and a kind of snapshot are added, openapi.json describes the function and allows the kind in pre-deploy requests", () => {
  const { paths, components } = readJson("infra/openapi.json");
  expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/count-snapshots", "/create-share-snapshot"]));
  expect(components.schemas.PreDeploy.properties.targets.items.properties.kind.enum).toContain("share-snapshot");
  const options = ["--config", "infra/openapi/redocly.yaml", "--format=json"];
  const cli = join(ROOT, "node_modules/@redocly/cli/bin/cli.js");
  expect(JSON.parse(run(process.execPath, cli, "lint", "infra/openapi.json", ...options)).problems).toEqual([]);
});

test("if a function and a kind of snapshot are added, the Terraform module deploys the function with its permissions and accepts the kind in policies", () => {
  const functions = readJson("infra/terraform/functions.json");
  expect(functions["count-snapshots"]).toMatchObject({ trigger: "http", method: "POST", timeout: 30 });
  expect(functions["count-snapshots"].calls).toContain("sfs.listSnapshots");
  expect(functions["scheduled-snapshots"].calls).toContain("sfs.createSnapshot");
  expect(functions["prune-snapshots"].calls).toContain("sfs.deleteSnapshot");
  writeFileSync(
    join(copy, "plan.ts"),
    `import { planOf, sources } from "./test/infra/terraform/plan.ts";
    const targets = [{ kind: "share-snapshot", tags: { backup: "*" }, incremental: false }];
    const { refusals, resources } = await planOf(sources(), {
      region: "eu-west-101",
      disk_attached_kind: "snapshot",
      lts_endpoint: "https://100.125.11.157:8102",
      alarm: { email: "sre@example.org" },
      functions: ["count-snapshots", "create-share-snapshot"],
      gateway: { instance_id: "0d3f1a2b4c5d6e7f8091a2b3c4d5e6f7" },
      policies: { nightly: { schedule: "0 0 2 * * *", targets } },
    });
    console.log(JSON.stringify({ refusals, resources }));`,
  );
  const { refusals, resources } = JSON.parse(run(bin("tsx"), "plan.ts"));
  expect(refusals).toEqual([]);
  const valuesOf = (address: string) => resources.find((one: { address: string }) => one.address === address)?.values;
  expect(valuesOf('huaweicloud_identity_role.function["create-share-snapshot"]').policy).toContain(
    '"sfs:snapshots:create"',
  );
  expect(valuesOf('huaweicloud_fgs_function.this["count-snapshots"]').user_data).toContain(
    '"SFS_ENDPOINT":"https://sfs.eu-west-101.myhuaweicloud.com"',
  );
  expect(valuesOf('huaweicloud_apig_api.this["count-snapshots"]').request_path).toBe("/count-snapshots");
});

test("if a function is added to the repository, `npm run invoke` runs the function on the local machine", () => {
  const body = Buffer.from(JSON.stringify({ prefix: "" })).toString("base64");
  writeFileSync(
    join(copy, "event.json"),
    JSON.stringify({ ...readJson("test/events/pre-deploy.json"), path: "/count-snapshots", body }),
  );
  const output = run(bin("tsx"), "infra/local/invoke/main.ts", "count-snapshots", "event.json");
  expect(output).toMatch(/^Response: HTTP 200\b/m);
  expect(output).toContain('"share-snapshot": 0');
});

test("if a kind of snapshot is added, the tour creates snapshots of this kind by an HTTP request, by a timer and before a deployment", () => {
  const output = run(bin("tsx"), "infra/local/tour/main.ts", "--once", "--verbose");
  expect(output).toMatch(/ ok {2}create-share-snapshot: a request for share share-1, sent twice, created 1 snapshot\./);
  const rows = output.split("\n").filter((line) => line.startsWith("share-snapshot"));
  expect(rows.map((row) => row.split(/ {2,}/).slice(3, 5))).toEqual([
    ["http", "available"],
    ["timer", "available"],
    ["http", "available"],
  ]);
}, 60_000);
