/** Tests how `disk-attached` reads the time of a CTS trace. */
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  createAttachedFixture,
  createCompletionTrace,
  createFixture,
  createRequestTrace,
  disksWithSnapshots,
  nestDeeply,
  recordOf,
  withFields,
} from "../support/attachments.ts";
import { expectSuccess, START_MS } from "../support/common.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("the time of a CTS trace", () => {
  test.each<[how: string, time: unknown, eventTime: string]>([
    ["as year/month/day with a time zone", "2026/11/21 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["as month/day/year with a time zone", "11/21/2026 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    [
      "as the month's name, day and year with a time zone",
      "Nov 21, 2026 10:00:00 GMT+08:00",
      "2026-11-21T02:00:00.000Z",
    ],
    ["as year/month/day without a time zone", "2026/11/21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["as year-month-day without a time zone", "2026-11-21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["as a string of seconds with a decimal fraction", "1795226400.5", "2026-11-21T02:00:00.500Z"],
    ["as ISO 8601", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00.000Z"],
  ])("disk-attached reads the time of a CTS trace if the time is written %s", async (_how, time, eventTime) => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const invoked = expectSuccess(
      await deliver(withFields(createRequestTrace(server, disk), { time, record_time: undefined })),
    );
    expect(recordOf(invoked)).toMatchObject({ outcome: "accepted", event_time: eventTime });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test.each<[what: string, time: unknown]>([
    ["absent", undefined],
    ["null", null],
    ['the word "yesterday"', "yesterday"],
    ["an object", { seconds: 1 }],
    ["a deeply nested array", nestDeeply()],
    ["the number 0", 0],
    ["a negative number", -5],
    ["a date before 2015", 1_000_000_000],
    ["the number 1e300", 1e300],
    ["a string of 1 MB", "9".repeat(1_000_000)],
  ])(
    'disk-attached creates a snapshot although each of the fields "time" and "record_time" of the CTS trace is %s',
    async (_what, time) => {
      const { cloud, deliver, server, disk } = await createFixture();
      cloud.attach(disk, server, { after: 20_000 });
      const invoked = expectSuccess(
        await deliver(withFields(createRequestTrace(server, disk), { time, record_time: time })),
      );
      expect(recordOf(invoked)).toMatchObject({ outcome: "accepted", resource_id: disk });
      expect(recordOf(invoked)).not.toHaveProperty("event_time");
      expect(invoked.output.length).toBeLessThan(5_000);
      expect((await deliver(createCompletionTrace(server))).result.outcomes).toEqual({ existing: 1 });
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
    },
  );

  test('disk-attached uses "record_time" of a CTS trace if "time" is invalid, and the time of the CloudEvent if neither field is valid', async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const { cts } = createRequestTrace(server, disk);
    const byRecordTime = await deliver({ cts: { ...cts, time: "soon", record_time: "2026-11-21 01:59:00" } });
    expect(recordOf(byRecordTime).event_time).toBe("2026-11-21T01:59:00.000Z");
    const withoutTime = { ...cts, time: "soon", record_time: null };
    const byEventTime = await deliver({ ...cloudEvent(withoutTime), time: "2026-11-21T01:58:00Z" });
    expect(recordOf(byEventTime).event_time).toBe("2026-11-21T01:58:00.000Z");
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached waits until its deadline and then fails if the CTS trace has no time and the disk in the trace is not attached", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const invoked = await deliver(withFields(createRequestTrace(server, disk), { time: null, record_time: null }));
    expect(recordOf(invoked)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect(cloud.snapshots()).toEqual([]);
  });

  test.each<[what: string, time: unknown]>([
    ["null", null],
    ["eight hours in the future", "11/21/2026 10:00:00"],
  ])(
    "disk-attached waits for a newly attached disk instead of selecting the server's first disk if the time of the CTS trace is %s",
    async (_what, time) => {
      const { cloud, clock, deliver, server, disk } = await createFixture();
      cloud.attach(disk, server, { after: 25_000 });
      expectSuccess(await deliver(withFields(createCompletionTrace(server), { time, record_time: time })));
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
      expect(clock.now() - START_MS).toBeGreaterThanOrEqual(25_000);
    },
  );
});
