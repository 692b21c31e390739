/** Tests create functions with undocumented responses of the cloud, or of a proxy in front of it. */
import { describe, expect, test } from "vitest";
import { ODD_ANSWERS, type OddAnswer } from "../../../infra/local/cloud/gateway/odd-answers.ts";
import type { Fault, FaultMatch } from "../../../infra/local/cloud/index.ts";
import { CREATES, type Create, createFixture } from "../../support/creates.ts";
import { expectWholeRecords } from "../../support/environment.ts";
import { useFixedDate } from "../../support/fixed-date.ts";

useFixedDate();

type Armed = [match: FaultMatch, fault: Fault];

interface Place {
  place: string;
  /** True if the same request succeeded once before the odd response. */
  repeated?: boolean;
  /** Arms the faults. `odd(after)` is the odd response, sent before or after the cloud carries out the request. */
  arm(create: Create, odd: (after: boolean) => Fault): Armed[];
}

const PLACES: Place[] = [
  {
    place: "every list call of a repeated request",
    repeated: true,
    arm: ({ list }, odd) => [[{ operation: list }, odd(false)]],
  },
  {
    place: "every list call after a create call whose response is lost",
    arm: ({ list, operation }, odd) => [
      [
        { operation, nth: 1 },
        { type: "reset", after: true },
      ],
      [{ operation: list, nth: 2, times: 99 }, odd(false)],
    ],
  },
  {
    place: "the first create call, which the cloud does not carry out,",
    arm: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(false)]],
  },
  {
    place: "the first create call, which the cloud carries out,",
    arm: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(true)]],
  },
  {
    place: "every create call, which the cloud carries out each time,",
    arm: ({ operation }, odd) => [[{ operation }, odd(true)]],
  },
];

const ODD: [name: string, odd: (after: boolean) => Fault][] = [
  ...Object.entries<OddAnswer>(ODD_ANSWERS).map(([name, answer]): [string, (after: boolean) => Fault] => [
    name,
    (after) => ({ type: "status", ...answer, after }),
  ]),
  ["stalled body", (after) => ({ type: "stall", after })],
  ["101 Switching Protocols", (after) => ({ type: "upgrade", after })],
  ["101 without any header", (after) => ({ type: "upgrade", headers: {}, after })],
  ...[301, 302, 303, 307, 308].map((status): [string, (after: boolean) => Fault] => [
    `redirect ${status}`,
    (after) => ({ type: "status", status, headers: { location: "http://127.0.0.1:1/" }, body: "", after }),
  ]),
];

/** Creates a snapshot under the faults, then repeats the request without faults. */
async function createUnder(create: Create, { repeated, arm }: Place, odd: (after: boolean) => Fault): Promise<void> {
  const fixture = await createFixture(create);
  const post = () => fixture.post({}, { "idempotency-key": "k" });
  if (repeated) await post();
  const handles = arm(create, odd).map(([match, fault]) => fixture.cloud.fault(match, fault));
  const invoked = await post();
  for (const { hits } of handles) expect(hits).toBeGreaterThan(0);
  expect(invoked.error).toBeUndefined();
  expect(invoked.records.map(({ action }) => action)).toEqual(["create", "run"]);
  expectWholeRecords(invoked);
  const made = fixture.cloud.snapshots(create.kind);
  expect(made.length).toBeLessThanOrEqual(1);
  if (invoked.result.statusCode < 300) {
    expect(made).toHaveLength(1);
    expect(invoked.result.body).toContain(made[0]?.id);
  } else expect(["accepted", "existing"]).not.toContain(invoked.records[0].outcome);

  fixture.cloud.clearFaults();
  fixture.clock.advance(60_000);
  const again = await post();
  expect(again.result.statusCode).toBe(create.status);
  expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  await fixture.cloud.close();
}

describe.each(CREATES)("$name", (create) => {
  describe.each(PLACES)("$place gets an odd response", (place) => {
    test.each(ODD)(
      `${create.name} writes one record and creates at most one snapshot if ${place.place} gets the odd response %s`,
      (_name, odd) => createUnder(create, place, odd),
    );
  });

  test(`${create.name} waits for the final response after a thousand interim responses`, async () => {
    const fixture = await createFixture(create);
    fixture.cloud.fault({ operation: /list|create/ }, { type: "informational", count: 1000 });
    const { result } = await fixture.post();
    expect(result.statusCode).toBe(create.status);
    expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  });
});
