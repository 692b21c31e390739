/**
 * Sends the requests of the scenario to the embedded cloud with the official Python, Go and Node.js clients, and compares every
 * response with the models of the client. Writes `models.json` and the table in `test/infra/local/README.md`.
 *
 * With `--check`, fails instead of writing if one of the two files is not up to date.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { CLIENTS, requirePrograms, startDriver } from "./clients.ts";
import { OMISSIONS } from "./omissions.ts";
import { README_FILE, withTable } from "./readme.ts";
import { type ClientResults, formatTable, judge, type OperationResult, tableRows, unusedOmissions } from "./report.ts";
import { OPERATIONS, runScenario } from "./scenario.ts";
import { MODELS_FILE, type ModelFile } from "./send-directly.ts";

const check = process.argv.includes("--check");
const NOWHERE = { url: "http://127.0.0.1:1", projectId: "none" };

try {
  requirePrograms();
  await main();
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}

async function main(): Promise<void> {
  const commands = CLIENTS.map((client) => [client, client.install()] as const);
  const stale: string[] = [];
  const judged = new Map<string, OperationResult[]>();
  for (const [client, command] of commands) {
    const describing = startDriver(command, NOWHERE);
    const description = await describing.describe(OPERATIONS);
    describing.stop();
    if (client.name === "Python") {
      const models: ModelFile = { packages: client.packages, ...description };
      update(MODELS_FILE, `${JSON.stringify(models, null, 2)}\n`, stale);
    }
    judged.set(client.name, judge(await send(client.name, description, command), OMISSIONS));
  }
  const problems = report(judged);
  for (const { name, isOptional } of CLIENTS) if (isOptional) judged.delete(name);
  if (problems === 0) update(README_FILE, withTable(readFileSync(README_FILE, "utf8"), tableRows(judged)), stale);
  for (const path of stale)
    console.log(check ? `${path}: not up to date. Run npm run conformance.` : `${path}: updated`);
  if (problems > 0 || (check && stale.length > 0)) process.exitCode = 1;
}

async function send(
  client: string,
  description: ClientResults["description"],
  command: string[],
): Promise<ClientResults> {
  let stop = () => {};
  const results = await runScenario((cloud) => {
    const driver = startDriver(command, cloud);
    stop = driver.stop;
    return driver.send;
  });
  stop();
  return { client, description, results };
}

/** Prints the conclusion and the table. Returns the number of problems. */
function report(judged: Map<string, OperationResult[]>): number {
  const problems = [...judged].flatMap(([client, results]) =>
    results.flatMap(({ operation, problems }) => problems.map((problem) => `${client} ${operation}: ${problem}`)),
  );
  for (const { operation, field } of unusedOmissions([...judged.values()], OMISSIONS)) {
    problems.push(`${operation} ${field}: in the list of omissions, but no client finds a difference`);
  }
  const all = [...judged.values()].flat().filter(({ supported }) => supported);
  const calls = all.reduce((sum, each) => sum + each.calls, 0);
  console.log(
    problems.length === 0
      ? `The embedded cloud conforms: ${calls} calls of ${all.length} methods, 0 differences that are not in the list of ${OMISSIONS.length} omissions.`
      : `The embedded cloud does not conform: ${problems.length} problems in ${calls} calls of ${all.length} methods.`,
  );
  for (const problem of problems) console.log(`  ${problem}`);
  for (const { name, packages } of CLIENTS) {
    const list = Object.entries(packages).map(([each, version]) => `${each} ${version}`);
    console.log(`${name}: ${list.join(", ")}`);
  }
  console.log(`\n${formatTable(tableRows(judged))}`);
  return problems.length;
}

/** Writes a file if its text differs. With `--check`, only adds the path to `stale`. */
function update(url: URL, text: string, stale: string[]): void {
  let current: string | undefined;
  try {
    current = readFileSync(url, "utf8");
  } catch {
    current = undefined;
  }
  if (current === text) return;
  if (!check) writeFileSync(url, text);
  stale.push(relative(process.cwd(), fileURLToPath(url)));
}
