import { asSnapshotError, SnapshotError } from "../core/errors.ts";
import { pauses, retryRead } from "../core/retry.ts";
import type { RunContext } from "./create/create-all.ts";
import type { FoundSnapshot, Kind } from "./kinds/kind.ts";
import { KINDS } from "./kinds/kinds.ts";
import type { Action } from "./reporting.ts";
import { tooMany } from "./too-many.ts";

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before every snapshot of the list was looked at. Raise the function's timeout.",
  );

/**
 * Every snapshot of the project that is asked for, kind by kind. A kind that cannot be listed has a failed record and does
 * not stop the others. Where the cloud does not have a kind at all the run goes on without it, and says so: the address may
 * be wrong.
 *
 * @param keep what is held of a snapshot until all of its kind are there; undefined: nothing
 * @returns the kinds that were listed before a later kind's list had to be waited for
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
  const breathe = pauses(retryBudget.time);
  const pause = async () => {
    await breathe();
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
  // No kind at all: that is no cloud without snapshots, it is the wrong address.
  const [error] = missing.values();
  if (error === undefined) return outdated;
  if (missing.size === Object.keys(KINDS).length) throw error;
  const said = `${error.status ?? "no status"} ${error.code ?? "without a code"}`;
  addNotice(
    `${[...missing.keys()].join(", ")}: not offered at this endpoint (${said}), so not looked at. Where the cloud has them, correct *_ENDPOINT.`,
  );
  return outdated;
}
