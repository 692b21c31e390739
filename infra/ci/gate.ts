/** Runs the gate client: makes a pipeline wait until every snapshot of a deployment is available. See infra/README.md. */
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../shared/core/json.ts";
import { nodeTransport } from "../../shared/huaweicloud/http/transport.ts";
import { formatError } from "./advice.ts";
import { postJson } from "./call.ts";
import { BadInput } from "./connection.ts";
import { type CallVerdict, interpretFailedCall, interpretResponse } from "./interpret-response.ts";
import { type GateOptions, readOptions, USAGE } from "./options.ts";
import { createSanitizer } from "./sanitize.ts";

const EXIT_CODES = { ready: 0, failed: 1, wait: 2, badInput: 3 } as const;

/**
 * The maximum `wait_seconds` in a request to pre-deploy. pre-deploy must respond within 60 s, because the gateway then times
 * out.
 */
const MAX_WAIT_SECONDS = 50;
/**
 * The timeout of one request to pre-deploy, in milliseconds. It is longer than 60 s, so the client receives the gateway's own
 * timeout response.
 */
const MAX_CALL_MS = 65_000;
/** The pause between two requests to pre-deploy if the response has no `Retry-After`. */
const DEFAULT_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;
/**
 * The interval in milliseconds at which the client prints its progress even if nothing has changed. Otherwise a long job would
 * look as if it had stopped.
 */
const PROGRESS_INTERVAL_MS = 60_000;
/** The number of consecutive transient failures after which the client gives up. */
const MAX_TRANSIENT_FAILURES = 3;
/** How long the process waits for open connections to close after its last output, in milliseconds. */
const LINGER_MS = 1_000;

const sanitize = createSanitizer(process.env);

// Exit code 0 starts the deployment, so the process must exit with another code if it stops unexpectedly.
process.exitCode = EXIT_CODES.failed;
process.on("uncaughtException", (thrown: unknown) => {
  console.error(
    sanitize(`snapshot-gate: unexpected error: ${(thrown as Error)?.message}. The deployment must not begin.`),
  );
  process.exit(EXIT_CODES.failed);
});

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});

async function main(argv: readonly string[]): Promise<number> {
  // Accept `--help` only if it is the sole argument. If a pipeline added `--help` to its other options by mistake, the exit
  // code 0 would start the deployment.
  if (argv.length === 1 && argv[0] === "--help") {
    console.log(USAGE);
    return EXIT_CODES.ready;
  }
  try {
    return await waitForSnapshots(readOptions(argv, process.env));
  } catch (thrown) {
    if (!(thrown instanceof BadInput)) throw thrown;
    console.error(`${sanitize(`snapshot-gate: ${thrown.message}`)}\n\n${USAGE}`);
    return EXIT_CODES.badInput;
  }
}

/**
 * Sends requests to pre-deploy until every snapshot is available, a snapshot fails, or the client times out. Returns the exit
 * code.
 */
async function waitForSnapshots(options: GateOptions): Promise<number> {
  const { url, credentials, request, retryFailed, timeoutSeconds } = options;
  const transport = nodeTransport();
  // `performance.now` is monotonic, so a clock change on the machine does not change the timeout.
  const now = () => Math.round(performance.now());
  const started = now();
  const deadline = started + timeoutSeconds * 1_000;
  const print = (line: string) =>
    console.log(sanitize(`${String(Math.round((now() - started) / 1_000)).padStart(5)} s  ${line}`));

  const selections = `${request.targets.length} ${request.targets.length === 1 ? "selection" : "selections"}`;
  console.log(sanitize(`snapshot-gate: ${request.deployment_id}, ${selections}, at most ${timeoutSeconds} s`));
  let gotResponse = false;
  let gotSnapshots = false;
  let hasCreated = false;
  let transientFailures = 0;
  let lastPrinted = { progress: "", at: started };
  for (;;) {
    const remainingMs = deadline - now();
    const body = {
      ...request,
      wait_seconds: Math.max(0, Math.min(MAX_WAIT_SECONDS, Math.floor(remainingMs / 1_000))),
      // Send `retry_failed` until a response lists snapshots, which shows that pre-deploy has retried the failed snapshots. If
      // a retry fails too, the client gives up.
      ...(retryFailed && !gotSnapshots ? { retry_failed: true } : {}),
    };
    let verdict: CallVerdict;
    try {
      verdict = interpretResponse(
        await postJson(transport, url, credentials, body, Math.min(MAX_CALL_MS, Math.max(remainingMs, 0) + 5_000)),
        request,
      );
      gotResponse = true;
      gotSnapshots ||= verdict.snapshots.length > 0;
      hasCreated ||= verdict.snapshots.some(({ snapshot_id }) => typeof snapshot_id === "string");
    } catch (thrown) {
      verdict = interpretFailedCall((thrown as Error).message);
    }
    const { summary, snapshots, advice = [], isTransient = false, retryAfterMs = DEFAULT_PAUSE_MS } = verdict;
    transientFailures = isTransient ? transientFailures + 1 : 0;
    const decision = isTransient && transientFailures < MAX_TRANSIENT_FAILURES ? "wait" : verdict.decision;
    const progress = snapshots.length > 0 ? formatProgress(summary, snapshots) : summary;
    if (progress !== lastPrinted.progress || now() - lastPrinted.at >= PROGRESS_INTERVAL_MS) {
      print(progress);
      lastPrinted = { progress, at: now() };
    }
    // Shorten the last pause, so the client sends its last request at the deadline.
    const pause = Math.min(retryAfterMs, MAX_PAUSE_MS, deadline - now());
    if (decision === "wait" && pause > 0) {
      await sleep(pause);
      continue;
    }
    for (const entry of snapshots) console.log(sanitize(formatEntry(entry)));
    print(formatConclusion(decision, timeoutSeconds, hasCreated));
    if (decision === "wait" && !gotResponse) {
      advice.push(
        `No response from the gateway: check --url (${url.origin}), and whether this machine can reach that address (network, proxy, public address of the gateway).`,
      );
    }
    for (const line of advice) console.log(sanitize(`         ${line}`));
    return EXIT_CODES[decision] ?? EXIT_CODES.failed;
  }
}

function formatProgress(summary: string, snapshots: JsonObject[]): string {
  const available = snapshots.filter(({ outcome }) => outcome === "available").length;
  return `${summary}: ${available} of ${snapshots.length} available`;
}

function formatEntry({ outcome, kind, resource_id, name, snapshot_id, error, detail }: JsonObject): string {
  return ["       -", outcome, kind, resource_id, name, snapshot_id, formatError(error), detail]
    .filter((part) => typeof part === "string")
    .join("  ");
}

function formatConclusion(decision: CallVerdict["decision"], timeoutSeconds: number, hasCreated: boolean): string {
  if (decision === "ready") return "ready: the deployment can begin";
  if (decision === "wait")
    return `not ready within ${timeoutSeconds} s: run the same command again to wait for the same snapshots`;
  // If an earlier request created snapshots, do not print "rejected", because this word suggests that no snapshot exists.
  return decision === "badInput" && !hasCreated
    ? "rejected: correct the call"
    : "failed: the deployment must not begin";
}
