/** Runs `npm run simulate`, which prints whether a policy fits, and which snapshots it would retain. */
import { BadUsage } from "../terminal/arguments.ts";
import { ignoreClosedPipe } from "../terminal/closed-pipe.ts";
import { createScreen } from "../terminal/screen.ts";
import { runSimulate } from "./command.ts";

ignoreClosedPipe(process.stdout);
try {
  process.exitCode = runSimulate(process.argv.slice(2), createScreen());
} catch (thrown) {
  const isBadUsage = thrown instanceof BadUsage;
  console.error(`simulate: ${(thrown as Error).message}`);
  if (isBadUsage) console.error("\nFor help: npm run simulate -- --help");
  process.exitCode = isBadUsage ? 2 : 1;
}
