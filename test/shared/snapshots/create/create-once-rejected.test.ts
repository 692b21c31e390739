import { describe, expect, test } from "vitest";
import { type Reason, type SnapshotError, withAttempts } from "../../../../shared/core/errors.ts";
import type { SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { CREATE, callCreateOnce, LIST, requestOf } from "../../../support/create-once.ts";
import {
  cloudError,
  cluster,
  createFixture,
  group,
  type PlannedEvent,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";

/** Calls `createOnce`. The first create request ends as planned, and list responses show new snapshots after 5 s. */
async function createAfter(event: PlannedEvent, request = requestOf(), { seconds = 60, maxWaitMs = 1_000 } = {}) {
  const fixture = createFixture({ seconds, listDelayMs: 5_000, creates: [event] });
  const retryBudget = { ...fixture.runContext.retryBudget, maxWait: startPlus(maxWaitMs) };
  const result = await callCreateOnce(fixture, request, { retryBudget });
  return { result, fixture, seconds: fixture.time.seconds(), calls: fixture.cloud.calls };
}
/** Another delivery of the request creates the snapshot, and EVS or DWS therefore rejects the create request. */
const createdByAnother = (reason: Reason, status = 400) => ({ afterwards: cloudError(reason, { status }) });
const clusterRequest = requestOf({ kind: cluster, options: { cluster_id: "cluster-1", name: "release" } });

describe("createOnce after a rejection that the snapshot of another delivery can cause", () => {
  test.each(["Busy", "Conflict", "QuotaExceeded"] as const)(
    "createOnce returns the snapshot of another delivery as existing if %s is final and the snapshot is listed 5 s later",
    async (reason) => {
      const { result, fixture, calls } = await createAfter(createdByAnother(reason));
      expect(result).toMatchObject({ outcome: "existing", snapshotId: "made-1", status: 202 });
      expect(calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `6 s ${LIST}`]);
      expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(1);
    },
  );

  test.each(["Busy", "Conflict", "QuotaExceeded"] as const)(
    "createOnce throws %s 6 s after the rejection if no other delivery created the snapshot",
    async (reason) => {
      const { result, calls } = await createAfter(cloudError(reason));
      expect(result).toMatchObject({ reason, attempts: 1 });
      expect(calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `6 s ${LIST}`]);
    },
  );

  test.each(["AccessDenied", "NotFound", "Unsupported", "InvalidRequest", "AccountSuspended", "Throttled"] as const)(
    "createOnce throws %s for a disk snapshot at once, because no other delivery can cause it",
    async (reason) => {
      const { result, calls } = await createAfter(cloudError(reason, { retryAfterMs: 2_000 }));
      expect(result).toMatchObject({ reason, attempts: 1 });
      expect(calls.filter((call) => !call.startsWith("0 s"))).toEqual([]);
    },
  );

  test("createOnce waits 6 s from the rejection, and not from the start, if EVS rejects the create request after 10 s", async () => {
    const fixture = createFixture({ listDelayMs: 5_000 });
    fixture.cloud.onNextCalls("create", async () => {
      await fixture.time.sleep(10_000);
      throw cloudError("Conflict");
    });
    const calling = callCreateOnce(fixture);
    await fixture.time.sleep(9_000);
    const otherProcess = { ...fixture, runContext: { ...fixture.runContext, inFlight: new Map() } };
    expect(await callCreateOnce(otherProcess)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(await calling).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.calls.at(-1)).toBe(`16 s ${LIST}`);
  });

  test("createOnce lists the snapshots 1 s before its deadline if the deadline is less than 7 s after the rejection", async () => {
    const { result, calls } = await createAfter(createdByAnother("QuotaExceeded"), requestOf(), { seconds: 6.5 });
    expect(result).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(calls.at(-1)).toBe(`5.5 s ${LIST}`);
    const late = await createAfter(createdByAnother("QuotaExceeded"), requestOf(), { seconds: 0.5 });
    expect(late.result).toMatchObject({ reason: "QuotaExceeded" });
    expect(late.calls.at(-1)).toBe(`0 s ${LIST}`);
  });

  test("createOnce throws the rejection if the list request after the rejection fails", async () => {
    const fixture = createFixture({ creates: [cloudError("Conflict", { status: 409 })] });
    fixture.cloud.onNextCalls("listFor", undefined, cloudError("AccessDenied"));
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "Conflict", status: 409, attempts: 1 });
  });

  test("createOnce does not wait after a Busy error if no create request was sent", async () => {
    const { result, seconds } = await createAfter(cloudError("Busy", { requestSent: false }), requestOf(), {
      maxWaitMs: 0,
    });
    expect(result).toMatchObject({ reason: "Busy", attempts: 0 });
    expect(seconds).toBe(0);
  });
});

