/** Runs Terraform on a copy of the module, with the official provider. */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const MODULE = join(import.meta.dirname, "..", "..", "..", "..", "infra", "terraform");

/** Mocked providers exist since this version of Terraform. */
const MIN_VERSION = [1, 7] as const;

/** A line of Terraform's output with the option `-json`. */
export interface OutputLine {
  type: string;
  "@testfile"?: string;
  "@testrun"?: string;
  diagnostic?: { severity: "error" | "warning"; summary: string; detail: string };
  test_run?: { path: string; run: string; progress: string; status?: string };
  test_summary?: { status: string; passed: number; failed: number; errored: number; skipped: number };
}

/** A folder with the module, in which Terraform has installed the provider. */
export interface Workspace {
  folder: string;
  version: string;
  /** Runs Terraform and returns its standard output. Throws an error if the exit code is not 0 and not in `codes`. */
  terraform(args: readonly string[], codes?: readonly number[]): string;
  /** Adds a test file. */
  addTest(name: string, text: string): void;
  /** Runs the test files and returns the lines of the output. */
  test(): OutputLine[];
  remove(): void;
}

/** Returns the version of Terraform on the path. */
export function findTerraform(): string {
  const expected = `expected terraform ${MIN_VERSION.join(".")} or later on the path, found`;
  const { status, stdout } = spawnSync("terraform", ["version", "-json"], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${expected} none.`);
  const version: string = JSON.parse(stdout).terraform_version;
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < MIN_VERSION[0] || (major === MIN_VERSION[0] && minor < MIN_VERSION[1]))
    throw new Error(`${expected} ${version}.`);
  return version;
}

/**
 * Returns the environment without the variables that change what Terraform or the provider does: TF_* such as TF_VAR_region or
 * TF_CLI_ARGS, and HW_* such as HW_REGION_NAME.
 */
export const withoutSettings = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !/^(TF|HW)_/i.test(name)));

/** Copies the module and initializes the copy. Removes the copy if this fails. */
export function createWorkspace(configuration: string): Workspace {
  const version = findTerraform();
  const folder = mkdtempSync(join(tmpdir(), "terraform-"));
  for (const name of readdirSync(MODULE)) if (/\.(tf|json)$/.test(name)) cpSync(join(MODULE, name), join(folder, name));
  mkdirSync(join(folder, "tests"));
  const env = {
    ...withoutSettings(process.env),
    TF_CLI_CONFIG_FILE: configuration,
    CHECKPOINT_DISABLE: "1",
    TF_IN_AUTOMATION: "1",
  };
  const terraform = (args: readonly string[], codes: readonly number[] = [0]): string => {
    const { status, stdout, stderr } = spawnSync("terraform", args, {
      cwd: folder,
      env,
      encoding: "utf8",
      maxBuffer: 1024 * 1024 * 1024,
    });
    if (status === null || !codes.includes(status))
      throw new Error(`terraform ${args.join(" ")}: exit code ${status}\n${stdout}\n${stderr}`);
    return stdout;
  };
  const remove = () => rmSync(folder, { recursive: true, force: true });
  try {
    terraform(["init", "-input=false", "-no-color"]);
  } catch (error) {
    remove();
    throw error;
  }
  return {
    folder,
    version,
    terraform,
    addTest: (name, text) => writeFileSync(join(folder, "tests", name), text),
    test: () =>
      terraform(["test", "-json"], [0, 1])
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    remove,
  };
}

/** Fails if Go is missing. */
export function requireGo(): void {
  try {
    execFileSync("go", ["version"], { stdio: "ignore" });
  } catch {
    throw new Error("expected go 1.24 or later on the path, because the provider is built from its Go module.");
  }
}
