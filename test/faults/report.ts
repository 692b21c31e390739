import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "../support/kinds.ts";

/** The options of `npm run faults`, which passes them as environment variables. The defaults apply in `npm test`. */
export const OPTIONS = {
  /** The folder for the results. If it is undefined, only a part of the suite runs. */
  report: process.env.FAULTS_REPORT,
  runs: Number(process.env.FAULTS_RUNS ?? 200),
  kills: Number(process.env.FAULTS_KILLS ?? 3),
  seed: process.env.FAULTS_SEED === undefined ? undefined : Number(process.env.FAULTS_SEED),
  path: process.env.FAULTS_PATH,
};

/** The share of targets that got a duplicate in a case that the functions cannot prevent. */
export interface DuplicateRate {
  kind: Kind;
  /**
   * The time from the crash of the first delivery to the start of the second delivery, in milliseconds. If the first delivery did
   * not crash, the time between the starts of the two deliveries.
   */
  laterMs: number;
  lagMs?: number;
  creationMs?: number;
  duplicated: number;
  total: number;
}

/** Saves a result for the summary that `npm run faults` prints. */
export function saveResult(name: string, result: unknown): void {
  if (OPTIONS.report === undefined) return;
  mkdirSync(OPTIONS.report, { recursive: true });
  writeFileSync(join(OPTIONS.report, `${name}.json`), JSON.stringify(result));
}
