import { describe, expect, test } from "vitest";
import { createAll } from "../../../../shared/snapshots/create/create-all.ts";
import type { Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import type { Target } from "../../../../shared/snapshots/policy.ts";
import { createTarget } from "../../../../shared/snapshots/policy.ts";
import { targetFields } from "../../../../shared/snapshots/run-context.ts";
import {
  cloudError,
  createCalls,
  createFixture,
  createSeconds,
  group,
  MINUTE_MS,
  STATUS,
  snapshot,
  snapshotOf,
  standard,
  startPlus,
} from "../../../support/domain.ts";
import { createAllWithIndex, diskTarget, diskTargets, KEY, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("createAll without an index of existing snapshots", () => {
  test("createAll with a concurrency of 2 creates at most two snapshots at a time, and writes a result record for each target", async () => {
    const fixture = createFixture({ concurrency: 2, createMs: 1_000 });
    await createAll(diskTargets(3), RUN, fixture.runContext, { cutoff: startPlus(MINUTE_MS) });
    expect(createSeconds(fixture)).toEqual(["0", "0", "1"]);
    expect(fixture.records[0]).toEqual({
      action: "create",
      kind: "snapshot",
      resource_id: "disk-1",
      policy: "nightly",
      outcome: "accepted",
      name: expect.stringMatching(/^nightly-20261121T020000Z-/),
      snapshot_id: "made-1",
      job_id: "job-made-1",
      attempts: 1,
    });
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "made-2 accepted", "made-3 accepted"]);
    expect(fixture.cloud.snapshotsOf(snapshot)[0]?.marker).toMatchObject({ policy: "nightly", idempotencyKey: KEY });
  });

  test("targetFields contains the deployment_id of a run that belongs to a deployment", () => {
    expect(targetFields(diskTarget(1), { ...RUN, deploymentId: "release-7" })).toEqual({
      action: "create",
      kind: "snapshot",
      resource_id: "disk-1",
      policy: "nightly",
      deployment_id: "release-7",
    });
    expect(targetFields(diskTarget(1), RUN)).not.toHaveProperty("deployment_id");
  });

  test("createAll creates the snapshots of the other targets after a create request fails", async () => {
    const fixture = createFixture({ concurrency: 1 });
    const error = cloudError("NotFound");
    fixture.cloud.onNextCalls("create", error);
    await createAll(diskTargets(2), RUN, fixture.runContext, { cutoff: startPlus(MINUTE_MS) });
    expect(fixture.records).toMatchObject([
      { resource_id: "disk-1", outcome: "failed", attempts: 1, error },
      { resource_id: "disk-2", outcome: "accepted" },
    ]);
  });

  test("createAll reports an existing snapshot with an unknown status as unverified and creates no second snapshot of that target", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotCreatedFor(diskTarget(1), "a", STATUS.unknown),
      snapshotCreatedFor(diskTarget(2), "b"),
    );
    await createAll(diskTargets(2), RUN, fixture.runContext, { cutoff: startPlus(MINUTE_MS) });
    expect(fixture.outcomes()).toEqual(["a unverified: The snapshot exists, and its status is unknown.", "b existing"]);
    expect(fixture.records[0]).toMatchObject({ name: "nightly-a", attempts: 0 });
    expect(createCalls(fixture)).toEqual([]);
  });

  test("createAll without an index records a target as failed with Conflict if its snapshot was created with other options", async () => {
    const fixture = createFixture();
    const other = { ...diskTarget(1), options: { ...diskTarget(1).options, description: "other" } };
    fixture.cloud.add(snapshot, snapshotCreatedFor(other, "a"));
    await createAll(diskTargets(1), RUN, fixture.runContext, { cutoff: startPlus(MINUTE_MS) });
    expect(fixture.outcomes()).toEqual(["disk-1 failed: Conflict"]);
  });

  test("createAll calls makeRoom with the kind and the disk id of a target whose create request is rejected with QuotaExceeded", async () => {
    const fixture = createFixture({ creates: [cloudError("QuotaExceeded")] });
    const calls: unknown[] = [];
    const makeRoom = async (kind: Kind, { volume_id }: Record<string, unknown>) => {
      calls.push(`${kind.name} ${volume_id}`);
      return false;
    };
    await createAll(diskTargets(2), { ...RUN, makeRoom }, fixture.runContext, { cutoff: startPlus(MINUTE_MS) });
    expect(calls).toEqual(["snapshot disk-1"]);
  });

  test("createAll starts no target after the cutoff, and passes the targets that it has not started to `fanOut`", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    const targets = diskTargets(4);
    const handedOver: Target[] = [];
    const fanOut = async (some: Target[]) => void handedOver.push(...some);
    await createAll(targets, RUN, fixture.runContext, { cutoff: startPlus(20_000), fanOut });
    expect(handedOver).toEqual(targets.slice(2));
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "made-2 accepted"]);
  });

  test("createAll without `fanOut` reports the targets that it has not started before the cutoff as failed", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 20, createMs: 10_000 });
    await createAll(diskTargets(3), RUN, fixture.runContext, { cutoff: startPlus(20_000) });
    expect(fixture.outcomes().at(-1)).toBe("disk-3 failed: DeadlineExceeded");
    expect(fixture.records.at(-1)?.error?.message).toBe(
      "The invocation's time ran out before work on this target started. Raise the function's timeout or lower SHARD_SIZE.",
    );
    expect(createCalls(fixture)).toHaveLength(2);
  });
});

