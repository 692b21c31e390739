/** `npm run bench -- --peer`: compares scheduled-snapshots with Cloud Custodian for Huawei Cloud. */
import { custodianVersions, installCustodian } from "./custodian.ts";
import { formatMarkdownTable } from "./markdown-table.ts";
import { conclusionOf, findProblems, tableRows } from "./peer-report.ts";
import { LATENCY_MS, runScenarios, TIMEOUT_MS } from "./peer-runs.ts";

/**
 * Runs the comparison and prints it. Returns its results, and the exit code: 1 if this project broke a promise or Custodian did not
 * run.
 */
export async function runPeer(disks: number) {
  installCustodian();
  const results = await runScenarios(disks);
  const comparison = { disks, ...results };
  const versions = { node: process.version, ...custodianVersions() };
  const [head = [], ...rows] = tableRows(comparison);
  console.log(`${conclusionOf(comparison)}\n`);
  console.log(
    `${disks} disks, ${LATENCY_MS} ms of latency, ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}:\n`,
  );
  console.log(formatMarkdownTable(head, rows));
  const exitCode = findProblems(comparison).length > 0 ? 1 : 0;
  return { exitCode, results: { versions, latencyMs: LATENCY_MS, timeoutMs: TIMEOUT_MS, ...comparison } };
}
