/** `npm run simulate`: what a policy would hold on each day, before anybody trusts it. */
import { BadUsage, command } from "./command.ts";

try {
  const misfits = command(process.argv.slice(2), (text) => console.log(text));
  for (const misfit of misfits) console.error(`simulate: ${misfit}`);
  if (misfits.length > 0) process.exitCode = 1;
} catch (thrown) {
  const refused = thrown instanceof BadUsage;
  console.error(`simulate: ${(thrown as Error).message}`);
  if (refused) console.error("\nnpm run simulate -- --help");
  process.exitCode = refused ? 2 : 1;
}