describe("createAll with an index of existing snapshots", () => {
  test("createAll with an index of existing snapshots sends one list request and creates only the missing snapshots", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(2), "a"));
    expect(await createAllWithIndex(fixture, diskTargets(2))).toEqual([]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "made-1 accepted"]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "create snapshot disk-1"]);
  });

  test("createAll with an index of existing snapshots returns the targets that it has not started before the cutoff", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 600, createMs: 10_000 });
    const targets = diskTargets(3);
    expect(await createAllWithIndex(fixture, targets, { until: startPlus(20_000) })).toEqual(targets.slice(2));
  });

  test("createAll fails each target of a kind whose list request fails and creates the snapshots of the other kinds", async () => {
    const fixture = createFixture({ concurrency: 4 });
    fixture.cloud.onNextCalls("listAll", cloudError("AccessDenied"));
    await createAllWithIndex(fixture, [diskTarget(1), diskTarget(2, standard)]);
    expect(fixture.outcomes().sort()).toEqual(["disk-1 failed: AccessDenied", "made-1 accepted"]);
  });

  test("createAll reports snapshots as existing if a concurrent identical run in the same process creates them", async () => {
    const fixture = createFixture({ seconds: 600, createMs: 1_000 });
    const createBoth = () => createAllWithIndex(fixture, diskTargets(2));
    expect(await Promise.all([createBoth(), createBoth()])).toEqual([[], []]);
    expect(fixture.outcomes().sort()).toEqual([
      "made-1 accepted",
      "made-1 existing",
      "made-2 accepted",
      "made-2 existing",
    ]);
    expect(createSeconds(fixture)).toEqual(["0", "0"]);
    expect(fixture.time.seconds()).toBe(1);
  });

  test("createAll does not wait for a concurrent run with a different key, kind, project or set of targets", async () => {
    const fixture = createFixture({ seconds: 600, createMs: 1_000 });
    await Promise.all([
      createAllWithIndex(fixture, [diskTarget(1)]),
      createAllWithIndex(fixture, [diskTarget(2), diskTarget(1)], {
        run: { ...RUN, idempotencyKey: deriveKey("other") },
      }),
      createAllWithIndex(fixture, [diskTarget(3)]),
      createAllWithIndex(fixture, [diskTarget(1, standard)]),
      createAllWithIndex(fixture, [diskTarget(1)], { run: { ...RUN, projectId: "project-2" } }),
      createAllWithIndex(fixture, []),
    ]);
    expect(createCalls(fixture).every((call) => call.startsWith("0 s"))).toBe(true);
    expect(createCalls(fixture)).toHaveLength(6);
  });

  test("createAll fails every target if a concurrent identical run in the same process is still in progress at the deadline", async () => {
    const fixture = createFixture({ seconds: 20, createMs: 30_000 });
    const first = createAllWithIndex(fixture, diskTargets(2));
    await createAllWithIndex(fixture, diskTargets(2));
    expect(fixture.outcomes()).toEqual(["disk-1 failed: DeadlineExceeded", "disk-2 failed: DeadlineExceeded"]);
    expect(fixture.records[0]).toMatchObject({ action: "create", kind: "snapshot", policy: "nightly" });
    await first;
  });

  test("createAll creates a new snapshot of a server whose snapshot group is being deleted", async () => {
    const fixture = createFixture();
    fixture.cloud.add(group, snapshotCreatedFor(createTarget(group, "server-1"), "a", STATUS.deleting));
    await createAllWithIndex(fixture, [createTarget(group, "server-1")]);
    expect(fixture.outcomes()).toEqual(["made-1 accepted"]);
  });

  test("createAll lists the snapshots again before a create request if the last list response is older than 1 s", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 1_001, newestFirst: true });
    fixture.cloud.add(snapshot, snapshotOf("old", "disk-9"));
    fixture.cloud.onNextCalls("create", () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(diskTarget(2), "other", { created: fixture.time.now() })),
    );
    await createAllWithIndex(fixture, diskTargets(2), { until: startPlus(30_000) });
    expect(fixture.cloud.calls).toEqual([
      "0 s listAll snapshot",
      "0 s create snapshot disk-1",
      "1.001 s listNewest snapshot",
    ]);
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "other existing"]);
  });

  test("createAll accepts a snapshot that another delivery of the event created with other options", async () => {
    const fixture = createFixture();
    const other = { ...diskTarget(1), options: { ...diskTarget(1).options, description: "other" } };
    fixture.cloud.add(snapshot, snapshotCreatedFor(other, "a"));
    await createAllWithIndex(fixture, diskTargets(1));
    expect(fixture.outcomes()).toEqual(["a existing: An earlier delivery created this snapshot with other options."]);
  });
});
