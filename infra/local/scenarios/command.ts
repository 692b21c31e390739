import { BadUsage } from "../terminal/arguments.ts";
import type { Screen } from "../terminal/screen.ts";
import { startEnvironment } from "./environment.ts";
import { describeRequests, printResult, printTable, type ScenarioResult } from "./report.ts";
import type { Scenario } from "./scenario.ts";
import { SCENARIOS } from "./scenarios.ts";

/** The number of scenarios that run at the same time. A scenario mostly waits. */
const CONCURRENCY = 3;
const PROGRESS_MS = 100;

/**
 * Runs a scenario, or all scenarios, and prints the results.
 *
 * @param name the name of a scenario, `all`, or `list` to print the names
 * @returns the exit code: 0 if every check of every scenario holds, otherwise 1
 * @throws BadUsage if there is no scenario with this name
 */
export async function runScenarioCommand(name: string, screen: Screen): Promise<number> {
  if (name === "list") {
    for (const line of listScenarios()) screen.line(line);
    return 0;
  }
  const scenarios = SCENARIOS.filter((scenario) => name === "all" || scenario.name === name);
  if (scenarios.length === 0) throw new BadUsage([`There is no scenario "${name}".`, ...listScenarios()].join("\n"));

  return runScenarios(scenarios, screen);
}

/** Runs scenarios and prints the result of one scenario, or a table of several. Returns the exit code. */
export async function runScenarios(scenarios: readonly Scenario[], screen: Screen): Promise<number> {
  const isTable = scenarios.length > 1;
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const results: ScenarioResult[] = [];
  const progress = setInterval(() => {
    const subject = isTable ? `${results.length} of ${scenarios.length} scenarios` : scenarios[0]?.name;
    screen.update(`running  ${subject}  ${elapsed().toFixed(1)} s`);
  }, PROGRESS_MS);
  const waiting = [...scenarios];
  const work = async () => {
    for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift())
      results.push(await runScenario(scenario));
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
  clearInterval(progress);
  screen.update("");

  const inOrder = scenarios.flatMap((scenario) => results.filter((result) => result.scenario === scenario));
  for (const result of inOrder) if (!isTable || !result.passed) printResult(result, screen);
  if (isTable) printTable(inOrder, elapsed(), screen);
  return inOrder.every(({ passed }) => passed) ? 0 : 1;
}

function listScenarios(): string[] {
  const width = Math.max(...SCENARIOS.map(({ name }) => name.length));
  const entries = [...SCENARIOS, { name: "all", summary: "Runs all scenarios." }];
  return entries.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`);
}

/** Runs one scenario on a local site of its own. A scenario that throws an error has failed. */
async function runScenario(scenario: Scenario): Promise<ScenarioResult> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  let close = async () => {};
  try {
    const environment = await startEnvironment(scenario.creationMs);
    close = () => environment.site.close();
    const { faults, actions, advice, evaluate } = await scenario.run(environment);
    const { conclusion, checks } = evaluate();
    const failed = checks.filter(({ holds }) => !holds).length;
    return {
      scenario,
      passed: failed === 0,
      conclusion: failed === 0 ? conclusion : `${failed} of ${checks.length} checks failed`,
      seconds: elapsed(),
      details: { faults, actions: [...actions, describeRequests(environment)], advice, checks },
    };
  } catch (error) {
    return { scenario, passed: false, conclusion: (error as Error).message, seconds: elapsed() };
  } finally {
    await close();
  }
}
