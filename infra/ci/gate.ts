/** Waits in a pipeline until every snapshot of a deployment is available. infra/README.md describes how to use it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../shared/core/json.ts";
import { nodeTransport } from "../../shared/huaweicloud/http/transport.ts";
import { redactor } from "../../shared/results/redact.ts";
import { formatError } from "./advice.ts";
import { post } from "./call.ts";
import { interpretFailedCall, interpretResponse, type Verdict } from "./interpret-response.ts";
import { BadInput, type Options, readOptions, secretsIn, USAGE } from "./options.ts";
import { printable } from "./printable.ts";

const EXIT_CODES = { ready: 0, failed: 1, wait: 2, badInput: 3 } as const;

/** How long pre-deploy waits for the snapshots before it responds. The gateway times out after 60 s. */
const MAX_WAIT_SECONDS = 50;
const MAX_CALL_MS = 65_000;
/** The pause between two calls if the response has no `Retry-After`. */
const DEFAULT_PAUSE_MS = 5_000;
const MAX_PAUSE_MS = 60_000;
/** How often the client prints unchanged progress, because a silent job looks as if it hangs. */
const PROGRESS_INTERVAL_MS = 60_000;
/** After this many consecutive responses a failure that may be transient is final. */
const MAX_TRANSIENT_FAILURES = 3;
/** Longer lines of the log are cut, because a response can be megabytes long. */
const MAX_LINE_LENGTH = 4_000;
/** How long the process may keep running after its verdict because of an open connection. */
const LINGER_MS = 1_000;

const redacted = redactor(secretsIn(process.env));
const clean = (text: string) => printable(redacted(text)).slice(0, MAX_LINE_LENGTH);

// Exit code 0 lets the deployment begin, so every unforeseen end of the process must have another exit code.
process.exitCode = EXIT_CODES.failed;
process.on("uncaughtException", (thrown: unknown) => {
  console.error(
    clean(`snapshot-gate: unexpected fault: ${(thrown as Error)?.message}. The deployment must not begin.`),
  );
  process.exit(EXIT_CODES.failed);
});

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});

async function main(argv: readonly string[]): Promise<number> {
  // Only without other arguments: a pipeline that passes `--help` by mistake must not deploy.
  if (argv.length === 1 && argv[0] === "--help") {
    console.log(USAGE);
    return EXIT_CODES.ready;
  }
  try {
    return await waitForSnapshots(readOptions(argv, process.env));
  } catch (thrown) {
    if (!(thrown instanceof BadInput)) throw thrown;
    console.error(`${clean(`snapshot-gate: ${thrown.message}`)}\n\n${USAGE}`);
    return EXIT_CODES.badInput;
  }
}

/** Calls pre-deploy until every snapshot is available, one failed, or the timeout is over. Returns the exit code. */
async function waitForSnapshots(options: Options): Promise<number> {
  const { url, credentials, request, retryFailed, timeoutSeconds } = options;
  const transport = nodeTransport();
  // Monotonic, so a change of the machine's clock does not prolong the wait.
  const now = () => Math.round(performance.now());
  const started = now();
  const deadline = started + timeoutSeconds * 1_000;
  const print = (line: string) =>
    console.log(clean(`${String(Math.round((now() - started) / 1_000)).padStart(5)} s  ${line}`));

  const selections = `${request.targets.length} ${request.targets.length === 1 ? "selection" : "selections"}`;
  console.log(clean(`snapshot-gate: ${request.deployment_id}, ${selections}, at most ${timeoutSeconds} s`));
  let gotResponse = false;
  let gotSnapshots = false;
  let created = false;
  let transientFailures = 0;
  let printed = { progress: "", at: started };
  for (;;) {
    const left = deadline - now();
    const body = {
      ...request,
      wait_seconds: Math.max(0, Math.min(MAX_WAIT_SECONDS, Math.floor(left / 1_000))),
      // Only until pre-deploy has started the retries, so that a snapshot that fails again ends the wait.
      ...(retryFailed && !gotSnapshots ? { retry_failed: true } : {}),
    };
    let verdict: Verdict;
    try {
      verdict = interpretResponse(
        await post(transport, url, credentials, body, Math.min(MAX_CALL_MS, Math.max(left, 0) + 5_000)),
        request,
      );
      gotResponse = true;
      gotSnapshots ||= verdict.snapshots.length > 0;
      created ||= verdict.snapshots.some(({ snapshot_id }) => typeof snapshot_id === "string");
    } catch (thrown) {
      verdict = interpretFailedCall((thrown as Error).message);
    }
    const { summary, snapshots, advice = [], isTransient = false, retryAfterMs = DEFAULT_PAUSE_MS } = verdict;
    transientFailures = isTransient ? transientFailures + 1 : 0;
    const decision = isTransient && transientFailures < MAX_TRANSIENT_FAILURES ? "wait" : verdict.decision;
    const progress = snapshots.length > 0 ? formatProgress(summary, snapshots) : summary;
    if (progress !== printed.progress || now() - printed.at >= PROGRESS_INTERVAL_MS) {
      print(progress);
      printed = { progress, at: now() };
    }
    // The last call is sent at the deadline.
    const pause = Math.min(retryAfterMs, MAX_PAUSE_MS, deadline - now());
    if (decision === "wait" && pause > 0) {
      await sleep(pause);
      continue;
    }
    for (const entry of snapshots) console.log(clean(formatEntry(entry)));
    print(formatConclusion(decision, timeoutSeconds, created));
    if (decision === "wait" && !gotResponse) {
      advice.push(
        `Nobody answered: check --url (${url.origin}), and that this machine reaches it (its network, a proxy, the gateway's public address).`,
      );
    }
    for (const line of advice) console.log(clean(`         ${line}`));
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

function formatConclusion(decision: Verdict["decision"], timeoutSeconds: number, created: boolean): string {
  if (decision === "ready") return "ready: the deployment can begin";
  if (decision === "wait")
    return `not ready within ${timeoutSeconds} s: no snapshot is lost, the same call continues to wait for them`;
  // If snapshots were created, do not print that the call was refused, even if repeating it cannot succeed.
  return decision === "badInput" && !created ? "refused: correct the call" : "failed: the deployment must not begin";
}
