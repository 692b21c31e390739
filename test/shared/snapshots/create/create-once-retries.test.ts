import { describe, expect, test } from "vitest";
import { REASONS, type SnapshotError, withAttempts } from "../../../../shared/core/errors.ts";
import { after } from "../../../../shared/core/instant.ts";
import { createOnce } from "../../../../shared/snapshots/create/create-once.ts";
import type { SnapshotRequest } from "../../../../shared/snapshots/create/request.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { cloudError, createFixture, group, lostResponse, snapshot, snapshotOf } from "../../../support/domain.ts";
import { ask, CREATE, LOOK, NAME, request } from "../../../support/requests.ts";

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
      message: `The same request ended less than 6 s ago, and a list may not show its snapshot yet. ${REASONS.OutcomeUnknown.advice}`,
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
        /^Expected fewer than 7 snapshots of disk-1, got 7\. The cloud rejected another one: 400 EVS\.5400: Too many\. No more snapshots/,
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
