/** Tests how the create functions retry, and what they do after a response that does not show whether a snapshot exists. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fault } from "../../infra/local/cloud/index.ts";
import { byName, CLUSTER, CREATES, createFixture, creates, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { errorOf, outcomeHeader, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("create requests that EVS rejects temporarily", () => {
  test("create-standard-snapshot waits while EVS creates another snapshot of the disk, and then creates the requested snapshot", async () => {
    const fixture = await createFixture(STANDARD, { random: () => 0.5 });
    await fixture.post({ name: "first" });
    const second = await fixture.post({ name: "second" });
    expect(second.result.statusCode).toBe(202);
    expect(second.records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(fixture.snapshots().map(({ name }) => name)).toEqual(["first", "second"]);
  });

  test("create-snapshot waits 7 s before it repeats the create request if EVS responds 429 with the header Retry-After: 7", async () => {
    const fixture = await createFixture(SNAPSHOT, { random: () => 0 });
    fixture.failCreate({ type: "throttle", retryAfter: 7 }, { nth: 1 });
    const { result, records } = await fixture.post();
    expect([result.statusCode, records[0].attempts]).toEqual([202, 2]);
    expect(fixture.elapsedMs()).toBe(7_000);
  });

  test.each<[response: string, fault: Fault, status: number, lookMs: number]>([
    [
      "409 to every create request because the disk is busy, create-standard-snapshot stops retrying within 15 s, and responds after a last list request 6 s later",
      { type: "answer", status: 409, body: '{"error":{"code":"EVS.2409","message":"busy"}}' },
      409,
      6_000,
    ],
    [
      "429 to every create request, create-standard-snapshot stops retrying within 15 s, and then responds at once",
      { type: "throttle" },
      429,
      0,
    ],
  ])("if EVS responds %s", async (_response, fault, status, lookMs) => {
    const fixture = await createFixture(STANDARD);
    fixture.failCreate(fault);
    let lastCreateAt = 0;
    const { transport } = fixture.runtime;
    fixture.runtime.transport = (request) => {
      if (request.url.pathname.endsWith("/snapshots")) lastCreateAt = fixture.elapsedMs();
      return transport(request);
    };
    const { result, records } = await fixture.post({}, {}, { remainingMs: 900_000 });
    expect(result.statusCode).toBe(status);
    expect(records[0].attempts).toBeGreaterThan(1);
    expect(lastCreateAt).toBeLessThanOrEqual(15_000);
    expect(fixture.elapsedMs()).toBeCloseTo(lastCreateAt + lookMs, 3);
  });

  test("create-snapshot copies the Retry-After header of EVS to its own 429 response", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.failCreate({ type: "throttle", retryAfter: 30 });
    const { result } = await fixture.post();
    expect([result.statusCode, result.headers["retry-after"]]).toEqual([429, "30"]);
  });

  test("if EVS never responds, create-snapshot responds 504 within 55 s, before the API gateway times out", async () => {
    const fixture = await createFixture(SNAPSHOT, { variables: { HTTP_TIMEOUT_MS: "600000" } });
    fixture.cloud.fault({ operation: /^evs/ }, { type: "hang", after: false });
    const { result } = await fixture.post({}, {}, { remainingMs: 900_000 });
    expect(result.statusCode).toBe(504);
    expect(fixture.elapsedMs()).toBeLessThanOrEqual(55_000);
  });
});

describe("ambiguous create responses, which do not show whether the snapshot was created", () => {
  const AMBIGUOUS: [response: string, faultAt: (after: boolean) => Fault][] = [
    ["loses its connection", (after) => ({ type: "reset", after })],
    ["gets no response", (after) => ({ type: "hang", after })],
    ["gets a 500 response", (after) => ({ type: "status", status: 500, after })],
    ["gets a 502 response", (after) => ({ type: "status", status: 502, after })],
    ["gets a 504 response", (after) => ({ type: "status", status: 504, after })],
    ["gets a truncated response", (after) => ({ type: "cut", after })],
    ["gets a response with incomplete JSON", (after) => ({ type: "notJson", after })],
    ["gets an HTML page as its response", (after) => ({ type: "notJson", after, html: true })],
    ["gets a response with an empty body", (after) => ({ type: "emptyBody", after })],
  ];

  describe.each(byName(CREATES))("%s", (_name, create) => {
    test.each(AMBIGUOUS)(
      `${create.name} creates exactly one snapshot if the first create request %s, whether or not the service executes the request`,
      async (_response, faultAt) => {
        for (const after of [true, false]) {
          const fixture = await createFixture(create);
          fixture.cloud.listLagMs = 5_000;
          fixture.failCreate(faultAt(after), { nth: 1 });
          const response = await fixture.postWithKey();
          expect(response.result.statusCode).toBe(create.status);
          expect(outcomeHeader(response)).toBe("accepted");
          expect(creates(fixture)).toHaveLength(after ? 1 : 2);
          const [made, ...others] = fixture.snapshots();
          expect(others).toEqual([]);
          const attempts = after ? 1 : 2;
          expect(response.records[0]).toMatchObject({ outcome: "accepted", snapshot_id: made?.id, attempts });
        }
      },
    );
  });

  test.each([401, 404, 409, 413, 499])(
    "if a gateway responds %i although the service created the snapshot, the create functions find this snapshot, which is listed 5 s later",
    async (status) => {
      for (const create of CREATES) {
        const fixture = await createFixture(create);
        fixture.cloud.listLagMs = 5_000;
        fixture.failCreate({ type: "status", status, body: "<html></html>", after: true });
        const response = await fixture.postWithKey();
        expect([response.result.statusCode, outcomeHeader(response)]).toEqual([create.status, "accepted"]);
        expect(creates(fixture)).toHaveLength(1);
        expect(response.result.body).toContain(fixture.snapshots()[0]?.id);
      }
    },
  );

  test("if DWS rejects a name because another delivery created the snapshot, create-cluster-snapshot finds this snapshot, which is listed 5 s later", async () => {
    const fixture = await createFixture(CLUSTER);
    fixture.cloud.listLagMs = 5_000;
    await fixture.postWithKey();
    // Another process handles the second delivery.
    fixture.runtime.inFlight = new Map();
    const response = await fixture.postWithKey();
    expect([response.result.statusCode, outcomeHeader(response)]).toEqual([200, "existing"]);
    expect(creates(fixture)).toHaveLength(2);
    expect(fixture.snapshots()).toHaveLength(1);
  });

  test("if the create response is lost and all later list requests fail, create-snapshot fails with OutcomeUnknown, and a repeated request finds the snapshot", async () => {
    const fixture = await createFixture(SNAPSHOT);
    fixture.failCreate({ type: "reset", after: true });
    fixture.cloud.fault({ operation: "evs.listSnapshots", nth: 2, times: 99 }, { type: "status", status: 500 });
    const first = await fixture.postWithKey();
    expect(first.result.statusCode).toBe(504);
    expect(errorOf(first).reason).toBe("OutcomeUnknown");
    expect(creates(fixture)).toHaveLength(1);
    fixture.cloud.clearFaults();
    expect(outcomeHeader(await fixture.postWithKey())).toBe("existing");
    expect(fixture.snapshots()).toHaveLength(1);
  });
});

test("the create functions create at most one snapshot and respond before their deadline for 60 random combinations of faults", async () => {
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
      async (create, remainingMs, faults, hasListLag) => {
        const fixture = await createFixture(create);
        if (hasListLag) fixture.cloud.listLagMs = 5_000;
        for (const [operation, when, type] of faults) fixture.cloud.fault({ operation, ...when }, type as Fault);
        const { result, error, records } = await fixture.postWithKey({}, { remainingMs });
        expect(error).toBeUndefined();
        expect(fixture.elapsedMs()).toBeLessThanOrEqual(remainingMs);
        expect(records.map(({ action }) => action)).toEqual(["create", "run"]);
        const made = fixture.snapshots();
        expect(made.length).toBeLessThanOrEqual(1);
        if (result.statusCode === create.status) {
          expect(made).toHaveLength(1);
          expect(result.body).toContain(made[0]?.id);
        } else {
          expect([429, 502, 504]).toContain(result.statusCode);
          // If the snapshot exists, the error must say that the outcome is unknown, not that the creation failed.
          if (made.length === 1) expect(errorOf({ result }).reason).toBe("OutcomeUnknown");
        }
        // A repeated request must succeed after the faults are removed.
        fixture.cloud.clearFaults();
        fixture.clock.advance(60_000);
        expect((await fixture.postWithKey()).result.statusCode).toBe(create.status);
        expect(fixture.snapshots()).toHaveLength(1);
        await fixture.cloud.close();
      },
    ),
    { numRuns: 60 },
  );
});

test.each([0, 10, 100, 250, 1_000, 2_250, 3_700])(
  "create-snapshot responds 504 DeadlineExceeded at once and sends no create request if its deadline is in %i ms",
  async (remainingMs) => {
    const fixture = await createFixture(SNAPSHOT);
    const response = await fixture.post({}, {}, { remainingMs });
    expect(response.result.statusCode).toBe(504);
    expect(errorOf(response).reason).toBe("DeadlineExceeded");
    expect(outcomes(response)).toEqual(["create failed", "run failed"]);
    expect(creates(fixture)).toEqual([]);
    expect(fixture.elapsedMs()).toBe(0);
  },
);
