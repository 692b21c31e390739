/** Runs `npm start`: shows the functions on an embedded cloud, which then keeps running for experiments. */
import { rmSync } from "node:fs";
import { runScenarioCommand } from "../scenarios/command.ts";
import { environmentOf, printAddresses } from "../site/addresses.ts";
import { writeEnvFile } from "../site/env-file.ts";
import { BadUsage, readArguments } from "../terminal/arguments.ts";
import { ignoreClosedPipe } from "../terminal/closed-pipe.ts";
import { createScreen } from "../terminal/screen.ts";
import { runTour } from "./tour.ts";

const USAGE = `npm start [-- --once] [--verbose] [--port <number>]
npm start -- --scenario <name>

Runs a tour of the functions on an embedded cloud, which keeps running until Ctrl-C.

  --once             exits after the tour
  --verbose          also prints every result record, the new snapshots, and the ids of the resources
  --port <number>    the port of the gateway; the embedded cloud has the next port. Default: any free ports
  --scenario <name>  causes a fault in the cloud instead, and shows whether the functions survive it.
                     "list" prints the names, "all" runs all scenarios

Exit code: 0 if every step passed, 1 if a step failed, 2 if the arguments are wrong.`;

const MAX_PORT = 65_534;

async function main(argv: readonly string[]): Promise<number> {
  const options = {
    once: { type: "boolean" },
    verbose: { type: "boolean" },
    port: { type: "string" },
    scenario: { type: "string" },
    help: { type: "boolean" },
  } as const;
  const { once, verbose, help, port, scenario } = readArguments({ args: [...argv], options }).values;
  if (help) {
    console.log(USAGE);
    return 0;
  }

  ignoreClosedPipe(process.stdout);
  const screen = createScreen();
  if (scenario !== undefined) return runScenarioCommand(scenario, screen);
  const stopped = waitForStopSignal();
  const tourOptions = { ...(verbose ? { verbose } : {}), ...(port === undefined ? {} : { port: readPort(port) }) };
  const tour = await Promise.race([runTour(screen, tourOptions), stopped]);
  if (!tour) return 130;
  const { localSite, problems } = tour;
  if (!once) {
    const gatewayPort = new URL(localSite.gateway.url).port;
    const envFile = writeEnvFile(`snapshot-functions-${gatewayPort}.env`, environmentOf(localSite.cloud));
    printAddresses(localSite, screen, envFile, verbose);
    await stopped;
    rmSync(envFile, { force: true });
    screen.line("Stopped.");
  }
  await tour.close();
  return problems.length === 0 ? 0 : 1;
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > MAX_PORT) {
    throw new BadUsage(`--port: expected a number from 1 to ${MAX_PORT}, got ${JSON.stringify(text)}`);
  }
  return port;
}

/** Resolves at the first Ctrl-C. A second Ctrl-C ends the process immediately. */
function waitForStopSignal(): Promise<undefined> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve(undefined));
  });
}

/** Returns the message of an error for the terminal. Says what to do if the port is in use. */
function describeError(error: Error): string {
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  return code === "EADDRINUSE" ? `Port ${port} is in use. Choose another one with --port <number>.` : error.message;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: Error) => {
    const isBadUsage = error instanceof BadUsage;
    console.error(isBadUsage ? `${error.message}\n\n${USAGE}` : describeError(error));
    process.exit(isBadUsage ? 2 : 1);
  },
);
