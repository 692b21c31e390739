/** Runs `npm start`: shows the functions on an embedded cloud, which then keeps running for experiments. */
import { runScenarioCommand } from "../scenarios/command.ts";
import { printAddresses } from "../site/addresses.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { createScreen } from "../terminal/screen.ts";
import { runTour } from "./tour.ts";

const USAGE = `npm start                runs a tour of the functions on an embedded cloud, which keeps running until Ctrl-C
npm start -- --once      exits after the tour: with 0 if every snapshot became available and every record reached
                         the logging topic, otherwise with 1
npm start -- --scenario <name>
                         causes a fault in the cloud and shows that the functions survive it: exits with 0 if they do,
                         otherwise with 1. "list" prints the names, "all" runs all scenarios`;

async function main(argv: readonly string[]): Promise<number> {
  const options = { once: { type: "boolean" }, scenario: { type: "string" }, help: { type: "boolean" } } as const;
  const { once, scenario, help } = readArguments({ args: [...argv], options }).values;
  if (help) {
    console.log(USAGE);
    return 0;
  }

  const screen = createScreen();
  if (scenario !== undefined) return runScenarioCommand(scenario, screen);
  const stopped = waitForStopSignal();
  const tour = await Promise.race([runTour(screen), stopped]);
  if (!tour) return 130;
  const { localSite, problems } = tour;
  if (!once) {
    printAddresses(localSite, screen);
    await stopped;
    screen.line();
    screen.line("Stopped.");
  }
  await tour.close();
  return problems.length === 0 ? 0 : 1;
}

/** Resolves at the first Ctrl-C. A second Ctrl-C ends the process immediately. */
function waitForStopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(undefined));
  });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    const isBadUsage = error instanceof BadUsage;
    console.error(isBadUsage ? `${error.message}\n\n${USAGE}` : error.message);
    process.exit(isBadUsage ? 2 : 1);
  },
);
