/** The record of a run names its policy, however the run ends: what tells a policy that found nothing from a timer that stopped. */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
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
] as const)("%s", (_name, factory) => {
  test.each<[string, object, Record<string, string | undefined>, string]>([
    ["of which nothing was selected", NIGHTLY, {}, "done"],
    ["that was refused", { ...NIGHTLY, targest: [] }, {}, "failed"],
    ["whose zone nobody knows", { ...NIGHTLY, time_zone: "Europe/Berlln" }, {}, "failed"],
    ["whose cloud cannot be reached", NIGHTLY, { EVS_ENDPOINT: "http://127.0.0.1:1" }, "failed"],
    ["whose function is not configured", NIGHTLY, { MAX_CONCURRENCY: "many" }, "failed"],
    ["whose function has no project", NIGHTLY, { PROJECT_ID: "a/b" }, "failed"],
  ])("the run of a policy %s names it", async (_what, policy, variables, outcome) => {
    const { invoke } = await createTestEnvironment({ variables });
    const { records } = await invoke(factory, timerEvent(policy));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome, policy: "nightly" });
    // So does the record of what was refused.
    for (const record of records) expect(record.policy).toBe("nightly");
  });

  test("a name that is none is not repeated", async () => {
    const { invoke } = await createTestEnvironment();
    for (const policy of ["x".repeat(39), 7, null, { name: "nightly" }]) {
      const { records } = await invoke(factory, timerEvent({ ...NIGHTLY, policy }));
      expect(records.map(({ action, outcome }) => [action, outcome])).toContainEqual(["run", "failed"]);
      expect(records.at(-1)).not.toHaveProperty("policy");
    }
  });
});

describe("the other functions", () => {
  test("a gate's run names the policy that its snapshots are marked with", async () => {
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

  test("an attachment's run names disk-attached, also when there was nothing to do", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const { id: server } = cloud.addServer();
    const { id: volume } = cloud.addVolume({ serverId: server });
    for (const trace_name of ["attachVolume", "detachVolume"]) {
      const request = { volumeAttachment: { volumeId: volume } };
      const cts = { trace_name, service_type: "ECS", time: clock.now(), resource_id: server, request };
      const { records } = await invoke(diskAttached, { cts });
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", policy: "disk-attached" });
    }
  });

  test("verify goes over every policy and names none", async () => {
    const { invoke } = await createTestEnvironment();
    const { records } = await invoke(verifySnapshots, timerEvent({}));
    expect(records).toHaveLength(1);
    expect(records[0]).not.toHaveProperty("policy");
  });
});
