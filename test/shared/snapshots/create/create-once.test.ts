import { describe, expect, test } from "vitest";
import { REASONS, type SnapshotError, withAttempts } from "../../../../shared/core/errors.ts";
import { after, instant } from "../../../../shared/core/instant.ts";
import { createOnce } from "../../../../shared/snapshots/create/create-once.ts";
import type { CreateResult, SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels, snapshotName } from "../../../../shared/snapshots/marker.ts";
import {
  CREATING,
  cloudError,
  cluster,
  createFixture,
  DELETING,
  type DomainFixture,
  FAILED,
  group,
  type JsonObject,
  lostResponse,
  START,
  snapshot,
  snapshotOf,
  UNKNOWN,
} from "../../../support/domain.ts";

const KEY = deriveKey("timer", "nightly", "2026-11-21T02:00:00Z");

const moment = (milliseconds: number) => after(START, milliseconds);

const request = (changes: Partial<SnapshotRequest> = {}): SnapshotRequest => ({
  kind: snapshot,
  options: { volume_id: "disk-1", force: true },
  idempotencyKey: KEY,
  projectId: "project-1",
  policy: "nightly",
  label: "nightly",
  time: START,
  ...changes,
});

/** Returns a snapshot that the request created, with changes. */
function madeBy(asked: SnapshotRequest, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot {
  const { kind, options, idempotencyKey, policy } = asked;
  const marker = { policy, idempotencyKey, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, kind.resourceOf(options), { marker, labels: markerLabels(marker), ...changes });
}

/** Calls createOnce and returns the result or the error. */
const ask = (
  { cloud, runContext }: DomainFixture,
  asked = request(),
  known?: FoundSnapshot[],
): Promise<CreateResult & SnapshotError> =>
  createOnce(asked, cloud.service(asked.kind), runContext.retryBudget, runContext.inFlight, known).catch(
    (error) => error,
  ) as never;

/** Calls createOnce in a cloud with the given snapshots. */
async function ensured(found: FoundSnapshot[], asked = request(), seconds = 60) {
  const fixture = createFixture({ seconds });
  fixture.cloud.add(asked.kind, ...found);
  const result = await ask(fixture, asked);
  return { result, fixture, asked: fixture.cloud.requests(), calls: fixture.cloud.calls };
}

const LOOK = "listFor snapshot disk-1";
const CREATE = "create snapshot disk-1";
const NAME = snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt: 1 });

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