describe("createOnce after the create request of a cluster snapshot failed", () => {
  const LIST_CLUSTER = "listFor cluster-snapshot cluster-1";

  test.each(["InvalidRequest", "Conflict"] as const)(
    "if DWS rejects the name with %s and lists a cluster snapshot of another delivery 5 s later, createOnce returns this snapshot",
    async (reason) => {
      const { result, calls } = await createAfter(createdByAnother(reason), clusterRequest);
      expect(result).toMatchObject({ outcome: "existing", snapshotId: "made-1", status: 200, attempts: 0 });
      expect(calls).toEqual([
        `0 s ${LIST_CLUSTER}`,
        "0 s create cluster-snapshot cluster-1",
        `0 s ${LIST_CLUSTER}`,
        `6 s ${LIST_CLUSTER}`,
      ]);
    },
  );

  test.each(["InvalidRequest", "CloudError"] as const)(
    "if DWS lists a cluster snapshot of another delivery immediately after %s, createOnce returns this snapshot at once",
    async (reason) => {
      const fixture = createFixture({ creates: [createdByAnother(reason)] });
      expect(await callCreateOnce(fixture, clusterRequest)).toMatchObject({ outcome: "existing" });
      expect(fixture.time.seconds()).toBe(0);
      expect(fixture.cloud.requests()).toHaveLength(3);
    },
  );

  test("createOnce lists the cluster snapshots once after a final Throttled error, and then throws the error without waiting", async () => {
    const throttled = cloudError("Throttled", { status: 429, retryAfterMs: 2_000 });
    const { result, seconds, calls } = await createAfter(throttled, clusterRequest);
    expect(result).toMatchObject({ reason: "Throttled" });
    expect([seconds, calls.length]).toEqual([0, 3]);
  });

  test("createOnce sends no list request after a failed create request to which DWS did not respond", async () => {
    const { result, calls } = await createAfter(cloudError("AccessDenied"), clusterRequest);
    expect(result).toMatchObject({ reason: "AccessDenied" });
    expect(calls).toHaveLength(2);
  });

  test("createOnce throws InvalidRequest 6 s after the rejection if no cluster snapshot of the request appears", async () => {
    const { result, seconds } = await createAfter(cloudError("InvalidRequest", { status: 400 }), clusterRequest);
    expect(result).toMatchObject({ reason: "InvalidRequest", attempts: 1 });
    expect(seconds).toBe(6);
  });
});

