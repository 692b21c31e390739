/** `npm run invoke`: replays a stored trigger event through a built bundle. */
import { bundlesIn } from "../host/index.ts";
import { DIST } from "../site/site.ts";
import { BadUsage, replay } from "./replay.ts";

replay(process.argv.slice(2), console.log).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    if (error instanceof BadUsage) {
      console.error(
        `functions: ${bundlesIn(DIST).join(", ")}\n\nnpm run invoke -- <function> <event.json> [--real [--yes]]`,
      );
    }
    process.exitCode = error instanceof BadUsage ? 2 : 1;
  },
);
