/** Tests events that `disk-attached` rejects. */
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  createAttachedFixture,
  createFixture,
  createRequestTrace,
  disksWithSnapshots,
  recordOf,
} from "../support/attachments.ts";
import { UNKNOWN_ID } from "../support/common.ts";
import { outcomes, START } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("an invalid event", () => {
  const { cts } = createRequestTrace(UNKNOWN_ID, UNKNOWN_ID);
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(cts).filter(([name]) => !names.includes(name)));
  const EXPECTED = 'Expected a CTS event {"cts":{"trace_name",...}} or an EventGrid event with the trace in "data"';
  const timer = { version: "v1.0", time: START, trigger_type: "TIMER", trigger_name: "T", user_event: "{}" };

  test.each<[what: string, event: unknown, message: string]>([
    ["undefined instead of an event", undefined, EXPECTED],
    ["null instead of an event", null, `${EXPECTED}, got null.`],
    ["a string instead of an event", JSON.stringify({ cts }).slice(0, 50), EXPECTED],
    ["a string of 5,000,000 characters instead of an event", "x".repeat(5_000_000), EXPECTED],
    ["an array of CTS traces instead of an event", [cts], `${EXPECTED}, got an event of the trigger "direct".`],
    ["an array inside an array instead of an event", [[{ cts }]], `${EXPECTED}, got an array of 1 item.`],
    ["a CTS trace that is not inside an event", cts, `${EXPECTED}, got an event of the trigger "direct".`],
    ["a CTS event without a trace", { cts: null }, EXPECTED],
    ["a CTS event with a string as its trace", { cts: "attachVolume" }, EXPECTED],
    ["a CTS event with an array as its trace", { cts: [cts] }, EXPECTED],
    ["a CloudEvent without data", { ...cloudEvent(undefined) }, EXPECTED],
    ["a timer event", timer, `${EXPECTED}, got an event of the trigger "timer".`],
    ["an object with an array of CloudEvents", { events: [cloudEvent(cts)] }, EXPECTED],
    ["a CTS trace without a name", { cts: without("trace_name") }, "trace_name: expected a name such as attachVolume"],
    [
      "a CTS trace with a number as its name",
      { cts: { ...cts, trace_name: 7 } },
      "trace_name: expected a name such as attachVolume",
    ],
    [
      "a CTS trace without a server id",
      { cts: without("resource_id") },
      "resource_id: expected the id of a server in the trace",
    ],
    [
      "a CTS trace with a path as its server id",
      { cts: { ...cts, resource_id: "../../x" } },
      "resource_id: expected the id of a server",
    ],
  ])(
    "disk-attached reports InvalidRequest with the cause, and sends no request, if it receives %s",
    async (_what, event, message) => {
      const { cloud, deliver, requests } = await createFixture();
      const invoked = await deliver(event);
      expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
      expect(invoked.error?.message).toContain(message);
      expect(invoked.error?.message.length).toBeLessThan(400);
      expect(recordOf(invoked).error).toMatchObject({ reason: "InvalidRequest", message: invoked.error?.message });
      expect(requests()).toEqual([]);
      expect(cloud.logs.map(({ line }) => line)).toEqual(invoked.records);
    },
  );

  test("disk-attached ignores an invalid disk id in a CTS trace and uses the valid disk id in another field of the trace", async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const event = createRequestTrace(server, disk);
    const request = { volumeAttachment: { volumeId: "../../cloudsnapshots", id: disk } };
    expect((await deliver({ cts: { ...event.cts, request } })).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});
