import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `npm run faults` asks for; `npm test` runs a part of it. */
export const ASKED = {
  /** Set: everything is run, and what was found is written here. */
  report: process.env.FAULTS_REPORT,
  runs: Number(process.env.FAULTS_RUNS ?? 200),
  kills: Number(process.env.FAULTS_KILLS ?? 2),
  seed: process.env.FAULTS_SEED === undefined ? undefined : Number(process.env.FAULTS_SEED),
  path: process.env.FAULTS_PATH,
};

/** Keeps a result for the end of `npm run faults`. */
export function keep(name: string, result: unknown): void {
  if (ASKED.report === undefined) return;
  mkdirSync(ASKED.report, { recursive: true });
  writeFileSync(join(ASKED.report, `${name}.json`), JSON.stringify(result));
}
