/** Tests how the create functions wait, repeat requests and resolve ambiguous responses before their deadline. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { CREATES, createFixture, creates, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("requests that have to wait", () => {
  test("create-standard-snapshot waits while the disk is busy and then creates the snapshot", async () => {
    const fixture = await createFixture(STANDARD, { random: () => 0.5 });
    await fixture.post({ name: "first" });
    const second = await fixture.post({ name: "second" });
    expect(second.result.statusCode).toBe(202);
    expect(second.records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(fixture.cloud.snapshots("standard-snapshot").map(({ name }) => name)).toEqual(["first", "second"]);
  });

  test("create-snapshot waits once for as long as the Retry-After header of a throttled response asks", async () => {
    const fixture = await createFixture(SNAPSHOT, { random: () => 0 });
    fixture.cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "throttle", retryAfter: 7 });
    const before = fixture.clock.now();
    const { result, records } = await fixture.post();
    expect([result.statusCode, records[0].attempts]).toEqual([202, 2]);
    expect(fixture.clock.now() - before).toBe(7_000);
  });

  test.each([
    [
      "a disk that is always busy",
      { type: "answer", status: 409, body: '{"error":{"code":"EVS.2409","message":"busy"}}' },
      409,
    ],
    ["an account that is always throttled", { type: "throttle" }, 429],
  ] satisfies [string, Fault, number][])(
    "create-standard-snapshot responds within 15 s for %s",
    async (_what, fault, status) => {
      const fixture = await createFixture(STANDARD);
      fixture.cloud.fault({ operation: /create/ }, fault);
      const before = fixture.clock.now();
      const { result, records } = await fixture.post({}, {}, { remainingMs: 900_000 });
      expect(result.statusCode).toBe(status);
      expect(records[0].attempts).toBeGreaterThan(1);
      expect(fixture.clock.now() - before).toBeLessThanOrEqual(15_000);
    },
  );

  test("create-snapshot passes the Retry-After header of a throttled response on to its caller", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.cloud.fault({ operation: /create/ }, { type: "throttle", retryAfter: 30 });
    const { result } = await fixture.post();
    expect([result.statusCode, result.headers["retry-after"]]).toEqual([429, "30"]);
  });

  test("create-snapshot responds before the API gateway times out if the cloud never responds", async () => {
    const fixture = await createFixture(SNAPSHOT, { variables: { HTTP_TIMEOUT_MS: "600000" } });
    fixture.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
    const before = fixture.clock.now();
    const { result } = await fixture.post({}, {}, { remainingMs: 900_000 });
    expect(result.statusCode).toBe(504);
    expect(fixture.clock.now() - before).toBeLessThanOrEqual(55_000);
  });
});

describe("responses that do not show whether the cloud created the snapshot", () => {
  const AMBIGUOUS: [what: string, fault: (after: boolean) => Fault][] = [
    ["a reset connection", (after) => ({ type: "reset", after })],
    ["no response", (after) => ({ type: "hang", after })],
    ["a 500", (after) => ({ type: "status", status: 500, after })],
    ["a 502 of the gateway", (after) => ({ type: "status", status: 502, after })],
    ["a 504 of the gateway", (after) => ({ type: "status", status: 504, after })],
    ["a truncated response", (after) => ({ type: "cut", after })],
    ["incomplete JSON", (after) => ({ type: "notJson", after })],
    ["an HTML page", (after) => ({ type: "notJson", after, html: true })],
    ["an empty body", (after) => ({ type: "emptyBody", after })],
  ];

  describe.each(CREATES)("$name", (create) => {
    test.each(AMBIGUOUS)(
      `${create.name} creates exactly one snapshot if the create ends in %s`,
      async (_what, fault) => {
        for (const after of [true, false]) {
          const fixture = await createFixture(create);
          fixture.cloud.listLagMs = 5_000;
          fixture.cloud.fault({ operation: create.operation, nth: 1 }, fault(after));
          const { result, records } = await fixture.post({}, { "idempotency-key": "k" });
          expect(result.statusCode).toBe(create.status);
          expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
          expect(creates(fixture)).toHaveLength(after ? 1 : 2);
          const [made, ...others] = fixture.cloud.snapshots(create.kind);
          expect(others).toEqual([]);
          expect(records[0]).toMatchObject({ outcome: "accepted", snapshot_id: made?.id, attempts: after ? 1 : 2 });
        }
      },
    );
  });

  test("create-snapshot reports OutcomeUnknown without a second create if the list fails after a lost response, and finds the snapshot for a later request", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.cloud.fault({ operation: "evs.createSnapshot" }, { type: "reset", after: true });
    fixture.cloud.fault({ operation: "evs.listSnapshots", nth: 2, times: 99 }, { type: "status", status: 500 });
    const first = await fixture.post({}, { "idempotency-key": "k" });
    expect(first.result.statusCode).toBe(504);
    expect(errorOf(first).reason).toBe("OutcomeUnknown");
    expect(creates(fixture)).toHaveLength(1);
    fixture.cloud.clearFaults();
    const again = await fixture.post({}, { "idempotency-key": "k" });
    expect(again.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(fixture.cloud.snapshots()).toHaveLength(1);
  });
});

test("the create functions create at most one snapshot, write one record and respond in time, whatever requests fail", async () => {
  const fault = fc.tuple(
    fc.constantFrom(/create/, /list/, /reportLogs/),
    fc.record({ nth: fc.integer({ min: 1, max: 3 }), times: fc.constantFrom(1, 99) }),
    fc.oneof(
      fc.record({ type: fc.constantFrom("reset", "hang", "cut", "notJson", "emptyBody"), after: fc.boolean() }),
      fc.record({ type: fc.constant("status"), status: fc.constantFrom(500, 502, 503, 504), after: fc.boolean() }),
      fc.record({ type: fc.constant("throttle"), retryAfter: fc.constantFrom(0, 3, 60) }),
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...CREATES),
      fc.oneof(fc.integer({ min: 300, max: 12_000 }), fc.integer({ min: 300, max: 70_000 })),
      fc.array(fault, { maxLength: 3 }),
      fc.boolean(),
      async (create, remainingMs, faults, late) => {
        const fixture = await createFixture(create);
        if (late) fixture.cloud.listLagMs = 5_000;
        for (const [operation, when, what] of faults) fixture.cloud.fault({ operation, ...when }, what as Fault);
        const before = fixture.clock.now();
        const { result, error, records } = await fixture.post({}, { "idempotency-key": "k" }, { remainingMs });
        expect(error).toBeUndefined();
        expect(fixture.clock.now() - before).toBeLessThanOrEqual(remainingMs);
        expect(records.map(({ action }) => action)).toEqual(["create", "run"]);
        const made = fixture.cloud.snapshots(create.kind);
        expect(made.length).toBeLessThanOrEqual(1);
        if (result.statusCode === create.status) {
          expect(made).toHaveLength(1);
          expect(result.body).toContain(made[0]?.id);
        } else {
          expect([429, 502, 504]).toContain(result.statusCode);
          // The error never claims that the create failed if the snapshot exists.
          if (made.length === 1) expect(errorOf({ result }).reason).toBe("OutcomeUnknown");
        }
        // The platform delivers the request again after the cloud has recovered.
        fixture.cloud.clearFaults();
        fixture.clock.advance(60_000);
        const again = await fixture.post({}, { "idempotency-key": "k" });
        expect(again.result.statusCode).toBe(create.status);
        expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
        await fixture.cloud.close();
      },
    ),
    { numRuns: 60 },
  );
});

test.each([0, 10, 100, 250, 1_000, 2_250, 3_700])(
  "create-snapshot starts no create and responds DeadlineExceeded if %i ms are left",
  async (remainingMs) => {
    const fixture = await createFixture(SNAPSHOT);
    const before = fixture.clock.now();
    const answered = await fixture.post({}, {}, { remainingMs });
    expect(answered.result.statusCode).toBe(504);
    expect(errorOf(answered).reason).toBe("DeadlineExceeded");
    expect(outcomes(answered)).toEqual(["create failed", "run failed"]);
    expect(creates(fixture)).toEqual([]);
    expect(fixture.clock.now() - before).toBe(0);
  },
);
