import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { pauses, retryRead } from "../core/retry.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import { KINDS } from "./kinds/kinds.generated.ts";
import type { Action } from "./reporting.ts";
import type { RunContext } from "./run-context.ts";
import { tooMany } from "./too-many.ts";

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before all snapshots in the list were checked. Raise the function's timeout.",
  );

/**
 * Lists the snapshots of the project, kind by kind, and calls `work` for each kind. If a kind cannot be listed, writes a failed
 * record and continues. If the endpoint does not offer a kind, adds a notice and continues, because the endpoint may be wrong.
 *
 * @param fields the beginning of the record of a kind that cannot be listed
 * @param keep returns what to keep of a snapshot, or undefined to skip it
 * @param work receives the kept snapshots of a kind, and a function to await between items
 * @returns the kinds whose lists are old, because the list of a later kind was retried
 * @throws SnapshotError Unsupported if the endpoint offers no kind at all
 */
export async function listByKind(
  fields: { action: Exclude<Action, "run">; policy?: string },
  { cloud, retryBudget, report, addNotice, maxSnapshots = Number.POSITIVE_INFINITY }: RunContext,
  keep: (found: FoundSnapshot, kind: Kind) => FoundSnapshot | undefined,
  work: (kind: Kind, found: FoundSnapshot[], pause: () => Promise<void>) => Promise<void> | void,
): Promise<Kind[]> {
  const listed: Kind[] = [];
  let outdated: Kind[] = [];
  const missing = new Map<string, SnapshotError>();
  const yieldToTimers = pauses(retryBudget.time);
  const pause = async () => {
    await yieldToTimers();
    if (retryBudget.time.now() >= retryBudget.deadline) throw outOfTime();
  };
  for (const kind of Object.values<Kind>(KINDS)) {
    let tries = 0;
    const list = async () => {
      tries += 1;
      if (tries > 1) outdated = [...listed];
      const found: FoundSnapshot[] = [];
      await cloud(kind).listAll((one) => {
        const kept = keep(one, kind);
        if (kept === undefined) return;
        if (found.length >= maxSnapshots) throw tooMany(kind, maxSnapshots);
        found.push(kept);
      });
      return found;
    };
    try {
      await work(kind, await retryRead(list, retryBudget), pause);
      listed.push(kind);
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.reason === "Unsupported") {
        missing.set(kind.name, error);
        continue;
      }
      const end = report({ ...fields, kind: kind.name });
      end({ outcome: "failed", detail: "These snapshots could not be listed.", error });
    }
  }
  // If no kind is offered, the endpoint is wrong.
  const [error] = missing.values();
  if (error === undefined) return outdated;
  if (missing.size === Object.keys(KINDS).length) throw error;
  const response = `${error.status ?? "no status"} ${error.code ?? "without a code"}`;
  addNotice(
    `${[...missing.keys()].join(", ")}: not offered at this endpoint (${response}), so not looked at. Where the cloud has them, correct *_ENDPOINT.`,
  );
  return outdated;
}
