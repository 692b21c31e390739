import { eachOf } from "./each-of.ts";
import { endOf, ensure, inTurn } from "./ensure.ts";
import { type Instant, instant } from "./instant.ts";
import type { FoundSnapshot, State } from "./kinds/kind.ts";
import { whyNotOurs } from "./ours.ts";
import type { EndFields } from "./outcome.ts";
import type { Target } from "./policy.ts";
import { asSnapshotError, type Reason, SnapshotError } from "./reasons.ts";
import { lookUp, type Means, type Run, targetFields } from "./take.ts";

export interface GateOptions {
  /** Start again what ended in an error state. */
  retryFailed: boolean;
  /** A snapshot of this deployment that is older than this belongs to another one. */
  maxAgeMs: number;
  /** Until when it is waited for the snapshots to become available. */
  waitUntil: Instant;
  /** The last moment at which work on a target begins. */
  beginUntil: Instant;
}

/** How far one target is. */
export interface Progress extends EndFields {
  target: Target;
  outcome: "accepted" | "existing" | "unverified" | "available" | "failed" | "deferred";
}

/** What the next call can do that this one could not: the account was busy, or the time was up. */
const LATER: Reason[] = ["Throttled", "DeadlineExceeded"];
/** How long to wait between two looks. */
const LOOK_EVERY_MS = 2_000;

/**
 * A snapshot of every target of a deployment: what is not there yet is started, what is there tells how far it is. The same
 * call again starts nothing twice. Each target has its record. A refusal that concerns the whole account is every target's
 * that was not begun by then.
 *
 * Rejects with Conflict where the deployment's snapshots are too old to be of the same run.
 */
export async function passGate(
  targets: readonly Target[],
  run: Run & { deploymentId: string },
  means: Means,
  { retryFailed, maxAgeMs, waitUntil, beginUntil }: GateOptions,
): Promise<Progress[]> {
  const { cloud, patience, inFlight, report, concurrency } = means;
  const { time } = patience;
  // Begun before anything can go wrong: each target has its record then too.
  const ends = new Map(targets.map((target) => [target, report(targetFields(target, run))]));
  const found = new Map<Target, FoundSnapshot[]>();
  const progress = new Map<Target, Progress>();
  const start = async (target: Target) => {
    const snapshots = found.get(target) as FoundSnapshot[];
    const standing = snapshots.some(({ state }) => state !== "failed" && state !== "deleting");
    const failed = snapshots.find(({ state }) => state === "failed");
    try {
      if (!standing && failed !== undefined && !retryFailed) {
        progress.set(target, ended(target, failed, "failed"));
      } else if (time.now() >= beginUntil) {
        const detail = "Not begun yet, as the time of this call ran out: repeat it.";
        progress.set(target, { target, outcome: "deferred", detail });
      } else {
        const { kind, options } = target;
        const ensured = await ensure({ ...run, kind, options }, cloud(kind), patience, inFlight, snapshots);
        progress.set(target, { target, ...endOf(ensured) });
      }
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      // Nothing is wrong with the target: the same call again goes on.
      const outcome = LATER.includes(error.reason) ? "deferred" : "failed";
      progress.set(target, { target, outcome, attempts: error.attempts, error });
    }
  };
  // Stryker disable next-line StringLiteral: any name does that no other use case has
  await inTurn(JSON.stringify(["gate", run.projectId, run.key]), inFlight, patience, async () => {
    const known = lookUp(run, means);
    for (const target of targets) found.set(target, (await known(target)).filter(ofRun(target, run)));
    for (const snapshots of found.values()) refuseOld(snapshots, time.now() - maxAgeMs, run.deploymentId);
    await eachOf(targets, concurrency, start);
  });

  for (let first = true; ; first = false) {
    await look(first ? (target) => Promise.resolve(found.get(target) as FoundSnapshot[]) : lookUp(run, means));
    const pending = [...progress.values()].some(isUnderWay);
    const wait = Math.min(LOOK_EVERY_MS, waitUntil - time.now());
    if (!pending || wait <= 0) break;
    await time.sleep(wait);
  }
  const results = targets.map((target) => progress.get(target) as Progress);
  // Stryker disable next-line OptionalChaining: every target has one, which its type does not say
  for (const { target, ...end } of results) ends.get(target)?.(end);
  return results;

  /** Brings those that are under way up to date. A look that fails changes nothing: they stay under way. */
  async function look(among: (target: Target) => Promise<FoundSnapshot[]>): Promise<void> {
    const pending = [...progress.values()].filter(isUnderWay);
    await eachOf(pending, concurrency, async (one) => {
      try {
        const snapshot = (await among(one.target)).find(({ id }) => id === one.snapshot_id);
        if (snapshot === undefined) return;
        const { state } = snapshot;
        if (state === "available" || state === "failed") {
          progress.set(one.target, { ...one, ...ended(one.target, snapshot, state) });
        }
      } catch (thrown) {
        const { message } = asSnapshotError(thrown);
        progress.set(one.target, { ...one, detail: `Its state could not be read: ${message}` });
      }
    });
  }
}

const isUnderWay = ({ outcome }: Progress): boolean => ["accepted", "existing", "unverified"].includes(outcome);

const ofRun =
  ({ kind, resource }: Target, { key }: Run) =>
  (found: FoundSnapshot): boolean =>
    found.marker?.key === key &&
    whyNotOurs(found) === undefined &&
    // Of the other kinds, only those were looked up that are of this resource or do not say of which.
    (found.resource === resource || !kind.uniqueNames);

function refuseOld(snapshots: FoundSnapshot[], oldest: number, deploymentId: string): void {
  const old = snapshots.find(({ created, state }) => state !== "failed" && (created ?? instant(oldest)) < oldest);
  if (old === undefined) return;
  throw new SnapshotError(
    "Conflict",
    `deployment_id: expected the id of a deployment that is under way, got ${JSON.stringify(deploymentId)}, whose snapshot ${old.id} is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes where this is still that deployment.`,
  );
}

/** A snapshot that has come to its end. */
function ended(target: Target, { id, name, status }: FoundSnapshot, state: State & ("available" | "failed")): Progress {
  const error = new SnapshotError(
    "SnapshotFailed",
    `Expected the ${target.kind.kind} ${id} to become available; it ended in the status "${status}". Look at ${target.resource}, then repeat the call with "retry_failed": true.`,
  );
  return { target, outcome: state, name, snapshot_id: id, ...(state === "failed" ? { error } : {}) };
}
