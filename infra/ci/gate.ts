/** The gate of a pipeline: waits until every snapshot of a deployment is available. See README.md of the folder above. */
import { setTimeout as sleep } from "node:timers/promises";
import type { JsonObject } from "../../shared/core/json.ts";
import { nodeTransport } from "../../shared/huaweicloud/http/transport.ts";
import { redactor } from "../../shared/results/redact.ts";
import { textOf } from "./advice.ts";
import { post } from "./call.ts";
import { interpretResponse, judgeSilence, type Verdict } from "./judge.ts";
import { BadInput, type Options, readOptions, secretsIn, USAGE } from "./options.ts";
import { printable } from "./printable.ts";

const EXIT = { ready: 0, failed: 1, wait: 2, badInput: 3 } as const;

/** The gate waits so long itself (pre-deploy's most); the gateway gives up after 60 s. */
const LONGEST_WAIT_SECONDS = 50;
const LONGEST_CALL_MS = 65_000;
/** Between two calls, where the answer does not say. */
const PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;
/** Without a change it says how far it is so often: a job without a word looks like one that hangs. */
const WORD_EVERY_MS = 60_000;
/** What may pass is believed when it was said so often in a row. */
const BELIEVED_AFTER = 3;

/** A response can be megabytes long; a line of the log is cut here. */
const LONGEST_LINE = 4_000;
/** How long the process may outlive its verdict because of an open connection. */
const LINGER_MS = 1_000;

const redacted = redactor(secretsIn(process.env));
const clean = (text: string) => printable(redacted(text)).slice(0, LONGEST_LINE);

// Exit code 0 lets a deployment begin: until a verdict says otherwise, every way to end is a failure.
process.exitCode = EXIT.failed;
process.on("uncaughtException", (thrown: unknown) => {
  console.error(
    clean(`snapshot-gate: unexpected fault: ${(thrown as Error)?.message}. The deployment must not begin.`),
  );
  process.exit(EXIT.failed);
});

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
  setTimeout(() => process.exit(), LINGER_MS).unref();
});

async function main(argv: readonly string[]): Promise<number> {
  // Alone: 0 lets a deployment begin.
  if (argv.length === 1 && argv[0] === "--help") {
    console.log(USAGE);
    return EXIT.ready;
  }
  try {
    return await pass(readOptions(argv, process.env));
  } catch (thrown) {
    if (!(thrown instanceof BadInput)) throw thrown;
    console.error(`${clean(`snapshot-gate: ${thrown.message}`)}\n\n${USAGE}`);
    return EXIT.badInput;
  }
}

/** Asks the gate until it says ready or failed, or the time is over. */
async function pass({ url, credentials, request, retryFailed, timeoutSeconds }: Options): Promise<number> {
  const transport = nodeTransport();
  // Monotonic: setting the machine's clock back does not prolong the wait.
  const now = () => Math.round(performance.now());
  const started = now();
  const deadline = started + timeoutSeconds * 1_000;
  const print = (line: string) =>
    console.log(clean(`${String(Math.round((now() - started) / 1_000)).padStart(5)} s  ${line}`));

  const selections = `${request.targets.length} ${request.targets.length === 1 ? "selection" : "selections"}`;
  console.log(clean(`snapshot-gate: ${request.deployment_id}, ${selections}, at most ${timeoutSeconds} s`));
  let answered = false;
  let heard = false;
  let created = false;
  let doubts = 0;
  let said = { what: "", at: started };
  for (;;) {
    const left = deadline - now();
    const body = {
      ...request,
      wait_seconds: Math.max(0, Math.min(LONGEST_WAIT_SECONDS, Math.floor(left / 1_000))),
      // Once: what fails again is to be heard of.
      ...(retryFailed && !answered ? { retry_failed: true } : {}),
    };
    let verdict: Verdict;
    try {
      verdict = interpretResponse(
        await post(transport, url, credentials, body, Math.min(LONGEST_CALL_MS, Math.max(left, 0) + 5_000)),
        request,
      );
      heard = true;
      answered ||= verdict.snapshots.length > 0;
      created ||= verdict.snapshots.some(({ snapshot_id }) => typeof snapshot_id === "string");
    } catch (thrown) {
      verdict = judgeSilence((thrown as Error).message);
    }
    const { says, snapshots, advice = [], mayPass = false, retryAfterMs = PAUSE_MS } = verdict;
    doubts = mayPass ? doubts + 1 : 0;
    const runContext = mayPass && doubts < BELIEVED_AFTER ? "wait" : verdict.means;
    const progress = snapshots.length > 0 ? progressOf(says, snapshots) : says;
    if (progress !== said.what || now() - said.at >= WORD_EVERY_MS) {
      print(progress);
      said = { what: progress, at: now() };
    }
    // The last look is when the time is over.
    const pause = Math.min(retryAfterMs, LONGEST_PAUSE_MS, deadline - now());
    if (runContext === "wait" && pause > 0) {
      await sleep(pause);
      continue;
    }
    for (const one of snapshots) console.log(clean(lineOf(one)));
    print(endOf(runContext, timeoutSeconds, created));
    if (runContext === "wait" && !heard) advice.push(`Nobody answered: check --url (${url.origin}), ${WAY}`);
    for (const line of advice) console.log(clean(`         ${line}`));
    return EXIT[runContext] ?? EXIT.failed;
  }
}

function progressOf(status: string, snapshots: JsonObject[]): string {
  const available = snapshots.filter(({ outcome }) => outcome === "available").length;
  return `${status}: ${available} of ${snapshots.length} available`;
}

function lineOf({ outcome, kind, resource_id, name, snapshot_id, error, detail }: JsonObject): string {
  return ["       -", outcome, kind, resource_id, name, snapshot_id, textOf(error), detail]
    .filter((part) => typeof part === "string")
    .join("  ");
}

const WAY = "and that this machine reaches it (its network, a proxy, the gateway's public address).";

function endOf(runContext: Verdict["means"], timeoutSeconds: number, created: boolean): string {
  if (runContext === "ready") return "ready: the deployment can begin";
  if (runContext === "wait")
    return `not ready within ${timeoutSeconds} s: nothing is lost, the same call again goes on from here`;
  // If snapshots were created, do not print that the call was refused, even if repeating it cannot succeed.
  return runContext === "badInput" && !created ? "refused: correct the call" : "failed: the deployment must not begin";
}
