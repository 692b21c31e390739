/** `npm run bench -- --peer`: compares scheduled-snapshots with Cloud Custodian for Huawei Cloud. */
import { writeFileSync } from "node:fs";
import { BadUsage, readArguments } from "../../infra/local/terminal/arguments.ts";
import { custodianVersions, installCustodian } from "./custodian.ts";
import { formatMarkdownTable } from "./markdown-table.ts";
import { conclusionOf, findProblems, tableRows } from "./peer-report.ts";
import { LATENCY_MS, runScenarios, TIMEOUT_MS } from "./peer-runs.ts";

const OPTIONS = {
  peer: { type: "boolean" },
  disks: { type: "string", default: "1000" },
  json: { type: "string" },
} as const;

/** Parses the arguments of the command, which include `--peer`. */
export function readPeerArguments(argv: readonly string[]): { disks: number; json: string | undefined } {
  const { values } = readArguments({ args: [...argv], options: OPTIONS });
  const disks = Number(values.disks);
  if (!Number.isInteger(disks) || disks < 2 || disks > 10_000)
    throw new BadUsage(`--disks: expected an integer from 2 to 10000, got ${values.disks}`);
  return { disks, json: values.json };
}

/** Runs the comparison and prints it. Returns the exit code: 1 if this project broke a promise or Custodian did not run. */
export async function runPeer({ disks, json }: ReturnType<typeof readPeerArguments>): Promise<number> {
  installCustodian();
  const results = await runScenarios(disks);
  const comparison = { disks, ...results };
  const versions = { node: process.version, ...custodianVersions() };
  const day = new Date().toISOString().slice(0, 10);
  const [head = [], ...rows] = tableRows(comparison);
  const line = JSON.stringify({ day, versions, latencyMs: LATENCY_MS, timeoutMs: TIMEOUT_MS, ...comparison });
  console.log(`${conclusionOf(comparison)}\n`);
  console.log(
    `${disks} disks, ${LATENCY_MS} ms of latency, ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}, ${day}:\n`,
  );
  console.log(`${formatMarkdownTable(head, rows)}\n`);
  console.log(line);
  if (json !== undefined) writeFileSync(json, `${line}\n`);
  return findProblems(comparison).length > 0 ? 1 : 0;
}
