import { describe, expect, test } from "vitest";
import { REASONS, withAttempts } from "../../../../shared/core/errors.ts";
import { after } from "../../../../shared/core/instant.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import { CREATE, callCreateOnce, LIST, nameOfAttempt, requestOf } from "../../../support/create-once.ts";
import { cloudError, createCalls, createFixture, lostResponse } from "../../../support/domain.ts";

describe("createOnce after a lost create response", () => {
  test("createOnce lists the snapshots 6 s after a lost create response and returns the snapshot that was created", async () => {
    const fixture = createFixture({ listDelayMs: 5_000, creates: [{ afterwards: lostResponse() }] });
    expect(await callCreateOnce(fixture)).toMatchObject({
      outcome: "accepted",
      snapshotId: "made-1",
      name: nameOfAttempt(1),
      attempts: 1,
    });
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `6 s ${LIST}`]);
  });

  test("createOnce sends at most three create requests if the responses are lost and no snapshot appears", async () => {
    const fixture = createFixture({ creates: [lostResponse(), lostResponse()] });
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-1", attempts: 3 });
    expect(createCalls(fixture)).toEqual([`0 s ${CREATE}`, `6 s ${CREATE}`, `12 s ${CREATE}`]);

    const never = createFixture();
    never.cloud.onEveryCall("create", lostResponse());
    expect(await callCreateOnce(never)).toMatchObject({ reason: "Unreachable", attempts: 3 });
    expect(never.cloud.requests().filter((call) => call === CREATE)).toHaveLength(3);
    expect(never.cloud.requests().at(-1)).toBe(LIST);
  });

  test("createOnce sends no second create request after a lost create response if the invocation has no retry tokens left", async () => {
    const fixture = createFixture();
    fixture.runContext.retryBudget.tokens = { tokens: 2 };
    fixture.cloud.onEveryCall("create", lostResponse());
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "Unreachable", attempts: 1 });
  });

  test("createOnce fails with OutcomeUnknown if the deadline is less than 7 s after a lost create response", async () => {
    const fixture = createFixture({ seconds: 7 });
    fixture.cloud.onNextCalls(
      "create",
      cloudError("Unreachable", { ambiguous: true, code: "X.1", status: 500, requestId: "r-1" }),
    );
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", attempts: 2 });

    const short = createFixture({ seconds: 6.999 });
    const error = cloudError("Unreachable", { ambiguous: true, code: "X.1", status: 500, requestId: "r-1" });
    short.cloud.onNextCalls("create", error);
    const result = await callCreateOnce(short);
    expect(result).toMatchObject({
      reason: "OutcomeUnknown",
      code: "X.1",
      status: 500,
      requestId: "r-1",
      attempts: 1,
      message: `The service rejected the request with Unreachable. It is unknown whether the snapshot was created. ${REASONS.OutcomeUnknown.advice}`,
    });
    expect(result.cause).toEqual(withAttempts(error, 1));
    // The last second is reserved for the list request itself.
    expect(short.cloud.calls.at(-1)).toBe(`5.999 s ${LIST}`);
  });

  test("createOnce lists the snapshots at once after a lost create response if the deadline is near", async () => {
    const fixture = createFixture({ seconds: 0.5, creates: [{ afterwards: lostResponse() }] });
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
    expect(fixture.time.slept[0]).toBe(0);
  });

  test("createOnce fails with OutcomeUnknown if the list request after a lost create response fails", async () => {
    const fixture = createFixture();
    const denied = cloudError("AccessDenied");
    fixture.cloud.onNextCalls("create", lostResponse());
    fixture.cloud.onNextCalls("listFor", undefined, denied);
    const result = await callCreateOnce(fixture);
    expect(result).toMatchObject({ reason: "OutcomeUnknown" });
    expect(result.cause).toBe(denied);
  });

  test.each([
    ["AccessDenied", "AccessDenied", "AccessDenied"],
    ["AccessDenied", "NotFound", "OutcomeUnknown"],
    ["DeadlineExceeded", "DeadlineExceeded", "OutcomeUnknown"],
    ["Unreachable", "Unreachable", "OutcomeUnknown"],
  ] as const)(
    "createOnce, after an ambiguous create request with %s and failed list requests with %s, fails with %s",
    async (created, listed, reason) => {
      const fixture = createFixture({ creates: [cloudError(created, { ambiguous: true })] });
      fixture.cloud.onNextCalls("listFor", undefined);
      fixture.cloud.onEveryCall("listFor", cloudError(listed));
      expect(await callCreateOnce(fixture)).toMatchObject({ reason, attempts: 1 });
    },
  );
});

