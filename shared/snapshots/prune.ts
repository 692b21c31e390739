import { eachKind } from "./each-kind.ts";
import { eachOf } from "./each-of.ts";
import type { Instant } from "./instant.ts";
import { type FoundSnapshot, isGoing, type Kind } from "./kinds/kind.ts";
import { lean } from "./ours.ts";
import type { EndFields } from "./outcome.ts";
import type { Policy, Retention } from "./policy.ts";
import { asSnapshotError, SnapshotError } from "./reasons.ts";
import {
  byResource,
  isNamedIn,
  keepsSomething,
  namesIn,
  planRetention,
  type RetentionOptions,
  resourceOf,
  type Verdict,
} from "./retention.ts";
import type { Means } from "./take.ts";
import { lastBegin, type Patience, retryRead, waitAfter } from "./waiting.ts";
import { wallClockOf } from "./zone.ts";

/** What prune needs of a policy; its targets do not matter: retention goes over what the policy made. */
export type PrunePolicy = Pick<Policy, "policy" | "time_zone" | "hold" | "dry_run"> & { retention?: Retention };

/** What is to become of one snapshot. */
export interface Planned {
  kind: Kind;
  verdict: Verdict;
}

/** One that is busy is tried so often; then it is left for the next run. */
const BUSY_TRIES = 4;

/**
 * The retention of a policy as prune takes it. Throws InvalidRequest where it keeps nothing by any rule.
 *
 * @param now what is dated later is held; undefined where the days are made up
 */
export function retentionOf(
  { retention = {}, time_zone = "UTC", hold = [] }: PrunePolicy,
  now?: Instant,
): RetentionOptions {
  if (!keepsSomething(retention)) {
    throw new SnapshotError(
      "InvalidRequest",
      "retention: expected at least one of keep_last, keep_within_days, keep_daily, keep_weekly, keep_monthly, keep_yearly above 0, got none; that would delete all but min_keep.",
    );
  }
  return { retention, wallClock: wallClockOf(time_zone), hold, now };
}

/**
 * Deletes what a policy's retention no longer keeps, of everything that is marked with the policy: per kind and resource,
 * whether or not the resource still exists. The plan is made whole, and told, before anything is deleted. Each snapshot has
 * its record with the rule; one that cannot be deleted does not stop the others.
 *
 * @returns how many snapshots there were
 */
export async function prune(policy: PrunePolicy, means: Means): Promise<number> {
  const options = retentionOf(policy, means.patience.time.now());
  const going: Planned[] = [];
  let count = 0;
  const unmatched = new Map(options.hold.map((text) => [text, namesIn([text])]));
  const marked = (found: FoundSnapshot) => {
    for (const [text, name] of unmatched) if (isNamedIn(name, found)) unmatched.delete(text);
    // Stryker disable next-line ConditionalExpression: only saves memory
    return found.marker?.policy === policy.policy ? lean(found) : undefined;
  };
  await eachKind({ action: "prune", policy: policy.policy }, means, marked, (kind, found) => {
    for (const planned of verdictsOn(kind, found, policy, options)) {
      const { decision, rule } = planned.verdict;
      count += 1;
      if (policy.dry_run) begin(planned, policy, means)({ outcome: "planned", rule, detail: decision });
      else if (decision === "deleted") going.push(planned);
      else begin(planned, policy, means)({ outcome: decision, rule });
    }
  });
  if (unmatched.size > 0) {
    const texts = [...unmatched.keys()].map((text) => JSON.stringify(text)).join(", ");
    means.remark(`hold: expected ids or names of snapshots; none that was looked at has ${texts}.`);
  }
  await carryOut(going, policy, means);
  return count;
}

/** The verdicts over those of a kind's snapshots that are marked with the policy, resource by resource. */
function* verdictsOn(
  kind: Kind,
  found: readonly FoundSnapshot[],
  { policy }: PrunePolicy,
  options: RetentionOptions,
): Generator<Planned> {
  const marked = found.filter(({ marker }) => marker?.policy === policy);
  for (const snapshots of byResource(marked)) {
    for (const verdict of planRetention(snapshots, options)) yield { kind, verdict };
  }
}

/** The same at once, for few. */
export const planOf = (...of: Parameters<typeof verdictsOn>): Planned[] => [...verdictsOn(...of)];

/**
 * Deletes what a plan says, several at a time, younger twins first; what that is, is told before. What is busy waits until
 * all others were tried, so that it holds up none of them.
 */
