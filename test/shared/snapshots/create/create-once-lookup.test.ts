/** Tests that `createOnce` sends no create request unless a fresh list response shows that the snapshot does not exist. */
import { describe, expect, test } from "vitest";
import { createOnce } from "../../../../shared/snapshots/create/create-once.ts";
import type { CreateResult, SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import {
  CREATE,
  callCreateOnce,
  LIST,
  nameOfAttempt,
  requestOf,
  snapshotCreatedBy,
} from "../../../support/create-once.ts";
import {
  cloudError,
  cluster,
  createFixture,
  type DomainFixture,
  lostResponse,
  STATUS,
  snapshot,
} from "../../../support/domain.ts";

/** Calls `createOnce` with a rate limiter that delays each create request by `limiterMs`. Returns the result or the error. */
const createWithLimiter = (
  { cloud, time, runContext }: DomainFixture,
  limiterMs: number,
  request: SnapshotRequest = requestOf(),
): Promise<CreateResult> => {
  const service = cloud.service(request.kind);
  const limited: typeof service = {
    ...service,
    create: async (options, beforeSend) => {
      await time.sleep(limiterMs);
      return service.create(options, beforeSend);
    },
  };
  return createOnce(request, limited, runContext.retryBudget, runContext.inFlight).catch((error) => error);
};

/** Another process creates the snapshot of the request after the given seconds. */
const createByAnother = async ({ cloud, time }: DomainFixture, seconds: number, request = requestOf()) => {
  await time.sleep(seconds * 1000);
  cloud.add(request.kind, snapshotCreatedBy(request, "theirs", STATUS.creating));
};

describe("createOnce with a create request that the rate limiter delays", () => {
  test("createOnce lists the snapshots again before the create request if its list response is more than 1 s old", async () => {
    const fixture = createFixture();
    await createWithLimiter(fixture, 1_000);
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `1 s ${CREATE}`]);

    const late = createFixture();
    await createWithLimiter(late, 1_001);
    expect(late.cloud.calls).toEqual([`0 s ${LIST}`, `1.001 s ${LIST}`, `1.001 s ${CREATE}`]);
  });

  test("createOnce adds the 3 s of its list request to the maximum age of the list response", async () => {
    for (const [limiterMs, lists] of [
      [1_000, 1],
      [1_001, 2],
    ] as const) {
      const fixture = createFixture();
      fixture.cloud.onNextCalls("listFor", () => fixture.time.sleep(3_000));
      await createWithLimiter(fixture, limiterMs);
      expect(fixture.cloud.requests().filter((request) => request === LIST)).toHaveLength(lists);
    }
  });

  test("createOnce returns a snapshot that another process creates while the rate limiter waits, and sends no create request", async () => {
    const fixture = createFixture();
    const [created] = await Promise.all([createWithLimiter(fixture, 8_000), createByAnother(fixture, 2)]);
    expect(created).toMatchObject({ outcome: "existing", snapshotId: "theirs", attempts: 0 });
    expect(fixture.cloud.requests()).toEqual([LIST, LIST]);
  });

  test("createOnce throws Conflict at once if another process uses the key with other options while the rate limiter waits", async () => {
    const fixture = createFixture();
    const other = requestOf({ options: { volume_id: "disk-1", force: false } });
    const [created] = await Promise.all([createWithLimiter(fixture, 8_000), createByAnother(fixture, 2, other)]);
    expect(created).toMatchObject({ reason: "Conflict", message: expect.stringContaining("with the same key") });
    expect(created.attempts).toBe(0);
    expect(fixture.time.seconds()).toBe(8);
    expect(fixture.cloud.requests()).toEqual([LIST, LIST]);
  });

  test("createOnce sends no create request if the list request before it fails, and throws the error of the list request", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listFor", undefined, cloudError("AccessDenied"));
    expect(await createWithLimiter(fixture, 2_000)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
    expect(fixture.cloud.requests()).toEqual([LIST, LIST]);
  });

  test("createOnce repeats the list request before a create request after a transient error", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("listFor", undefined, cloudError("CloudError"));
    expect(await createWithLimiter(fixture, 2_000)).toMatchObject({ outcome: "accepted", attempts: 1 });
    expect(fixture.cloud.requests()).toEqual([LIST, LIST, LIST, CREATE]);
  });
});

