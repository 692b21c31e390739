/** Tests requests that are delivered twice. The second delivery starts and finishes before the first create request fails. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { type HttpResponse, TransportFailure } from "../../shared/huaweicloud/http/transport.ts";
import {
  byName,
  CREATES,
  type CreateFixture,
  createFixture,
  replaceCreateResponses,
  SNAPSHOT,
} from "../support/creates.ts";
import { type Invoked, nightly, resourceIdOf } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const THROTTLED = JSON.stringify({
  error_code: "APIGW.0308",
  error_msg: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second",
});
const BUSY = '{"conflictingRequest":{"code":409,"message":"busy"}}';

const respond = (status: number, text: string) => async () => ({ status, headers: {}, text });
const fail = (message: string, requestSent: boolean) => () =>
  Promise.reject(new TransportFailure(message, { requestSent }));

/** Ways in which the first create request fails without reaching the embedded cloud. */
const FAILURES: [failure: string, failCreate: () => Promise<HttpResponse>][] = [
  ["is throttled", respond(429, THROTTLED)],
  ["gets no connection", fail("connect ETIMEDOUT", false)],
  ["gets no response", fail("no response within 10000 ms", true)],
  ["gets a 503 response", respond(503, '{"error":{"code":"EVS.5503"}}')],
  ["is rejected because the resource is busy", respond(409, BUSY)],
];

/**
 * Delivers a request to two processes. The second delivery starts and finishes while the first delivery sends its first create
 * request, which then fails. Returns the outcomes of the create records of each delivery.
 */
async function deliverTwice(
  fixture: CreateFixture,
  failCreate: () => Promise<HttpResponse>,
  deliver: () => Promise<Invoked>,
) {
  let second: Invoked | undefined;
  replaceCreateResponses(fixture, 1, async () => {
    const memoryOfFirstProcess = fixture.runtime.inFlight;
    fixture.runtime.inFlight = new Map();
    second = await deliver();
    fixture.runtime.inFlight = memoryOfFirstProcess;
    return failCreate();
  });
  const first = await deliver();
  return [first, second].map((invoked) =>
    invoked?.records.filter(({ action }) => action === "create").map(({ outcome }) => outcome),
  );
}

describe.each(byName(CREATES))("%s", (_name, create) => {
  test.each(FAILURES)(
    `${create.name} creates one snapshot if a request is delivered twice at the same time and the first create request %s`,
    async (_failure, failCreate) => {
      const fixture = await createFixture(create);
      const [first, second] = await deliverTwice(fixture, failCreate, () => fixture.postWithKey());
      expect(fixture.snapshots()).toHaveLength(1);
      expect(second).toEqual(["accepted"]);
      expect([["existing"], ["accepted"]]).toContainEqual(first);
    },
  );
});

test.each(FAILURES)(
  "scheduled-snapshots creates one snapshot per disk if a timer event is delivered twice at the same time and the first create request %s",
  async (_failure, failCreate) => {
    const fixture = await createFixture(SNAPSHOT);
    const disks = fixture.addDisks(12);
    const deliver = () => fixture.invoke(scheduledSnapshots, nightly({ volume_ids: disks }));
    const [first] = await deliverTwice(fixture, failCreate, deliver);
    expect(first).toHaveLength(12);
    expect(fixture.snapshots().map(resourceIdOf).sort()).toEqual(disks.sort());
  },
);
