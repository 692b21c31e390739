/** Tests a create that is repeated while another delivery of the same request is being processed. */
import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { type HttpResponse, TransportFailure } from "../../shared/huaweicloud/http/transport.ts";
import { CREATES, type Create, onTheSitesDay, stage } from "../support/creates.ts";
import { timerEvent } from "../support/environment.ts";

onTheSitesDay();

const THROTTLED = JSON.stringify({
  error_code: "APIGW.0308",
  error_msg: "The throttling threshold has been reached: policy user over ratelimit,limit:10,time:1 second",
});

/** Faults of the first create of a delivery. A fault calls `work` if the create reaches the cloud nevertheless. */
const INTERRUPTIONS: [what: string, interrupt: (work: () => Promise<HttpResponse>) => Promise<HttpResponse>][] = [
  ["is throttled", async () => ({ status: 429, headers: {}, text: THROTTLED })],
  ["finds no connection", () => Promise.reject(new TransportFailure("connect ETIMEDOUT", { requestSent: false }))],
  ["has no answer", () => Promise.reject(new TransportFailure("no answer within 10000 ms", { requestSent: true }))],
  ["meets a fault of the service", async () => ({ status: 503, headers: {}, text: '{"error":{"code":"EVS.5503"}}' })],
  [
    "meets a disk that is busy",
    async () => ({ status: 409, headers: {}, text: '{"conflictingRequest":{"code":409,"message":"busy"}}' }),
  ],
];

/** Runs two deliveries of one request in two processes: the second one begins, and ends, within the first one's first create. */
async function twoDeliveries(
  site: Awaited<ReturnType<typeof stage>>,
  interrupt: (work: () => Promise<HttpResponse>) => Promise<HttpResponse>,
  deliver: () => Promise<{ records: { action: string; outcome: string }[] }>,
) {
  const { transport } = site.runtime;
  let second: Awaited<ReturnType<typeof deliver>> | undefined;
  let interrupted = false;
  site.runtime.transport = async (request) => {
    if (request.method !== "POST" || request.url.pathname.includes("/lts/") || interrupted) return transport(request);
    interrupted = true;
    const memory = site.runtime.inFlight;
    site.runtime.inFlight = new Map();
    second = await deliver();
    site.runtime.inFlight = memory;
    return interrupt(() => transport(request));
  };
  const first = await deliver();
  const outcomes = (invoked: typeof first | undefined) =>
    invoked?.records.filter(({ action }) => action === "create").map(({ outcome }) => outcome);
  return { first: outcomes(first), second: outcomes(second) };
}

describe.each(CREATES)("$name", (create: Create) => {
  test.each(INTERRUPTIONS)(
    "makes one snapshot of two deliveries when the first one's create %s",
    async (_what, interrupt) => {
      const site = await stage(create);
      const found = await twoDeliveries(site, interrupt, () => site.post({}, { "idempotency-key": "k" }));
      expect(site.cloud.snapshots(create.kind)).toHaveLength(1);
      expect(found.second).toEqual(["accepted"]);
      expect([["existing"], ["accepted"]]).toContainEqual(found.first);
    },
  );
});

test.each(INTERRUPTIONS)(
  "scheduled-snapshots makes one snapshot of each disk when the first create %s",
  async (_what, interrupt) => {
    const site = await stage(CREATES[0] as Create);
    const disks = Array.from({ length: 12 }, () => site.cloud.addVolume().id);
    const targets = [{ kind: "snapshot", volume_ids: disks }];
    const deliver = () => site.invoke(scheduledSnapshots, timerEvent({ policy: "nightly", targets }));
    const { first } = await twoDeliveries(site, interrupt, deliver);
    expect(first).toHaveLength(12);
    for (const disk of disks) {
      expect(site.cloud.snapshots().filter((one) => "volume_id" in one && one.volume_id === disk)).toHaveLength(1);
    }
  },
);