describe("createOnce before a retry", () => {
  test.each(["Throttled", "CloudError", "Unreachable"] as const)(
    "createOnce lists the snapshots before the retry after %s even if its last list response is fresh, and finds the snapshot of another process",
    async (reason) => {
      const fixture = createFixture();
      fixture.cloud.onNextCalls("create", () => {
        fixture.cloud.add(snapshot, snapshotCreatedBy(requestOf(), "theirs"));
        throw cloudError(reason);
      });
      expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "existing", snapshotId: "theirs" });
      expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `0 s ${LIST}`]);
    },
  );

  test("createOnce returns the snapshot that another process creates while the retry after a lost response waits for the rate limiter", async () => {
    const fixture = createFixture({ creates: [lostResponse()] });
    const [created] = await Promise.all([createWithLimiter(fixture, 2_000), createByAnother(fixture, 9)]);
    expect(created).toMatchObject({ outcome: "existing", snapshotId: "theirs" });
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `2 s ${LIST}`, `2 s ${CREATE}`, `8 s ${LIST}`, `10 s ${LIST}`]);
  });

  test("createOnce throws the error of the list request before a retry, and counts only the create requests that were sent", async () => {
    const fixture = createFixture({ creates: [cloudError("Busy")] });
    fixture.cloud.onNextCalls("listFor", undefined, cloudError("AccessDenied"));
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "AccessDenied", attempts: 1 });
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `6 s ${LIST}`]);
  });

  test("createOnce gives the retry the second generated name if the list response shows that the first snapshot failed", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("create", () => {
      fixture.cloud.add(snapshot, snapshotCreatedBy(requestOf(), "a", { ...STATUS.failed, name: nameOfAttempt(1) }));
      throw lostResponse();
    });
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", name: nameOfAttempt(2), attempts: 2 });
  });

  test("createOnce with a generated cluster snapshot name creates one snapshot if the create response is lost and DWS lists no description", async () => {
    const fixture = createFixture();
    const request = requestOf({ kind: cluster, options: { cluster_id: "cluster-1" } });
    fixture.cloud.onNextCalls("create", { afterwards: lostResponse() });
    fixture.cloud.onEveryCall("listFor", () => {
      const found = fixture.cloud.snapshotsOf(cluster);
      fixture.cloud.snapshots.set(
        cluster.name,
        found.map((row) => ({ ...row, marker: undefined, description: undefined })),
      );
    });
    expect(await callCreateOnce(fixture, request)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    fixture.runContext.inFlight.clear();
    expect(await callCreateOnce(fixture, request)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.snapshotsOf(cluster)).toHaveLength(1);
  });
});

describe("createOnce with acceptsOtherOptions", () => {
  const detail = "An earlier delivery created this snapshot with other options.";
  const run = (force: boolean) => requestOf({ options: { volume_id: "disk-1", force }, acceptsOtherOptions: true });

  test("createOnce returns a snapshot with other options as existing, with a detail, only if acceptsOtherOptions is set", async () => {
    const fixture = createFixture();
    fixture.cloud.add(snapshot, snapshotCreatedBy(run(false), "a"));
    expect(await callCreateOnce(fixture, run(true))).toMatchObject({ outcome: "existing", snapshotId: "a", detail });
    expect(await callCreateOnce(fixture, run(false))).not.toHaveProperty("detail");
    const strict = { ...run(true), acceptsOtherOptions: false };
    expect(await callCreateOnce(fixture, strict)).toMatchObject({ reason: "Conflict" });
    expect(fixture.cloud.requests()).not.toContain(CREATE);
  });

  test("createOnce returns the snapshot of a concurrent request as existing, with a detail only if the options of the two requests differ", async () => {
    const fixture = createFixture({ createMs: 2_000 });
    const [first, second, third] = await Promise.all([
      callCreateOnce(fixture, run(true)),
      callCreateOnce(fixture, run(false)),
      callCreateOnce(fixture, run(true)),
    ]);
    expect(first).not.toHaveProperty("detail");
    expect(second).toEqual({ ...first, outcome: "existing", attempts: 0, detail });
    expect(third).toEqual({ ...first, outcome: "existing", attempts: 0 });
    expect(fixture.cloud.snapshotsOf(snapshot)).toHaveLength(1);
  });

  test("createOnce returns a remembered snapshot that no list response shows yet, with a detail only if the options of the two requests differ", async () => {
    const fixture = createFixture({ listDelayMs: 60_000 });
    await callCreateOnce(fixture, run(true));
    expect(await callCreateOnce(fixture, run(false))).toMatchObject({
      outcome: "existing",
      snapshotId: "made-1",
      detail,
    });
    expect(await callCreateOnce(fixture, run(true))).not.toHaveProperty("detail");
  });

  test("createOnce returns the snapshot with other options that it finds after a lost create response as existing", async () => {
    const fixture = createFixture();
    fixture.cloud.onNextCalls("create", () => {
      fixture.cloud.add(snapshot, snapshotCreatedBy(run(false), "theirs"));
      throw lostResponse();
    });
    expect(await callCreateOnce(fixture, run(true))).toMatchObject({
      outcome: "existing",
      snapshotId: "theirs",
      detail,
      attempts: 1,
    });
  });
});