describe("createOnce after EVS rejected a snapshot of a disk with many snapshots", () => {
  const rejected = cloudError("InvalidRequest", {
    code: "EVS.5400",
    cloudMessage: "Too many. Delete one.",
    status: 400,
    requestId: "r-1",
  });
  const others = (count: number) => Array.from({ length: count }, (_, index) => snapshotOf(`s-${index}`, "disk-1"));
  const reject = async (found: FoundSnapshot[], request: SnapshotRequest = requestOf(), error = rejected) => {
    const fixture = createFixture({ listDelayMs: 5_000, creates: [error] });
    fixture.cloud.add(request.kind, ...found);
    return { result: await callCreateOnce(fixture, request), fixture, seconds: fixture.time.seconds() };
  };

  test("createOnce reports QuotaExceeded instead of InvalidRequest if the disk already has 7 snapshots, the maximum of EVS", async () => {
    expect((await reject(others(7))).result).toMatchObject({
      reason: "QuotaExceeded",
      code: "EVS.5400",
      cloudMessage: "Too many. Delete one.",
      status: 400,
      requestId: "r-1",
      attempts: 1,
      message: expect.stringMatching(
        /^Expected fewer than 7 snapshots of disk-1, got 7\. EVS rejected the request: 400 EVS\.5400: Too many\. Delete one\. The maximum number of snapshots/,
      ),
    });
    const unreadable = await reject(others(7), requestOf(), cloudError("InvalidRequest", { status: 400 }));
    expect(unreadable.result.message).toContain("rejected the request: 400 without a code: no readable message. The");
  });

  test("createOnce throws InvalidRequest at once if the disk has 5 snapshots, and after 6 s if the disk has 6 snapshots", async () => {
    const [five, six] = [await reject(others(5)), await reject(others(6))];
    expect([five.result, six.result]).toEqual([withAttempts(rejected, 1), withAttempts(rejected, 1)]);
    expect([five.seconds, six.seconds]).toEqual([0, 6]);
  });

  test("createOnce does not count snapshots of backups against the maximum of 7 snapshots", async () => {
    const backups = [
      snapshotOf("b-1", "disk-1", { name: "autobk_snapshot_vbs_1" }),
      snapshotOf("b-2", "disk-1", { name: "ManualBK_Snapshot_vbs_2" }),
      snapshotOf("b-3", "disk-1", { labels: { __system__enableActive: "true" } }),
    ];
    const full = await reject([...others(7), ...backups]);
    expect(full.result).toMatchObject({ reason: "QuotaExceeded" });
    expect(full.result.message).toContain("Expected fewer than 7 snapshots of disk-1, got 7.");
    expect((await reject([...others(5), ...backups])).result).toEqual(withAttempts(rejected, 1));
  });

  test("createOnce returns the 7th snapshot of the disk if another delivery created it and EVS lists it 5 s later", async () => {
    const fixture = createFixture({ listDelayMs: 5_000, creates: [{ afterwards: rejected }] });
    fixture.cloud.add(snapshot, ...others(6));
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(7);
  });

  test("createOnce does not count the snapshots after NotFound, or for a snapshot group, which has no maximum", async () => {
    const notFound: SnapshotError = cloudError("NotFound");
    const missing = await reject(others(7), requestOf(), notFound);
    expect(missing.result).toEqual(withAttempts(notFound, 1));
    const server = await reject(others(7), requestOf({ kind: group, options: { server_id: "disk-1" } }));
    expect(server.result).toEqual(withAttempts(rejected, 1));
    for (const { fixture } of [missing, server]) expect(fixture.cloud.requests()).toHaveLength(2);
  });

  test("createOnce throws InvalidRequest if the snapshots of the disk cannot be counted", async () => {
    for (const planned of [[undefined], [undefined, undefined, undefined]]) {
      const fixture = createFixture({ creates: [rejected] });
      fixture.cloud.add(snapshot, ...others(7));
      fixture.cloud.onNextCalls("listFor", ...planned);
      fixture.cloud.onEveryCall("listFor", cloudError("AccessDenied"));
      expect(await callCreateOnce(fixture)).toEqual(withAttempts(rejected, 1));
    }
  });

  test("createOnce counts the snapshots of the disk again after a transient error", async () => {
    const fixture = createFixture({ creates: [rejected] });
    fixture.cloud.add(snapshot, ...others(7));
    fixture.cloud.onNextCalls("listFor", undefined, cloudError("CloudError"));
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "QuotaExceeded" });
  });
});