describe("createOnce after the same request failed with OutcomeUnknown", () => {
  /** Sends a request that fails with OutcomeUnknown. After `afterMs`, repeats the request with `seconds` until its deadline. */
  const repeat = async (afterMs: number, seconds: number, bulkListed?: FoundSnapshot[]) => {
    const fixture = createFixture({ seconds: 3, listDelayMs: 5_000, creates: [{ afterwards: lostResponse() }] });
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "OutcomeUnknown" });
    const failedAt = fixture.time.now();
    await fixture.time.sleep(afterMs);
    const retryBudget = { ...fixture.runContext.retryBudget, deadline: after(fixture.time.now(), seconds * 1000) };
    const result = await callCreateOnce(fixture, requestOf(), { bulkListed, retryBudget });
    return { result, seconds: (fixture.time.now() - failedAt) / 1000, requests: fixture.cloud.requests() };
  };

  test("createOnce sends a list request 6 s after OutcomeUnknown, even if the caller passes the existing snapshots", async () => {
    const { result, seconds, requests } = await repeat(1_000, 60, []);
    expect(result).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(seconds).toBe(6);
    expect(requests.slice(-2)).toEqual([LIST, LIST]);
  });

  test("createOnce lists the snapshots at once if an identical request failed with OutcomeUnknown 8 s ago", async () => {
    const { result, seconds } = await repeat(8_000, 60);
    expect(result).toMatchObject({ outcome: "existing" });
    expect(seconds).toBe(8);
  });

  test("createOnce fails if its deadline is less than 7 s after an identical request failed with OutcomeUnknown", async () => {
    expect((await repeat(1_000, 6)).result).toMatchObject({ outcome: "existing" });
    const { result, requests } = await repeat(1_000, 5.999);
    expect(result).toMatchObject({
      reason: "OutcomeUnknown",
      message: `An equal request finished less than 6 s ago, and its snapshot may not be listed yet. ${REASONS.OutcomeUnknown.advice}`,
    });
    expect(requests).toEqual([LIST, CREATE, LIST]);
  });
});

describe("createOnce after a rejected create request", () => {
  test("createOnce sends no second create request after NotFound, because a retry cannot succeed", async () => {
    const fixture = createFixture({ creates: [cloudError("NotFound", { status: 404 })] });
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "NotFound", attempts: 1 });
    expect(fixture.cloud.requests()).toEqual([LIST, CREATE]);
  });

  test("createOnce lists the snapshots before each retry of a create request after Throttled, CloudError or Unreachable", async () => {
    const fixture = createFixture({
      creates: [cloudError("Throttled"), cloudError("CloudError"), cloudError("Unreachable")],
    });
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "accepted", attempts: 4 });
    expect(fixture.cloud.requests()).toEqual([LIST, CREATE, LIST, CREATE, LIST, CREATE, LIST, CREATE]);
  });

  test.each(["Throttled", "CloudError", "Unreachable", "Busy"] as const)(
    "createOnce returns the snapshot that another delivery creates while createOnce waits after %s",
    async (reason) => {
      const fixture = createFixture({ creates: [{ afterwards: cloudError(reason) }] });
      expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
      expect(fixture.cloud.requests()).toEqual([LIST, CREATE, LIST]);
    },
  );

  test("createOnce lists the snapshots 6 s after a Busy error, because another delivery of the same event may be creating the snapshot", async () => {
    const fixture = createFixture({ listDelayMs: 5_000, creates: [{ afterwards: cloudError("Busy") }] });
    expect(await callCreateOnce(fixture)).toMatchObject({ outcome: "existing", snapshotId: "made-1" });
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `6 s ${LIST}`]);

    const other = createFixture({ creates: [cloudError("Busy")] });
    expect(await callCreateOnce(other)).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(other.cloud.requests()).toEqual([LIST, CREATE, LIST, CREATE]);
  });

  test("createOnce lists the snapshots 6 s after a rejection without an error code, and sends no second create request", async () => {
    const fixture = createFixture({ creates: [cloudError("AccessDenied", { ambiguous: true })] });
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "AccessDenied", attempts: 1 });
    expect(fixture.cloud.calls).toEqual([`0 s ${LIST}`, `0 s ${CREATE}`, `6 s ${LIST}`]);

    const refused = createFixture({ creates: [cloudError("AccessDenied", { ambiguous: true })] });
    refused.cloud.onNextCalls("listFor", undefined, cloudError("AccessDenied"));
    expect(await callCreateOnce(refused)).toMatchObject({ reason: "AccessDenied", attempts: 1 });

    const created = createFixture({ creates: [{ afterwards: cloudError("AccessDenied", { ambiguous: true }) }] });
    expect(await callCreateOnce(created)).toMatchObject({ outcome: "accepted", snapshotId: "made-1" });
  });

  test("createOnce does not count a create request that was never sent as an attempt", async () => {
    const fixture = createFixture();
    fixture.cloud.onEveryCall("create", cloudError("AccessDenied", { requestSent: false }));
    expect(await callCreateOnce(fixture)).toMatchObject({ reason: "AccessDenied", attempts: 0 });
  });
});
