/** The gate of a pipeline: waits until every snapshot of a deployment is available. See README.md of the folder above. */
import { setTimeout as sleep } from "node:timers/promises";
import { nodeTransport } from "../../shared/huaweicloud/transport.ts";
import { redactor } from "../../shared/results/redact.ts";
import type { JsonObject } from "../../shared/snapshots/json.ts";
import { REASONS, type Reason } from "../../shared/snapshots/reasons.ts";
import { post } from "./call.ts";
import { judge, judgeSilence, type Verdict } from "./judge.ts";
import { BadInput, type Options, readOptions, USAGE } from "./options.ts";
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

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
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
    console.error(`snapshot-gate: ${printable(thrown.message)}\n\n${USAGE}`);
    return EXIT.badInput;
  }
}

/** Asks the gate until it says ready or failed, or the time is over. */
async function pass({ url, credentials, request, retryFailed, timeoutSeconds }: Options): Promise<number> {
  const transport = nodeTransport();
  const redacted = redactor(Object.values(credentials));
  const clean = (text: string) => printable(redacted(text));
  const started = Date.now();
  const deadline = started + timeoutSeconds * 1_000;
  const print = (line: string) =>
    console.log(clean(`${String(Math.round((Date.now() - started) / 1_000)).padStart(5)} s  ${line}`));

  const selections = `${request.targets.length} ${request.targets.length === 1 ? "selection" : "selections"}`;
  console.log(clean(`snapshot-gate: ${request.deployment_id}, ${selections}, at most ${timeoutSeconds} s`));
  let answered = false;
  let heard = false;
  let doubts = 0;
  let said = { what: "", at: started };
  for (;;) {
    const left = deadline - Date.now();
    const body = {
      ...request,
      wait_seconds: Math.max(0, Math.min(LONGEST_WAIT_SECONDS, Math.floor(left / 1_000))),
      // Once: what fails again is to be heard of.
      ...(retryFailed && !answered ? { retry_failed: true } : {}),
    };
    let verdict: Verdict;
    try {
      verdict = judge(
        await post(transport, url, credentials, body, Math.min(LONGEST_CALL_MS, Math.max(left, 0) + 5_000)),
        request.deployment_id,
      );
      heard = true;
      answered ||= verdict.snapshots.length > 0;
    } catch (thrown) {
      verdict = judgeSilence((thrown as Error).message);
    }
    const { says, snapshots, reasons = [], mayPass = false, retryAfterMs = PAUSE_MS } = verdict;
    doubts = mayPass ? doubts + 1 : 0;
    const means = mayPass && doubts < BELIEVED_AFTER ? "wait" : verdict.means;
    const progress = snapshots.length > 0 ? progressOf(says, snapshots) : says;
    if (progress !== said.what || Date.now() - said.at >= WORD_EVERY_MS) {
      print(progress);
      said = { what: progress, at: Date.now() };
    }
    // The last look is when the time is over.
    const pause = Math.min(retryAfterMs, LONGEST_PAUSE_MS, deadline - Date.now());
    if (means === "wait" && pause > 0) {
      await sleep(pause);
      continue;
    }
    for (const one of snapshots) console.log(clean(lineOf(one)));
    print(endOf(means, timeoutSeconds));
    const advice = means === "wait" && !heard ? [`Nobody answered: check --url (${url.origin}), ${WAY}`] : [];
    for (const line of [...advice, ...reasons.flatMap(adviceFor)]) console.log(clean(`         ${line}`));
    return EXIT[means];
  }
}

function progressOf(status: string, snapshots: JsonObject[]): string {
  const available = snapshots.filter(({ outcome }) => outcome === "available").length;
  return `${status}: ${available} of ${snapshots.length} available`;
}

function lineOf({ outcome, kind, resource_id, name, snapshot_id, error, detail }: JsonObject): string {
  const why = (error as { message?: unknown } | undefined)?.message ?? detail;
  return ["       -", outcome, kind, resource_id, name, snapshot_id, why]
    .filter((part) => part !== undefined)
    .join("  ");
}

const WAY = "and that this machine reaches it (its network, a proxy, the gateway's public address).";

/** What to do about a reason. One that is newer than this client has said it in its message. */
function adviceFor(reason: string): string[] {
  const known = REASONS[reason as Reason];
  if (known === undefined) return [];
  // What ended in an error is there, and stands for this deployment until it is told otherwise.
  const again = reason === "SnapshotFailed" ? " With --retry-failed the next call does that." : "";
  return [`${reason}: ${known.advice}${again}`];
}

function endOf(means: Verdict["means"], timeoutSeconds: number): string {
  switch (means) {
    case "ready":
      return "ready: the deployment can begin";
    case "failed":
      return "failed: the deployment must not begin";
    case "wait":
      return `not ready within ${timeoutSeconds} s: nothing is lost, the same call again goes on from here`;
    case "badInput":
      return "refused: correct the call";
  }
}
