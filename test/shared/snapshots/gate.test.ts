import { describe, expect, test } from "vitest";
import { type GateOptions, passGate } from "../../../shared/snapshots/gate.ts";
import { after } from "../../../shared/snapshots/instant.ts";
import type { FoundSnapshot, Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { contentOf, keyOf, markerLabels } from "../../../shared/snapshots/marker.ts";
import { type Target, targetFor } from "../../../shared/snapshots/policy.ts";
import type { SnapshotError } from "../../../shared/snapshots/reasons.ts";
import type { Run } from "../../../shared/snapshots/take.ts";
import {
  CREATING,
  cluster,
  DELETING,
  FAILED,
  group,
  HOUR_MS,
  refusal,
  START,
  type Stage,
  snapshot,
  snapshotOf,
  stage,
  UNKNOWN,
} from "./domain.ts";

const KEY = keyOf("gate", "release-7");
const RUN: Run & { deploymentId: string } = {
  key: KEY,
  policy: "pre-deploy",
  label: "d-release-7",
  projectId: "project-1",
  deploymentId: "release-7",
};
const DISK_1 = targetFor(snapshot, "disk-1");
const DISK_2 = targetFor(snapshot, "disk-2");
const moment = (milliseconds: number) => after(START, milliseconds);

function madeOf({ kind, resource, options }: Target, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot {
  const marker = { policy: "pre-deploy", key: KEY, content: contentOf(kind.kind, options) };
  return snapshotOf(id, resource, { name: id, marker, labels: markerLabels(marker), ...changes });
}

/** A call of the gate; how far each target is, as `id outcome`. */
async function call(here: Stage, targets: Target[] = [DISK_1], options: Partial<GateOptions> = {}, run = RUN) {
  const settings = {
    retryFailed: false,
    maxAgeMs: 24 * HOUR_MS,
    waitUntil: START,
    beginUntil: moment(48_000),
    ...options,
  };
  const progress = await passGate(targets, run, here.means, settings).catch((error: SnapshotError) => error);
  const list = Array.isArray(progress) ? progress : [];
  const short = list.map(({ target, outcome, snapshot_id }) => `${snapshot_id ?? target.resource} ${outcome}`);
  return { progress: list, short, error: Array.isArray(progress) ? undefined : progress };
}

/** One call where these are. */
async function gate(found: FoundSnapshot[], targets?: Target[], options?: Partial<GateOptions>, kind: Kind = snapshot) {
  const here = stage();
  here.cloud.add(kind, ...found);
  return { ...(await call(here, targets, options)), here, asked: here.cloud.asked() };
}

const becomes = (here: Stage, seconds: number, changes: Partial<FoundSnapshot>) =>
  here.cloud.always("listAll", () => {
    if (here.time.seconds() < seconds) return;
    here.cloud.snapshots.set(
      "snapshot",
      here.cloud.of(snapshot).map((one) => ({ ...one, ...changes })),
    );
  });
const AVAILABLE: Partial<FoundSnapshot> = { status: "available", state: "available" };

describe("a deployment", () => {
  test("starts a snapshot of every target, each with its record", async () => {
    const { short, asked, here } = await gate([], [DISK_1, DISK_2]);
    expect(short).toEqual(["made-1 accepted", "made-2 accepted"]);
    expect(asked).toEqual(["listAll snapshot", "create snapshot disk-1", "create snapshot disk-2"]);
    expect(here.records).toEqual(
      ["1", "2"].map((number) => ({
        action: "create",
        kind: "snapshot",
        resource_id: `disk-${number}`,
        policy: "pre-deploy",
        deployment_id: "release-7",
        outcome: "accepted",
        name: expect.stringMatching(/^d-release-7-[0-9a-f]{8}$/),
        snapshot_id: `made-${number}`,
        job_id: `job-made-${number}`,
        attempts: 1,
      })),
    );
    expect(here.untidy()).toBe(0);
  });

  test("starts nothing twice, and tells how far it is", async () => {
    const { short, asked, progress } = await gate(
      [madeOf(DISK_1, "a", CREATING), madeOf(DISK_2, "b")],
      [DISK_1, DISK_2],
    );
    expect(short).toEqual(["a existing", "b available"]);
    expect(progress[1]).toMatchObject({ target: DISK_2, name: "b", snapshot_id: "b", attempts: 0 });
    expect(progress[1]?.error).toBeUndefined();
    expect(asked).toEqual(["listAll snapshot"]);
  });

  test("takes as many at a time as allowed", async () => {
    const here = stage({ concurrency: 2 });
    here.cloud.createMs = 1_000;
    await call(here, [DISK_1, DISK_2, targetFor(snapshot, "disk-3")]);
    const creates = here.cloud.calls.filter((one) => one.includes("create"));
    expect(creates.map((one) => one.split(" ")[0])).toEqual(["0", "0", "1"]);
  });

  test("begins another one of what is being deleted", async () => {
    expect((await gate([madeOf(DISK_1, "a", DELETING)])).short).toEqual(["made-1 accepted"]);
  });

  test("waits for what is in a status that is not known", async () => {
    const { progress } = await gate([madeOf(DISK_1, "a", UNKNOWN)]);
    expect(progress).toMatchObject([
      { outcome: "unverified", snapshot_id: "a", detail: "It exists, in a status that is not known." },
    ]);
    const here = stage();
    here.cloud.add(snapshot, madeOf(DISK_1, "a", UNKNOWN));
    becomes(here, 3, AVAILABLE);
    expect((await call(here, [DISK_1], { waitUntil: moment(40_000) })).short).toEqual(["a available"]);
  });
});

describe("what there is of it", () => {
  const other = (kind: Kind, resource: string, changes: Partial<FoundSnapshot>) =>
    gate([madeOf(targetFor(kind, resource), "a", changes)], [targetFor(kind, resource)], {}, kind);

  test("is of this deployment and this resource, and made by us", async () => {
    for (const changes of [
      { marker: snapshotOf("x", "").marker },
      { marker: undefined },
      { raw: { snapshot_type: "copy" } },
    ]) {
      // What failed would be told, were it of this deployment.
      for (const [kind, resource] of [
        [snapshot, "disk-1"],
        [cluster, "cluster-1"],
      ] as const) {
        const { short } = await other(kind, resource, { ...FAILED, ...changes });
        expect(short, JSON.stringify(changes)).toEqual(["made-1 accepted"]);
      }
    }
    const clusters = ["cluster-1", "cluster-2"].map((resource) => targetFor(cluster, resource));
    const failed = madeOf(clusters[1] as Target, "a", FAILED);
    expect((await gate([failed], clusters, {}, cluster)).short).toEqual(["made-1 accepted", "a failed"]);
    expect((await gate([madeOf(DISK_2, "a")])).short).toEqual(["made-1 accepted"]);
  });

  test("is also a group of which the list does not say what it is of; not a cluster's", async () => {
    const disks: Target = { kind: group, resource: "a,b", options: { volume_ids: ["a", "b"] } };
    expect((await gate([madeOf(disks, "g", { resource: undefined })], [disks], {}, group)).short).toEqual([
      "g available",
    ]);
    const nobody = await other(cluster, "cluster-1", { resource: undefined, state: "failed", status: "UNAVAILABLE" });
    expect(nobody.short).toEqual(["made-1 accepted"]);
  });
});

describe("what failed", () => {
  test("is told, with what to do, and not begun again by itself", async () => {
    const { progress, asked, here } = await gate([madeOf(DISK_1, "a", FAILED)]);
    expect(progress).toMatchObject([
      {
        outcome: "failed",
        name: "a",
        snapshot_id: "a",
        error: {
          reason: "SnapshotFailed",
          message:
            'Expected the snapshot a to become available; it ended in the status "error". Look at disk-1, then repeat the call with "retry_failed": true.',
        },
      },
    ]);
    expect(asked).toEqual(["listAll snapshot"]);
    expect(here.told()).toEqual(["a failed: SnapshotFailed"]);
  });

  test("is begun again where the call says so, and does not matter where another one stands", async () => {
    const failed = madeOf(DISK_1, "a", FAILED);
    expect((await gate([failed], [DISK_1], { retryFailed: true })).short).toEqual(["made-1 accepted"]);
    expect((await gate([failed, madeOf(DISK_1, "b", CREATING)])).short).toEqual(["b existing"]);
    expect((await gate([failed, madeOf(DISK_1, "b", DELETING)])).short).toEqual(["a failed"]);
  });

  test("to be begun says why; the others are begun", async () => {
    const here = stage();
    const error = refusal("NotFound", { status: 404 });
    here.cloud.at("create", error);
    const { progress } = await call(here, [DISK_1, DISK_2]);
    expect(progress).toMatchObject([
      { target: DISK_1, outcome: "failed", attempts: 1, error },
      { target: DISK_2, outcome: "accepted" },
    ]);
  });

  test("to be begun as the account is busy or the time is up is left to the next call", async () => {
    const throttled = stage();
    throttled.cloud.always("create", refusal("Throttled", { retryAfterMs: 60_000 }));
    expect((await call(throttled)).progress).toMatchObject([{ outcome: "deferred", error: { reason: "Throttled" } }]);
    const late = stage();
    late.cloud.always("create", refusal("DeadlineExceeded"));
    expect((await call(late)).short).toEqual(["disk-1 deferred"]);
    const busy = stage({ seconds: 5 });
    busy.cloud.always("create", refusal("Busy"));
    expect((await call(busy)).short).toEqual(["disk-1 failed"]);
  });
});

describe("the time of a call", () => {
  test("that is up leaves what was not begun to the next one; what is there is told", async () => {
    const here = stage({ concurrency: 1 });
    here.cloud.createMs = 10_000;
    here.cloud.add(snapshot, madeOf(DISK_2, "b", { created: START }));
    const { progress } = await call(here, [DISK_1, DISK_2, targetFor(snapshot, "disk-3")], {
      beginUntil: moment(10_000),
    });
    expect(progress.map(({ outcome, detail }) => [outcome, detail])).toEqual([
      ["accepted", undefined],
      ["deferred", "Not begun yet, as the time of this call ran out: repeat it."],
      ["deferred", "Not begun yet, as the time of this call ran out: repeat it."],
    ]);
    expect(here.cloud.asked().filter((one) => one.startsWith("create"))).toHaveLength(1);
  });

  test("that is up does not hide what failed", async () => {
    const { short } = await gate([madeOf(DISK_1, "a", FAILED)], [DISK_1, DISK_2], { beginUntil: START });
    expect(short).toEqual(["a failed", "disk-2 deferred"]);
  });
});

describe("a call that waits", () => {
  test("looks every 2 s, until all are available", async () => {
    const here = stage();
    becomes(here, 5, AVAILABLE);
    const { short } = await call(here, [DISK_1, DISK_2], { waitUntil: moment(40_000) });
    expect(short).toEqual(["made-1 available", "made-2 available"]);
    expect(here.cloud.calls.filter((one) => one.includes("list"))).toEqual(
      [0, 2, 4, 6].map((seconds) => `${seconds} s listAll snapshot`),
    );
    expect(here.told()).toEqual(["made-1 available", "made-2 available"]);
    expect(here.records[0]).toMatchObject({ job_id: "job-made-1", attempts: 1 });
  });

  test("ends when one fails, as all are settled, and says so", async () => {
    const here = stage();
    becomes(here, 1, FAILED);
    const { progress } = await call(here, [DISK_1], { waitUntil: moment(40_000) });
    expect(progress).toMatchObject([{ outcome: "failed", snapshot_id: "made-1", error: { reason: "SnapshotFailed" } }]);
    expect(here.time.seconds()).toBe(2);
  });

  test("ends when its time is up, and tells how far it is", async () => {
    const here = stage();
    const { short } = await call(here, [DISK_1], { waitUntil: moment(3_000) });
    expect(short).toEqual(["made-1 accepted"]);
    expect(here.time.slept).toEqual([2_000, 1_000]);
    expect(here.cloud.calls.at(-1)).toBe("3 s listAll snapshot");
  });

  test("does not wait for what was there at its first look", async () => {
    const here = stage();
    here.cloud.add(snapshot, madeOf(DISK_1, "a"));
    await call(here, [DISK_1], { waitUntil: moment(40_000) });
    expect(here.time.seconds()).toBe(0);
    expect(here.cloud.asked()).toEqual(["listAll snapshot"]);
  });

  test("does not look for what failed to be begun, nor wait for it", async () => {
    const here = stage();
    here.cloud.at("create", refusal("NotFound"));
    await call(here, [DISK_1], { waitUntil: moment(40_000) });
    expect(here.time.seconds()).toBe(0);
  });

  test("tells that a state could not be read, and waits on", async () => {
    const here = stage();
    here.cloud.at("listAll", undefined, refusal("AccessDenied"), refusal("AccessDenied"));
    const { progress } = await call(here, [DISK_1], { waitUntil: moment(4_000) });
    expect(progress).toMatchObject([
      {
        outcome: "accepted",
        snapshot_id: "made-1",
        detail: "Its state could not be read: The cloud says AccessDenied.",
      },
    ]);

    const better = stage();
    better.cloud.at("listAll", undefined, refusal("AccessDenied"));
    becomes(better, 3, AVAILABLE);
    expect((await call(better, [DISK_1], { waitUntil: moment(40_000) })).short).toEqual(["made-1 available"]);
  });

  test("waits while one of several is under way, whichever call began it, and looks at no other", async () => {
    const here = stage();
    here.cloud.add(snapshot, madeOf(DISK_1, "a"), madeOf(DISK_2, "b", CREATING));
    here.cloud.at("listAll", undefined, refusal("AccessDenied"));
    becomes(here, 3, AVAILABLE);
    const { progress } = await call(here, [DISK_1, DISK_2], { waitUntil: moment(40_000) });
    expect(progress.map(({ outcome }) => outcome)).toEqual(["available", "available"]);
    expect(progress[0]?.detail).toBeUndefined();
    expect(here.time.seconds()).toBe(4);
  });

  test("waits for what no list shows yet", async () => {
    const here = stage();
    here.cloud.lateMs = 5_000;
    becomes(here, 5, AVAILABLE);
    expect((await call(here, [DISK_1], { waitUntil: moment(40_000) })).short).toEqual(["made-1 available"]);
    expect(here.time.seconds()).toBe(6);
  });

  test("a call that waits takes the available one of two that stand under the key", async () => {
    const here = stage();
    here.cloud.add(snapshot, madeOf(DISK_1, "b", { created: moment(1) }), madeOf(DISK_1, "a", CREATING));
    expect((await call(here)).short).toEqual(["b available"]);
  });
});

describe("a deployment_id", () => {
  const old = (changes: Partial<FoundSnapshot> = {}) =>
    madeOf(DISK_1, "a", { created: moment(-HOUR_MS - 1), ...changes });

  test("of a run long ago is refused, and nothing is made; each target has its record", async () => {
    const { error, asked, here } = await gate([old()], [DISK_1, DISK_2], { maxAgeMs: HOUR_MS });
    expect(error).toMatchObject({
      reason: "Conflict",
      message:
        'deployment_id: expected the id of a deployment that is under way, got "release-7", whose snapshot a is older than max_age_minutes. Use a new deployment_id, or raise max_age_minutes where this is still that deployment.',
    });
    expect(asked).toEqual(["listAll snapshot"]);
    expect(here.time.seconds()).toBe(0);
  });

  test("is not too old to the very age, nor by what failed, nor by what does not say its time", async () => {
    for (const changes of [{ created: moment(-HOUR_MS) }, { created: undefined }]) {
      expect((await gate([old(changes)], [DISK_1], { maxAgeMs: HOUR_MS })).short).toEqual(["a available"]);
    }
    const again = await gate([old(FAILED)], [DISK_1], { maxAgeMs: HOUR_MS, retryFailed: true });
    expect(again.short).toEqual(["made-1 accepted"]);
  });
});

describe("two calls at once in one instance", () => {
  test("go one after the other; the second finds what the first began", async () => {
    const here = stage();
    here.cloud.createMs = 1_000;
    const [first, second] = await Promise.all([call(here), call(here)]);
    expect([first.short, second.short]).toEqual([["made-1 accepted"], ["made-1 existing"]]);
    expect(here.cloud.calls.at(-1)).toBe("7 s listAll snapshot");
  });

  test("of two deployments or two projects do not wait for each other", async () => {
    const here = stage();
    here.cloud.createMs = 1_000;
    await Promise.all([
      call(here),
      call(here, [DISK_1], {}, { ...RUN, key: keyOf("gate", "release-8") }),
      call(here, [DISK_1], {}, { ...RUN, projectId: "project-2" }),
    ]);
    const creates = here.cloud.calls.filter((one) => one.includes("create"));
    expect(creates.map((one) => one.split(" ")[0])).toEqual(["0", "0", "0"]);
  });
});
