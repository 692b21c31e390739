/** Checks that a function kept its guarantees during an invocation, whatever responses it got. */
import { type Evidence, type Finding, mib, type ReportBroken } from "./evidence.ts";
import { checkRecords, checkResponse, parseLines } from "./record-checks.ts";
import { checkTopic, checkTruth } from "./truth-checks.ts";

export const MAX_PEAK_BYTES = 110 * 1024 * 1024;

/** Returns a finding for each guarantee that an invocation broke. */
export function check(evidence: Evidence): Finding[] {
  const { invoked, scenario } = evidence;
  const found: Finding[] = [];
  const report: ReportBroken = (guarantee, what) => void found.push({ guarantee, what });
  if (invoked.peakBytes > MAX_PEAK_BYTES)
    report("memory", `the process used ${mib(invoked.peakBytes)} MiB, at most ${mib(MAX_PEAK_BYTES)} MiB allowed`);
  checkSecrets(evidence, report);
  if (invoked.lost !== undefined) {
    report("ends", `${invoked.lost}; stderr: ${invoked.stderr.join("\n").slice(-600)}`);
    return found;
  }
  if (invoked.tookMs > scenario.remainingMs) {
    report(
      "in time",
      `the invocation took ${Math.round(invoked.tookMs)} ms, at most ${scenario.remainingMs} ms allowed`,
    );
  }
  const records = parseLines(evidence, report);
  checkRecords(evidence, records, report);
  checkResponse(evidence, records, report);
  checkTruth(evidence, records, report);
  checkTopic(evidence, report);
  return found;
}

function checkSecrets({ invoked, cloud, findSecrets }: Evidence, report: ReportBroken): void {
  const { stdout, stderr, result = "", error } = invoked;
  const http = result.includes('"statusCode"') ? JSON.parse(result) : undefined;
  const outputs = {
    stdout: stdout.join("\n"),
    stderr: stderr.join("\n"),
    result,
    body: typeof http?.body === "string" ? http.body : "",
    error: error === undefined ? "" : `${error.message}\n${error.printed}`,
    topic: [...cloud.logs, ...cloud.lostLogs].map(({ text }) => text).join("\n"),
  };
  const seen = new Set<string>();
  for (const [where, text] of Object.entries(outputs)) {
    if (text === "" || seen.has(text)) continue;
    seen.add(text);
    for (const finding of findSecrets(text)) report("no secret", `${where} contains ${finding}`);
  }
}
