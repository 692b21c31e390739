import { describe, expect, test } from "vitest";
import type { JsonObject } from "../../../../shared/core/json.ts";
import type { Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { hashRequest } from "../../../../shared/snapshots/marker.ts";
import {
  CREATE,
  callCreateOnce,
  createOnceWith,
  KEY,
  LIST,
  nameOfAttempt,
  requestOf,
  resultWith,
  snapshotCreatedBy,
} from "../../../support/create-once.ts";
import {
  cloudError,
  cluster,
  createFixture,
  STATUS,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";

describe("createOnce without an existing snapshot", () => {
  test("createOnce lists the disk's snapshots and, if none matches, creates one with a generated name and labels that identify the request", async () => {
    const { result, fixture, requests } = await createOnceWith([]);
    expect(requests).toEqual([LIST, CREATE]);
    expect(result).toEqual({
      outcome: "accepted",
      name: nameOfAttempt(1),
      attempts: 1,
      snapshotId: "made-1",
      jobId: "job-made-1",
      status: 202,
      body: '{"id":"made-1"}',
    });
    expect(fixture.cloud.snapshotsOf(snapshot)[0]).toMatchObject({
      name: nameOfAttempt(1),
      marker: { policy: "nightly", idempotencyKey: KEY, requestHash: hashRequest("snapshot", requestOf().options) },
      raw: { volume_id: "disk-1", force: true },
    });
  });

  test("createOnce gives the new snapshot the name that the request contains", async () => {
    const { name } = await resultWith([], requestOf({ options: { volume_id: "disk-1", name: "before migration" } }));
    expect(name).toBe("before migration");
  });

  test("createOnce sends no list request if the caller passes the snapshots that exist", async () => {
    const fixture = createFixture();
    expect((await callCreateOnce(fixture, requestOf(), { bulkListed: [] })).outcome).toBe("accepted");
    expect(fixture.cloud.requests()).toEqual([CREATE]);
  });

  test("createOnce creates a snapshot if the disk has only snapshots with different idempotency keys, snapshots without a marker, and copies", async () => {
    const request = requestOf();
    const theirs = [
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      snapshotCreatedBy(request, "c", { raw: { snapshot_type: "copy" } }),
    ];
    expect(await resultWith(theirs, request)).toMatchObject({
      outcome: "accepted",
      name: nameOfAttempt(1),
    });
  });

  test("createOnce creates a snapshot if only another disk has a snapshot with the requested idempotency key", async () => {
    const fixture = createFixture();
    const other = snapshotCreatedBy(requestOf({ options: { volume_id: "disk-2" } }), "a");
    expect((await callCreateOnce(fixture, requestOf(), { bulkListed: [other] })).outcome).toBe("accepted");
  });
});

describe("createOnce with an existing snapshot", () => {
  test("createOnce returns a matching snapshot in the format of the API's create response and sends no create request", async () => {
    const request = requestOf();
    const { result, requests } = await createOnceWith(
      [snapshotCreatedBy(request, "a", { ...STATUS.creating, raw: { id: "a" } })],
      request,
    );
    expect(requests).toEqual([LIST]);
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

  test("createOnce returns a matching snapshot even if its status is unknown or the list response omits its disk", async () => {
    const request = requestOf();
    for (const changes of [STATUS.unknown, { resource: undefined }]) {
      expect(await resultWith([snapshotCreatedBy(request, "a", changes)], request)).toMatchObject({
        outcome: "existing",
      });
    }
  });

  test("createOnce returns the oldest of several matching snapshots, and the lowest id if their creation times are equal", async () => {
    const request = requestOf();
    const younger = snapshotCreatedBy(request, "a", { created: startPlus(1) });
    const [b, c] = [snapshotCreatedBy(request, "b"), snapshotCreatedBy(request, "c")];
    expect((await resultWith([younger, c, b], request)).snapshotId).toBe("b");
    expect((await resultWith([b, c, younger], request)).snapshotId).toBe("b");
    const timeless = snapshotCreatedBy(request, "d", { created: undefined });
    expect((await resultWith([b, timeless], request)).snapshotId).toBe("d");
  });

  test("createOnce prefers an available snapshot to an older snapshot that is still creating or has an unknown status", async () => {
    const request = requestOf();
    for (const older of [STATUS.creating, STATUS.unknown]) {
      const found = [
        snapshotCreatedBy(request, "a", older),
        snapshotCreatedBy(request, "b", { created: startPlus(1) }),
      ];
      expect(await resultWith(found, request)).toMatchObject({ outcome: "existing", snapshotId: "b" });
    }
    const three = [
      snapshotCreatedBy(request, "a", STATUS.creating),
      snapshotCreatedBy(request, "c", { created: startPlus(2) }),
      snapshotCreatedBy(request, "b", { created: startPlus(1) }),
    ];
    expect((await resultWith(three, request)).snapshotId).toBe("b");
  });

  test("createOnce returns Conflict if the oldest snapshot with the requested key has different options, even if a younger snapshot matches", async () => {
    const request = requestOf();
    const other = requestOf({ options: { volume_id: "disk-1", force: false } });
    const found = [
      snapshotCreatedBy(request, "a", STATUS.creating),
      snapshotCreatedBy(other, "b", { created: startPlus(1) }),
    ];
    expect(await resultWith(found, request)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(await resultWith(found, other)).toMatchObject({ reason: "Conflict" });
  });

  test("createOnce matches a snapshot by the request hash in its marker if the list response omits the disk or cluster", async () => {
    const request = requestOf();
    const other = requestOf({ options: { volume_id: "disk-2", force: true } });
    const found = snapshotCreatedBy(request, "a", { resource: undefined });
    expect(await resultWith([found], other)).toMatchObject({ outcome: "accepted" });
    const changed = requestOf({ options: { volume_id: "disk-1", force: false } });
    expect(await resultWith([found], changed)).toMatchObject({ outcome: "accepted" });
    const cluster1 = requestOf({ kind: cluster, options: { cluster_id: "cluster-1" } });
    const cluster2 = requestOf({ kind: cluster, options: { cluster_id: "cluster-2" } });
    const ofCluster = snapshotCreatedBy(cluster1, "a", { resource: undefined });
    expect(await resultWith([ofCluster], cluster1)).toMatchObject({ outcome: "existing" });
    expect(await resultWith([ofCluster], cluster2)).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce uses the second generated name if a snapshot failed, but the first generated name if a snapshot is being deleted", async () => {
    const request = requestOf();
    const failed = snapshotCreatedBy(request, "a", STATUS.failed);
    const deleting = snapshotCreatedBy(request, "b", STATUS.deleting);
    const [second, first] = [nameOfAttempt(2), nameOfAttempt(1)];
    expect(await resultWith([failed, deleting], request)).toMatchObject({ outcome: "accepted", name: second });
    expect(await resultWith([deleting], request)).toMatchObject({ outcome: "accepted", name: first });
  });

  test("createOnce returns Conflict if a snapshot with the requested idempotency key was created with different options", async () => {
    const other = snapshotCreatedBy(requestOf({ options: { volume_id: "disk-1", force: false } }), "a");
    const { result, requests } = await createOnceWith([other]);
    expect(result).toMatchObject({
      reason: "Conflict",
      message:
        "Another request with the same key created snapshot a. Repeat that request unchanged, or use a new key (Idempotency-Key, deployment_id).",
    });
    expect(requests).toEqual([LIST]);
  });
});

describe("createOnce with generated names", () => {
  test("createOnce skips generated names that other snapshots of the disk already have", async () => {
    const taken = [1, 2].map((attempt) =>
      snapshotOf(`s-${attempt}`, "disk-1", { name: nameOfAttempt(attempt).toUpperCase(), marker: undefined }),
    );
    expect((await resultWith(taken)).name).toBe(nameOfAttempt(3));
    expect((await resultWith(taken.slice(1))).name).toBe(nameOfAttempt(1));
  });
});

describe("createOnce with makeRoom", () => {
  const QUOTA = cloudError("QuotaExceeded", { status: 413 });
  const neverCalled = async () => {
    throw new Error("makeRoom was called");
  };

  test("createOnce does not call makeRoom if the create request succeeds", async () => {
    const fixture = createFixture();
    expect(await callCreateOnce(fixture, requestOf({ makeRoom: neverCalled }))).toMatchObject({ outcome: "accepted" });
    expect(fixture.cloud.requests()).toEqual([LIST, CREATE]);
  });

  test.each(["Unsupported", "InvalidRequest", "NotFound", "AccessDenied", "Conflict"] as const)(
    "createOnce does not call makeRoom if the create request is rejected with %s",
    async (reason) => {
      const fixture = createFixture({ creates: [cloudError(reason)] });
      const error = await callCreateOnce(fixture, requestOf({ makeRoom: neverCalled })).catch((thrown) => thrown);
      expect(error).toMatchObject({ reason });
    },
  );

  test("createOnce calls makeRoom after the create request was rejected with QuotaExceeded, and repeats the create request if makeRoom returns true", async () => {
    const fixture = createFixture({ creates: [QUOTA] });
    const calls: unknown[] = [];
    const makeRoom = async (kind: Kind, options: JsonObject) => {
      calls.push([kind.name, options]);
      return true;
    };
    expect(await callCreateOnce(fixture, requestOf({ makeRoom }))).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(calls).toEqual([["snapshot", requestOf().options]]);
    expect(fixture.cloud.requests()).toEqual([LIST, CREATE, LIST, LIST, CREATE]);
  });

  test("createOnce throws QuotaExceeded and sends no further create request if makeRoom returns false", async () => {
    const fixture = createFixture({ creates: [QUOTA] });
    const error = await callCreateOnce(fixture, requestOf({ makeRoom: async () => false })).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "QuotaExceeded", attempts: 1 });
    expect(fixture.cloud.requests()).toEqual([LIST, CREATE, LIST]);
  });

  test("createOnce throws the error of makeRoom", async () => {
    const fixture = createFixture({ creates: [QUOTA] });
    const makeRoom = async () => {
      throw cloudError("DeadlineExceeded");
    };
    const error = await callCreateOnce(fixture, requestOf({ makeRoom })).catch((thrown) => thrown);
    expect(error).toMatchObject({ reason: "DeadlineExceeded" });
  });

  test("createOnce does not call makeRoom if the snapshot of another delivery is the cause of the exhausted quota", async () => {
    const fixture = createFixture({ creates: [QUOTA] });
    void fixture.time.sleep(1_000).then(() => fixture.cloud.add(snapshot, snapshotCreatedBy(requestOf(), "a")));
    const created = await callCreateOnce(fixture, requestOf({ makeRoom: neverCalled }));
    expect(created).toMatchObject({ outcome: "existing", snapshotId: "a" });
  });

  test("createOnce returns a snapshot that another delivery creates during makeRoom, and sends no further create request", async () => {
    const fixture = createFixture({ creates: [QUOTA] });
    const makeRoom = async () => {
      fixture.cloud.add(snapshot, snapshotCreatedBy(requestOf(), "a"));
      return true;
    };
    const request = requestOf({ makeRoom });
    expect(await callCreateOnce(fixture, request)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(await callCreateOnce(fixture, request)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(1);
  });
});
