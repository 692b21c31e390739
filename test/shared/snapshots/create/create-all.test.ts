import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import { createAll, hasBegun } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels } from "../../../../shared/snapshots/marker.ts";
import { type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import { type Run, targetFields } from "../../../../shared/snapshots/run-context.ts";
import {
  cloudError,
  cluster,
  createFixture,
  DELETING,
  type DomainFixture,
  group,
  MINUTE_MS,
  START,
  snapshot,
  snapshotOf,
  standard,
  UNKNOWN,
} from "../../../support/domain.ts";

const KEY = deriveKey("timer", "nightly", "2026-11-21T02:00:00Z");
const RUN: Run = { idempotencyKey: KEY, policy: "nightly", label: "nightly", time: START, projectId: "project-1" };
const moment = (milliseconds: number) => after(START, milliseconds);
const END = moment(MINUTE_MS);

const disk = (number: number, kind: Kind = snapshot): Target => targetFor(kind, `disk-${number}`);
const disks = (count: number): Target[] => Array.from({ length: count }, (_, index) => disk(index + 1));

/** Returns a snapshot of a target that the run created. */
function snapshotCreatedFor(
  { kind, resource, options }: Target,
  id: string,
  changes: Partial<FoundSnapshot> = {},
): FoundSnapshot {
  const marker = { policy: "nightly", idempotencyKey: KEY, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, resource, { marker, labels: markerLabels(marker), ...changes });
}

const creates = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("create"));

