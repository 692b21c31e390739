import { describe, expect, test } from "vitest";
import type { Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { hashRequest, snapshotName } from "../../../../shared/snapshots/marker.ts";
import {
  CREATING,
  cluster,
  createFixture,
  DELETING,
  FAILED,
  type JsonObject,
  START,
  snapshot,
  snapshotOf,
  UNKNOWN,
} from "../../../support/domain.ts";
import { ask, CREATE, ensured, KEY, LOOK, madeBy, moment, NAME, request } from "../../../support/requests.ts";

describe("createOnce without an existing snapshot", () => {
  test("createOnce lists the snapshots and creates one with the marker and a generated name", async () => {
    const { result, fixture, asked } = await ensured([]);
    expect(asked).toEqual([LOOK, CREATE]);
    expect(result).toEqual({
      outcome: "accepted",
      name: NAME,
      attempts: 1,
      snapshotId: "made-1",
      jobId: "job-made-1",
      status: 202,
      body: '{"id":"made-1"}',
    });
    expect(fixture.cloud.of(snapshot)[0]).toMatchObject({
      name: NAME,
      marker: { policy: "nightly", idempotencyKey: KEY, requestHash: hashRequest("snapshot", request().options) },
      raw: { volume_id: "disk-1", force: true },
    });
  });

  test("createOnce uses the name in the request", async () => {
    const { result } = await ensured([], request({ options: { volume_id: "disk-1", name: "before the migration" } }));
    expect(result.name).toBe("before the migration");
  });

  test("createOnce does not list the snapshots if the caller listed them in bulk", async () => {
    const fixture = createFixture();
    expect((await ask(fixture, request(), [])).outcome).toBe("accepted");
    expect(fixture.cloud.requests()).toEqual([CREATE]);
  });

  test("createOnce creates a snapshot although the disk has snapshots of others and copies of its own", async () => {
    const asked = request();
    const theirs = [
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      madeBy(asked, "c", { raw: { snapshot_type: "copy" } }),
    ];
    expect((await ensured(theirs, asked)).result).toMatchObject({ outcome: "accepted", name: NAME });
  });

  test("createOnce creates a snapshot although other resources have snapshots with the same key", async () => {
    const fixture = createFixture();
    const other = madeBy(request({ options: { volume_id: "disk-2" } }), "a");
    expect((await ask(fixture, request(), [other])).outcome).toBe("accepted");
  });
});

describe("createOnce with an existing snapshot", () => {
  test("createOnce returns the existing snapshot in the format of the API's create response and creates none", async () => {
    const asked = request();
    const { result, asked: calls } = await ensured([madeBy(asked, "a", { ...CREATING, raw: { id: "a" } })], asked);
    expect(calls).toEqual([LOOK]);
    expect(result).toEqual({
      outcome: "existing",
      snapshotId: "a",
      name: "nightly-a",
      status: 202,
      body: '{"snapshot":{"id":"a"}}',
      attempts: 0,
      state: "creating",
    });
  });

  test("createOnce returns an existing snapshot whose status is unknown or whose resource the list omits", async () => {
    const asked = request();
    for (const changes of [UNKNOWN, { resource: undefined }]) {
      expect((await ensured([madeBy(asked, "a", changes)], asked)).result).toMatchObject({ outcome: "existing" });
    }
  });

  test("createOnce returns the oldest of several existing snapshots, and the first by id if their times are equal", async () => {
    const asked = request();
    const younger = madeBy(asked, "a", { created: moment(1) });
    expect((await ensured([younger, madeBy(asked, "c"), madeBy(asked, "b")], asked)).result.snapshotId).toBe("b");
    expect((await ensured([madeBy(asked, "b"), madeBy(asked, "c"), younger], asked)).result.snapshotId).toBe("b");
    const timeless = madeBy(asked, "d", { created: undefined });
    expect((await ensured([madeBy(asked, "b"), timeless], asked)).result.snapshotId).toBe("d");
  });

  test("createOnce returns an available snapshot rather than an older one that is not available", async () => {
    const asked = request();
    for (const older of [CREATING, UNKNOWN]) {
      const found = [madeBy(asked, "a", older), madeBy(asked, "b", { created: moment(1) })];
      expect((await ensured(found, asked)).result).toMatchObject({ outcome: "existing", snapshotId: "b" });
    }
    const three = [
      madeBy(asked, "a", CREATING),
      madeBy(asked, "c", { created: moment(2) }),
      madeBy(asked, "b", { created: moment(1) }),
    ];
    expect((await ensured(three, asked)).result.snapshotId).toBe("b");
  });

  test("createOnce reports a conflict with an older snapshot of a different request instead of returning an available one", async () => {
    const asked = request();
    const other = request({ options: { volume_id: "disk-1", force: false } });
    const found = [madeBy(asked, "a", CREATING), madeBy(other, "b", { created: moment(1) })];
    expect((await ensured(found, asked)).result).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect((await ensured(found, other)).result).toMatchObject({ reason: "Conflict" });
  });

  test("createOnce matches a snapshot without a resource by the request hash in its marker", async () => {
    const asked = request();
    const other = request({ options: { volume_id: "disk-2", force: true } });
    const found = madeBy(asked, "a", { resource: undefined });
    expect((await ensured([found], other)).result).toMatchObject({ outcome: "accepted" });
    const changed = request({ options: { volume_id: "disk-1", force: false } });
    expect((await ensured([found], changed)).result).toMatchObject({ outcome: "accepted" });
    const cluster1 = request({ kind: cluster, options: { cluster_id: "cluster-1" } });
    const cluster2 = request({ kind: cluster, options: { cluster_id: "cluster-2" } });
    const ofCluster = madeBy(cluster1, "a", { resource: undefined });
    expect((await ensured([ofCluster], cluster1)).result).toMatchObject({ outcome: "existing" });
    expect((await ensured([ofCluster], cluster2)).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce creates another snapshot, with another name, if the existing one failed or is being deleted", async () => {
    const asked = request();
    const failed = await ensured([madeBy(asked, "a", FAILED), madeBy(asked, "b", DELETING)], asked);
    expect(failed.result).toMatchObject({
      outcome: "accepted",
      name: snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt: 2 }),
    });
    expect((await ensured([madeBy(asked, "b", DELETING)], asked)).result).toMatchObject({
      outcome: "accepted",
      name: NAME,
    });
  });

  test("createOnce reports a conflict if the key was used with other options", async () => {
    const other = madeBy(request({ options: { volume_id: "disk-1", force: false } }), "a");
    const { result, asked } = await ensured([other]);
    expect(result).toMatchObject({
      reason: "Conflict",
      message:
        "Another request with the same key created snapshot a. Repeat that request unchanged, or use a new key (Idempotency-Key, deployment_id).",
    });
    expect(asked).toEqual([LOOK]);
  });
});

