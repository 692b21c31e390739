/** `npm run retention-model`: applies policies to many random scenarios, and checks the promises of prune and `make_room`. */
import { printMarkdownTable, printRepeat, runModelCommand } from "../support/model-command.ts";
import { PROMISES, type PromiseName } from "./check-promises.ts";
import { addMany, type ManyResult, runMany } from "./run-many.ts";
import { findBroken } from "./run-scenario.ts";
import { FAMILIES, type Scenario } from "./scenario.ts";
import { shrinkScenario } from "./shrink-scenario.ts";

const USAGE = `npm run retention-model [-- --cases <number>] [--seed <number>] [--scenario <json>]

Applies policies to random scenarios with the code of prune-snapshots and make_room, in virtual time. A checker that shares no code with
them compares the deletions and the records with what they promise. Exits with 1 if a promise is broken, and then prints the smallest
scenarios that break it.

  --cases     the number of scenarios (default 20000, about 1 minute)
  --seed      the seed of the first scenario (default 1)
  --scenario  runs one scenario, as this command printed it`;

/** The maximum number of scenarios that are made smaller and printed. */
const MAX_PRINTED = 5;

function printTable({ counts }: ManyResult): void {
  const head = ["family", "scenarios", "snapshots", "deletions", "broken promises"];
  const rows = FAMILIES.flatMap((family) => {
    const found = counts[family];
    if (found === undefined) return [];
    const broken = PROMISES.flatMap((name) => {
      const count = found.broken[name as PromiseName];
      return count === undefined ? [] : [`${name} ${count}`];
    });
    return [[family, found.scenarios, found.snapshots, found.deletions, broken.join(", ") || 0]];
  });
  printMarkdownTable(head, rows);
}

/** Prints the promises that a scenario breaks, and the smallest scenario that breaks the first of them. */
async function printBroken(scenario: Scenario, wanted?: PromiseName): Promise<number> {
  const broken = await findBroken(scenario);
  const promise = wanted ?? broken[0]?.promise;
  if (promise === undefined) {
    console.log("The scenario breaks no promise.");
    return 0;
  }
  const subjectOf = (text: string) => text.split(":")[0];
  const subject = subjectOf(broken.find((one) => one.promise === promise)?.text ?? "");
  const smallest = await shrinkScenario(scenario, async (variant) =>
    (await findBroken(variant)).some((one) => one.promise === promise && subjectOf(one.text) === subject),
  );
  console.log(`\n${promise} (seed ${scenario.seed}):`);
  for (const { promise: name, text } of await findBroken(smallest)) console.log(`  ${name}: ${text}`);
  printRepeat("retention-model", "scenario", smallest);
  return 1;
}

async function printResult(result: ManyResult, cases: number): Promise<number> {
  const names = new Set(result.examples.map(({ promise }) => promise));
  console.log(
    names.size === 0
      ? `${cases} scenarios: no promise is broken.`
      : `${cases} scenarios: broken promises: ${[...names].join(", ")}.`,
  );
  printTable(result);
  const printed = [...names].flatMap((name) => result.examples.find(({ promise }) => promise === name) ?? []);
  for (const { scenario, promise } of printed.slice(0, MAX_PRINTED)) await printBroken(scenario, promise);
  return names.size === 0 ? 0 : 1;
}

await runModelCommand<Scenario, ManyResult>({
  name: "retention-model",
  usage: USAGE,
  script: import.meta.filename,
  defaultCases: 20_000,
  perProcess: 2_000,
  caseOption: "scenario",
  runMany,
  total: { counts: {}, examples: [] },
  add: addMany,
  printResult,
  runCase: (scenario) => printBroken(scenario),
});