describe("createOnce with a group of individual disks whose disks the list omits", () => {
  const disks = (...volume_ids: string[]) => request({ kind: group, options: { volume_ids } });
  const withoutResource = (asked: SnapshotRequest) => madeBy(asked, "a", { resource: undefined });

  test("createOnce finds an existing group of individual disks by its request hash", async () => {
    expect((await ensured([withoutResource(disks("a", "b"))], disks("b", "a"))).result).toMatchObject({
      outcome: "existing",
    });
    expect((await ensured([withoutResource(disks("a", "c"))], disks("a", "b"))).result).toMatchObject({
      outcome: "accepted",
    });
  });

  test("createOnce finds an existing group of individual disks by its members", async () => {
    const member = (id: string) => snapshotOf(`of-${id}`, id);
    const other = request({ kind: group, options: { volume_ids: ["A", "b"], incremental: true } });
    const found = { ...withoutResource(other), members: [member("B"), member("a")] };
    expect((await ensured([found], disks("a", "b"))).result).toMatchObject({ reason: "Conflict" });
    expect((await ensured([{ ...found, members: [member("a")] }], disks("a", "b"))).result).toMatchObject({
      outcome: "accepted",
    });
  });

  test("createOnce does not return a group of individual disks without the marker", async () => {
    const theirs = snapshotOf("theirs", "", { resource: undefined, marker: undefined, labels: {} });
    expect((await ensured([theirs], disks("a", "b"))).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce does not return the group of a server for a request of individual disks", async () => {
    const server = request({ kind: group, options: { server_id: "server-1" } });
    const other = { ...withoutResource(disks("a")), resource: "server-2" };
    const fixture = createFixture();
    expect(await ask(fixture, server, [other])).toMatchObject({ outcome: "accepted" });
  });
});

describe("createOnce with cluster snapshots, whose names are unique", () => {
  const asked = (options: JsonObject = {}) =>
    request({ kind: cluster, options: { cluster_id: "cluster-1", ...options } });
  const long = "x".repeat(256);
  const named = (changes: Partial<FoundSnapshot>) =>
    snapshotOf("a", "cluster-1", { name: "release", marker: undefined, ...changes });

  test("createOnce finds a cluster snapshot without room for the marker by its name and its description", async () => {
    const mine = asked({ name: "Release", description: long });
    expect((await ensured([named({ description: `${long} ` })], mine)).result).toMatchObject({
      outcome: "existing",
      status: 200,
    });
    expect(
      (await ensured([named({ description: `${long} ` })], asked({ name: "release", description: `${long} ` }))).result,
    ).toMatchObject({ outcome: "existing" });
    for (const other of [{ description: "y" }, { description: undefined }]) {
      expect((await ensured([named(other)], mine)).result).toMatchObject({ reason: "Conflict" });
    }
  });

  test("createOnce reports a conflict if a snapshot of another cluster has the same name and description", async () => {
    const theirs = named({ description: long, resource: "cluster-2" });
    expect((await ensured([theirs], asked({ name: "release", description: long }))).result).toMatchObject({
      reason: "Conflict",
    });
  });

  test("createOnce reports a conflict before it sends a create if any cluster snapshot has the name", async () => {
    const { result, asked: calls } = await ensured(
      [named({ name: "RELEASE", ...CREATING })],
      asked({ name: "release" }),
    );
    expect(result).toMatchObject({
      reason: "Conflict",
      message:
        'Expected a name that is free in this project; "release" is the name of snapshot a (creating) of cluster-1. Choose another name.',
    });
    expect(calls).toEqual(["listFor cluster-snapshot cluster-1"]);
    const failed = await ensured([named({ ...FAILED, resource: undefined })], asked({ name: "release" }));
    expect(failed.result.message).toBe(
      'Expected a name that is free in this project; "release" is the name of snapshot a (error) of another resource. Choose another name, or delete that snapshot.',
    );
  });

  test("createOnce creates a cluster snapshot if existing ones have other names", async () => {
    expect((await ensured([named({})], asked({ name: "other" }))).result).toMatchObject({ outcome: "accepted" });
    expect((await ensured([named({})], asked())).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce creates a disk snapshot although another snapshot has the same name", async () => {
    const mine = request({ options: { volume_id: "disk-1", name: "release", description: "a" } });
    const found = snapshotOf("a", "disk-1", { name: "release", description: "a", marker: undefined });
    expect((await ensured([found], mine)).result).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce lists the cluster snapshots again after a rejected create, because another delivery may have created one", async () => {
    const fixture = createFixture();
    const mine = asked({ name: "release" });
    fixture.cloud.at("create", { afterwards: cloudError("Conflict", { status: 400 }) });
    expect(await ask(fixture, mine)).toMatchObject({ outcome: "existing", snapshotId: "made-1", attempts: 0 });

    const refused = createFixture();
    refused.cloud.at("create", cloudError("Conflict", { status: 400 }));
    expect(await ask(refused, mine)).toMatchObject({ reason: "Conflict", attempts: 1 });
    expect(refused.cloud.requests()).toHaveLength(3);

    const unseen = createFixture();
    unseen.cloud.at("listFor", undefined, cloudError("AccessDenied"));
    unseen.cloud.at("create", cloudError("Conflict", { status: 400 }));
    expect(await ask(unseen, mine)).toMatchObject({ reason: "Conflict" });

    const unsent = createFixture();
    unsent.cloud.at("create", cloudError("AccessDenied", { requestSent: false }));
    expect(await ask(unsent, mine)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
    expect(unsent.cloud.requests()).toHaveLength(2);
  });
});

describe("createOnce after an ambiguous response", () => {
  test("createOnce lists the snapshots when a list must show the result of an ambiguous create, and creates no second one", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 5_000;
    fixture.cloud.at("create", { afterwards: lostResponse() });
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-1", name: NAME, attempts: 1 });
    expect(fixture.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `6 s ${LOOK}`]);
  });

  test("createOnce sends at most three creates if ambiguous creates created nothing", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", lostResponse(), lostResponse());
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 3 });
    expect(fixture.cloud.requests()).toEqual([LOOK, CREATE, LOOK, CREATE, LOOK, CREATE]);

    const never = createFixture();
    never.cloud.always("create", lostResponse());
    expect(await ask(never)).toMatchObject({ reason: "Unreachable", attempts: 3 });
    expect(never.cloud.requests().filter((call) => call === CREATE)).toHaveLength(3);
    expect(never.cloud.requests().at(-1)).toBe(LOOK);
  });

  test("createOnce fails after an ambiguous create if the invocation has no retry tokens left", async () => {
    const fixture = createFixture();
    fixture.runContext.retryBudget.tokens = { tokens: 2 };
    fixture.cloud.always("create", lostResponse());
    expect(await ask(fixture)).toMatchObject({ reason: "Unreachable", attempts: 1 });
  });

  test("createOnce fails with OutcomeUnknown if the deadline is before a list must show the result", async () => {
    const fixture = createFixture({ seconds: 7 });
    fixture.cloud.at(
      "create",
      cloudError("Unreachable", { ambiguous: true, code: "X.1", status: 500, requestId: "r-1" }),
    );
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", attempts: 2 });

    const short = createFixture({ seconds: 6.999 });
    const error = cloudError("Unreachable", { ambiguous: true, code: "X.1", status: 500, requestId: "r-1" });
    short.cloud.at("create", error);
    const result = await ask(short);
    expect(result).toMatchObject({
      reason: "OutcomeUnknown",
      code: "X.1",
      status: 500,
      requestId: "r-1",
      attempts: 1,
      message: `The cloud says Unreachable. It is unknown whether the snapshot was created. ${REASONS.OutcomeUnknown.advice}`,
    });
    expect(result.cause).toEqual(withAttempts(error, 1));
    // The list itself needs the last second.
    expect(short.cloud.calls.at(-1)).toBe(`5.999 s ${LOOK}`);
  });

  test("createOnce returns the snapshot of an ambiguous create if an early list shows it", async () => {
    const fixture = createFixture({ seconds: 0.5 });
    fixture.cloud.at("create", { afterwards: lostResponse() });
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(fixture.time.slept[0]).toBe(0);
  });

  test("createOnce fails with OutcomeUnknown if the list after an ambiguous create cannot be read", async () => {
    const fixture = createFixture();
    const denied = cloudError("AccessDenied");
    fixture.cloud.at("create", lostResponse());
    fixture.cloud.at("listFor", undefined, denied);
    const result = await ask(fixture);
    expect(result).toMatchObject({ reason: "OutcomeUnknown" });
    expect(result.cause).toBe(denied);
  });
});

