import { describe, expect, test } from "vitest";
import { REASONS, type SnapshotError, withAttempts } from "../../../../shared/core/errors.ts";
import { after, instant } from "../../../../shared/core/instant.ts";
import { createOnce } from "../../../../shared/snapshots/create/create-once.ts";
import { serializeRuns } from "../../../../shared/snapshots/create/in-flight.ts";
import type { CreateResult, SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { deriveKey, hashRequest, markerLabels, snapshotName } from "../../../../shared/snapshots/marker.ts";
import {
  CREATING,
  cluster,
  DELETING,
  type DomainFixture,
  FAILED,
  group,
  type JsonObject,
  lost,
  refusal,
  START,
  snapshot,
  snapshotOf,
  stage,
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

/** A snapshot that this very request made, or one that is like it. */
function madeBy(asked: SnapshotRequest, id: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot {
  const { kind, options, idempotencyKey, policy } = asked;
  const marker = { policy, idempotencyKey, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, kind.resourceOf(options), { marker, labels: markerLabels(marker), ...changes });
}

/** Asks for it; the result, or the error. */
const ask = (
  { cloud, means: runContext }: DomainFixture,
  asked = request(),
  known?: FoundSnapshot[],
): Promise<CreateResult & SnapshotError> =>
  createOnce(asked, cloud.service(asked.kind), runContext.retryBudget, runContext.inFlight, known).catch(
    (error) => error,
  ) as never;

/** A place where these are, and what comes of the request. */
async function ensured(found: FoundSnapshot[], asked = request(), seconds = 60) {
  const here = stage({ seconds });
  here.cloud.add(asked.kind, ...found);
  const result = await ask(here, asked);
  return { result, here, asked: here.cloud.asked(), calls: here.cloud.calls };
}

const LOOK = "listFor snapshot disk-1";
const CREATE = "create snapshot disk-1";
const NAME = snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt: 1 });

describe("what is not there", () => {
  test("is looked for, and then made, with the marker and a name of its own", async () => {
    const { result, here, asked } = await ensured([]);
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
    expect(here.cloud.of(snapshot)[0]).toMatchObject({
      name: NAME,
      marker: { policy: "nightly", idempotencyKey: KEY, requestHash: hashRequest("snapshot", request().options) },
      raw: { volume_id: "disk-1", force: true },
    });
  });

  test("has the name that the caller gave it", async () => {
    const { result } = await ensured([], request({ options: { volume_id: "disk-1", name: "before the migration" } }));
    expect(result.name).toBe("before the migration");
  });

  test("is not looked for again where it was looked up for many at once", async () => {
    const here = stage();
    expect((await ask(here, request(), [])).outcome).toBe("accepted");
    expect(here.cloud.asked()).toEqual([CREATE]);
  });

  test("is made beside what others made of the disk, and beside copies of ours", async () => {
    const asked = request();
    const theirs = [
      snapshotOf("a", "disk-1"),
      snapshotOf("b", "disk-1", { marker: undefined }),
      madeBy(asked, "c", { raw: { snapshot_type: "copy" } }),
    ];
    expect((await ensured(theirs, asked)).result).toMatchObject({ outcome: "accepted", name: NAME });
  });

  test("of this disk is made, whatever there is of others under the same key", async () => {
    const here = stage();
    const other = madeBy(request({ options: { volume_id: "disk-2" } }), "a");
    expect((await ask(here, request(), [other])).outcome).toBe("accepted");
  });
});

describe("what is there", () => {
  test("is answered as the API answers a create; nothing is made", async () => {
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

  test("stands also in a status that is not known, and where the list does not say what it is of", async () => {
    const asked = request();
    for (const changes of [UNKNOWN, { resource: undefined }]) {
      expect((await ensured([madeBy(asked, "a", changes)], asked)).result).toMatchObject({ outcome: "existing" });
    }
  });

  test("the oldest of several stands; of the same moment, the first by its id", async () => {
    const asked = request();
    const younger = madeBy(asked, "a", { created: moment(1) });
    expect((await ensured([younger, madeBy(asked, "c"), madeBy(asked, "b")], asked)).result.snapshotId).toBe("b");
    expect((await ensured([madeBy(asked, "b"), madeBy(asked, "c"), younger], asked)).result.snapshotId).toBe("b");
    const timeless = madeBy(asked, "d", { created: undefined });
    expect((await ensured([madeBy(asked, "b"), timeless], asked)).result.snapshotId).toBe("d");
  });

  test("a request is answered with an available snapshot rather than an older one that is not available", async () => {
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

  test("a request is not answered with an available snapshot of a different request, and conflicts with an older one", async () => {
    const asked = request();
    const other = request({ options: { volume_id: "disk-1", force: false } });
    const found = [madeBy(asked, "a", CREATING), madeBy(other, "b", { created: moment(1) })];
    expect((await ensured(found, asked)).result).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect((await ensured(found, other)).result).toMatchObject({ reason: "Conflict" });
  });

  test("a snapshot without a resource counts for the request that its marker names, and for no other", async () => {
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

  test("does not stand where it failed or is being deleted: another one is made, under another name", async () => {
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

  test("under the same key with other content is a conflict", async () => {
    const other = madeBy(request({ options: { volume_id: "disk-1", force: false } }), "a");
    const { result, asked } = await ensured([other]);
    expect(result).toMatchObject({
      reason: "Conflict",
      message:
        "Expected the request that created snapshot a under the same key; this request has other options. Repeat the first request unchanged, or use a new key (Idempotency-Key, deployment_id).",
    });
    expect(asked).toEqual([LOOK]);
  });
});

describe("a name that we make up", () => {
  test("is one that is free: a later attempt's where its number's is taken", async () => {
    const nameOf = (attempt: number) =>
      snapshotName("nightly", START, { kind: "snapshot", resource: "disk-1", key: KEY, attempt });
    const taken = [1, 2].map((attempt) =>
      snapshotOf(`s-${attempt}`, "disk-1", { name: nameOf(attempt).toUpperCase(), marker: undefined }),
    );
    expect((await ensured(taken)).result.name).toBe(nameOf(3));
    expect((await ensured(taken.slice(1))).result.name).toBe(nameOf(1));
  });
});

describe("a group of single disks, of which a list does not say what it is of", () => {
  const disks = (...volume_ids: string[]) => request({ kind: group, options: { volume_ids } });
  const madeOf = (asked: SnapshotRequest) => madeBy(asked, "a", { resource: undefined });

  test("is told by what was asked for", async () => {
    expect((await ensured([madeOf(disks("a", "b"))], disks("b", "a"))).result).toMatchObject({ outcome: "existing" });
    expect((await ensured([madeOf(disks("a", "c"))], disks("a", "b"))).result).toMatchObject({ outcome: "accepted" });
  });

  test("is told by its members, where these are listed", async () => {
    const member = (id: string) => snapshotOf(`of-${id}`, id);
    const other = request({ kind: group, options: { volume_ids: ["A", "b"], incremental: true } });
    const found = { ...madeOf(other), members: [member("B"), member("a")] };
    expect((await ensured([found], disks("a", "b"))).result).toMatchObject({ reason: "Conflict" });
    expect((await ensured([{ ...found, members: [member("a")] }], disks("a", "b"))).result).toMatchObject({
      outcome: "accepted",
    });
  });

  test("is not one that somebody else made, without our marker", async () => {
    const theirs = snapshotOf("theirs", "", { resource: undefined, marker: undefined, labels: {} });
    expect((await ensured([theirs], disks("a", "b"))).result).toMatchObject({ outcome: "accepted" });
  });

  test("is not one of a server", async () => {
    const server = request({ kind: group, options: { server_id: "server-1" } });
    const other = { ...madeOf(disks("a")), resource: "server-2" };
    const here = stage();
    expect(await ask(here, server, [other])).toMatchObject({ outcome: "accepted" });
  });
});

describe("a snapshot of a cluster, whose names are unique", () => {
  const asked = (options: JsonObject = {}) =>
    request({ kind: cluster, options: { cluster_id: "cluster-1", ...options } });
  const long = "x".repeat(256);
  const named = (changes: Partial<FoundSnapshot>) =>
    snapshotOf("a", "cluster-1", { name: "release", marker: undefined, ...changes });

  test("without room for the marker is told by its name and its description, word for word", async () => {
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

  test("of another cluster with the same words has taken the name", async () => {
    const theirs = named({ description: long, resource: "cluster-2" });
    expect((await ensured([theirs], asked({ name: "release", description: long }))).result).toMatchObject({
      reason: "Conflict",
    });
  });

  test("under a name that is taken is a conflict, before anything is sent, whoever has it", async () => {
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

  test("under another name is made", async () => {
    expect((await ensured([named({})], asked({ name: "other" }))).result).toMatchObject({ outcome: "accepted" });
    expect((await ensured([named({})], asked())).result).toMatchObject({ outcome: "accepted" });
  });

  test("a disk's may have the name of another one", async () => {
    const mine = request({ options: { volume_id: "disk-1", name: "release", description: "a" } });
    const found = snapshotOf("a", "disk-1", { name: "release", description: "a", marker: undefined });
    expect((await ensured([found], mine)).result).toMatchObject({ outcome: "accepted" });
  });

  test("that is refused may have been made by another delivery meanwhile: it is looked for once more", async () => {
    const here = stage();
    const mine = asked({ name: "release" });
    here.cloud.at("create", { afterwards: refusal("Conflict", { status: 400 }) });
    expect(await ask(here, mine)).toMatchObject({ outcome: "existing", snapshotId: "made-1", attempts: 0 });

    const refused = stage();
    refused.cloud.at("create", refusal("Conflict", { status: 400 }));
    expect(await ask(refused, mine)).toMatchObject({ reason: "Conflict", attempts: 1 });
    expect(refused.cloud.asked()).toHaveLength(3);

    const unseen = stage();
    unseen.cloud.at("listFor", undefined, refusal("AccessDenied"));
    unseen.cloud.at("create", refusal("Conflict", { status: 400 }));
    expect(await ask(unseen, mine)).toMatchObject({ reason: "Conflict" });

    const unsent = stage();
    unsent.cloud.at("create", refusal("AccessDenied", { requestSent: false }));
    expect(await ask(unsent, mine)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
    expect(unsent.cloud.asked()).toHaveLength(2);
  });
});

describe("an answer that leaves it open whether the snapshot was made", () => {
  test("is followed by a look when a list must show it: made, it is not made again", async () => {
    const here = stage();
    here.cloud.lateMs = 5_000;
    here.cloud.at("create", { afterwards: lost() });
    expect(await ask(here)).toMatchObject({ outcome: "accepted", snapshotId: "made-1", name: NAME, attempts: 1 });
    expect(here.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `6 s ${LOOK}`]);
  });

  test("is followed by another create where it was not made, three in all", async () => {
    const here = stage();
    here.cloud.at("create", lost(), lost());
    expect(await ask(here)).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 3 });
    expect(here.cloud.asked()).toEqual([LOOK, CREATE, LOOK, CREATE, LOOK, CREATE]);

    const never = stage();
    never.cloud.always("create", lost());
    expect(await ask(never)).toMatchObject({ reason: "Unreachable", attempts: 3 });
    expect(never.cloud.asked().filter((call) => call === CREATE)).toHaveLength(3);
    expect(never.cloud.asked().at(-1)).toBe(LOOK);
  });

  test("is the answer where the invocation's repeats are used up", async () => {
    const here = stage();
    here.means.retryBudget.tokens = { tokens: 2 };
    here.cloud.always("create", lost());
    expect(await ask(here)).toMatchObject({ reason: "Unreachable", attempts: 1 });
  });

  test("cannot be settled where there is no time for a list to show it", async () => {
    const here = stage({ seconds: 7 });
    here.cloud.at("create", refusal("Unreachable", { ambiguous: true, code: "X.1", status: 500, requestId: "r-1" }));
    expect(await ask(here)).toMatchObject({ outcome: "accepted", attempts: 2 });

    const short = stage({ seconds: 6.999 });
    const error = refusal("Unreachable", { ambiguous: true, code: "X.1", status: 500, requestId: "r-1" });
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
    // The last second is left for the look itself.
    expect(short.cloud.calls.at(-1)).toBe(`5.999 s ${LOOK}`);
  });

  test("is settled where the look finds it, however early", async () => {
    const here = stage({ seconds: 0.5 });
    here.cloud.at("create", { afterwards: lost() });
    expect(await ask(here)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(here.time.slept[0]).toBe(0);
  });

  test("cannot be settled where the look fails", async () => {
    const here = stage();
    const denied = refusal("AccessDenied");
    here.cloud.at("create", lost());
    here.cloud.at("listFor", undefined, denied);
    const result = await ask(here);
    expect(result).toMatchObject({ reason: "OutcomeUnknown" });
    expect(result.cause).toBe(denied);
  });
});

describe("an outcome that stayed open a moment ago", () => {
  /** The first request's outcome stays open; then the same one comes again after so long, for so many seconds. */
  const again = async (afterMs: number, seconds: number, known?: FoundSnapshot[]) => {
    const here = stage({ seconds: 3 });
    here.cloud.lateMs = 5_000;
    here.cloud.at("create", { afterwards: lost() });
    expect(await ask(here)).toMatchObject({ reason: "OutcomeUnknown" });
    const ended = here.time.now();
    await here.time.sleep(afterMs);
    const retryBudget = { ...here.means.retryBudget, deadline: after(here.time.now(), seconds * 1000) };
    const { means: runContext, cloud } = here;
    const result = await createOnce(request(), cloud.service(snapshot), retryBudget, runContext.inFlight, known).catch(
      (error) => error,
    );
    return { result, seconds: (here.time.now() - ended) / 1000, asked: cloud.asked() };
  };

  test("is looked up when a list must show it, before anything is made; not in what was looked up before", async () => {
    const { result, seconds, asked } = await again(1_000, 60, []);
    expect(result).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(seconds).toBe(6);
    expect(asked.slice(-2)).toEqual([LOOK, LOOK]);
  });

  test("is looked up at once where a list must show it by then", async () => {
    const { result, seconds } = await again(8_000, 60);
    expect(result).toMatchObject({ outcome: "existing" });
    expect(seconds).toBe(8);
  });

  test("stays open where there is no time for that", async () => {
    expect((await again(1_000, 6)).result).toMatchObject({ outcome: "existing" });
    const { result, asked } = await again(1_000, 5.999);
    expect(result).toMatchObject({
      reason: "OutcomeUnknown",
      message: `The same request ended less than 6 s ago, and a list may not show its snapshot yet. ${REASONS.OutcomeUnknown.advice}`,
    });
    expect(asked).toEqual([LOOK, CREATE, LOOK]);
  });
});

describe("a refusal", () => {
  test("that trying again does not change is the answer", async () => {
    const here = stage();
    here.cloud.at("create", refusal("NotFound", { status: 404 }));
    expect(await ask(here)).toMatchObject({ reason: "NotFound", attempts: 1 });
    expect(here.cloud.asked()).toEqual([LOOK, CREATE]);
  });

  test("createOnce looks again before every repeated create, whatever refused the one before", async () => {
    const here = stage();
    here.cloud.at("create", refusal("Throttled"), refusal("CloudError"), refusal("Unreachable"));
    expect(await ask(here)).toMatchObject({ outcome: "accepted", attempts: 4 });
    expect(here.cloud.asked()).toEqual([LOOK, CREATE, LOOK, CREATE, LOOK, CREATE, LOOK, CREATE]);
  });

  test.each(["Throttled", "CloudError", "Unreachable", "Busy"] as const)(
    "createOnce finds what another delivery created while it waited after %s",
    async (reason) => {
      const here = stage();
      here.cloud.at("create", { afterwards: refusal(reason) });
      expect(await ask(here)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      expect(here.cloud.asked()).toEqual([LOOK, CREATE, LOOK]);
    },
  );

  test("as the disk is busy may be of another delivery's snapshot: it is looked for when a list must show it", async () => {
    const here = stage();
    here.cloud.lateMs = 5_000;
    here.cloud.at("create", { afterwards: refusal("Busy") });
    expect(await ask(here)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(here.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `6 s ${LOOK}`]);

    const other = stage();
    other.cloud.at("create", refusal("Busy"));
    expect(await ask(other)).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(other.cloud.asked()).toEqual([LOOK, CREATE, LOOK, CREATE]);

    const unseen = stage();
    unseen.cloud.at("create", refusal("Busy"));
    unseen.cloud.at("listFor", undefined, refusal("AccessDenied"));
    expect(await ask(unseen)).toMatchObject({ reason: "AccessDenied", attempts: 1 });
    expect(unseen.cloud.asked()).toEqual([LOOK, CREATE, LOOK]);
  });

  test("createOnce takes a refusal without a code for final once a look shows that nothing was created", async () => {
    const here = stage();
    here.cloud.at("create", refusal("AccessDenied", { ambiguous: true }));
    expect(await ask(here)).toMatchObject({ reason: "AccessDenied", attempts: 1 });
    expect(here.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `6 s ${LOOK}`]);

    const refused = stage();
    refused.cloud.at("create", refusal("AccessDenied", { ambiguous: true }));
    refused.cloud.at("listFor", undefined, refusal("AccessDenied"));
    expect(await ask(refused)).toMatchObject({ reason: "AccessDenied", attempts: 1 });

    const created = stage();
    created.cloud.at("create", { afterwards: refusal("AccessDenied", { ambiguous: true }) });
    expect(await ask(created)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
  });

  test("of a request that was not sent does not count as an attempt", async () => {
    const here = stage();
    here.cloud.always("create", refusal("AccessDenied", { requestSent: false }));
    expect(await ask(here)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
  });

  test("that looks like a fault of the request is the quota where the disk is full", async () => {
    const refused = refusal("InvalidRequest", {
      code: "EVS.5400",
      cloudMessage: "Too many.",
      status: 400,
      requestId: "r-1",
    });
    const others = (count: number) => Array.from({ length: count }, (_, index) => snapshotOf(`s-${index}`, "disk-1"));
    const refuse = async (asked: SnapshotRequest, found: FoundSnapshot[], error: SnapshotError = refused) => {
      const here = stage();
      here.cloud.add(asked.kind, ...found);
      here.cloud.at("create", error);
      return ask(here, asked);
    };
    expect(await refuse(request(), others(7))).toMatchObject({
      reason: "QuotaExceeded",
      code: "EVS.5400",
      cloudMessage: "Too many.",
      status: 400,
      requestId: "r-1",
      attempts: 1,
      message: expect.stringMatching(
        /^Expected fewer than 7 snapshots of disk-1, got 7\. The cloud rejected another one: 400 EVS\.5400: Too many\.\. No more snapshots/,
      ),
    });
    expect(await refuse(request(), others(6))).toEqual(withAttempts(refused, 1));
    expect(await refuse(request(), others(7), refusal("NotFound"))).toMatchObject({ reason: "NotFound" });
    expect(await refuse(request({ kind: group, options: { server_id: "disk-1" } }), others(7))).toEqual(
      withAttempts(refused, 1),
    );

    const here = stage();
    here.cloud.add(snapshot, ...others(7));
    here.cloud.at("create", refused);
    here.cloud.at("listFor", undefined, refusal("AccessDenied"));
    expect(await ask(here)).toEqual(withAttempts(refused, 1));
  });
});

describe("room", () => {
  test("is made before the create; where that took time, it is looked again", async () => {
    for (const [made, calls] of [
      [false, [LOOK, CREATE]],
      [true, [LOOK, LOOK, CREATE]],
    ] as const) {
      const here = stage();
      const asked: unknown[] = [];
      const makeRoom = async (kind: Kind, options: JsonObject) => {
        asked.push([kind.name, options]);
        return made;
      };
      expect(await ask(here, request({ makeRoom }))).toMatchObject({ outcome: "accepted" });
      expect(asked).toEqual([["snapshot", request().options]]);
      expect(here.cloud.asked()).toEqual(calls);
    }
  });

  test("is not made for what is there already, and what was made meanwhile stands", async () => {
    const here = stage();
    const makeRoom = async () => {
      here.cloud.add(snapshot, madeBy(request(), "a"));
      return true;
    };
    const asked = request({ makeRoom });
    expect(await ask(here, asked)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(await ask(here, asked)).toMatchObject({ outcome: "existing", snapshotId: "a" });
    expect(here.cloud.of(snapshot)).toHaveLength(1);
  });
});

describe("the same request at once in one instance", () => {
  test("waits for the first, and is answered with what that one made", async () => {
    const here = stage();
    here.cloud.createMs = 2_000;
    const [first, second] = await Promise.all([ask(here), ask(here)]);
    expect(first).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 1 });
    expect(second).toEqual({ ...first, outcome: "existing", attempts: 0 });
    expect(here.cloud.asked()).toEqual([LOOK, CREATE]);
    // The one that waited does not leave its clock running.
    expect(here.time.asleep()).toBe(0);
    expect(here.time.seconds()).toBe(2);
  });

  test("with other content is a conflict", async () => {
    const here = stage();
    here.cloud.createMs = 2_000;
    const other = request({ options: { volume_id: "disk-1", force: false } });
    const [, second] = await Promise.all([ask(here), ask(here, other)]);
    expect(second).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("created snapshot made-1 under the same key"),
    });
    expect(here.cloud.of(snapshot)).toHaveLength(1);
  });

  test("of another project, kind, disk or key waits for nobody", async () => {
    const here = stage();
    here.cloud.createMs = 2_000;
    await Promise.all([
      ask(here),
      ask(here, request({ projectId: "project-2" })),
      ask(here, request({ options: { volume_id: "disk-2" } })),
      ask(here, request({ idempotencyKey: deriveKey("other") })),
      ask(here, request({ kind: group, options: { server_id: "disk-1" } })),
    ]);
    expect(here.cloud.calls.filter((call) => call.startsWith("0 s create"))).toHaveLength(5);
  });

  test("looks for itself where the first failed", async () => {
    const here = stage();
    here.cloud.at("create", async () => {
      await here.time.sleep(1_000);
      throw refusal("AccessDenied");
    });
    const [first, second] = await Promise.all([ask(here), ask(here)]);
    expect(first).toMatchObject({ reason: "AccessDenied" });
    expect(second).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(here.cloud.calls).toEqual([`0 s ${LOOK}`, `0 s ${CREATE}`, `1 s ${LOOK}`, `1 s ${CREATE}`]);
  });

  test("looks when a list must show it where the first could not find out in time", async () => {
    const here = stage();
    here.cloud.lateMs = 5_000;
    const impatient = { ...here.means.retryBudget, deadline: moment(3_000) };
    here.cloud.at("create", { afterwards: lost() });
    const first = createOnce(request(), here.cloud.service(snapshot), impatient, here.means.inFlight).catch(
      (error) => error,
    );
    const second = ask(here);
    expect(await first).toMatchObject({ reason: "OutcomeUnknown" });
    expect(await second).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(here.cloud.calls.at(-1)).toBe(`8 s ${LOOK}`);
    expect(here.cloud.of(snapshot)).toHaveLength(1);
  });

  test("does not wait beyond its own time", async () => {
    const here = stage();
    here.cloud.createMs = 30_000;
    const impatient = { ...here.means.retryBudget, deadline: moment(5_000) };
    const first = ask(here);
    const error = await createOnce(request(), here.cloud.service(snapshot), impatient, here.means.inFlight).catch(
      (thrown) => thrown,
    );
    expect(error).toMatchObject({
      reason: "DeadlineExceeded",
      message: "The same request is still in progress, and this request's time ran out.",
    });
    expect(here.time.seconds()).toBe(5);
    expect(await first).toMatchObject({ outcome: "accepted" });
  });

  test("whose time is up already does not wait at all", async () => {
    const here = stage();
    here.cloud.createMs = 30_000;
    const late = { ...here.means.retryBudget, deadline: moment(-1_000) };
    const first = ask(here);
    const second = createOnce(request(), here.cloud.service(snapshot), late, here.means.inFlight).catch(
      (thrown) => thrown,
    );
    expect(await second).toMatchObject({ reason: "DeadlineExceeded" });
    expect(here.time.seconds()).toBe(0);
    await first;
  });
});

describe("what was made a moment ago", () => {
  test("is known for 10 s although no list shows it", async () => {
    const here = stage();
    here.cloud.add(snapshot, snapshotOf("other", "disk-1"));
    here.cloud.lateMs = 60_000;
    await ask(here);
    await here.time.sleep(10_000);
    expect(await ask(here)).toEqual({
      outcome: "existing",
      snapshotId: "made-1",
      name: "",
      status: 202,
      body: expect.stringContaining('"id":"made-1"'),
      attempts: 0,
      state: "creating",
    });
    const later = stage();
    later.cloud.lateMs = 60_000;
    await ask(later);
    await later.time.sleep(10_001);
    expect(await ask(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("is answered with what was asked for", async () => {
    const here = stage();
    here.cloud.lateMs = 60_000;
    const asked = request({ options: { volume_id: "disk-1", name: "release" } });
    await ask(here, asked);
    const { name, body } = await ask(here, asked);
    expect(name).toBe("release");
    expect(JSON.parse(body)).toEqual({
      snapshot: { id: "made-1", name: "release", volume_id: "disk-1", status: "creating" },
    });
  });

  test("is a conflict for other content", async () => {
    const here = stage();
    here.cloud.lateMs = 60_000;
    await ask(here);
    expect(await ask(here, request({ options: { volume_id: "disk-1", force: false } }))).toMatchObject({
      reason: "Conflict",
      message: expect.stringContaining("created snapshot made-1 under the same key"),
    });
  });

  test("stays known for its 10 s, whatever is asked under the same key meanwhile, and no longer", async () => {
    const here = stage();
    here.cloud.lateMs = 60_000;
    await ask(here);
    for (const options of [{ volume_id: "disk-1", force: false }, { volume_id: "disk-1" }]) {
      await here.time.sleep(4_000);
      await ask(here, request({ options }));
    }
    expect(await ask(here)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    await here.time.sleep(2_001);
    expect(await ask(here)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("counts as the list has it, once the list has it", async () => {
    const here = stage();
    await ask(here);
    const [made] = here.cloud.of(snapshot);
    here.cloud.snapshots.set("snapshot", [{ ...(made as FoundSnapshot), ...FAILED }]);
    expect(await ask(here)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
  });

  test("is forgotten in the end, so that an instance that lives for long holds nothing of it", async () => {
    const here = stage({ seconds: 600 });
    const inFlight = here.means.inFlight;
    for (let disk = 1; disk <= 5; disk += 1) {
      await ask(here, request({ options: { volume_id: `disk-${disk}` } }));
      await here.time.sleep(4_000);
    }
    expect(inFlight.size).toBe(3);
    await here.time.sleep(60_000);
    await ask(here, request({ options: { volume_id: "disk-9" } }));
    expect(inFlight.size).toBe(1);
    expect([...inFlight.keys()].join()).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each([-3_600_000, 3_600_000])(
    "createOnce remembers a snapshot for 10 s although the clock of the next invocation is %d ms off",
    async (step) => {
      const here = stage();
      here.cloud.lateMs = 60_000;
      const { time } = here;
      const clock = { ...time, elapsed: () => time.now() - START };
      const later = { ...clock, now: () => instant(time.now() + step) };
      const askAt = (times: typeof clock) => {
        const retryBudget = { time: times, deadline: instant(times.now() + 60_000) };
        return createOnce(request(), here.cloud.service(snapshot), retryBudget, here.means.inFlight);
      };
      await askAt(clock);
      await time.sleep(10_000);
      expect(await askAt(later)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      await time.sleep(1);
      expect(await askAt(later)).toMatchObject({ outcome: "accepted", snapshotId: "made-2" });
    },
  );

  test("that failed leaves nothing behind", async () => {
    const here = stage();
    here.cloud.at("create", refusal("AccessDenied"));
    await ask(here);
    expect(here.means.inFlight.size).toBe(0);
  });
});

describe("a turn", () => {
  const run = (here: DomainFixture, name: string, told: string[], seconds: number, fails = false) =>
    serializeRuns(name, here.means.inFlight, here.means.retryBudget, async () => {
      told.push(`${here.time.seconds()} s ${name} begins`);
      await here.time.sleep(seconds * 1000);
      told.push(`${here.time.seconds()} s ${name} ends`);
      if (fails) throw refusal("CloudError");
    }).catch((error) => void told.push(`${here.time.seconds()} s ${error.reason}`));

  test("comes when the one before has ended and a list must show what it made", async () => {
    const here = stage();
    const told: string[] = [];
    await Promise.all([run(here, "a", told, 3), run(here, "a", told, 2), run(here, "b", told, 1)]);
    expect(told).toEqual(["0 s a begins", "0 s b begins", "1 s b ends", "3 s a ends", "9 s a begins", "11 s a ends"]);
  });

  test("knows whether there was one a moment ago, for 10 s; then it is forgotten", async () => {
    const again = async (waitMs: number) => {
      const here = stage({ seconds: 600 });
      const told: boolean[] = [];
      await run(here, "a", [], 1);
      await here.time.sleep(waitMs);
      await serializeRuns("a", here.means.inFlight, here.means.retryBudget, async (value) => void told.push(value));
      await serializeRuns("b", here.means.inFlight, here.means.retryBudget, async () => {});
      return [...told, here.means.inFlight.size];
    };
    expect(await again(10_000)).toEqual([true, 2]);
    expect(await again(10_001)).toEqual([false, 2]);
    const here = stage({ seconds: 600 });
    await run(here, "a", [], 1);
    await here.time.sleep(10_001);
    await run(here, "b", [], 1);
    expect([...here.means.inFlight.keys()]).toEqual(["b"]);
  });

  test("that was waited for knows that there was one", async () => {
    const here = stage();
    const told: boolean[] = [];
    const turn = (seconds: number) =>
      serializeRuns("a", here.means.inFlight, here.means.retryBudget, async (again) => {
        told.push(again);
        await here.time.sleep(seconds * 1000);
      });
    await Promise.all([turn(1), turn(1)]);
    expect(told).toEqual([false, true]);
  });

  test("comes also where the one before failed", async () => {
    const here = stage();
    const told: string[] = [];
    await Promise.all([run(here, "a", told, 1, true), run(here, "a", told, 1)]);
    expect(told).toEqual(["0 s a begins", "1 s a ends", "1 s CloudError", "7 s a begins", "8 s a ends"]);
  });

  test("comes one after the other for three", async () => {
    const here = stage();
    const told: string[] = [];
    await Promise.all([run(here, "a", told, 1), run(here, "a", told, 1), run(here, "a", told, 1)]);
    expect(told.filter((one) => one.endsWith("begins"))).toEqual(["0 s a begins", "7 s a begins", "14 s a begins"]);
  });

  test("is waited for also by who comes when the first has ended and the second has not", async () => {
    const here = stage();
    const told: string[] = [];
    const turns = [run(here, "a", told, 1), run(here, "a", told, 5)];
    await here.time.sleep(8_000);
    await Promise.all([...turns, run(here, "a", told, 1)]);
    expect(told.filter((one) => one.endsWith("begins"))).toEqual(["0 s a begins", "7 s a begins", "18 s a begins"]);
  });

  test("that does not come in time fails, and the one after it still waits for the first", async () => {
    const here = stage({ seconds: 5 });
    const patient = {
      ...here,
      means: { ...here.means, retryBudget: { ...here.means.retryBudget, deadline: moment(60_000) } },
    };
    const told: string[] = [];
    await Promise.all([run(here, "a", told, 10), run(here, "a", told, 1), run(patient, "a", told, 1)]);
    expect(told).toEqual(["0 s a begins", "5 s DeadlineExceeded", "10 s a ends", "16 s a begins", "17 s a ends"]);
  });
});
