/**
 * Tests that the run record contains the name of the policy, even if the run fails. If a policy selects no resource, the run
 * record is the only sign that the timer still works.
 */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { apig, createTestEnvironment, outcomes, timerEvent } from "../support/environment.ts";
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
  test.each<[condition: string, policy: object, variables: Record<string, string>, outcome: string]>([
    ["the policy selects no resource", NIGHTLY, {}, "done"],
    ["the policy has an unknown field", { ...NIGHTLY, targest: [] }, {}, "failed"],
    ["the policy has an unknown time zone", { ...NIGHTLY, time_zone: "Europe/Berlln" }, {}, "failed"],
    ["EVS cannot be reached", NIGHTLY, { EVS_ENDPOINT: "http://127.0.0.1:1" }, "failed"],
    ["the variable MAX_CONCURRENCY is invalid", NIGHTLY, { MAX_CONCURRENCY: "many" }, "failed"],
    ["the variable PROJECT_ID is invalid", NIGHTLY, { PROJECT_ID: "a/b" }, "failed"],
  ])(
    `${name} writes the policy name to each of its records even if %s`,
    async (_condition, policy, variables, outcome) => {
      const { invoke } = await createTestEnvironment({ variables });
      const { records } = await invoke(factory, timerEvent(policy));
      expect(records.at(-1)).toMatchObject({ action: "run", outcome });
      for (const record of records) expect(record.policy).toBe("nightly");
    },
  );

  test(`${name} writes a run record without a policy if the policy name is invalid`, async () => {
    const { invoke } = await createTestEnvironment();
    for (const policy of ["x".repeat(39), 7, null, { name: "nightly" }]) {
      const invoked = await invoke(factory, timerEvent({ ...NIGHTLY, policy }));
      expect(outcomes(invoked)).toContain("run failed");
      expect(invoked.records.at(-1)).not.toHaveProperty("policy");
    }
  });
});

describe("pre-deploy, disk-attached and verify-snapshots", () => {
  test('pre-deploy writes the policy in the request to its run record, or the policy "pre-deploy" if the request names no policy', async () => {
    const { addDisks, invoke } = await createTestEnvironment();
    const targets = [{ kind: "snapshot", volume_ids: addDisks(1) }];
    const emptyTargets = [{ kind: "snapshot", tags: { backup: "a value that no disk has" } }];
    for (const [body, policy] of [
      [{ targets }, "pre-deploy"],
      [{ targets, policy: "gates" }, "gates"],
      [{ targets: emptyTargets, policy: "gates" }, "gates"],
    ] as const) {
      const { records } = await invoke(preDeploy, apig({ deployment_id: `of ${policy}`, ...body }));
      expect(records.at(-1)).toMatchObject({ action: "run", policy });
    }
  });

  test('disk-attached writes the policy "disk-attached" to its run record even if it skips a detachVolume trace', async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const { id: server } = cloud.addServer();
    const { id: volume } = cloud.addVolume({ serverId: server });
    for (const trace_name of ["attachVolume", "detachVolume"]) {
      const { cts } = createRequestTrace(server, volume, clock.now());
      const { records } = await invoke(diskAttached, { cts: { ...cts, trace_name } });
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", policy: "disk-attached" });
    }
  });

  test("verify-snapshots writes a run record without a policy, because it verifies the snapshots of every policy", async () => {
    const { invoke } = await createTestEnvironment();
    const { records } = await invoke(verifySnapshots, timerEvent({}));
    expect(records).toHaveLength(1);
    expect(records[0]).not.toHaveProperty("policy");
  });
});
