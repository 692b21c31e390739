import { expect, test } from "vitest";
import { pruneSnapshots } from "../../../functions/prune-snapshots/handler.ts";
import { countOnlyWarning } from "../../../shared/snapshots/caller-policies.ts";
import { KINDS } from "../../support/common.ts";
import { createTestEnvironment, timerEvent } from "../../support/environment.ts";

const CALLERS = ["pre-deploy", "disk-attached", ...KINDS.map((kind) => `create-${kind}`)];

test.each(CALLERS)(
  "the record of prune-snapshots warns that the policy %s, whose snapshots callers create, has no retention rule that depends on time",
  async (policy) => {
    const { invoke } = await createTestEnvironment();
    const { records } = await invoke(pruneSnapshots, timerEvent({ policy, retention: { keep_last: 2, min_keep: 2 } }));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn", policy });
    expect(records.at(-1).detail).toContain(
      `retention: the rules of the policy ${policy} only count snapshots, but callers decide how many snapshots this policy creates.`,
    );
    expect(records.at(-1).detail).toContain("Add a rule that depends on time, such as keep_daily.");
  },
);

test("if callers of pre-deploy can use a policy, the record of prune-snapshots warns of a retention without a rule that depends on time", async () => {
  const { invoke } = await createTestEnvironment();
  const detailOf = async (names: string) => {
    const event = timerEvent({ policy: "nightly", retention: { keep_last: 2 } });
    const { records } = await invoke(pruneSnapshots, event, { variables: { PRE_DEPLOY_POLICIES: names } });
    return records.at(-1).detail ?? "";
  };
  expect(await detailOf("pre-deploy,nightly")).toContain("the rules of the policy nightly only count snapshots");
  expect(await detailOf("pre-deploy,weekly")).not.toContain("only count");
});

test.each(["keep_within_days", "keep_daily", "keep_weekly", "keep_monthly", "keep_yearly"] as const)(
  "countOnlyWarning returns no warning for a retention with the rule %s, but returns a warning if the rule is 0",
  (rule) => {
    expect(countOnlyWarning({ policy: "pre-deploy", retention: { keep_last: 2, [rule]: 1 } })).toBeUndefined();
    expect(countOnlyWarning({ policy: "pre-deploy", retention: { keep_last: 2, [rule]: 0 } })).toBeDefined();
  },
);

test("countOnlyWarning returns no warning for a policy without a retention, or for a policy whose snapshots only a timer creates", () => {
  expect(countOnlyWarning({ policy: "pre-deploy" })).toBeUndefined();
  expect(countOnlyWarning({ policy: "nightly", retention: { keep_last: 2 } })).toBeUndefined();
});
