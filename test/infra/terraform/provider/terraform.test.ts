/** Tests how `npm run test:terraform` starts Terraform, with a program that replaces it. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createWorkspace, findTerraform, withoutSettings } from "./terraform.ts";

/** Replaces Terraform by a program that prints a version and fails otherwise. Returns the folder for temporary files. */
function replaceTerraform(version: string): string {
  const folder = mkdtempSync(join(tmpdir(), "fake-terraform-"));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });
  const temporary = join(folder, "temporary");
  mkdirSync(temporary);
  const program = join(folder, "terraform");
  const output = JSON.stringify({ terraform_version: version });
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$1" = version ] && echo '${output}' && exit 0\necho "no provider" >&2\nexit 1\n`,
  );
  chmodSync(program, 0o755);
  vi.stubEnv("PATH", `${folder}:${process.env.PATH}`);
  vi.stubEnv("TMPDIR", temporary);
  return temporary;
}

test("createWorkspace removes its folder if Terraform cannot install the provider", () => {
  const temporary = replaceTerraform("1.9.8");
  expect(() => createWorkspace("none.rc")).toThrow(/^terraform init .*: exit code 1\n\nno provider/);
  expect(readdirSync(temporary)).toEqual([]);
});

test("findTerraform rejects a Terraform version that does not support mocked providers", () => {
  replaceTerraform("1.6.6");
  expect(() => findTerraform()).toThrow("expected terraform 1.7 or later on the path, found 1.6.6.");
});

test("withoutSettings removes environment variables that set a module variable, a Terraform option or an access key", () => {
  const settings = {
    TF_VAR_region: "a",
    TF_CLI_ARGS_test: "b",
    TF_DATA_DIR: "c",
    TF_WORKSPACE: "d",
    HW_ACCESS_KEY: "e",
  };
  expect(withoutSettings({ ...settings, PATH: "/bin", HOME: "/root" })).toEqual({ PATH: "/bin", HOME: "/root" });
});
