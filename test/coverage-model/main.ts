/** `npm run coverage-model`: collects the coverage reports of many random projects, and checks what the reports promise. */
import { printMarkdownTable, printRepeat, runModelCommand } from "../support/model-command.ts";
import { PROMISES, type PromiseName } from "./check-report.ts";
import { FAMILIES, type Project } from "./project.ts";
import { addMany, type ManyResult, runMany } from "./run-many.ts";
import { findBroken, shrinkProject } from "./run-project.ts";

const USAGE = `npm run coverage-model [-- --cases <number>] [--seed <number>] [--project <json>]

Collects the coverage reports of random projects with the code of report-coverage. A checker that shares no code with it compares each
report with the list responses. Exits with 1 if a promise is broken, and then prints the smallest projects that break it.

  --cases   the number of projects (default 50000, about 2 minutes)
  --seed    the seed of the first project (default 1)
  --project  runs one project, as this command printed it`;

/** The maximum number of projects that are made smaller and printed. */
const MAX_PRINTED = 5;

function printTable({ counts }: ManyResult): void {
  const head = ["family", "projects", "snapshots", "resources per state", "broken promises"];
  const rows = FAMILIES.flatMap((family) => {
    const found = counts[family];
    if (found === undefined) return [];
    const states = Object.entries(found.states).map(([state, count]) => `${state} ${count}`);
    const broken = PROMISES.flatMap((name) => {
      const count = found.broken[name as PromiseName];
      return count === undefined ? [] : [`${name} ${count}`];
    });
    return [[family, found.projects, found.snapshots, states.join(", "), broken.join(", ") || 0]];
  });
  printMarkdownTable(head, rows);
}

/** Prints the promises that a project breaks, and the smallest project that breaks the first of them. */
async function printBroken(project: Project, wanted?: PromiseName): Promise<number> {
  const promise = wanted ?? (await findBroken(project))[0]?.promise;
  if (promise === undefined) {
    console.log("The report of the project breaks no promise.");
    return 0;
  }
  const smallest = await shrinkProject(project, async (variant) =>
    (await findBroken(variant)).some((one) => one.promise === promise),
  );
  console.log(`\n${promise} (seed ${project.seed}):`);
  for (const { promise: name, text } of await findBroken(smallest)) console.log(`  ${name}: ${text}`);
  printRepeat("coverage-model", "project", smallest);
  return 1;
}

async function printResult(result: ManyResult, cases: number): Promise<number> {
  const names = new Set(result.examples.map(({ promise }) => promise));
  console.log(
    names.size === 0
      ? `${cases} projects: no promise is broken.`
      : `${cases} projects: broken promises: ${[...names].join(", ")}.`,
  );
  printTable(result);
  const printed = [...names].flatMap((name) => result.examples.find(({ promise }) => promise === name) ?? []);
  for (const { project, promise } of printed.slice(0, MAX_PRINTED)) await printBroken(project, promise);
  return names.size === 0 ? 0 : 1;
}

await runModelCommand<Project, ManyResult>({
  name: "coverage-model",
  usage: USAGE,
  script: import.meta.filename,
  defaultCases: 50_000,
  perProcess: 2_500,
  caseOption: "project",
  runMany,
  total: { counts: {}, examples: [] },
  add: addMany,
  printResult,
  runCase: (project) => printBroken(project),
});
