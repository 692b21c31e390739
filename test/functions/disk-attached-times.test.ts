/** Tests how `disk-attached` reads the time of a CTS trace. */
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  completed,
  createFixture,
  disksWithSnapshots,
  nestDeeply,
  record,
  requested,
} from "../support/attachments.ts";
import { START_MS } from "../support/common.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("the time of a trace", () => {
  test.each<[how: string, time: unknown, eventTime: string]>([
    ["with the year first and a zone", "2026/11/21 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["with the month first and a zone", "11/21/2026 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["with the name of the month and a zone", "Nov 21, 2026 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["with the year first and without a zone", "2026/11/21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["with dashes and without a zone", "2026-11-21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["in seconds with a fraction, as a string", "1795226400.5", "2026-11-21T02:00:00.500Z"],
    ["in ISO 8601", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00.000Z"],
  ])("disk-attached reads a time that is written %s", async (_how, time, eventTime) => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, time, record_time: undefined } });
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({ outcome: "accepted", event_time: eventTime });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test.each<[what: string, time: unknown]>([
    ["absent", undefined],
    ["null", null],
    ["a word", "yesterday"],
    ["an object", { seconds: 1 }],
    ["a deeply nested array", nestDeeply()],
    ["0", 0],
    ["negative", -5],
    ["before 2015", 1_000_000_000],
    ["1e300", 1e300],
    ["a string of 1 MB", "9".repeat(1_000_000)],
  ])(
    "disk-attached creates a snapshot of a named disk although both times of the trace are %s",
    async (_what, time) => {
      const { cloud, deliver, server, disk } = await createFixture();
      cloud.attach(disk, server, { after: 20_000 });
      const { cts } = requested(server, disk);
      const invoked = await deliver({ cts: { ...cts, time, record_time: time } });
      expect(invoked.error).toBeUndefined();
      expect(record(invoked)).toMatchObject({ outcome: "accepted", resource_id: disk });
      expect(record(invoked)).not.toHaveProperty("event_time");
      expect(invoked.output.length).toBeLessThan(5_000);
      expect((await deliver(completed(server))).result.outcomes).toEqual({ existing: 1 });
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
    },
  );

  test("disk-attached uses record_time, and then the time of the CloudEvent, if the time of a trace is invalid", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const byRecord = await deliver({ cts: { ...cts, time: "soon", record_time: "2026-11-21 01:59:00" } });
    expect(record(byRecord).event_time).toBe("2026-11-21T01:59:00.000Z");
    const timeless = { ...cts, time: "soon", record_time: null };
    const byEvent = await deliver({ ...cloudEvent(timeless), time: "2026-11-21T01:58:00Z" });
    expect(record(byEvent).event_time).toBe("2026-11-21T01:58:00.000Z");
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached does not skip a disk because it cannot read the time of the trace", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, time: null, record_time: null } });
    expect(record(invoked)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect(cloud.snapshots()).toEqual([]);
  });

  test.each<[what: string, time: unknown]>([
    ["unreadable", null],
    ["eight hours ahead", "11/21/2026 10:00:00"],
  ])(
    "disk-attached does not select the only disk of the server at once if the time of the trace is %s",
    async (_what, time) => {
      const { cloud, clock, deliver, server, disk } = await createFixture();
      cloud.attach(disk, server, { after: 25_000 });
      const { cts } = completed(server);
      const invoked = await deliver({ cts: { ...cts, time, record_time: time } });
      expect(invoked.error).toBeUndefined();
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
      expect(clock.now() - START_MS).toBeGreaterThanOrEqual(25_000);
    },
  );
});
