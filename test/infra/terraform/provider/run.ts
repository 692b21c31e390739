/** `npm run test:terraform`: checks the Terraform module with Terraform itself and with the official provider. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { INVALID_VARIABLES, variablesWith } from "../invalid-variables.ts";
import { buildProvider } from "./build-provider.ts";
import { PRINTED_SCHEMA_FILE, trimSchema } from "./printed-schema.ts";
import { createWorkspace, findTerraform, type OutputLine, requireGo, type Workspace } from "./terraform.ts";

const USAGE = `npm run test:terraform [-- --write]

Builds the official provider once, which takes 15 minutes or more. Then validates the module, applies it with mocked cloud calls,
and tries to apply it with invalid variables. Compares the provider's schema with ${PRINTED_SCHEMA_FILE}. This command needs Terraform
1.7 or later, and Go 1.24 or later. Exits with 0 if everything is as expected, otherwise with 1.

  --write   write the provider's schema instead of comparing it`;

const ROOT = join(import.meta.dirname, "..", "..", "..", "..");
const DEPLOYMENTS = readFileSync(join(import.meta.dirname, "deployments.tftest.hcl"), "utf8");

/** Returns the name of the test file for a row of `INVALID_VARIABLES`. */
const fileOf = (index: number): string => `tests/invalid_${String(index).padStart(2, "0")}.tftest.json`;

/**
 * Returns a test file that applies the module with the given variables, because Terraform checks some preconditions only after it
 * has created the log group. `more` contains further settings of the run.
 */
const applyWith = (variables: unknown, more: object = {}): string =>
  JSON.stringify({ mock_provider: { huaweicloud: {} }, run: { apply: { variables, ...more } } });

function main(): number {
  let write: boolean;
  try {
    const { values } = parseArgs({
      options: { write: { type: "boolean", default: false }, help: { type: "boolean" } },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    ({ write } = values);
  } catch (thrown) {
    console.error(`test:terraform: ${(thrown as Error).message}\n\n${USAGE}`);
    return 2;
  }
  try {
    requireGo();
    findTerraform();
    return check(write);
  } catch (thrown) {
    console.error(`test:terraform: ${(thrown as Error).message}`);
    return 1;
  }
}

function check(write: boolean): number {
  const provider = buildProvider();
  const workspace = createWorkspace(provider.configuration);
  try {
    const validation = JSON.parse(workspace.terraform(["validate", "-json"], [0, 1]));
    const schema = trimSchema(workspace.terraform(["providers", "schema", "-json"]), provider);
    const schemaProblems = compareSchema(schema, write);
    const variables = (changes: unknown) => ({ ...variablesWith(changes), dist: join(ROOT, "dist") });
    workspace.addTest(
      "deployments.tftest.hcl",
      DEPLOYMENTS.replace("variables {", `variables {\n  dist = ${JSON.stringify(join(ROOT, "dist"))}`),
    );
    workspace.addTest(
      "everything.tftest.json",
      applyWith(variables({}), { expect_failures: ["check.policies_of_callers"] }),
    );
    INVALID_VARIABLES.forEach(([, changes], index) => {
      workspace.addTest(fileOf(index).replace("tests/", ""), applyWith(variables(changes)));
    });
    const lines = workspace.test();
    const problems = [
      ...validation.diagnostics.map(
        ({ summary, detail }: { summary: string; detail: string }) => `validate: ${summary}: ${detail}`,
      ),
      ...schemaProblems,
      ...deploymentProblems(lines),
      ...INVALID_VARIABLES.flatMap(([name, , message], index) => refusalProblems(lines, name, fileOf(index), message)),
    ];
    printConclusion(problems, workspace, provider.version, lines);
    return problems.length > 0 ? 1 : 0;
  } finally {
    workspace.remove();
  }
}

function compareSchema(schema: string, write: boolean): string[] {
  const path = join(ROOT, PRINTED_SCHEMA_FILE);
  if (write) writeFileSync(path, schema);
  return readFileSync(path, "utf8") === schema
    ? []
    : [
        `${PRINTED_SCHEMA_FILE} differs from the schema that the provider prints. Run npm run test:terraform -- --write.`,
      ];
}

const errorsOf = (lines: readonly OutputLine[], file: string): string[] =>
  lines
    .filter((line) => line["@testfile"] === file && line.diagnostic?.severity === "error")
    .map(({ diagnostic }) => `${diagnostic?.summary}: ${diagnostic?.detail}`);

/** Reports the runs of valid deployments that failed. */
function deploymentProblems(lines: readonly OutputLine[]): string[] {
  return ["tests/deployments.tftest.hcl", "tests/everything.tftest.json"].flatMap((file) => {
    const runs = lines.filter((line) => line["@testfile"] === file && line.test_run?.progress === "complete");
    const failed = runs.filter(({ test_run: run }) => run?.status !== "pass");
    return runs.length === 0
      ? [`${file}: Terraform ran nothing`]
      : [...failed.map(({ test_run: run }) => `${file}: ${run?.run}: ${run?.status}`), ...errorsOf(lines, file)];
  });
}

/** Reports if Terraform accepts invalid variables, or rejects them without the message of the module. */
function refusalProblems(lines: readonly OutputLine[], name: string, file: string, message: RegExp): string[] {
  const errors = errorsOf(lines, file);
  // Terraform breaks no lines in JSON output, and indents nothing.
  if (
    errors.some((error) => error.split(": ").some((_part, index, parts) => message.test(parts.slice(index).join(": "))))
  )
    return [];
  return [
    `${name}: expected an error that matches ${message}, got ${errors.length === 0 ? "no error" : errors.join(" | ")}`,
  ];
}

function printConclusion(
  problems: readonly string[],
  { version }: Workspace,
  provider: string,
  lines: readonly OutputLine[],
): void {
  const assertions = DEPLOYMENTS.match(/^ {2}assert \{$/gm)?.length ?? 0;
  const runs = lines.filter((line) => line.test_run?.progress === "complete").length;
  const tools = `Terraform ${version} and the provider huaweicloud ${provider}`;
  console.log(
    problems.length === 0
      ? `The Terraform module works with ${tools}: ${runs} runs, ${assertions} assertions in deployments.tftest.hcl, ${INVALID_VARIABLES.length} rejected sets of variables.`
      : `The Terraform module has ${problems.length} ${problems.length === 1 ? "problem" : "problems"} with ${tools}.`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
}

process.exitCode = main();
