/** Simulates a policy for each kind of snapshot that its targets name, because the kinds have different limits. */
import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { Policy, Selector } from "../../../shared/snapshots/policy.ts";
import { type SimulatedDay, type SimulationPlan, simulate } from "./simulate.ts";

/** A policy whose `targets` may be missing, as prune-snapshots accepts it. */
export type SimulatedPolicy = Omit<Policy, "targets"> & { targets?: Policy["targets"] };

/** What the functions do with a resource, for one kind of snapshot, or for several kinds that have the same result. */
export interface KindResult {
  /** The kinds of snapshots, such as `standard-snapshot with instant access`. Empty if the policy has no targets. */
  labels: string[];
  /** The maximum number of snapshots per resource. Undefined if there is no maximum, or if the policy has no targets. */
  limit?: number;
  /** Whether create requests make room (`make_room`). */
  makesRoom: boolean;
  days: SimulatedDay[];
  /** The number of create requests that fail with QuotaExceeded. */
  failed: number;
  /** The number of all create requests. */
  requests: number;
  /** The maximum number of snapshots at the same time, if the resource had no limit and the policy no `make_room`. */
  peak: number;
  /**
   * How many snapshots the retention keeps at most if prune-snapshots runs after each create request. Undefined if no create request
   * fails, or if the policy has no retention.
   */
  keeps?: number;
}

/** The maximum number of standard snapshots per disk, including group members (SOURCES.md#evs-standard-per-disk-limit). */
const MAX_STANDARD = 256;
/** The maximum number of standard snapshots with instant access per disk (SOURCES.md#evs-standard-per-disk-limit). */
const MAX_INSTANT = 7;

/** Returns the label of a kind, and the maximum number of its snapshots that one resource can have, if there is a maximum. */
function limitOf({ kind: name, instant_access }: Selector): { label: string; limit?: number } {
  const { maxPerResource, target }: Kind = KINDS[name];
  if (maxPerResource !== undefined || !("instant_access" in target.defaults)) {
    return { label: name, limit: maxPerResource };
  }
  return instant_access === true
    ? { label: `${name} with instant access`, limit: MAX_INSTANT }
    : { label: name, limit: MAX_STANDARD };
}

/** Simulates a policy for each kind of its targets. Kinds with the same result are in one entry. Entries that fail come first. */
export function simulateKinds(policy: SimulatedPolicy, plan: SimulationPlan): KindResult[] {
  const unlimited = simulate(policy, plan);
  const peak = peakOf(unlimited);
  const results: KindResult[] = [];
  for (const selector of policy.targets ?? []) {
    const { label, limit } = limitOf(selector);
    // Only EVS v2 has a limit for which scheduled-snapshots makes room (shared/snapshots/retention/make-room.ts).
    const makesRoom = policy.make_room === true && KINDS_WITH_ROOM.includes(selector.kind);
    const same = results.find((one) => one.limit === limit && one.makesRoom === makesRoom);
    if (same === undefined) {
      const days = limit === undefined || peak <= limit ? unlimited : simulate(policy, plan, { max: limit, makesRoom });
      results.push({ labels: [label], limit, makesRoom, days, peak, ...countRequests(days) });
    } else if (!same.labels.includes(label)) same.labels.push(label);
  }
  if (results.length === 0) {
    return [{ labels: [], makesRoom: false, days: unlimited, peak, ...countRequests(unlimited) }];
  }
  if (policy.retention !== undefined && results.some(({ failed }) => failed > 0)) {
    const keeps = peakOf(simulate(policy, { ...plan, pruneEvery: `${plan.everyHours}h` })) - 1;
    for (const result of results) if (result.failed > 0) result.keeps = keeps;
  }
  return results.sort((a, b) => b.failed - a.failed);
}

const KINDS_WITH_ROOM = Object.values<Kind>(KINDS)
  .filter(({ maxPerResource }) => maxPerResource !== undefined)
  .map(({ name }) => name);

/** Returns the maximum number of snapshots at the same time. */
export const peakOf = (days: readonly SimulatedDay[]): number =>
  days.reduce((peak, day) => Math.max(peak, day.peak), 0);

function countRequests(days: readonly SimulatedDay[]): Pick<KindResult, "failed" | "requests"> {
  const failed = days.reduce((sum, day) => sum + day.failed, 0);
  return { failed, requests: failed + days.reduce((sum, day) => sum + day.created, 0) };
}
