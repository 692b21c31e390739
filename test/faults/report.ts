import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "../../infra/local/cloud/index.ts";

/** The options of `npm run faults`. The defaults are those of `npm test`, which runs a part of the suite. */
export const OPTIONS = {
  /** The folder for the results. If it is set, the whole suite runs. */
  report: process.env.FAULTS_REPORT,
  runs: Number(process.env.FAULTS_RUNS ?? 200),
  kills: Number(process.env.FAULTS_KILLS ?? 3),
  seed: process.env.FAULTS_SEED === undefined ? undefined : Number(process.env.FAULTS_SEED),
  path: process.env.FAULTS_PATH,
};

/** How often a target got two snapshots in a case that no function can prevent. */
export interface Rate {
  kind: Kind;
  /** How long after the first delivery, or after its crash, the second one began. */
  laterMs: number;
  lagMs?: number;
  creationMs?: number;
  duplicated: number;
  total: number;
}

/** Saves a result, which `npm run faults` prints at its end. */
export function saveResult(name: string, result: unknown): void {
  if (OPTIONS.report === undefined) return;
  mkdirSync(OPTIONS.report, { recursive: true });
  writeFileSync(join(OPTIONS.report, `${name}.json`), JSON.stringify(result));
}
