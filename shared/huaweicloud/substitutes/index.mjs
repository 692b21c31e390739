// What the SDK core imports and never reaches on our path, and the two functions that its signer does use, in small
// (cloud-apis.md 5.4, DESIGN 3): 38 KB and 8 ms instead of 534 KB and 71 ms. Used by the build and by vitest alike.
import { fileURLToPath } from "node:url";

const here = (file) => fileURLToPath(new URL(file, import.meta.url));

/** Module name -> file that stands in for it. */
export const SUBSTITUTES = {
  axios: here("./unreachable.cjs"),
  "https-proxy-agent": here("./unreachable.cjs"),
  uuid: here("./unreachable.cjs"),
  log4js: here("./log4js.cjs"),
  lodash: here("./lodash.cjs"),
  moment: here("./moment.cjs"),
};
