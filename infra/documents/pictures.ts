/** Draws the pictures of README.md. `npm run generate` writes them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type SimulatedPolicy, simulateKinds } from "../local/simulate/kinds.ts";
import { drawSimulation } from "../local/simulate/picture.ts";
import { DEFAULT_PRUNE_EVERY } from "../local/simulate/simulate.ts";
import { drawOverview } from "./overview.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** The folder of the pictures. */
export const PICTURE_FOLDER = join(ROOT, ".github", "images");

/** The policy of README.md. */
const POLICY_FILE = join(ROOT, "test", "policies", "nightly-disks.json");
/** The first day of the simulation. Any fixed day gives a picture that does not change. */
const FIRST_DAY = "2027-01-01T02:00:00Z";

/** Returns the content of each picture, by file name. */
export const drawPictures = (): Record<string, string> => ({
  "overview.svg": drawOverview(),
  "simulation.svg": drawPolicy(),
});

/** Returns the picture that `npm run simulate -- test/policies/nightly-disks.json --from 2027-01-01 --out <file>` writes. */
function drawPolicy(): string {
  const policy = JSON.parse(readFileSync(POLICY_FILE, "utf8")) as SimulatedPolicy;
  const plan = { from: Date.parse(FIRST_DAY), days: 400, everyHours: 24, pruneEvery: DEFAULT_PRUNE_EVERY };
  return drawSimulation(policy, plan, simulateKinds(policy, plan));
}