export async function carryOut(plan: readonly Planned[], policy: PrunePolicy, means: Means): Promise<void> {
  const { cloud, patience, concurrency } = means;
  const until = lastBegin(patience);
  const going = plan.filter(({ verdict }) => verdict.decision === "deleted");
  let left: Deletion[] = [...going.filter(isTwin), ...going.filter((one) => !isTwin(one))];
  // An invocation that ends in the middle has no records of what it was at: this tells of it.
  if (left.length > 0) means.announce(left.map(announced));
  for (let tries = 1; left.length > 0; tries += 1) {
    const unsure: Required<Deletion>[] = [];
    await eachOf(left, concurrency, async (deletion) => {
      // One record, from the first try to the last.
      const { kind, verdict, end = begin(deletion, policy, means) } = deletion;
      const { snapshot, rule } = verdict;
      try {
        if (patience.time.now() >= until) throw outOfTime();
        await removeUnlessBusy(() => cloud(kind).remove(snapshot.id), patience);
        end({ outcome: "deleted", rule });
      } catch (thrown) {
        const error = asSnapshotError(thrown);
        // Busy it may be as it is being deleted; and what was not found may be something else (the cluster, the path).
        if (error.reason === "Busy" || error.open) unsure.push({ kind, verdict, end, error });
        // Somebody was faster, or the reply to an earlier call was lost: it is gone, which is what was wanted.
        else if (error.reason === "NotFound") end({ outcome: "deleted", rule, detail: GONE });
        else end({ outcome: "failed", rule, error });
      }
    });
    const there = await withoutGone(unsure, means);
    const busy = there.filter(({ error }) => error.reason === "Busy");
    const [first] = busy;
    const again = first !== undefined && tries < BUSY_TRIES && (await waitAfter(first.error, tries, patience));
    left = again ? busy : [];
    for (const one of there) {
      if (!left.includes(one)) one.end({ outcome: "failed", rule: one.verdict.rule, error: one.error });
    }
  }
}

const GONE = "It was gone already.";

/** Looks, once for each kind, and ends those that are gone or going. Returns those that are still there, as far as is known. */
async function withoutGone(unsure: Required<Deletion>[], { cloud, patience }: Means): Promise<Required<Deletion>[]> {
  const there: Required<Deletion>[] = [];
  for (const kind of new Set(unsure.map((one) => one.kind))) {
    const ones = unsure.filter((one) => one.kind === kind);
    const wanted = new Set(ones.map(({ verdict }) => verdict.snapshot.id));
    const found = new Map<string, FoundSnapshot>();
    const look = () => cloud(kind).listAll((one) => void (wanted.has(one.id) && found.set(one.id, one)));
    const looked = await retryRead(look, patience).then(
      () => true,
      // Stryker disable next-line ArrowFunction: nothing is as false
      () => false,
    );
    for (const one of ones) {
      const { snapshot, rule } = one.verdict;
      const still = found.get(snapshot.id);
      if (!looked || (still !== undefined && !isGoing(still))) there.push(one);
      else one.end({ outcome: "deleted", rule, detail: still === undefined ? GONE : "It was being deleted already." });
    }
  }
  return there;
}

const announced = ({ kind, verdict: { snapshot, rule } }: Planned) => ({
  kind: kind.kind,
  resource_id: resourceOf(snapshot),
  snapshot_id: snapshot.id,
  rule,
});

interface Deletion extends Planned {
  end?: (fields: EndFields) => void;
  error?: SnapshotError;
}

/** A fault that passes and a throttled account are waited out, one that is busy is not. */
async function removeUnlessBusy(remove: () => Promise<void>, patience: Patience): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await remove();
    } catch (thrown) {
      const error = asSnapshotError(thrown);
      if (error.reason === "Busy" || !(await waitAfter(error, tries, patience))) throw error;
    }
  }
}

const begin = ({ kind, verdict: { snapshot } }: Planned, { policy }: PrunePolicy, { report }: Means) =>
  report({
    action: "prune",
    kind: kind.kind,
    resource_id: resourceOf(snapshot),
    name: snapshot.name,
    snapshot_id: snapshot.id,
    policy,
  });

const isTwin = ({ verdict }: Planned): boolean => verdict.rule.startsWith("twin");

const outOfTime = () =>
  new SnapshotError(
    "DeadlineExceeded",
    "The invocation's time ran out before this was deleted; the next run does it. Raise the function's timeout.",
  );
