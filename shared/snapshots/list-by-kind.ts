import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { joinFirst } from "../core/preview.ts";
import { createPause, retryRead } from "../core/retry.ts";
import { unlistedKindsNotice } from "./deployed-policies.ts";
import { type FoundSnapshot, isUnreadable, type Kind } from "./kinds/kind.ts";
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
 * If a row has no id or no status, the function calls `keep` with a snapshot in the state `unknown`, and adds a notice.
 *
 * @param fields the action and the policy name, for the result record about a kind that could not be listed
 * @param keep returns a copy of a snapshot to keep in memory, or undefined to skip the snapshot
 * @param work receives a kind of snapshot, the snapshots that `keep` returned for this kind, and the function `pause`. Between two
 *   snapshots, `work` must await `pause`, which lets timers run and throws if the deadline has passed.
 * @returns `outdated`: the kinds of snapshots whose list responses may be outdated, because a list request for a later kind was
 *   retried. `isComplete`: whether every kind that the endpoint offers was listed.
 * @throws SnapshotError Unsupported if the endpoint offers no kind of snapshot at all
 */
export async function listByKind(
  fields: { action: Exclude<Action, "run">; policy?: string },
  { cloud, retryBudget, report, addNotice, deployed, maxSnapshots = Number.POSITIVE_INFINITY }: RunContext,
  keep: (found: FoundSnapshot, kind: Kind) => FoundSnapshot | undefined,
  work: (kind: Kind, found: FoundSnapshot[], pause: () => Promise<void>) => Promise<void> | void,
): Promise<{ outdated: Kind[]; isComplete: boolean }> {
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
    let unreadableIds = new Set<string>();
    const list = async () => {
      tries += 1;
      if (tries > 1) outdated = [...listed];
      const found: FoundSnapshot[] = [];
      const shareStrings = createStringSharing();
      unreadableIds = new Set();
      await cloud(kind).listAll((snapshot) => {
        for (const row of [snapshot, ...(snapshot.members ?? [])]) if (isUnreadable(row)) unreadableIds.add(row.id);
        const kept = keep(snapshot, kind);
        if (kept === undefined) return;
        if (found.length >= maxSnapshots) throw tooManySnapshotsError(kind, maxSnapshots);
        found.push(shareStrings(kept));
      }, true);
      return found;
    };
    try {
      const found = await retryRead(list, retryBudget);
      if (unreadableIds.size > 0) addNotice(unreadableNotice(kind, [...unreadableIds]));
      await work(kind, found, pause);
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
  const isComplete = listed.length + unsupported.size === Object.keys(KINDS).length;
  if (error === undefined) return { outdated, isComplete };
  if (unsupported.size === Object.keys(KINDS).length) throw error;
  const notice = unlistedKindsNotice(unsupported, deployed);
  if (notice !== undefined) addNotice(notice);
  return { outdated, isComplete };
}

// Stryker disable all: this code only saves memory

/**
 * Returns a function that replaces equal strings of different snapshots by one string. A list response of 100,000 snapshots repeats
 * every resource id and every idempotency key, and each repetition takes memory. The function changes and returns its argument.
 */
function createStringSharing(): (found: FoundSnapshot) => FoundSnapshot {
  const strings = new Map<string, string>();
  const share = (text: string): string => {
    const shared = strings.get(text);
    if (shared === undefined) strings.set(text, text);
    return shared ?? text;
  };
  return (found) => {
    const { marker } = found;
    if (found.resource !== undefined) found.resource = share(found.resource);
    found.status = share(found.status);
    if (marker === undefined) return found;
    marker.policy = share(marker.policy);
    marker.idempotencyKey = share(marker.idempotencyKey);
    marker.requestHash = share(marker.requestHash);
    return found;
  };
}

// Stryker restore all

function unreadableNotice({ name }: Kind, ids: readonly string[]): string {
  return `Unreadable rows: expected an id and a status in each row of the list of ${name}s, got rows without them: ${joinFirst(ids)}. These snapshots were neither counted as good nor deleted. Check them in the console.`;
}
