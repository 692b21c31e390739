import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { createPause, retryRead } from "../core/retry.ts";
import { unlistedKindsNotice } from "./deployed-policies.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import { KINDS } from "./kinds/kinds.generated.ts";
import type { Action } from "./reporting.ts";
import type { RunContext } from "./run-context.ts";
import { tooManySnapshotsError } from "./too-many-snapshots.ts";

const outOfTimeError = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before all listed snapshots were checked. Raise the function's timeout.",
  );

/**
 * Lists all snapshots of the project, one kind of snapshot after the other, and calls `work` for each kind.
 *
 * If the list request for a kind fails, the function writes a result record with the outcome `failed` and continues with the next
 * kind. If the endpoint does not offer a kind, the function continues. It adds a notice to the result record of the run, unless the
 * deployment is known not to use this kind.
 *
 * @param fields the action and the policy name, for the result record about a kind that could not be listed
 * @param keep returns a copy of a snapshot to keep in memory, or undefined to skip the snapshot
 * @param work receives a kind of snapshot, the snapshots that `keep` returned for this kind, and the function `pause`. Between two
 *   snapshots, `work` must await `pause`, which lets timers run and throws if the deadline has passed.
 * @returns the kinds of snapshots whose list responses may be outdated, because a list request for a later kind was retried
 * @throws SnapshotError Unsupported if the endpoint offers no kind of snapshot at all
 */
export async function listByKind(
  fields: { action: Exclude<Action, "run">; policy?: string },
  { cloud, retryBudget, report, addNotice, deployed, maxSnapshots = Number.POSITIVE_INFINITY }: RunContext,
  keep: (found: FoundSnapshot, kind: Kind) => FoundSnapshot | undefined,
  work: (kind: Kind, found: FoundSnapshot[], pause: () => Promise<void>) => Promise<void> | void,
): Promise<Kind[]> {
  const listed: Kind[] = [];
  let outdated: Kind[] = [];
  const unsupported = new Map<string, SnapshotError>();
  const yieldToTimers = createPause(retryBudget.time);
  const pause = async () => {
    await yieldToTimers();
    if (retryBudget.time.now() >= retryBudget.deadline) throw outOfTimeError();
  };
  for (const kind of Object.values<Kind>(KINDS)) {
    let tries = 0;
    const list = async () => {
      tries += 1;
      if (tries > 1) outdated = [...listed];
      const found: FoundSnapshot[] = [];
      await cloud(kind).listAll((snapshot) => {
        const kept = keep(snapshot, kind);
        if (kept === undefined) return;
        if (found.length >= maxSnapshots) throw tooManySnapshotsError(kind, maxSnapshots);
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
        unsupported.set(kind.name, error);
        continue;
      }
      const complete = report({ ...fields, kind: kind.name });
      complete({ outcome: "failed", detail: "The snapshots of this kind could not be listed.", error });
    }
  }
  // If an endpoint offers no kind of snapshot at all, the endpoint is wrong.
  const [error] = unsupported.values();
  if (error === undefined) return outdated;
  if (unsupported.size === Object.keys(KINDS).length) throw error;
  const notice = unlistedKindsNotice(unsupported, deployed);
  if (notice !== undefined) addNotice(notice);
  return outdated;
}
