/** Runs the sample program in `infra/local/README.md`. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..", "..");
const LOCAL = join("infra", "local");
const TSX = createRequire(import.meta.url).resolve("tsx/cli");

test("the sample program in infra/local/README.md runs without changes and prints the documented output", {
  timeout: 30_000,
}, () => {
  const readme = readFileSync(join(ROOT, LOCAL, "README.md"), "utf8");
  const [, path = "", sample = ""] = /Saved as `([^`]+)`[^\n]*\n\n```ts\n(.*?)```/s.exec(readme) ?? [];
  // Write the sample into a temporary folder, because a test must not write into the repository.
  const tree = mkdtempSync(join(tmpdir(), "sample-"));
  onTestFinished(() => rmSync(tree, { recursive: true, force: true }));
  mkdirSync(join(tree, LOCAL), { recursive: true });
  cpSync(join(ROOT, "package.json"), join(tree, "package.json"));
  symlinkSync(join(ROOT, LOCAL, "cloud"), join(tree, LOCAL, "cloud"));
  writeFileSync(join(tree, path), sample);

  const { status, stdout, stderr } = spawnSync(process.execPath, [TSX, path], { cwd: tree, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toMatch(/^fetch failed\n.*kind: 'snapshot'.*status: 'available'.*\n\[\]\n$/s);
  expect(stdout).toContain("[ [ 'evs.createSnapshot', undefined ] ]");
});

test("Node.js loads functions/create-snapshot/schema.generated.js as an ES module without a warning", () => {
  const load = `await import("./functions/create-snapshot/schema.generated.js")`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", load], {
    cwd: ROOT,
    encoding: "utf8",
  });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});