describe("createOnce with generated names", () => {
  test("createOnce uses the name of a later attempt if the name of the attempt is taken", async () => {
    const nameOf = (attempt: number) =>
      snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt });
    const taken = [1, 2].map((attempt) =>
      snapshotOf(`s-${attempt}`, "disk-1", { name: nameOf(attempt).toUpperCase(), marker: undefined }),
    );
    expect((await ensured(taken)).result.name).toBe(nameOf(3));
    expect((await ensured(taken.slice(1))).result.name).toBe(nameOf(1));
  });
});

describe("createOnce with makeRoom", () => {
  test("createOnce makes room before the create, and lists the snapshots again if that took time", async () => {
    for (const [made, calls] of [
      [false, [LOOK, CREATE]],
      [true, [LOOK, LOOK, CREATE]],
    ] as const) {
      const fixture = createFixture();
      const asked: unknown[] = [];
      const makeRoom = async (kind: Kind, options: JsonObject) => {
        asked.push([kind.name, options]);
        return made;
      };
      expect(await ask(fixture, request({ makeRoom }))).toMatchObject({ outcome: "accepted" });
      expect(asked).toEqual([["snapshot", request().options]]);
      expect(fixture.cloud.requests()).toEqual(calls);
    }
  });

  test("createOnce makes no room for an existing snapshot, and returns a snapshot that was created meanwhile", async () => {
    const fixture = createFixture();
    const makeRoom = async () => {
      fixture.cloud.add(snapshot, madeBy(request(), "a"));
      return true;
    };
    const asked = request({ makeRoom });
    expect(await ask(fixture, asked)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(await ask(fixture, asked)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(fixture.cloud.of(snapshot)).toHaveLength(1);
  });
});
