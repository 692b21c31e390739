import { describe, expect, test } from "vitest";
import { after } from "../../../../shared/core/instant.ts";
import { createAll, hasBegun } from "../../../../shared/snapshots/create/create-all.ts";
import { indexExistingSnapshots } from "../../../../shared/snapshots/create/existing-snapshots.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels } from "../../../../shared/snapshots/marker.ts";
import { type Selector, type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import type { Resource } from "../../../../shared/snapshots/ports.ts";
import { type Run, targetFields } from "../../../../shared/snapshots/run-context.ts";
import { selectTargets } from "../../../../shared/snapshots/select.ts";
import {
  cluster,
  DELETING,
  type DomainFixture,
  group,
  MINUTE_MS,
  refusal,
  START,
  snapshot,
  snapshotOf,
  stage,
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
function madeOf({ kind, resource, options }: Target, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot {
  const marker = { policy: "nightly", idempotencyKey: KEY, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, resource, { marker, labels: markerLabels(marker), ...changes });
}

const creates = ({ cloud }: DomainFixture) => cloud.calls.filter((call) => call.includes("create"));

describe("selectTargets", () => {
  const selectors = (...given: Omit<Selector, "kind">[]): Selector[] =>
    given.map((one) => ({ kind: "snapshot", ...one }));
  const RESOURCES: Resource[] = [
    { id: "disk-1", tags: { backup: "daily" } },
    { id: "disk-2", tags: { backup: "daily", scratch: "" } },
  ];

  test("selectTargets lists no resources for selectors with ids only", async () => {
    const here = stage();
    const { targets, failures, empty } = await selectTargets(
      selectors({ volume_ids: ["disk-9", "disk-8"] }),
      here.means,
    );
    expect(targets.map(({ resource }) => resource)).toEqual(["disk-9", "disk-8"]);
    expect([failures, empty]).toEqual([[], []]);
    expect(here.cloud.calls).toEqual([]);
  });

  test("selectTargets lists resources once for selectors of the same type of resource", async () => {
    const here = stage();
    here.cloud.resources = RESOURCES;
    const { targets } = await selectTargets(
      [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "standard-snapshot", tags: { backup: "daily" }, exclude_tags: { scratch: "*" } },
        { kind: "cluster-snapshot", tags: { backup: "*" } },
        { kind: "snapshot", tags: { scratch: "*" } },
      ],
      here.means,
    );
    expect(targets.map(({ kind, resource }) => `${kind.name} ${resource}`)).toEqual([
      "snapshot disk-1",
      "snapshot disk-2",
      "standard-snapshot disk-1",
      "cluster-snapshot disk-1",
      "cluster-snapshot disk-2",
    ]);
    expect(here.cloud.asked()).toEqual(["resources snapshot", "resources cluster-snapshot"]);
  });

  test("selectTargets reports the index of a selector that selects nothing", async () => {
    const here = stage();
    here.cloud.resources = RESOURCES;
    const { empty, targets } = await selectTargets(
      selectors({ volume_ids: ["disk-1"] }, { tags: { bakcup: "daily" } }, { tags: { backup: "weekly" } }),
      here.means,
    );
    expect(empty).toEqual(["targets[1]", "targets[2]"]);
    expect(targets).toHaveLength(1);
  });

  test("selectTargets reports a kind whose resources cannot be listed and selects the others", async () => {
    const here = stage();
    here.cloud.resources = RESOURCES;
    const error = refusal("AccessDenied");
    here.cloud.at("resources", error);
    const { targets, failures, empty } = await selectTargets(
      [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "snapshot-group", tags: { backup: "daily" } },
        { kind: "snapshot", volume_ids: ["disk-1"] },
      ],
      here.means,
    );
    expect(failures).toEqual([{ kind: snapshot, error }]);
    expect(targets.map(({ kind }) => kind.name)).toEqual(["snapshot-group", "snapshot-group", "snapshot"]);
    expect(empty).toEqual([]);
  });

  test("selectTargets selects ids although the resources cannot be listed, unless exclude_tags could exclude them", async () => {
    const here = stage();
    here.cloud.at("resources", refusal("AccessDenied"));
    const { targets, failures, refused } = await selectTargets(
      selectors(
        { volume_ids: ["disk-1"], tags: { backup: "daily" }, force: false },
        { volume_ids: ["disk-2"], exclude_tags: { scratch: "*" } },
      ),
      here.means,
    );
    expect(targets.map(({ resource, options }) => [resource, options.force])).toEqual([["disk-1", false]]);
    expect(failures).toHaveLength(2);
    expect(refused.size).toBe(0);
  });

  test("selectTargets refuses ids that do not exist if it checks ids, and ignores upper and lower case", async () => {
    const here = stage();
    here.cloud.resources = [{ id: "Disk-1", tags: {} }];
    const given = selectors({ volume_ids: ["DISK-1", "disk-9"] }, { volume_ids: ["disk-9"] });
    const { targets, failures, empty, refused } = await selectTargets(given, here.means, true);
    expect(
      targets.map((target) => [target.resource, refused.get(target)?.reason, refused.get(target)?.message]),
    ).toEqual([
      ["disk-1", undefined, undefined],
      [
        "disk-9",
        "NotFound",
        'volume_ids: expected the id of something that exists, got "disk-9". Check the id and PROJECT_ID.',
      ],
    ]);
    expect([failures, empty]).toEqual([[], []]);
    expect(here.cloud.asked()).toEqual(["resources snapshot"]);
    expect((await selectTargets(given, here.means)).refused.size).toBe(0);
  });

  test("selectTargets refuses every id if it checks ids and the resources cannot be listed", async () => {
    const here = stage();
    const error = refusal("AccessDenied");
    here.cloud.at("resources", error);
    const { targets, failures, refused } = await selectTargets(
      selectors(
        { volume_ids: ["disk-1"] },
        { volume_ids: ["disk-2"], exclude_tags: { scratch: "*" } },
        { volume_ids: ["disk-3"], tags: { backup: "daily" } },
      ),
      here.means,
      true,
    );
    expect(targets.map((target) => [target.resource, refused.get(target)])).toEqual([
      ["disk-1", error],
      ["disk-2", error],
      ["disk-3", error],
    ]);
    expect(failures).toEqual([{ kind: snapshot, error }]);
  });

  test("selectTargets lists the resources again after a transient error", async () => {
    const here = stage();
    here.cloud.resources = RESOURCES;
    here.cloud.at("resources", refusal("CloudError"));
    expect((await selectTargets(selectors({ tags: { backup: "*" } }), here.means)).targets).toHaveLength(2);
  });
});

describe("indexExistingSnapshots", () => {
  test("indexExistingSnapshots lists each kind once and returns the snapshots of the run by resource", async () => {
    const here = stage();
    const mine = madeOf(disk(1), "a");
    const nowhere = madeOf(disk(3), "b", { resource: undefined });
    here.cloud.add(
      snapshot,
      mine,
      madeOf(disk(1), "c"),
      nowhere,
      snapshotOf("d", "disk-1"),
      snapshotOf("e", "disk-1", { marker: undefined }),
    );
    const known = indexExistingSnapshots(RUN, here.means);
    const ids = async (target: Target) => (await known(target)).map(({ id }) => id);
    expect(await ids(disk(1))).toEqual(["a", "c", "b"]);
    expect(await ids(disk(2))).toEqual(["b"]);
    expect(await ids(disk(1, standard))).toEqual([]);
    expect(here.cloud.asked()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots returns the snapshots of all runs for a kind with unique names", async () => {
    const here = stage();
    here.cloud.add(cluster, snapshotOf("a", "cluster-1"), snapshotOf("b", "cluster-2", { marker: undefined }));
    const known = indexExistingSnapshots(RUN, here.means);
    expect((await known(targetFor(cluster, "cluster-9"))).map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("indexExistingSnapshots counts the snapshots of a disk of all runs if the kind has a maximum", async () => {
    const here = stage();
    here.cloud.add(
      snapshot,
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      madeOf(disk(2), "c"),
    );
    here.cloud.add(standard, snapshotOf("d", "disk-1"));
    const known = indexExistingSnapshots(RUN, here.means);
    expect([await known.count(snapshot, "disk-1"), await known.count(snapshot, "disk-2")]).toEqual([2, 1]);
    expect([await known.count(snapshot, "disk-3"), await known.count(standard, "disk-1")]).toEqual([0, 0]);
    expect(here.cloud.asked()).toEqual(["listAll snapshot", "listAll standard-snapshot"]);
  });

  test("indexExistingSnapshots lists a kind again after 30 s, because another delivery may be in progress", async () => {
    const here = stage({ seconds: 600 });
    const known = indexExistingSnapshots(RUN, here.means);
    await known(disk(1));
    here.cloud.add(snapshot, madeOf(disk(1), "a"));
    await here.time.sleep(30_000);
    expect(await known(disk(1))).toEqual([]);
    await here.time.sleep(1);
    expect(await known(disk(1))).toHaveLength(1);
    expect(here.cloud.calls).toEqual(["0 s listAll snapshot", "30.001 s listAll snapshot"]);
  });

  test("indexExistingSnapshots does not list a long list again for a few targets", async () => {
    const here = stage({ seconds: 600 });
    here.cloud.add(snapshot, ...Array.from({ length: 100 }, (_, index) => snapshotOf(`s-${index}`, "disk-9")));
    const known = indexExistingSnapshots(RUN, here.means);
    await known(disk(1));
    await here.time.sleep(30_001);
    await known(disk(2));
    expect(here.cloud.asked()).toHaveLength(1);
    await known(disk(3));
    expect(here.cloud.asked()).toHaveLength(2);
  });

  test("indexExistingSnapshots keeps the previous list if a refresh fails, and rejects if the first list fails", async () => {
    const here = stage({ seconds: 600 });
    here.cloud.add(snapshot, madeOf(disk(1), "a"));
    const known = indexExistingSnapshots(RUN, here.means);
    here.cloud.at("listAll", undefined, refusal("AccessDenied"));
    expect(await known(disk(1))).toHaveLength(1);
    await here.time.sleep(30_001);
    expect(await known(disk(1))).toHaveLength(1);

    const denied = stage();
    denied.cloud.at("listAll", refusal("AccessDenied"));
    await expect(indexExistingSnapshots(RUN, denied.means)(disk(1))).rejects.toMatchObject({ reason: "AccessDenied" });
  });

  test("indexExistingSnapshots lists a kind again after a transient error", async () => {
    const here = stage();
    here.cloud.at("listAll", refusal("CloudError"));
    expect(await indexExistingSnapshots(RUN, here.means)(disk(1))).toEqual([]);
  });
});

describe("createAll without an index", () => {
  test("createAll creates a snapshot of each target, up to the concurrency limit at a time, with a record for each", async () => {
    const here = stage({ concurrency: 2 });
    here.cloud.createMs = 1_000;
    expect(await createAll(disks(3), RUN, here.means, END)).toEqual([]);
    expect(creates(here).map((call) => call.split(" ")[0])).toEqual(["0", "0", "1"]);
    expect(here.records[0]).toEqual({
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
    expect(here.told()).toEqual(["made-1 accepted", "made-2 accepted", "made-3 accepted"]);
    expect(here.untidy()).toBe(0);
    expect(here.cloud.of(snapshot)[0]?.marker).toMatchObject({ policy: "nightly", idempotencyKey: KEY });
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
    const here = stage({ concurrency: 1 });
    const error = refusal("NotFound");
    here.cloud.at("create", error);
    await createAll(disks(2), RUN, here.means, END);
    expect(here.records).toMatchObject([
      { resource_id: "disk-1", outcome: "failed", attempts: 1, error },
      { resource_id: "disk-2", outcome: "accepted" },
    ]);
  });

  test("createAll reports an existing snapshot with an unknown status as unverified and creates no other", async () => {
    const here = stage();
    here.cloud.add(snapshot, madeOf(disk(1), "a", UNKNOWN), madeOf(disk(2), "b"));
    await createAll(disks(2), RUN, here.means, END);
    expect(here.told()).toEqual(["a unverified: The snapshot exists, and its status is unknown.", "b existing"]);
    expect(here.records[0]).toMatchObject({ name: "nightly-a", attempts: 0 });
    expect(creates(here)).toEqual([]);
  });

  test("createAll makes room on a disk before it creates another snapshot", async () => {
    const here = stage();
    const asked: unknown[] = [];
    const makeRoom = async (kind: Kind, { volume_id }: Record<string, unknown>) => {
      asked.push(`${kind.name} ${volume_id}`);
      return false;
    };
    await createAll(disks(1), { ...RUN, makeRoom }, here.means, END);
    expect(asked).toEqual(["snapshot disk-1"]);
  });

  test("createAll starts no target after the given moment and returns the targets that it did not start", async () => {
    const here = stage({ concurrency: 1 });
    here.cloud.createMs = 10_000;
    const targets = disks(4);
    expect(await createAll(targets, RUN, here.means, moment(20_000))).toEqual(targets.slice(2));
    expect(here.told()).toEqual(["made-1 accepted", "made-2 accepted"]);
    expect(here.untidy()).toBe(0);
  });

  test("createAll fails the targets that it did not start if the given moment is the deadline", async () => {
    const here = stage({ concurrency: 1, seconds: 20 });
    here.cloud.createMs = 10_000;
    expect(await createAll(disks(3), RUN, here.means, moment(20_000))).toEqual([]);
    expect(here.told().at(-1)).toBe("disk-3 failed: DeadlineExceeded");
    expect(here.records.at(-1)?.error?.message).toBe(
      "The invocation's time ran out before this target was started. Raise the function's timeout or lower SHARD_SIZE.",
    );
    expect(creates(here)).toHaveLength(2);
  });
});

describe("createAll with an index", () => {
  const take = (here: DomainFixture, targets: readonly Target[], until = END, run = RUN) =>
    createAll(targets, run, here.means, until, indexExistingSnapshots(run, here.means));

  test("createAll lists the snapshots once and creates the missing ones", async () => {
    const here = stage();
    here.cloud.add(snapshot, madeOf(disk(2), "a"));
    expect(await take(here, disks(2))).toEqual([]);
    expect(here.told().sort()).toEqual(["a existing", "made-1 accepted"]);
    expect(here.cloud.asked()).toEqual(["listAll snapshot", "create snapshot disk-1"]);
  });

  test("createAll with an index returns the targets that it did not start", async () => {
    const here = stage({ concurrency: 1, seconds: 600 });
    here.cloud.createMs = 10_000;
    const targets = disks(3);
    expect(await take(here, targets, moment(20_000))).toEqual(targets.slice(2));
  });

  test("createAll fails each target of a kind that cannot be listed and creates the others", async () => {
    const here = stage({ concurrency: 4 });
    here.cloud.at("listAll", refusal("AccessDenied"));
    await take(here, [disk(1), disk(2, standard)]);
    expect(here.told().sort()).toEqual(["disk-1 failed: AccessDenied", "made-1 accepted"]);
  });

  test("createAll waits for the same run in this instance and then finds its snapshots", async () => {
    const here = stage({ seconds: 600 });
    here.cloud.createMs = 1_000;
    const twice = await Promise.all([take(here, disks(2), moment(600_000)), take(here, disks(2), moment(600_000))]);
    expect(twice).toEqual([[], []]);
    expect(here.told()).toEqual(["made-1 accepted", "made-2 accepted", "made-1 existing", "made-2 existing"]);
    expect(here.cloud.calls.at(-1)).toBe("7 s listAll snapshot");
  });

  test("createAll does not wait for another run, shard or project", async () => {
    const here = stage({ seconds: 600 });
    here.cloud.createMs = 1_000;
    await Promise.all([
      take(here, [disk(1)]),
      take(here, [disk(2), disk(1)], END, { ...RUN, idempotencyKey: deriveKey("other") }),
      take(here, [disk(3)]),
      take(here, [disk(1, standard)]),
      take(here, [disk(1)], END, { ...RUN, projectId: "project-2" }),
      take(here, []),
    ]);
    expect(creates(here).every((call) => call.startsWith("0 s"))).toBe(true);
    expect(creates(here)).toHaveLength(6);
  });

  test("createAll fails every target if the same run in this instance does not end in time", async () => {
    const here = stage({ seconds: 20 });
    here.cloud.createMs = 30_000;
    const first = take(here, disks(2));
    await take(here, disks(2));
    expect(here.told()).toEqual(["disk-1 failed: DeadlineExceeded", "disk-2 failed: DeadlineExceeded"]);
    expect(here.records[0]).toMatchObject({ action: "create", kind: "snapshot", policy: "nightly" });
    await first;
    expect(here.untidy()).toBe(0);
  });
});

describe("createAll with snapshots of a run that may be in progress in another instance", () => {
  const LONG = { seconds: 600, concurrency: 2 };
  const until = moment(500_000);
  const take = (here: DomainFixture, targets: readonly Target[]) =>
    createAll(targets, RUN, here.means, until, indexExistingSnapshots(RUN, here.means));

  test("createAll waits until the list shows no further snapshot of the run", async () => {
    const here = stage(LONG);
    here.cloud.add(snapshot, madeOf(disk(1), "a"));
    here.cloud.at("listAll", undefined, () =>
      here.cloud.add(snapshot, madeOf(disk(2), "b", { created: here.time.now() })),
    );
    await take(here, disks(4));
    expect(here.cloud.calls.slice(0, 3)).toEqual([
      "0 s listAll snapshot",
      "20 s listAll snapshot",
      "40 s listAll snapshot",
    ]);
    expect(creates(here)).toEqual(["40 s create snapshot disk-3", "40 s create snapshot disk-4"]);
    expect(here.told().sort()).toEqual(["a existing", "b existing", "made-1 accepted", "made-2 accepted"]);
  });

  test("createAll does not wait if the list shows no snapshot of the run or all of them", async () => {
    const none = stage(LONG);
    await take(none, disks(3));
    expect(none.time.seconds()).toBe(0);
    const all = stage(LONG);
    all.cloud.add(snapshot, ...disks(3).map((target, index) => madeOf(target, `s-${index}`)));
    await take(all, disks(3));
    expect(all.time.seconds()).toBe(0);
    expect(all.cloud.asked()).toEqual(["listAll snapshot"]);
  });

  test("createAll does not wait for snapshots of another run or of other resources", async () => {
    const clusters = [1, 2, 3].map((number) => targetFor(cluster, `cluster-${number}`));
    const others: [Kind, readonly Target[], FoundSnapshot][] = [
      [snapshot, disks(3), snapshotOf("a", "disk-1")],
      [snapshot, disks(3), madeOf(disk(9), "b")],
      [snapshot, disks(3), madeOf(disk(1), "c", { resource: undefined })],
      [cluster, clusters, snapshotOf("d", "cluster-1")],
      [cluster, clusters, snapshotOf("e", "cluster-1", { marker: undefined })],
      [cluster, clusters, madeOf(targetFor(cluster, "cluster-9"), "f")],
    ];
    for (const [kind, targets, other] of others) {
      const here = stage(LONG);
      here.cloud.add(kind, other);
      // Such a snapshot does not mean that the run has begun.
      expect(await hasBegun(targets, RUN, indexExistingSnapshots(RUN, here.means)), other.id).toBe(false);
      await take(here, targets);
      expect(here.time.seconds(), other.id).toBe(0);
    }
  });

  test("hasBegun returns true if a target has a snapshot of the run", async () => {
    const here = stage(LONG);
    here.cloud.add(snapshot, madeOf(disk(2), "a"));
    expect(await hasBegun(disks(1), RUN, indexExistingSnapshots(RUN, here.means))).toBe(false);
    expect(await hasBegun(disks(2), RUN, indexExistingSnapshots(RUN, here.means))).toBe(true);
  });

  test("createAll waits once for a shard that was started before if the list shows none of its snapshots", async () => {
    const here = stage({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    here.cloud.at("listAll", undefined, () => here.cloud.add(snapshot, madeOf(disk(1), "a"), madeOf(disk(2), "b")));
    await createAll(disks(2), run, here.means, until, indexExistingSnapshots(run, here.means));
    expect(here.cloud.calls).toEqual(["0 s listAll snapshot", "10 s listAll snapshot"]);
    expect(here.told().sort()).toEqual(["a existing", "b existing"]);

    const nobody = stage({ seconds: 600, concurrency: 4 });
    await createAll(disks(2), run, nobody.means, until, indexExistingSnapshots(run, nobody.means));
    expect(creates(nobody).map((call) => call.split(" ")[0])).toEqual(["10", "10"]);
  });

  test("createAll waits for a shard of one target until the list shows no further snapshot", async () => {
    const here = stage({ seconds: 600, concurrency: 4 });
    const run = { ...RUN, again: true };
    here.cloud.add(snapshot, madeOf(disk(1), "a"));
    await createAll(disks(3), run, here.means, until, indexExistingSnapshots(run, here.means));
    expect(here.time.seconds()).toBe(20);
  });

  test("createAll does not wait if all targets are started at the same time", async () => {
    const here = stage(LONG);
    here.cloud.add(snapshot, madeOf(disk(1), "a"));
    await take(here, disks(2));
    expect(here.time.seconds()).toBe(0);
  });

  test("createAll treats a kind that cannot be listed as having no snapshots of the run", async () => {
    const here = stage(LONG);
    here.cloud.always("listAll", refusal("AccessDenied"));
    await take(here, disks(3));
    expect(here.told()).toEqual([1, 2, 3].map((number) => `disk-${number} failed: AccessDenied`));
  });

  test("createAll waits at most 20 s after the newest snapshot of the run, and not at all if that was earlier", async () => {
    const since = async (...created: (number | undefined)[]) => {
      const here = stage(LONG);
      const made = created.map((ms, index) =>
        madeOf(disk(index + 1), `s-${index}`, { created: ms === undefined ? undefined : moment(-ms) }),
      );
      here.cloud.add(snapshot, ...made);
      await take(here, disks(4));
      const looks = here.cloud.asked().filter((call) => call.startsWith("listAll")).length;
      const begun = creates(here)[0]?.split(" ")[0];
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
    const here = stage({ seconds: 20, concurrency: 2 });
    here.cloud.add(snapshot, madeOf(disk(1), "a"));
    await take(here, disks(3));
    expect(here.told()).toEqual(["a existing", "made-1 accepted", "made-2 accepted"]);
    expect(here.time.seconds()).toBe(0);

    const longer = stage({ seconds: 20.001, concurrency: 2 });
    longer.cloud.add(snapshot, madeOf(disk(1), "a"));
    await take(longer, disks(3));
    expect(longer.cloud.asked().slice(0, 2)).toEqual(["listAll snapshot", "listAll snapshot"]);
  });

  test("createAll does not wait if this instance ended the same run recently", async () => {
    const here = stage(LONG);
    here.cloud.at("create", undefined, refusal("AccessDenied"));
    await take(here, disks(3));
    await take(here, disks(3));
    expect(here.told().slice(-3).sort()).toEqual(["made-1 existing", "made-2 existing", "made-3 accepted"]);
    expect(here.time.seconds()).toBe(0);
  });

  test("createAll creates another snapshot for one that is being deleted", async () => {
    const here = stage({ seconds: 600, concurrency: 4 });
    here.cloud.add(group, madeOf(targetFor(group, "server-1"), "a", DELETING));
    await take(here, [targetFor(group, "server-1")]);
    expect(here.told()).toEqual(["made-1 accepted"]);
  });
});
