/** Tests a request that is delivered a second time while the function processes the first delivery. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { type HttpResponse, TransportFailure } from "../../shared/huaweicloud/http/transport.ts";
import { CREATES, type Create, type CreateFixture, createFixture } from "../support/creates.ts";
import { timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const THROTTLED = JSON.stringify({
  error_code: "APIGW.0308",
  error_msg: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second",
});

/** Faults of the first create of a delivery. A fault calls `work` if the create reaches the cloud nevertheless. */
const INTERRUPTIONS: [what: string, interrupt: (work: () => Promise<HttpResponse>) => Promise<HttpResponse>][] = [
  ["is throttled", async () => ({ status: 429, headers: {}, text: THROTTLED })],
  ["cannot connect", () => Promise.reject(new TransportFailure("connect ETIMEDOUT", { requestSent: false }))],
  [
    "gets no response",
    () => Promise.reject(new TransportFailure("no response within 10000 ms", { requestSent: true })),
  ],
  ["fails in the service", async () => ({ status: 503, headers: {}, text: '{"error":{"code":"EVS.5503"}}' })],
  [
    "is refused because the disk is busy",
    async () => ({ status: 409, headers: {}, text: '{"conflictingRequest":{"code":409,"message":"busy"}}' }),
  ],
];

/** Runs two deliveries of one request in two processes. The second delivery starts and ends during the first create of the first delivery. */
async function twoDeliveries(
  fixture: CreateFixture,
  interrupt: (work: () => Promise<HttpResponse>) => Promise<HttpResponse>,
  deliver: () => Promise<{ records: { action: string; outcome: string }[] }>,
) {
  const { transport } = fixture.runtime;
  let second: Awaited<ReturnType<typeof deliver>> | undefined;
  let interrupted = false;
  fixture.runtime.transport = async (request) => {
    if (request.method !== "POST" || request.url.pathname.includes("/lts/") || interrupted) return transport(request);
    interrupted = true;
    const memory = fixture.runtime.inFlight;
    fixture.runtime.inFlight = new Map();
    second = await deliver();
    fixture.runtime.inFlight = memory;
    return interrupt(() => transport(request));
  };
  const first = await deliver();
  const outcomes = (invoked: typeof first | undefined) =>
    invoked?.records.filter(({ action }) => action === "create").map(({ outcome }) => outcome);
  return { first: outcomes(first), second: outcomes(second) };
}

describe.each(CREATES)("$name", (create: Create) => {
  test.each(INTERRUPTIONS)(
    `${create.name} creates one snapshot for two deliveries if the create of the first one %s`,
    async (_what, interrupt) => {
      const fixture = await createFixture(create);
      const found = await twoDeliveries(fixture, interrupt, () => fixture.post({}, { "idempotency-key": "k" }));
      expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
      expect(found.second).toEqual(["accepted"]);
      expect([["existing"], ["accepted"]]).toContainEqual(found.first);
    },
  );
});

test.each(INTERRUPTIONS)(
  "scheduled-snapshots creates one snapshot of each disk for two deliveries if the first create %s",
  async (_what, interrupt) => {
    const fixture = await createFixture(CREATES[0] as Create);
    const disks = Array.from({ length: 12 }, () => fixture.cloud.addVolume().id);
    const targets = [{ kind: "snapshot", volume_ids: disks }];
    const deliver = () => fixture.invoke(scheduledSnapshots, timerEvent({ policy: "nightly", targets }));
    const { first } = await twoDeliveries(fixture, interrupt, deliver);
    expect(first).toHaveLength(12);
    for (const disk of disks) {
      expect(fixture.cloud.snapshots().filter((one) => "volume_id" in one && one.volume_id === disk)).toHaveLength(1);
    }
  },
);
