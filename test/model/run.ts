/** `npm run model`: runs many scenarios and prints what they left, per family. */
import { printMarkdownTable, printRepeat, runModelCommand } from "../support/model-command.ts";
import { addResult, findFailure, type ModelResult, runFamilies } from "./families.ts";
import type { Verdict } from "./judge.ts";
import { FAMILIES, familyOf, type Scenario } from "./scenario.ts";
import { shrink } from "./shrink.ts";

const USAGE = `npm run model [-- --cases <number>] [--seed <number>] [--scenario <json>]

Simulates several processes that receive the same event, in virtual time, against one cloud. Prints per family of scenarios how many
duplicates, missing snapshots and wrong records they left. Exits with 1 if a guarantee is broken, and then prints the smallest
scenario that breaks it.

  --cases     the number of scenarios (default 7000, about 2 minutes)
  --seed      the seed of the first scenario (default 1)
  --scenario  runs one scenario, as this command printed it`;

const COLUMNS: [string, keyof Verdict][] = [
  ["avoidable", "avoidable"],
  ["unavoidable", "unavoidable"],
  ["missed", "missed"],
  ["unrecorded", "unrecorded"],
  ["falsely failed", "falselyFailed"],
  ["silent", "silent"],
  ["too many", "tooMany"],
  ["too far", "tooFar"],
];

function printTable({ counts }: ModelResult): void {
  const head = ["family", "scenarios", "snapshots", ...COLUMNS.map(([title]) => title)];
  const rows = FAMILIES.flatMap((family) => {
    const found = counts[family];
    return found === undefined
      ? []
      : [[family, found.scenarios, found.creates, ...COLUMNS.map(([, name]) => found.verdicts[name])]];
  });
  printMarkdownTable(head, rows);
}

/** Prints the guarantees that a scenario breaks, and the smallest scenario that breaks the first of them. */
async function printFailure(scenario: Scenario): Promise<number> {
  const family = scenario.seed < 0 ? "everything" : familyOf(scenario.seed);
  const failure = await findFailure(scenario, family);
  if (failure === undefined) {
    console.log("The scenario breaks no guarantee.");
    return 0;
  }
  const smallest = await shrink(
    scenario,
    async (variant) => (await findFailure(variant, family))?.verdict === failure.verdict,
  );
  const { texts } = (await findFailure(smallest, family)) ?? failure;
  console.log(`\n${failure.verdict} (seed ${scenario.seed}, family ${family}):`);
  for (const text of texts) console.log(`  ${text}`);
  printRepeat("model", "scenario", smallest);
  return 1;
}

async function printResult({ counts, failures }: ModelResult, cases: number): Promise<number> {
  console.log(
    failures.length === 0
      ? `${cases} scenarios: no guarantee is broken.`
      : `${cases} scenarios: a guarantee is broken in ${failures.length} or more.`,
  );
  printTable({ counts, failures });
  for (const { scenario } of failures.slice(0, 3)) await printFailure(scenario);
  return failures.length === 0 ? 0 : 1;
}

await runModelCommand<Scenario, ModelResult>({
  name: "model",
  usage: USAGE,
  script: import.meta.filename,
  defaultCases: 7_000,
  perProcess: 1_000,
  caseOption: "scenario",
  runMany: runFamilies,
  total: { counts: {}, failures: [] },
  add: addResult,
  printResult,
  runCase: printFailure,
});
