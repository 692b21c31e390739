/** Tests when prune deletes a snapshot group without members. */
import { expect, test } from "vitest";
import { applyEmptyGroupRule } from "../../../../shared/snapshots/retention/kind-rules.ts";
import type { Verdict } from "../../../../shared/snapshots/retention/plan.ts";
import { group, MINUTE_MS, START, snapshotOf, startPlus } from "../../../support/domain.ts";
import { MEMBERS } from "../../../support/duplicates.ts";

const STUCK_MS = group.stuckAfterMinutes * MINUTE_MS;

/** Returns the verdict on an empty group of this age, after the rule for empty groups. */
function verdictAt(ageMs: number, hasGoodGroup: boolean, changes: Partial<Verdict> = {}) {
  const found = snapshotOf("a", "server-1", { members: [], created: startPlus(-ageMs) });
  const verdict: Verdict = { snapshot: found, decision: "kept", rule: "keep_last", ...changes };
  const { decision, rule } = applyEmptyGroupRule(verdict, group, START, hasGoodGroup);
  return `${decision}: ${rule}`;
}

test("applyEmptyGroupRule keeps an empty group until the group is older than the time after which a creation is stuck", () => {
  expect(verdictAt(STUCK_MS, true)).toBe("kept: it has no members yet");
  expect(verdictAt(STUCK_MS + 1, true)).toBe("deleted: it has no members");
});

test("applyEmptyGroupRule keeps an old empty group if no other group of the resource is good, and says why", () => {
  expect(verdictAt(STUCK_MS + 1, false)).toBe(
    "kept: it seems to have no members, but the list of members may be incomplete: it has no members of any available group of this resource",
  );
});

test("applyEmptyGroupRule does not change the verdict on a held group or on a group with members", () => {
  expect(verdictAt(STUCK_MS + 1, true, { decision: "held", rule: "held by its label" })).toBe(
    "held: held by its label",
  );
  const whole = snapshotOf("a", "server-1", { members: MEMBERS, created: startPlus(-STUCK_MS - 1) });
  expect(verdictAt(STUCK_MS + 1, true, { snapshot: whole })).toBe("kept: keep_last");
});
