/** Tests the create functions with undocumented responses that a service, or a proxy in front of the service, sends. */
import { describe, expect, test } from "vitest";
import { ODD_ANSWERS, type OddAnswer, type OddAnswerName } from "../../../infra/local/cloud/gateway/odd-answers.ts";
import type { Fault, FaultMatch } from "../../../infra/local/cloud/index.ts";
import { CREATES, type Create, createFixture } from "../../support/creates.ts";
import { expectWholeRecords } from "../../support/environment.ts";
import { useFixedDate } from "../../support/fixed-date.ts";

useFixedDate();

/** Returns the fault that sends the odd response. If `after` is true, the embedded cloud carries out the request first. */
type OddResponse = (after: boolean) => Fault;

interface Place {
  /** The part of the test name before the description of the odd response, such as "if every list response is". */
  condition: string;
  /** True if the test sends the same create request once before it sets the faults. */
  repeated?: boolean;
  /** Returns the faults that send the odd response. Each fault comes with a match for the requests to which the fault applies. */
  faults(create: Create, odd: OddResponse): [match: FaultMatch, fault: Fault][];
}

const LOST_RESPONSE: Fault = { type: "reset", after: true };

const PLACES: Place[] = [
  {
    condition: "if the caller repeats the request and every list response is",
    repeated: true,
    faults: ({ list }, odd) => [[{ operation: list }, odd(false)]],
  },
  {
    condition: "if the create response is lost and every subsequent list response is",
    faults: ({ list, operation }, odd) => [
      [{ operation, nth: 1 }, LOST_RESPONSE],
      [{ operation: list, nth: 2, times: 99 }, odd(false)],
    ],
  },
  {
    condition: "if the service does not execute the first create request and the response is",
    faults: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(false)]],
  },
  {
    condition: "if the service executes the first create request but the response is",
    faults: ({ operation }, odd) => [[{ operation, nth: 1 }, odd(true)]],
  },
  {
    condition: "if the service executes every create request but every response is",
    faults: ({ operation }, odd) => [[{ operation }, odd(true)]],
  },
];

const DESCRIPTIONS: Record<OddAnswerName, string> = {
  text: "a 400 with plain text",
  textWithoutType: "a 502 with text and an empty Content-Type header",
  html: "a 503 with an HTML page",
  htmlNotFound: "a 404 with an HTML page",
  htmlSuccess: "a 200 with an HTML login page",
  empty: "a 400 with an empty body",
  emptyNotFound: "a 404 with an empty body",
  noContent: "a 204 without a body",
  array: "a 400 with an array of errors instead of an object",
  arraySuccess: "a 200 with an empty JSON array instead of an object",
  string: "a 400 with a JSON string instead of an object",
  number: "a 400 with a JSON number instead of an object",
  null: "a 400 with the body null",
  nullSuccess: "a 200 with the body null",
  emptyObject: "a 400 with an empty JSON object",
  emptyObjectSuccess: "a 202 with an empty JSON object",
  errorText: 'a 400 with a string in the field "error"',
  errorNull: 'a 500 with null in the field "error"',
  errorArray: 'a 400 with an array in the field "errors"',
  errorNested: "a 400 with an error object inside another error object",
  codeObject: "a 400 with an object as the error code and an array as the message",
  codePrototype: 'a 400 with the error code "__proto__" and the message "constructor"',
  failureSuccess: "a 200 with an error code of DWS",
  conflict: 'a 409 with the OpenStack error "conflictingRequest"',
  notFound: 'a 404 with the OpenStack error "itemNotFound"',
  overLimit: 'a 413 with the OpenStack error "overLimit", which asks for a retry after 1 s',
  wrongVolumeStatus: "a 400 with the error that the disk is extending",
  tryAgainLater: "a 400 with the error that the system is busy",
  unauthorized: "a 401 with an error in the OpenStack format",
  requestTimeout: "a 408 with an empty body",
  tooLarge: "a 413 with an HTML page",
  clientClosed: "a 499 with an empty body",
  unknownStatus: "a 599, which is an unknown status",
  proxyAuthentication: "a 407 that asks for a proxy password",
  byteOrderMark: "a 400 with a byte order mark before the JSON",
  controlCharacters: "a 400 with control characters in the error code and message",
  longCode: "a 400 with an error code of 1 MiB",
  longMessage: "a 400 with an error message of 1 MiB",
  large: "a 500 with an error message of 16 MiB",
  largeSuccess: "a 200 with a JSON object of 16 MiB",
  deepArray: "a 400 with 100,000 nested arrays",
  deepObject: "a 400 with 100,000 nested objects",
  deepMessage: "a 500 with 100,000 nested arrays as the error message",
  deepSuccess: 'a 200 with 100,000 nested arrays in the field "snapshot"',
};

const ODD: [description: string, odd: OddResponse][] = [
  ...Object.entries<OddAnswer>(ODD_ANSWERS).map(([name, answer]): [string, OddResponse] => [
    DESCRIPTIONS[name as OddAnswerName],
    (after) => ({ type: "status", ...answer, after }),
  ]),
  ["incomplete, because the rest of its body never arrives", (after) => ({ type: "stall", after })],
  ["a 101 with an Upgrade header", (after) => ({ type: "upgrade", after })],
  ["a 101 without headers", (after) => ({ type: "upgrade", headers: {}, after })],
  ...[301, 302, 303, 307, 308].map((status): [string, OddResponse] => [
    `a ${status} redirect`,
    (after) => ({ type: "status", status, headers: { location: "http://127.0.0.1:1/" }, body: "", after }),
  ]),
];

/** Sends a create request while the faults apply. Repeats the request after the faults are removed. */
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
  describe.each(PLACES)("an odd response: $condition", (place) => {
    test.each(ODD)(
      `${create.name} creates at most one snapshot and writes complete records ${place.condition} %s`,
      (_description, odd) => createWithFaults(create, place, odd),
    );
  });

  test(`${create.name} waits for the final response if 1,000 interim responses with the status 1xx precede it`, async () => {
    const fixture = await createFixture(create);
    fixture.cloud.fault({ operation: /list|create/ }, { type: "informational", count: 1000 });
    const { result } = await fixture.post();
    expect(result.statusCode).toBe(create.status);
    expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  });
});
