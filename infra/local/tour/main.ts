/** `npm start`: the embedded cloud, the functions and the gateway, a tour through them, then there to try. */
import { describeAddresses } from "../site/addresses.ts";
import { makeScreen } from "../terminal/screen.ts";
import { runTour } from "./tour.ts";

const USAGE = `npm start                a tour of the functions on an embedded cloud, which then stays up until Ctrl-C
npm start -- --once      ends by itself: 0 when every snapshot of the tour became available and every record
                         reached the logging topic, else 1`;

async function main(argv: readonly string[]): Promise<number> {
  if (argv.includes("--help")) {
    console.log(USAGE);
    return 0;
  }
  const unknown = argv.filter((argument) => argument !== "--once");
  if (unknown.length > 0) {
    console.error(`expected --once or nothing, got ${unknown.join(" ")}\n\n${USAGE}`);
    return 2;
  }

  const screen = makeScreen();
  const stopped = stopSignal();
  const touring = runTour(screen);
  const tour = await Promise.race([touring, stopped]);
  if (!tour) return 130;
  const { site, missing } = tour;
  if (!argv.includes("--once")) {
    describeAddresses(site, screen);
    await stopped;
    screen.line();
    screen.line("stopped");
  }
  await tour.close();
  return missing.length === 0 ? 0 : 1;
}

/** Resolves at the first Ctrl-C; the second one ends the process at once. */
function stopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(undefined));
  });
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