describe("createOnce after a recent request with an unknown outcome", () => {
  /** Repeats a request of unknown outcome after a pause, with the given number of seconds until its deadline. */
  const again = async (afterMs: number, seconds: number, known?: FoundSnapshot[]) => {
    const fixture = createFixture({ seconds: 3 });
    fixture.cloud.lateMs = 5_000;
    fixture.cloud.at("create", { afterwards: lostResponse() });
    expect(await ask(fixture)).toMatchObject({ reason: "OutcomeUnknown" });
    const ended = fixture.time.now();
    await fixture.time.sleep(afterMs);
    const retryBudget = { ...fixture.runContext.retryBudget, deadline: after(fixture.time.now(), seconds * 1000) };
    const { runContext, cloud } = fixture;
    const result = await createOnce(request(), cloud.service(snapshot), retryBudget, runContext.inFlight, known).catch(
      (error) => error,
    );
    return { result, seconds: (fixture.time.now() - ended) / 1000, asked: cloud.requests() };
  };

  test("createOnce ignores the bulk list and waits until a list must show what the recent request created", async () => {
    const { result, seconds, asked } = await again(1_000, 60, []);
    expect(result).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(seconds).toBe(6);
    expect(asked.slice(-2)).toEqual([LOOK, LOOK]);
  });

  test("createOnce lists the snapshots without a wait if the recent request ended more than 6 s ago", async () => {
    const { result, seconds } = await again(8_000, 60);
    expect(result).toMatchObject({ outcome: "existing" });
    expect(seconds).toBe(8);
  });

  test("createOnce fails with OutcomeUnknown if the deadline is before a list must show what the recent request created", async () => {
    expect((await again(1_000, 6)).result).toMatchObject({ outcome: "existing" });
    const { result, asked } = await again(1_000, 5.999);
    expect(result).toMatchObject({
      reason: "OutcomeUnknown",
      message: `An equal request finished less than 6 s ago, and a list may not show its snapshot yet. ${REASONS.OutcomeUnknown.advice}`,
    });
    expect(asked).toEqual([LOOK, CREATE, LOOK]);
  });
});

