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
  program: string;
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

/** Finds Terraform or OpenTofu on the path. */
export function findTerraform(): { program: string; version: string } {
  for (const program of ["terraform", "tofu"]) {
    const { status, stdout } = spawnSync(program, ["version", "-json"], { encoding: "utf8" });
    if (status !== 0) continue;
    const version: string = JSON.parse(stdout).terraform_version;
    const [major = 0, minor = 0] = version.split(".").map(Number);
    if (major > MIN_VERSION[0] || (major === MIN_VERSION[0] && minor >= MIN_VERSION[1])) return { program, version };
  }
  throw new Error(`expected terraform or tofu ${MIN_VERSION.join(".")} or later on the path, found neither.`);
}

/** Copies the module and initializes the copy. */
export function createWorkspace(configuration: string): Workspace {
  const { program, version } = findTerraform();
  const folder = mkdtempSync(join(tmpdir(), "terraform-"));
  for (const name of readdirSync(MODULE)) if (/\.(tf|json)$/.test(name)) cpSync(join(MODULE, name), join(folder, name));
  mkdirSync(join(folder, "tests"));
  const env = { ...process.env, TF_CLI_CONFIG_FILE: configuration, CHECKPOINT_DISABLE: "1", TF_IN_AUTOMATION: "1" };
  const terraform = (args: readonly string[], codes: readonly number[] = [0]): string => {
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: folder,
      env,
      encoding: "utf8",
      maxBuffer: 1024 * 1024 * 1024,
    });
    if (status === null || !codes.includes(status))
      throw new Error(`${program} ${args.join(" ")}: exit code ${status}\n${stdout}\n${stderr}`);
    return stdout;
  };
  terraform(["init", "-input=false", "-no-color"]);
  return {
    program,
    folder,
    version,
    terraform,
    addTest: (name, text) => writeFileSync(join(folder, "tests", name), text),
    test: () =>
      terraform(["test", "-json"], [0, 1])
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line)),
    remove: () => rmSync(folder, { recursive: true, force: true }),
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
