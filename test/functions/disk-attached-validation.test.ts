/** Tests events that `disk-attached` rejects. */
import { describe, expect, test } from "vitest";
import { cloudEvent, createFixture, disksWithSnapshots, record, requested } from "../support/attachments.ts";
import { UNKNOWN_ID } from "../support/common.ts";
import { outcomes, START } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("an invalid event", () => {
  const { cts } = requested(UNKNOWN_ID, UNKNOWN_ID);
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(cts).filter(([name]) => !names.includes(name)));
  const EXPECTED = 'Expected a CTS event {"cts":{"trace_name",...}} or an EventGrid event whose "data" is such a trace';
  const timer = { version: "v1.0", time: START, trigger_type: "TIMER", trigger_name: "T", user_event: "{}" };

  test.each<[what: string, event: unknown, message: string]>([
    ["undefined", undefined, EXPECTED],
    ["null", null, `${EXPECTED}, got null.`],
    ["a string", JSON.stringify({ cts }).slice(0, 50), EXPECTED],
    ["a long string", "x".repeat(5_000_000), EXPECTED],
    ["an array of traces", [cts], `${EXPECTED}, got an event of the trigger "direct".`],
    ["an array in an array", [[{ cts }]], `${EXPECTED}, got an array of 1 item.`],
    ["a trace by itself", cts, `${EXPECTED}, got an event of the trigger "direct".`],
    ["a CTS event without a trace", { cts: null }, EXPECTED],
    ["a CTS event with a word as its trace", { cts: "attachVolume" }, EXPECTED],
    ["a CTS event with an array as its trace", { cts: [cts] }, EXPECTED],
    ["a CloudEvent without data", { ...cloudEvent(undefined) }, EXPECTED],
    ["a timer's event", timer, `${EXPECTED}, got an event of the trigger "timer".`],
    ["events of the publishing API", { events: [cloudEvent(cts)] }, EXPECTED],
    ["a trace without a name", { cts: without("trace_name") }, "trace_name: expected a name such as attachVolume"],
    [
      "a trace with a number as its name",
      { cts: { ...cts, trace_name: 7 } },
      "trace_name: expected a name such as attachVolume",
    ],
    [
      "a trace without a server",
      { cts: without("resource_id") },
      "resource_id: expected the id of a server in the trace",
    ],
    [
      "a trace with a path as the id of its server",
      { cts: { ...cts, resource_id: "../../x" } },
      "resource_id: expected the id of a server",
    ],
  ])(
    "disk-attached describes the expected event and calls nothing when it rejects %s",
    async (_what, event, message) => {
      const { cloud, deliver, requests } = await createFixture();
      const invoked = await deliver(event);
      expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
      expect(invoked.error?.message).toContain(message);
      expect(invoked.error?.message.length).toBeLessThan(400);
      expect(record(invoked).error).toMatchObject({ reason: "InvalidRequest", message: invoked.error?.message });
      expect(requests()).toEqual([]);
      expect(cloud.logs.map(({ line }) => line)).toEqual(invoked.records);
    },
  );

  test("disk-attached ignores an invalid disk id and reads the next place of the trace", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const event = requested(server, disk);
    const request = { volumeAttachment: { volumeId: "../../cloudsnapshots", id: disk } };
    expect((await deliver({ cts: { ...event.cts, request } })).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});