describe("createOnce after a rejected create", () => {
  test("createOnce fails with the error of a create that a retry cannot change", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", cloudError("NotFound", { status: 404 }));
    expect(await ask(fixture)).toMatchObject({ reason: "NotFound", attempts: 1 });
    expect(fixture.cloud.requests()).toEqual([LOOK, CREATE]);
  });

  test("createOnce lists the snapshots again before every repeated create, whatever the error was", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", cloudError("Throttled"), cloudError("CloudError"), cloudError("Unreachable"));
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", attempts: 4 });
    expect(fixture.cloud.requests()).toEqual([LOOK, CREATE, LOOK, CREATE, LOOK, CREATE, LOOK, CREATE]);
  });

  test.each(["Throttled", "CloudError", "Unreachable", "Busy"] as const)(
    "createOnce finds the snapshot that another delivery created during the wait after %s",
    async (reason) => {
      const fixture = createFixture();
      fixture.cloud.at("create", { afterwards: cloudError(reason) });
      expect(await ask(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      expect(fixture.cloud.requests()).toEqual([LOOK, CREATE, LOOK]);
    },
  );

  test("createOnce waits after Busy until a list must show the snapshot of another delivery, and returns it", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 5_000;
    fixture.cloud.at("create", { afterwards: cloudError("Busy") });
    expect(await ask(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `6 s ${LOOK}`]);

    const other = createFixture();
    other.cloud.at("create", cloudError("Busy"));
    expect(await ask(other)).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(other.cloud.requests()).toEqual([LOOK, CREATE, LOOK, CREATE]);

    const unseen = createFixture();
    unseen.cloud.at("create", cloudError("Busy"));
    unseen.cloud.at("listFor", undefined, cloudError("AccessDenied"));
    expect(await ask(unseen)).toMatchObject({ reason: "AccessDenied", attempts: 1 });
    expect(unseen.cloud.requests()).toEqual([LOOK, CREATE, LOOK]);
  });

  test("createOnce does not repeat a create that was rejected without a code if the list shows no snapshot", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", cloudError("AccessDenied", { ambiguous: true }));
    expect(await ask(fixture)).toMatchObject({ reason: "AccessDenied", attempts: 1 });
    expect(fixture.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `6 s ${LOOK}`]);

    const refused = createFixture();
    refused.cloud.at("create", cloudError("AccessDenied", { ambiguous: true }));
    refused.cloud.at("listFor", undefined, cloudError("AccessDenied"));
    expect(await ask(refused)).toMatchObject({ reason: "AccessDenied", attempts: 1 });

    const created = createFixture();
    created.cloud.at("create", { afterwards: cloudError("AccessDenied", { ambiguous: true }) });
    expect(await ask(created)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
  });

  test("createOnce does not count a create that was not sent as an attempt", async () => {
    const fixture = createFixture();
    fixture.cloud.always("create", cloudError("AccessDenied", { requestSent: false }));
    expect(await ask(fixture)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
  });

  test("createOnce reports QuotaExceeded instead of InvalidRequest if the disk has the maximum number of snapshots", async () => {
    const refused = cloudError("InvalidRequest", {
      code: "EVS.5400",
      cloudMessage: "Too many.",
      status: 400,
      requestId: "r-1",
    });
    const others = (count: number) => Array.from({ length: count }, (_, index) => snapshotOf(`s-${index}`, "disk-1"));
    const refuse = async (asked: SnapshotRequest, found: FoundSnapshot[], error: SnapshotError = refused) => {
      const fixture = createFixture();
      fixture.cloud.add(asked.kind, ...found);
      fixture.cloud.at("create", error);
      return ask(fixture, asked);
    };
    expect(await refuse(request(), others(7))).toMatchObject({
      reason: "QuotaExceeded",
      code: "EVS.5400",
      cloudMessage: "Too many.",
      status: 400,
      requestId: "r-1",
      attempts: 1,
      message: expect.stringMatching(
        /^Expected fewer than 7 snapshots of disk-1, got 7\. EVS rejected the request: 400 EVS\.5400: Too many\. The maximum number of snapshots/,
      ),
    });
    expect(await refuse(request(), others(6))).toEqual(withAttempts(refused, 1));
    expect(await refuse(request(), others(7), cloudError("NotFound"))).toMatchObject({ reason: "NotFound" });
    expect(await refuse(request({ kind: group, options: { server_id: "disk-1" } }), others(7))).toEqual(
      withAttempts(refused, 1),
    );

    const fixture = createFixture();
    fixture.cloud.add(snapshot, ...others(7));
    fixture.cloud.at("create", refused);
    fixture.cloud.at("listFor", undefined, cloudError("AccessDenied"));
    expect(await ask(fixture)).toEqual(withAttempts(refused, 1));
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

describe("createOnce with concurrent requests in one instance", () => {
  test("createOnce waits for a concurrent equal request and returns its snapshot", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 2_000;
    const [first, second] = await Promise.all([ask(fixture), ask(fixture)]);
    expect(first).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 1 });
    expect(second).toEqual({ ...first, outcome: "existing", attempts: 0 });
    expect(fixture.cloud.requests()).toEqual([LOOK, CREATE]);
    // The request that waited leaves no timer behind.
    expect(fixture.time.asleep()).toBe(0);
    expect(fixture.time.seconds()).toBe(2);
  });

  test("createOnce reports a conflict with a concurrent request that has the same key and other options", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 2_000;
    const other = request({ options: { volume_id: "disk-1", force: false } });
    const [, second] = await Promise.all([ask(fixture), ask(fixture, other)]);
    expect(second).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("with the same key created snapshot made-1"),
    });
    expect(fixture.cloud.of(snapshot)).toHaveLength(1);
  });

  test("createOnce does not wait for a concurrent request of another project, kind, disk or key", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 2_000;
    await Promise.all([
      ask(fixture),
      ask(fixture, request({ projectId: "project-2" })),
      ask(fixture, request({ options: { volume_id: "disk-2" } })),
      ask(fixture, request({ idempotencyKey: deriveKey("other") })),
      ask(fixture, request({ kind: group, options: { server_id: "disk-1" } })),
    ]);
    expect(fixture.cloud.calls.filter((call) => call.startsWith("0 s create"))).toHaveLength(5);
  });

  test("createOnce lists the snapshots itself if the concurrent request failed", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", async () => {
      await fixture.time.sleep(1_000);
      throw cloudError("AccessDenied");
    });
    const [first, second] = await Promise.all([ask(fixture), ask(fixture)]);
    expect(first).toMatchObject({ reason: "AccessDenied" });
    expect(second).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(fixture.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `1 s ${LOOK}`, `1 s ${CREATE}`]);
  });

  test("createOnce waits until a list must show the result if the outcome of the concurrent request is unknown", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 5_000;
    const impatient = { ...fixture.runContext.retryBudget, deadline: moment(3_000) };
    fixture.cloud.at("create", { afterwards: lostResponse() });
    const first = createOnce(request(), fixture.cloud.service(snapshot), impatient, fixture.runContext.inFlight).catch(
      (error) => error,
    );
    const second = ask(fixture);
    expect(await first).toMatchObject({ reason: "OutcomeUnknown" });
    expect(await second).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.calls.at(-1)).toBe(`8 s ${LOOK}`);
    expect(fixture.cloud.of(snapshot)).toHaveLength(1);
  });

  test("createOnce does not wait for a concurrent request beyond its own deadline", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 30_000;
    const impatient = { ...fixture.runContext.retryBudget, deadline: moment(5_000) };
    const first = ask(fixture);
    const error = await createOnce(
      request(),
      fixture.cloud.service(snapshot),
      impatient,
      fixture.runContext.inFlight,
    ).catch((thrown) => thrown);
    expect(error).toMatchObject({
      reason: "DeadlineExceeded",
      message: "The time ran out while an equal request was in progress.",
    });
    expect(fixture.time.seconds()).toBe(5);
    expect(await first).toMatchObject({ outcome: "accepted" });
  });

  test("createOnce does not wait for a concurrent request if its own deadline has passed", async () => {
    const fixture = createFixture();
    fixture.cloud.createMs = 30_000;
    const late = { ...fixture.runContext.retryBudget, deadline: moment(-1_000) };
    const first = ask(fixture);
    const second = createOnce(request(), fixture.cloud.service(snapshot), late, fixture.runContext.inFlight).catch(
      (thrown) => thrown,
    );
    expect(await second).toMatchObject({ reason: "DeadlineExceeded" });
    expect(fixture.time.seconds()).toBe(0);
    await first;
  });
});

