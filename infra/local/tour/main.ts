/** Runs `npm start`: shows the functions on an embedded cloud, which then keeps running for experiments. */
import { printAddresses } from "../site/addresses.ts";
import { addCoverageEstate } from "../site/coverage-estate.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { createScreen } from "../terminal/screen.ts";
import { runTour } from "./tour.ts";

const USAGE = `npm start                runs a tour of the functions on an embedded cloud, which keeps running until Ctrl-C
npm start -- --once      exits after the tour: with 0 if every snapshot became available and every record reached
                         the logging topic, otherwise with 1`;

async function main(argv: readonly string[]): Promise<number> {
  const options = { once: { type: "boolean" }, help: { type: "boolean" } } as const;
  const { once, help } = readArguments({ args: [...argv], options }).values;
  if (help) {
    console.log(USAGE);
    return 0;
  }

  const screen = createScreen();
  const stopped = waitForStopSignal();
  const tour = await Promise.race([runTour(screen), stopped]);
  if (!tour) return 130;
  const { localSite, problems } = tour;
  if (!once) {
    addCoverageEstate(localSite.cloud);
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