describe("indexExistingSnapshots", () => {
  test("indexExistingSnapshots lists each kind once and returns the snapshots of the run by resource", async () => {
    const fixture = createFixture();
    const mine = snapshotCreatedFor(disk(1), "a");
    const nowhere = snapshotCreatedFor(disk(3), "b", { resource: undefined });
    fixture.cloud.add(
      snapshot,
      mine,
      snapshotCreatedFor(disk(1), "c"),
      nowhere,
      snapshotOf("d", "disk-1"),
      snapshotOf("e", "disk-1", { marker: undefined }),
    );
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    const ids = async (target: Target) => (await known(target)).map(({ id }) => id);
    expect(await ids(disk(1))).toEqual(["a", "c", "b"]);
    expect(await ids(disk(2))).toEqual(["b"]);
    expect(await ids(disk(1, standard))).toEqual([]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots returns the snapshots of all runs for a kind with unique names", async () => {
    const fixture = createFixture();
    fixture.cloud.add(cluster, snapshotOf("a", "cluster-1"), snapshotOf("b", "cluster-2", { marker: undefined }));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    expect((await known(targetFor(cluster, "cluster-9"))).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("indexExistingSnapshots counts a disk's snapshots from every run if the kind limits the snapshots per disk", async () => {
    const fixture = createFixture();
    fixture.cloud.add(
      snapshot,
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      snapshotCreatedFor(disk(2), "c"),
    );
    fixture.cloud.add(standard, snapshotOf("d", "disk-1"));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    expect([await known.count(snapshot, "disk-1"), await known.count(snapshot, "disk-2")]).toEqual([2, 1]);
    expect([await known.count(snapshot, "disk-3"), await known.count(standard, "disk-1")]).toEqual([0, 0]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots lists a kind again after 30 s, because another delivery may be in progress", async () => {
    const fixture = createFixture({ seconds: 600 });
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    await known(disk(1));
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await fixture.time.sleep(30_000);
    expect(await known(disk(1))).toEqual([]);
    await fixture.time.sleep(1);
    expect(await known(disk(1))).toHaveLength(1);
    expect(fixture.cloud.calls).toEqual(["0 s listAll snapshot", "30.001 s listAll snapshot"]);
  });

  test("indexExistingSnapshots does not list a long list again for a few targets", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, ...Array.from({ length: 100 }, (_, index) => snapshotOf(`s-${index}`, "disk-9")));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    await known(disk(1));
    await fixture.time.sleep(30_001);
    await known(disk(2));
    expect(fixture.cloud.requests()).toHaveLength(1);
    await known(disk(3));
    expect(fixture.cloud.requests()).toHaveLength(2);
  });

  test("indexExistingSnapshots keeps the previous list if a refresh fails, and rejects if the first list fails", async () => {
    const fixture = createFixture({ seconds: 600 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    const known = indexExistingSnapshots(RUN, fixture.runContext);
    fixture.cloud.at("listAll", undefined, cloudError("AccessDenied"));
    expect(await known(disk(1))).toHaveLength(1);
    await fixture.time.sleep(30_001);
    expect(await known(disk(1))).toHaveLength(1);

    const denied = createFixture();
    denied.cloud.at("listAll", cloudError("AccessDenied"));
    await expect(indexExistingSnapshots(RUN, denied.runContext)(disk(1))).rejects.toMatchObject({
      reason: "AccessDenied",
    });
  });

  test("indexExistingSnapshots lists a kind again after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.at("listAll", cloudError("CloudError"));
    expect(await indexExistingSnapshots(RUN, fixture.runContext)(disk(1))).toEqual([]);
  });
});

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
      "The invocation's time ran out before work on this target started. Raise the function's timeout or lower SHARD_SIZE.",
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

describe("createAll with snapshots of a run that may be in progress in another instance", () => {
  const LONG = { seconds: 600, concurrency: 2 };
  const until = moment(500_000);
  const take = (fixture: DomainFixture, targets: readonly Target[]) =>
    createAll(targets, RUN, fixture.runContext, until, indexExistingSnapshots(RUN, fixture.runContext));

  test("createAll waits until the list shows no further snapshot of the run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    fixture.cloud.at("listAll", undefined, () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(disk(2), "b", { created: fixture.time.now() })),
    );
    await take(fixture, disks(4));
    expect(fixture.cloud.calls.slice(0, 3)).toEqual([
      "0 s listAll snapshot",
      "20 s listAll snapshot",
      "40 s listAll snapshot",
    ]);
    expect(creates(fixture)).toEqual(["40 s create snapshot disk-3", "40 s create snapshot disk-4"]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "b existing", "made-1 accepted", "made-2 accepted"]);
  });

  test("createAll does not wait if the list shows no snapshot of the run or all of them", async () => {
    const none = createFixture(LONG);
    await take(none, disks(3));
    expect(none.time.seconds()).toBe(0);
    const all = createFixture(LONG);
    all.cloud.add(snapshot, ...disks(3).map((target, index) => snapshotCreatedFor(target, `s-${index}`)));
    await take(all, disks(3));
    expect(all.time.seconds()).toBe(0);
    expect(all.cloud.requests()).toEqual(["listAll snapshot"]);
  });

  test("createAll does not wait for snapshots of another run or of other resources", async () => {
    const clusters = [1, 2, 3].map((number) => targetFor(cluster, `cluster-${number}`));
    const others: [Kind, readonly Target[], FoundSnapshot][] = [
      [snapshot, disks(3), snapshotOf("a", "disk-1")],
      [snapshot, disks(3), snapshotCreatedFor(disk(9), "b")],
      [snapshot, disks(3), snapshotCreatedFor(disk(1), "c", { resource: undefined })],
      [cluster, clusters, snapshotOf("d", "cluster-1")],
      [cluster, clusters, snapshotOf("e", "cluster-1", { marker: undefined })],
      [cluster, clusters, snapshotCreatedFor(targetFor(cluster, "cluster-9"), "f")],
    ];
    for (const [kind, targets, other] of others) {
      const fixture = createFixture(LONG);
      fixture.cloud.add(kind, other);
      // Such a snapshot does not mean that the run has begun.
      expect(await hasBegun(targets, RUN, indexExistingSnapshots(RUN, fixture.runContext)), other.id).toBe(false);
      await take(fixture, targets);
      expect(fixture.time.seconds(), other.id).toBe(0);
    }
  });

  test("hasBegun returns true if a target has a snapshot of the run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(2), "a"));
    expect(await hasBegun(disks(1), RUN, indexExistingSnapshots(RUN, fixture.runContext))).toBe(false);
    expect(await hasBegun(disks(2), RUN, indexExistingSnapshots(RUN, fixture.runContext))).toBe(true);
  });

  test("createAll waits once for a shard that was started before if the list shows none of its snapshots", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    fixture.cloud.at("listAll", undefined, () =>
      fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"), snapshotCreatedFor(disk(2), "b")),
    );
    await createAll(disks(2), run, fixture.runContext, until, indexExistingSnapshots(run, fixture.runContext));
    expect(fixture.cloud.calls).toEqual(["0 s listAll snapshot", "10 s listAll snapshot"]);
    expect(fixture.outcomes().sort()).toEqual(["a existing", "b existing"]);

    const nobody = createFixture({ seconds: 600, concurrency: 4 });
    await createAll(disks(2), run, nobody.runContext, until, indexExistingSnapshots(run, nobody.runContext));
    expect(creates(nobody).map((call) => call.split(" ")[0])).toEqual(["10", "10"]);
  });

  test("createAll waits for a shard of one target until the list shows no further snapshot", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await createAll(disks(3), run, fixture.runContext, until, indexExistingSnapshots(run, fixture.runContext));
    expect(fixture.time.seconds()).toBe(20);
  });

  test("createAll does not wait if all targets are started at the same time", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await take(fixture, disks(2));
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll treats a kind that cannot be listed as having no snapshots of the run", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.always("listAll", cloudError("AccessDenied"));
    await take(fixture, disks(3));
    expect(fixture.outcomes()).toEqual([1, 2, 3].map((number) => `disk-${number} failed: AccessDenied`));
  });

  test("createAll waits at most 20 s after the newest snapshot of the run, and not at all if that was earlier", async () => {
    const since = async (...created: (number | undefined)[]) => {
      const fixture = createFixture(LONG);
      const made = created.map((ms, index) =>
        snapshotCreatedFor(disk(index + 1), `s-${index}`, { created: ms === undefined ? undefined : moment(-ms) }),
      );
      fixture.cloud.add(snapshot, ...made);
      await take(fixture, disks(4));
      const looks = fixture.cloud.requests().filter((call) => call.startsWith("listAll")).length;
      const begun = creates(fixture)[0]?.split(" ")[0];
      expect(looks).toBe(begun === "0" ? 1 : 2);
      return begun;
    };
    expect(await since(15_000)).toBe("5");
    expect(await since(19_999, 300_000)).toBe("0.001");
    expect(await since(20_000)).toBe("0");
    expect(await since(300_000)).toBe("0");
    expect(await since(undefined)).toBe("20");
    // The cloud's clock is ahead of the function's clock.
    expect(await since(-60_000)).toBe("20");
  });

  test("createAll does not wait beyond the deadline, because a missing snapshot is worse than a duplicate", async () => {
    const fixture = createFixture({ seconds: 20, concurrency: 2 });
    fixture.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await take(fixture, disks(3));
    expect(fixture.outcomes()).toEqual(["a existing", "made-1 accepted", "made-2 accepted"]);
    expect(fixture.time.seconds()).toBe(0);

    const longer = createFixture({ seconds: 20.001, concurrency: 2 });
    longer.cloud.add(snapshot, snapshotCreatedFor(disk(1), "a"));
    await take(longer, disks(3));
    expect(longer.cloud.requests().slice(0, 2)).toEqual(["listAll snapshot", "listAll snapshot"]);
  });

  test("createAll does not wait if this instance ended the same run recently", async () => {
    const fixture = createFixture(LONG);
    fixture.cloud.at("create", undefined, cloudError("AccessDenied"));
    await take(fixture, disks(3));
    await take(fixture, disks(3));
    expect(fixture.outcomes().slice(-3).sort()).toEqual(["made-1 existing", "made-2 existing", "made-3 accepted"]);
    expect(fixture.time.seconds()).toBe(0);
  });

  test("createAll creates another snapshot for one that is being deleted", async () => {
    const fixture = createFixture({ seconds: 600, concurrency: 4 });
    fixture.cloud.add(group, snapshotCreatedFor(targetFor(group, "server-1"), "a", DELETING));
    await take(fixture, [targetFor(group, "server-1")]);
    expect(fixture.outcomes()).toEqual(["made-1 accepted"]);
  });
});
