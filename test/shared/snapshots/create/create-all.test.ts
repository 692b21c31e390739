import { describe, expect, test } from "vitest";
import { createAll } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey } from "../../../../shared/snapshots/marker.ts";
import type { Target } from "../../../../shared/snapshots/policy.ts";
import { targetFields } from "../../../../shared/snapshots/run-context.ts";
import { cloudError, createFixture, type DomainFixture, snapshot, standard, UNKNOWN } from "../../../support/domain.ts";
import { creates, disk, disks, END, KEY, moment, RUN, snapshotCreatedFor } from "../../../support/runs.ts";

describe("createAll without an index", () => {
  test("createAll creates a snapshot of each target, up to the concurrency limit at a time, with a record for each", async () => {
    const fixture = createFixture({ concurrency: 2 });
    fixture.cloud.createMs = 1_000;
    expect(await createAll(disks(3), RUN, fixture.runContext, END)).toEqual([]);
    expect(creates(fixture).map((call) => call.split(" ")[0])).toEqual(["0", "0", "1"]);
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
    expect(fixture.unbalancedRecords()).toBe(0);
    expect(fixture.cloud.of(snapshot)[0]?.marker).toMatchObject({ policy: "nightly", idempotencyKey: KEY });
  });

  test("targetFields contains the deployment of a run", () => {
    expect(targetFields(disk(1), { ...RUN, deploymentId: "release-7" })).toEqual({
      action: "create",
      kind: "snapshot",
      resource_id: "disk-1",
      policy: "nightly",
      deployment_id: "release-7",
    });
    expect(targetFields(disk(1), RUN)).not.toHaveProperty("deployment_id");
  });

  test("createAll continues after a failed target", async () => {
    const fixture = createFixture({ concurrency: 1 });
    const error = cloudError("NotFound");
    fixture.cloud.at("create", error);
    await createAll(disks(2), RUN, fixture.runContext, END);
    expect(fixture.records).toMatchObject([
      { resource_id: "disk-1", outcome: "failed", attempts: 1, error },
      { resource_id: "disk-2", outcome: "accepted" },
    ]);
  });

  test("createAll reports an existing snapshot with an unknown status as unverified and creates no other", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a", UNKNOWN), snapshotCreatedFor(disk(2), "b"));
    await createAll(disks(2), RUN, fixture.runContext, END);
    expect(fixture.outcomes()).toEqual(["a unverified: The snapshot exists, and its status is unknown.", "b existing"]);
    expect(fixture.records[0]).toMatchObject({ name: "nightly-a", attempts: 0 });
    expect(creates(fixture)).toEqual([]);
  });

  test("createAll makes room on a disk before it creates another snapshot", async () => {
    const fixture = createFixture();
    const asked: unknown[] = [];
    const makeRoom = async (kind: Kind, { volume_id }: Record<string, unknown>) => {
      asked.push(`${kind.name} ${volume_id}`);
      return false;
    };
    await createAll(disks(1), { ...RUN, makeRoom }, fixture.runContext, END);
    expect(asked).toEqual(["snapshot disk-1"]);
  });

  test("createAll starts no target after the given moment and returns the targets that it did not start", async () => {
    const fixture = createFixture({ concurrency: 1 });
    fixture.cloud.createMs = 10_000;
    const targets = disks(4);
    expect(await createAll(targets, RUN, fixture.runContext, moment(20_000))).toEqual(targets.slice(2));
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "made-2 accepted"]);
    expect(fixture.unbalancedRecords()).toBe(0);
  });

  test("createAll fails the targets that it did not start if the given moment is the deadline", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 20 });
    fixture.cloud.createMs = 10_000;
    expect(await createAll(disks(3), RUN, fixture.runContext, moment(20_000))).toEqual([]);
    expect(fixture.outcomes().at(-1)).toBe("disk-3 failed: DeadlineExceeded");
    expect(fixture.records.at(-1)?.error?.message).toBe(
      "The invocation's time ran out before this target was started. Raise the function's timeout or lower SHARD_SIZE.",
    );
    expect(creates(fixture)).toHaveLength(2);
  });
});

describe("createAll with an index", () => {
  const take = (fixture: DomainFixture, targets: readonly Target[], until = END, run = RUN) =>
    createAll(targets, run, fixture.runContext, until, indexExistingSnapshots(run, fixture.runContext));

  test("createAll lists the snapshots once and creates the missing ones", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(2), "a"));
    expect(await take(fixture, disks(2))).toEqual([]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "made-1 accepted"]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "create snapshot disk-1"]);
  });

  test("createAll with an index returns the targets that it did not start", async () => {
    const fixture = createFixture({ concurrency: 1, seconds: 600 });
    fixture.cloud.createMs = 10_000;
    const targets = disks(3);
    expect(await take(fixture, targets, moment(20_000))).toEqual(targets.slice(2));
  });

  test("createAll fails each target of a kind that cannot be listed and creates the others", async () => {
    const fixture = createFixture({ concurrency: 4 });
    fixture.cloud.at("listAll", cloudError("AccessDenied"));
    await take(fixture, [disk(1), disk(2, standard)]);
    expect(fixture.outcomes().sort()).toEqual(["disk-1 failed: AccessDenied", "made-1 accepted"]);
  });

  test("createAll waits for the same run in this instance and then finds its snapshots", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.createMs = 1_000;
    const twice = await Promise.all([
      take(fixture, disks(2), moment(600_000)),
      take(fixture, disks(2), moment(600_000)),
    ]);
    expect(twice).toEqual([[], []]);
    expect(fixture.outcomes()).toEqual(["made-1 accepted", "made-2 accepted", "made-1 existing", "made-2 existing"]);
    expect(fixture.cloud.calls.at(-1)).toBe("7 s listAll snapshot");
  });

  test("createAll does not wait for another run, shard or project", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.createMs = 1_000;
    await Promise.all([
      take(fixture, [disk(1)]),
      take(fixture, [disk(2), disk(1)], END, { ...RUN, idempotencyKey: deriveKey("other") }),
      take(fixture, [disk(3)]),
      take(fixture, [disk(1, standard)]),
      take(fixture, [disk(1)], END, { ...RUN, projectId: "project-2" }),
      take(fixture, []),
    ]);
    expect(creates(fixture).every((call) => call.startsWith("0 s"))).toBe(true);
    expect(creates(fixture)).toHaveLength(6);
  });

  test("createAll fails every target if the same run in this instance does not end in time", async () => {
    const fixture = createFixture({ seconds: 20 });
    fixture.cloud.createMs = 30_000;
    const first = take(fixture, disks(2));
    await take(fixture, disks(2));
    expect(fixture.outcomes()).toEqual(["disk-1 failed: DeadlineExceeded", "disk-2 failed: DeadlineExceeded"]);
    expect(fixture.records[0]).toMatchObject({ action: "create", kind: "snapshot", policy: "nightly" });
    await first;
    expect(fixture.unbalancedRecords()).toBe(0);
  });
});
