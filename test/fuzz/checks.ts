/** Checks the guarantees of an invocation, which hold for every response of the cloud. */
import { type Complain, type Evidence, type Finding, mib } from "./evidence.ts";
import { checkRecords, checkResponse, parseLines } from "./record-checks.ts";
import { checkTopic, checkTruth } from "./truth-checks.ts";

export const MAX_PEAK_BYTES = 110 * 1024 * 1024;

/** Returns the guarantees that an invocation broke. */
export function check(evidence: Evidence): Finding[] {
  const { invoked, scenario } = evidence;
  const found: Finding[] = [];
  const complain: Complain = (guarantee, what) => void found.push({ guarantee, what });
  if (invoked.peakBytes > MAX_PEAK_BYTES) complain("memory", `a peak of ${mib(invoked.peakBytes)} MiB`);
  checkSecrets(evidence, complain);
  if (invoked.lost !== undefined) {
    complain("ends", `${invoked.lost}; stderr: ${invoked.stderr.join("\n").slice(-600)}`);
    return found;
  }
  if (invoked.tookMs > scenario.remainingMs) {
    complain("in time", `${Math.round(invoked.tookMs)} ms of ${scenario.remainingMs} ms`);
  }
  const records = parseLines(evidence, complain);
  checkRecords(evidence, records, complain);
  checkResponse(evidence, records, complain);
  checkTruth(evidence, records, complain);
  checkTopic(evidence, complain);
  return found;
}

function checkSecrets({ invoked, cloud, findSecrets }: Evidence, complain: Complain): void {
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
    for (const finding of findSecrets(text)) complain("no secret", `in ${where}: ${finding}`);
  }
}