describe("createOnce after a recent request", () => {
  test("createOnce remembers a new snapshot for 10 s although no list shows it", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotOf("other", "disk-1"));
    fixture.cloud.lateMs = 60_000;
    await ask(fixture);
    await fixture.time.sleep(10_000);
    expect(await ask(fixture)).toEqual({
      outcome: "existing",
      snapshotId: "made-1",
      name: "",
      status: 202,
      body: expect.stringContaining('"id":"made-1"'),
      attempts: 0,
      state: "creating",
    });
    const later = createFixture();
    later.cloud.lateMs = 60_000;
    await ask(later);
    await later.time.sleep(10_001);
    expect(await ask(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce returns a remembered snapshot in the format of the API's create response", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 60_000;
    const asked = request({ options: { volume_id: "disk-1", name: "release" } });
    await ask(fixture, asked);
    const { name, body } = await ask(fixture, asked);
    expect(name).toBe("release");
    expect(JSON.parse(body)).toEqual({
      snapshot: { id: "made-1", name: "release", volume_id: "disk-1", status: "creating" },
    });
  });

  test("createOnce reports a conflict if a remembered snapshot was created with other options", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 60_000;
    await ask(fixture);
    expect(await ask(fixture, request({ options: { volume_id: "disk-1", force: false } }))).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("with the same key created snapshot made-1"),
    });
  });

  test("createOnce remembers a new snapshot for no more than 10 s, whatever requests with the same key come meanwhile", async () => {
    const fixture = createFixture();
    fixture.cloud.lateMs = 60_000;
    await ask(fixture);
    for (const options of [{ volume_id: "disk-1", force: false }, { volume_id: "disk-1" }]) {
      await fixture.time.sleep(4_000);
      await ask(fixture, request({ options }));
    }
    expect(await ask(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    await fixture.time.sleep(2_001);
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce prefers the state in the list to the remembered snapshot", async () => {
    const fixture = createFixture();
    await ask(fixture);
    const [made] = fixture.cloud.of(snapshot);
    fixture.cloud.snapshots.set("snapshot", [{ ...(made as FoundSnapshot), ...FAILED }]);
    expect(await ask(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("createOnce removes remembered snapshots from memory after 10 s", async () => {
    const fixture = createFixture({ seconds: 600 });
    const inFlight = fixture.runContext.inFlight;
    for (let disk = 1; disk <= 5; disk += 1) {
      await ask(fixture, request({ options: { volume_id: `disk-${disk}` } }));
      await fixture.time.sleep(4_000);
    }
    expect(inFlight.size).toBe(3);
    await fixture.time.sleep(60_000);
    await ask(fixture, request({ options: { volume_id: "disk-9" } }));
    expect(inFlight.size).toBe(1);
    expect([...inFlight.keys()].join()).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([-3_600_000, 3_600_000])(
    "createOnce remembers a snapshot for 10 s although the clock of the next invocation differs by %d ms",
    async (step) => {
      const fixture = createFixture();
      fixture.cloud.lateMs = 60_000;
      const { time } = fixture;
      const clock = { ...time, elapsed: () => time.now() - START };
      const later = { ...clock, now: () => instant(time.now() + step) };
      const askAt = (times: typeof clock) => {
        const retryBudget = { time: times, deadline: instant(times.now() + 60_000) };
        return createOnce(request(), fixture.cloud.service(snapshot), retryBudget, fixture.runContext.inFlight);
      };
      await askAt(clock);
      await time.sleep(10_000);
      expect(await askAt(later)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      await time.sleep(1);
      expect(await askAt(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
    },
  );

  test("createOnce remembers nothing of a failed request", async () => {
    const fixture = createFixture();
    fixture.cloud.at("create", cloudError("AccessDenied"));
    await ask(fixture);
    expect(fixture.runContext.inFlight.size).toBe(0);
  });
});
