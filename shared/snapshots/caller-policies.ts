import type { KindName } from "./kinds/kinds.generated.ts";
import { KINDS } from "./kinds/kinds.generated.ts";
import type { Retention } from "./policy.ts";

/** The retention rules that keep snapshots of a certain age, however many snapshots are newer. */
const TIME_RULES = ["keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"] as const;

/** The policies whose snapshots are created when a caller sends a request or attaches a disk. */
const CALLER_POLICIES = [
  "pre-deploy",
  "disk-attached",
  ...(Object.keys(KINDS) as KindName[]).map((kind) => `create-${kind}`),
];

/**
 * Returns a warning if a policy keeps a number of snapshots whatever their age, although callers decide when its snapshots are created. A
 * caller can then replace every old snapshot with a few calls.
 *
 * @param morePolicies the names of further policies that callers can use: the variable PRE_DEPLOY_POLICIES
 * @returns undefined if no caller creates snapshots of the policy, or if a rule depends on time
 */
export function countOnlyWarning(
  { policy, retention }: { policy: string; retention?: Retention | undefined },
  morePolicies: readonly string[] = [],
): string | undefined {
  if (retention === undefined || TIME_RULES.some((rule) => (retention[rule] ?? 0) > 0)) return undefined;
  if (![...CALLER_POLICIES, ...morePolicies].includes(policy)) return undefined;
  return `retention: the rules of the policy ${policy} only count snapshots, but callers decide how many snapshots this policy creates. A few calls therefore delete every older snapshot of a disk. Add a rule that depends on time, such as keep_daily.`;
}
