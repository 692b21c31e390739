/** Runs `npm run invoke`, which invokes a built function with a stored event or a policy. */
import { BadUsage } from "../terminal/arguments.ts";
import { ignoreClosedPipe } from "../terminal/closed-pipe.ts";
import { createScreen } from "../terminal/screen.ts";
import { wrapText } from "../terminal/table.ts";
import { replay } from "./replay.ts";

ignoreClosedPipe(process.stdout);

const outputs = { out: createScreen(process.stdout), err: createScreen(process.stderr) };

replay(process.argv.slice(2), outputs).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    const isBadUsage = error instanceof BadUsage;
    outputs.out.update("");
    for (const line of wrapText(`invoke: ${error.message}`, outputs.err.width)) outputs.err.line(line);
    if (isBadUsage) outputs.err.line("Help: npm run invoke -- --help");
    process.exitCode = isBadUsage ? 2 : 1;
  },
);
