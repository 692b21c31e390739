import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kind } from "../../infra/local/cloud/index.ts";

/** What `npm run faults` asks for; `npm test` runs a part of it. */
export const ASKED = {
  /** Set: everything is run, and what was found is written here. */
  report: process.env.FAULTS_REPORT,
  runs: Number(process.env.FAULTS_RUNS ?? 200),
  kills: Number(process.env.FAULTS_KILLS ?? 3),
  seed: process.env.FAULTS_SEED === undefined ? undefined : Number(process.env.FAULTS_SEED),
  path: process.env.FAULTS_PATH,
};

/** How often a target got two snapshots, where nothing can exclude it. */
export interface Rate {
  kind: Kind;
  /** The second delivery began so much later. */
  laterMs: number;
  lagMs?: number;
  creationMs?: number;
  doubled: number;
  of: number;
}

/** Keeps a result for the end of `npm run faults`. */
export function keep(name: string, result: unknown): void {
  if (ASKED.report === undefined) return;
  mkdirSync(ASKED.report, { recursive: true });
  writeFileSync(join(ASKED.report, `${name}.json`), JSON.stringify(result));
}
