/** Runs `npm run invoke`, which invokes a built function with a stored trigger event. */
import { bundlesIn } from "../host/index.ts";
import { DIST_FOLDER } from "../site/local-site.ts";
import { BadUsage } from "../terminal/arguments.ts";
import { replay } from "./replay.ts";

replay(process.argv.slice(2), console.log).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    if (error instanceof BadUsage) {
      console.error(
        `Functions: ${bundlesIn(DIST_FOLDER).join(", ")}\n\nUsage: npm run invoke -- <function> <event.json> [--real [--yes]]`,
      );
    }
    process.exitCode = error instanceof BadUsage ? 2 : 1;
  },
);
