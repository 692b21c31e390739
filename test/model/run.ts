/** `npm run model`: runs many scenarios and prints what they left, per family. */
import { parseArgs } from "node:util";
import { runChunks } from "../support/chunks.ts";
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

/** The number of scenarios in a child process. */
const CHUNK = 1_000;

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
      : [[family, found.scenarios, found.creates, ...COLUMNS.map(([, name]) => found.verdicts[name])].map(String)];
  });
  for (const row of [head, head.map(() => "---"), ...rows]) console.log(`| ${row.join(" | ")} |`);
}

async function printFailure(scenario: Scenario): Promise<void> {
  const family = scenario.seed < 0 ? "everything" : familyOf(scenario.seed);
  const failure = await findFailure(scenario, family);
  if (failure === undefined) return console.log("The scenario breaks no guarantee.");
  const smallest = await shrink(
    scenario,
    async (variant) => (await findFailure(variant, family))?.verdict === failure.verdict,
  );
  const { texts } = (await findFailure(smallest, family)) ?? failure;
  console.log(`\n${failure.verdict} (seed ${scenario.seed}, family ${family}):`);
  for (const text of texts) console.log(`  ${text}`);
  console.log(`  npm run model -- --scenario '${JSON.stringify(smallest)}'`);
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      cases: { type: "string", default: "7000" },
      seed: { type: "string", default: "1" },
      scenario: { type: "string" },
      chunk: { type: "string" },
      help: { type: "boolean" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  if (values.chunk !== undefined) {
    const [first = 0, last = 0] = values.chunk.split("-").map(Number);
    process.stdout.write(JSON.stringify(await runFamilies(first, last)));
    return 0;
  }
  if (values.scenario !== undefined) {
    await printFailure(JSON.parse(values.scenario) as Scenario);
    return 0;
  }
  const [seed, cases] = [Number(values.seed), Number(values.cases)];
  if (![seed, cases].every((number) => Number.isSafeInteger(number) && number > 0)) {
    console.error(
      `model: expected whole numbers above 0, got --seed ${values.seed} --cases ${values.cases}\n\n${USAGE}`,
    );
    return 2;
  }
  const result: ModelResult = { counts: {}, failures: [] };
  await runChunks<ModelResult>(import.meta.filename, { first: seed, count: cases, perProcess: CHUNK }, (chunk) =>
    addResult(result, chunk),
  );
  const { failures } = result;
  console.log(
    failures.length === 0
      ? `${values.cases} scenarios: no guarantee is broken.`
      : `${values.cases} scenarios: a guarantee is broken in ${failures.length} or more.`,
  );
  printTable(result);
  for (const { scenario } of failures.slice(0, 3)) await printFailure(scenario);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await main();
