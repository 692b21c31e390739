/** Runs `npm run simulate`, which prints the snapshots that a policy would retain on each day. */
import { BadUsage } from "../terminal/arguments.ts";
import { runSimulate } from "./command.ts";

try {
  const problems = runSimulate(process.argv.slice(2), (text) => console.log(text));
  for (const problem of problems) console.error(`simulate: ${problem}`);
  if (problems.length > 0) process.exitCode = 1;
} catch (thrown) {
  const isBadUsage = thrown instanceof BadUsage;
  console.error(`simulate: ${(thrown as Error).message}`);
  if (isBadUsage) console.error("\nFor help: npm run simulate -- --help");
  process.exitCode = isBadUsage ? 2 : 1;
}
