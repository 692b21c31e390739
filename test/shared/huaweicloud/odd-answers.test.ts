/** Tests the create functions with undocumented responses that a service, or a proxy in front of the service, sends. */
import { describe, expect, test } from "vitest";
import { ODD_ANSWERS, type OddAnswer } from "../../../infra/local/cloud/gateway/odd-answers.ts";
import type { Fault, FaultMatch } from "../../../infra/local/cloud/index.ts";
import { CREATES, type Create, createFixture } from "../../support/creates.ts";
import { expectWholeRecords } from "../../support/environment.ts";
import { useFixedDate } from "../../support/fixed-date.ts";

useFixedDate();

/** Returns the odd response. If `after` is true, the embedded cloud carries out the request before it responds. */
type OddResponse = (after: boolean) => Fault;

interface Place {
  place: string;
  /** True if the same request has succeeded once before the odd response. */
  repeated?: boolean;
  /** Returns the faults for the embedded cloud. */
  faults(create: Create, odd: OddResponse): [match: FaultMatch, fault: Fault][];
}

const PLACES: Place[] = [
  {
    place: "every list request of a repeated create request",
    repeated: true,
    faults: ({ list }, odd) => [[{ operation: list }, odd(false)]],
  },
  {
    place: "every list request after a lost create response",
    faults: ({ list, operation }, odd) => [
      [
        { operation, nth: 1 },
        { type: "reset", after: true },
      ],
      [{ operation: list, nth: 2, times: 99 }, odd(false)],
    ],
  },
  {
    place: "the first create request, which creates nothing,",
    faults: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(false)]],
  },
  {
    place: "the first create request, which creates a snapshot,",
    faults: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(true)]],
  },
  {
    place: "every create request, each of which creates a snapshot,",
    faults: ({ operation }, odd) => [[{ operation }, odd(true)]],
  },
];

const ODD: [name: string, odd: OddResponse][] = [
  ...Object.entries<OddAnswer>(ODD_ANSWERS).map(([name, answer]): [string, OddResponse] => [
    name,
    (after) => ({ type: "status", ...answer, after }),
  ]),
  ["stalled body", (after) => ({ type: "stall", after })],
  ["101 Switching Protocols", (after) => ({ type: "upgrade", after })],
  ["101 without any header", (after) => ({ type: "upgrade", headers: {}, after })],
  ...[301, 302, 303, 307, 308].map((status): [string, OddResponse] => [
    `redirect ${status}`,
    (after) => ({ type: "status", status, headers: { location: "http://127.0.0.1:1/" }, body: "", after }),
  ]),
];

/** Sends a create request with the faults, then repeats the request without faults. */
async function createWithFaults(create: Create, { repeated, faults }: Place, odd: OddResponse): Promise<void> {
  const fixture = await createFixture(create);
  const post = () => fixture.post({}, { "idempotency-key": "k" });
  if (repeated) await post();
  const handles = faults(create, odd).map(([match, fault]) => fixture.cloud.fault(match, fault));
  const invoked = await post();
  for (const { hits } of handles) expect(hits).toBeGreaterThan(0);
  expect(invoked.error).toBeUndefined();
  expect(invoked.records.map(({ action }) => action)).toEqual(["create", "run"]);
  expectWholeRecords(invoked);
  const created = fixture.cloud.snapshots(create.kind);
  expect(created.length).toBeLessThanOrEqual(1);
  if (invoked.result.statusCode < 300) {
    expect(created).toHaveLength(1);
    expect(invoked.result.body).toContain(created[0]?.id);
  } else expect(["accepted", "existing"]).not.toContain(invoked.records[0].outcome);

  fixture.cloud.clearFaults();
  fixture.clock.advance(60_000);
  const again = await post();
  expect(again.result.statusCode).toBe(create.status);
  expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  await fixture.cloud.close();
}

describe.each(CREATES)("$name", (create) => {
  describe.each(PLACES)("an odd response to $place", (place) => {
    test.each(ODD)(
      `${create.name} writes one record and creates at most one snapshot if ${place.place} gets the response: %s`,
      (_name, odd) => createWithFaults(create, place, odd),
    );
  });

  test(`${create.name} waits for the final response if 1,000 interim responses come first`, async () => {
    const fixture = await createFixture(create);
    fixture.cloud.fault({ operation: /list|create/ }, { type: "informational", count: 1000 });
    const { result } = await fixture.post();
    expect(result.statusCode).toBe(create.status);
    expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  });
});
