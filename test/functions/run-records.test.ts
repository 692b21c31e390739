/**
 * Tests that the record of a run names the policy, however the run ends. The record shows that a timer still works although
 * its policy selects nothing.
 */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { apig, createTestEnvironment, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const NIGHTLY = {
  policy: "nightly",
  targets: [{ kind: "snapshot", tags: { backup: "daily" } }],
  retention: { keep_last: 1 },
};

describe.each([
  ["scheduled-snapshots", scheduledSnapshots],
  ["prune-snapshots", pruneSnapshots],
] as const)("%s", (name, factory) => {
  test.each<[string, object, Record<string, string | undefined>, string]>([
    ["that selects nothing", NIGHTLY, {}, "done"],
    ["that is invalid", { ...NIGHTLY, targest: [] }, {}, "failed"],
    ["whose time zone is unknown", { ...NIGHTLY, time_zone: "Europe/Berlln" }, {}, "failed"],
    ["in a cloud that cannot be reached", NIGHTLY, { EVS_ENDPOINT: "http://127.0.0.1:1" }, "failed"],
    ["of a function with an invalid MAX_CONCURRENCY", NIGHTLY, { MAX_CONCURRENCY: "many" }, "failed"],
    ["of a function with an invalid PROJECT_ID", NIGHTLY, { PROJECT_ID: "a/b" }, "failed"],
  ])(`${name} names the policy in the record of its run for a policy %s`, async (_what, policy, variables, outcome) => {
    const { invoke } = await createTestEnvironment({ variables });
    const { records } = await invoke(factory, timerEvent(policy));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome, policy: "nightly" });
    // The record of a rejected policy names it too.
    for (const record of records) expect(record.policy).toBe("nightly");
  });

  test(`${name} does not repeat an invalid name of a policy in the record of its run`, async () => {
    const { invoke } = await createTestEnvironment();
    for (const policy of ["x".repeat(39), 7, null, { name: "nightly" }]) {
      const { records } = await invoke(factory, timerEvent({ ...NIGHTLY, policy }));
      expect(records.map(({ action, outcome }) => [action, outcome])).toContainEqual(["run", "failed"]);
      expect(records.at(-1)).not.toHaveProperty("policy");
    }
  });
});

describe("the other functions", () => {
  test("pre-deploy names the policy of its snapshots in the record of its run", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const targets = [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }];
    const nothing = [{ kind: "snapshot", tags: { backup: "nobody has this" } }];
    for (const [body, policy] of [
      [{ targets }, "pre-deploy"],
      [{ targets, policy: "gates" }, "gates"],
      [{ targets: nothing, policy: "gates" }, "gates"],
    ] as const) {
      const { records } = await invoke(preDeploy, apig({ deployment_id: `of ${policy}`, ...body }));
      expect(records.at(-1)).toMatchObject({ action: "run", policy });
    }
  });

  test("disk-attached names the policy disk-attached in the record of its run, even if it skips the trace", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const { id: server } = cloud.addServer();
    const { id: volume } = cloud.addVolume({ serverId: server });
    for (const trace_name of ["attachVolume", "detachVolume"]) {
      const { cts } = createRequestTrace(server, volume, clock.now());
      const { records } = await invoke(diskAttached, { cts: { ...cts, trace_name } });
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", policy: "disk-attached" });
    }
  });

  test("verify-snapshots names no policy in the record of its run, because it verifies every policy", async () => {
    const { invoke } = await createTestEnvironment();
    const { records } = await invoke(verifySnapshots, timerEvent({}));
    expect(records).toHaveLength(1);
    expect(records[0]).not.toHaveProperty("policy");
  });
});
