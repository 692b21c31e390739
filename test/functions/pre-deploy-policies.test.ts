/** Tests which policies a caller of `pre-deploy` can use. */
import { expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { DAY_MS } from "../support/common.ts";
import { createFixture, diskTargets } from "../support/deployments.ts";
import { errorOf, timerEvent } from "../support/environment.ts";

const accepting = (PRE_DEPLOY_POLICIES: string) => ({ variables: { PRE_DEPLOY_POLICIES } });

test('pre-deploy responds 403 to a policy name other than "pre-deploy", creates no snapshot, and names the policies that it accepts', async () => {
  const { cloud, addDisks, post, requests } = await createFixture();
  const refused = await post({ ...diskTargets(...addDisks(1)), policy: "nightly" });
  expect(refused.status).toBe(403);
  expect(errorOf(refused)).toEqual({
    code: "AccessDenied",
    reason: "AccessDenied",
    message:
      'policy: expected pre-deploy, got "nightly". Omit it, or ask the operator to add it to PRE_DEPLOY_POLICIES.',
    request_id: "request-1",
  });
  expect(refused.records).toMatchObject([
    { action: "create", outcome: "rejected", level: "error", policy: "nightly", error: { reason: "AccessDenied" } },
    { action: "run", outcome: "failed", level: "error", policy: "nightly", error: { reason: "AccessDenied" } },
  ]);
  expect(cloud.snapshots()).toEqual([]);
  expect(requests()).toEqual([]);
});

test("if a caller names the policy of a schedule, pre-deploy responds 403, so prune-snapshots then deletes no snapshot of the schedule", async () => {
  const { cloud, clock, addDisks, post, invoke } = await createFixture();
  const [disk = ""] = addDisks(1);
  const policy = { policy: "nightly", ...diskTargets(disk), retention: { keep_last: 6 } };
  const now = () => new Date(clock.now()).toISOString();
  for (let day = 0; day < 6; day += 1) {
    await invoke(scheduledSnapshots, timerEvent(policy, now()));
    clock.advance(DAY_MS);
  }
  const before = cloud.snapshots().map(({ id }) => id);
  expect(before).toHaveLength(6);
  for (const deployment_id of ["a", "b", "c"]) {
    expect((await post({ ...diskTargets(disk), deployment_id, policy: "nightly" })).status).toBe(403);
    clock.advance(DAY_MS);
  }
  await invoke(pruneSnapshots, timerEvent(policy, now()));
  expect(cloud.snapshots().map(({ id }) => id)).toEqual(before);
});

test.each([
  ["is not set", {}],
  ["is empty", accepting("")],
  ["contains only commas and spaces", accepting(" , ,")],
  ["contains only other names", accepting("weekly,nightly-2,my-nightly")],
  ["contains the name in another case", accepting("Nightly,NIGHTLY")],
  ["contains wildcards", accepting("*,n*,.*")],
  ["separates the names with spaces instead of commas", accepting("nightly weekly")],
])('pre-deploy responds 403 to the policy "nightly" if PRE_DEPLOY_POLICIES %s', async (_what, how) => {
  const { cloud, addDisks, post } = await createFixture();
  const targets = diskTargets(...addDisks(1));
  expect((await post({ ...targets, policy: "nightly" }, how)).status).toBe(403);
  expect(cloud.snapshots()).toEqual([]);
  expect((await post({ ...targets, policy: "pre-deploy" }, how)).status).toBe(202);
});

test.each(["nightly", "weekly,nightly", " weekly , nightly ", ",nightly,,", "nightly,nightly"])(
  'pre-deploy creates snapshots with the policy "nightly" if PRE_DEPLOY_POLICIES is "%s"',
  async (names) => {
    const { cloud, addDisks, post } = await createFixture();
    const created = await post({ ...diskTargets(...addDisks(1)), policy: "nightly" }, accepting(names));
    expect(created.status).toBe(202);
    expect(cloud.snapshots().map(({ metadata }) => metadata?.policy)).toEqual(["nightly"]);
    expect(created.records[0]).toMatchObject({ outcome: "accepted", policy: "nightly" });
  },
);

test("pre-deploy responds 403 to a policy that PRE_DEPLOY_POLICIES does not contain, and names the policies in this variable", async () => {
  const { addDisks, post } = await createFixture();
  const refused = await post({ ...diskTargets(...addDisks(1)), policy: "hourly" }, accepting("nightly, weekly"));
  expect(refused.status).toBe(403);
  expect(errorOf(refused).message).toMatch(/^policy: expected pre-deploy or nightly or weekly, got "hourly"\./);
});
