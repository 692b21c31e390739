/** Tests create functions with responses of the cloud, or of a proxy before it, in forms that nobody has documented. */
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
  /** Whether the same request has succeeded once before the odd answer. */
  repeated?: boolean;
  /** `odd(after)` is the fault of the odd answer. */
  arm(create: Create, odd: (after: boolean) => Fault): Armed[];
}

const PLACES: Place[] = [
  {
    place: "every list of a request that is repeated",
    repeated: true,
    arm: ({ list }, odd) => [[{ operation: list }, odd(false)]],
  },
  {
    place: "every list after a create whose answer is lost",
    arm: ({ list, operation }, odd) => [
      [
        { operation, nth: 1 },
        { type: "reset", after: true },
      ],
      [{ operation: list, nth: 2, times: 99 }, odd(false)],
    ],
  },
  {
    place: "the first create, which is not carried out",
    arm: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(false)]],
  },
  {
    place: "the first create, which is carried out",
    arm: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(true)]],
  },
  {
    place: "every create, each of which is carried out",
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
  describe.each(PLACES)(
    "it ends, writes one record and creates at most one snapshot if $place gets an odd answer",
    (place) => {
      test.each(ODD)("the odd answer %s", (_name, odd) => createUnder(create, place, odd));
    },
  );

  test(`${create.name} waits for the final answer behind a thousand interim responses`, async () => {
    const fixture = await createFixture(create);
    fixture.cloud.fault({ operation: /list|create/ }, { type: "informational", count: 1000 });
    const { result } = await fixture.post();
    expect(result.statusCode).toBe(create.status);
    expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  });
});
