/** Tests `disk-attached` when EVS returns neither the id nor the time of an attachment. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  createCompletionTrace,
  createFixture,
  createNamedCompletionTrace,
  createRequestTrace,
  disksWithSnapshots,
  recordOf,
  resourceOutcomes,
  withFields,
  withoutAttachmentFields,
} from "../support/attachments.ts";
import { HOUR_MS, MINUTE_MS, START_MS } from "../support/common.ts";
import type { Json } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("EVS returns neither the id nor the time of an attachment", () => {
  const createFixtureWithoutFields = async (variables: Record<string, string> = {}) => {
    const fixture = await createFixture({ variables });
    withoutAttachmentFields(fixture.runtime);
    return fixture;
  };
  const reattach = (cloud: EmbeddedCloud, disk: string, server: string) => {
    cloud.detach(disk);
    cloud.attach(disk, server);
  };

  describe.each(["snapshot", "standard-snapshot"])("%s", (DISK_ATTACHED_KIND) => {
    test.each(["request", "completion"])(
      `disk-attached creates one ${DISK_ATTACHED_KIND} from 10 deliveries of two CTS traces if the %s trace arrives first and EVS returns no attachment id and no attachment time`,
      async (firstTrace) => {
        const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields({ DISK_ATTACHED_KIND });
        cloud.attach(disk, server);
        const completion = createNamedCompletionTrace(server, disk, START_MS + 3 * MINUTE_MS);
        const traces = [createRequestTrace(server, disk), completion];
        if (firstTrace === "completion") traces.reverse();
        const found: string[] = [];
        for (let delivery = 0; delivery < 10; delivery += 1) {
          const invoked = await deliver(traces[delivery % 2]);
          found.push(recordOf(invoked).outcome);
          clock.advance(delivery % 3 === 0 ? 1_000 : 4 * MINUTE_MS);
        }
        expect(found).toEqual(["accepted", ...Array.from({ length: 9 }, () => "existing")]);
        expect(disksWithSnapshots(cloud)).toEqual([disk]);
      },
    );
  });

  test("disk-attached creates one snapshot from two CTS traces if EVS lists the snapshot 5 s later and returns neither an attachment id nor an attachment time", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.listLagMs = 5_000;
    cloud.attach(disk, server);
    const completion = createNamedCompletionTrace(server, disk, START_MS + MINUTE_MS);
    for (const event of [createRequestTrace(server, disk), completion]) {
      expect((await deliver(event)).error).toBeUndefined();
      clock.advance(1_000);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates one snapshot from six simultaneous CTS traces of one attachment if EVS returns no attachment id and no attachment time", async () => {
    const { cloud, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server, { after: 10_000 });
    const completion = createNamedCompletionTrace(server, disk, START_MS + MINUTE_MS);
    const events = Array.from({ length: 6 }, (_, index) =>
      index % 2 === 0 ? createRequestTrace(server, disk) : completion,
    );
    const invoked = await Promise.all(events.map((event) => deliver(event)));
    expect(invoked.map((one) => recordOf(one).outcome).sort()).toEqual([
      "accepted",
      ...Array.from({ length: 5 }, () => "existing"),
    ]);
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test.each([
    ["an hour", HOUR_MS],
    ["11 minutes", 11 * MINUTE_MS],
    ["4 minutes", 4 * MINUTE_MS],
  ])(
    "disk-attached creates a second snapshot if the disk is attached again after %s and EVS returns no attachment id and no attachment time",
    async (_delay, delayMs) => {
      const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
      const attachAndDeliver = async () => {
        reattach(cloud, disk, server);
        const began = clock.now();
        expect((await deliver(createRequestTrace(server, disk, began))).result.outcomes).toEqual({ accepted: 1 });
        clock.advance(30_000);
        expect((await deliver(createCompletionTrace(server, began + 30_000))).result.outcomes).toEqual({ existing: 1 });
      };
      await attachAndDeliver();
      clock.set(START_MS + delayMs);
      await attachAndDeliver();
      expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
    },
  );

  test('disk-attached creates one snapshot for each of two attachments an hour apart if their CTS traces lack the fields "trace_type" and "response"', async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    const createUntypedTrace = (timeMs: number) =>
      withFields(createRequestTrace(server, disk, timeMs), { trace_type: undefined, response: undefined });
    cloud.attach(disk, server);
    for (const after of [0, MINUTE_MS, 9 * MINUTE_MS]) {
      clock.set(START_MS + after);
      expect((await deliver(createUntypedTrace(START_MS + after))).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
    clock.set(START_MS + HOUR_MS);
    reattach(cloud, disk, server);
    expect((await deliver(createUntypedTrace(START_MS + HOUR_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot from three CTS traces without a time if the traces arrive within 2 minutes", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    const withoutTime = (event: { cts: Json }) => withFields(event, { time: undefined, record_time: undefined });
    cloud.attach(disk, server);
    const request = createRequestTrace(server, disk);
    for (const event of [request, request, createCompletionTrace(server)]) {
      expect((await deliver(withoutTime(event))).error).toBeUndefined();
      clock.advance(MINUTE_MS);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
    clock.advance(HOUR_MS);
    reattach(cloud, disk, server);
    expect((await deliver(withoutTime(request))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot for each server of a shared disk if EVS returns no attachment id and no attachment time", async () => {
    const { cloud, deliver, server } = await createFixtureWithoutFields();
    const other = cloud.addServer().id;
    const shared = cloud.addVolume({ multiattach: true, serverId: other }).id;
    cloud.attach(shared, server);
    for (const event of [
      createRequestTrace(other, shared),
      createRequestTrace(server, shared),
      createRequestTrace(other, shared),
    ]) {
      expect((await deliver(event)).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([shared, shared]);
  });

  test("if the CTS completion trace names only the server, disk-attached finds the snapshot that was created for the CTS request trace", async () => {
    const { cloud, clock, deliver, server, disk, systemDisk } = await createFixtureWithoutFields();
    cloud.attach(disk, server);
    // The function cannot select a disk, because the completion trace names no disk and the server has two disks.
    const early = await deliver(createCompletionTrace(server));
    expect(recordOf(early)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect((await deliver(createRequestTrace(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    clock.advance(MINUTE_MS);
    const late = await deliver(createCompletionTrace(server));
    expect(resourceOutcomes(late)).toEqual([`existing ${disk}`]);
    expect(disksWithSnapshots(cloud)).not.toContain(systemDisk);
  });

  test("disk-attached creates a snapshot of a disk that is attached 10 s after the CTS completion trace, which names only the server", async () => {
    const { cloud, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server, { after: 10_000 });
    expect(resourceOutcomes(await deliver(createCompletionTrace(server)))).toEqual([`accepted ${disk}`]);
    expect((await deliver(createRequestTrace(server, disk))).result.outcomes).toEqual({ existing: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates a second snapshot from the CTS completion trace if the snapshot from the CTS request trace failed", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server);
    cloud.endWith(disk, "error");
    expect((await deliver(createRequestTrace(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    clock.advance(MINUTE_MS);
    expect((await deliver(createCompletionTrace(server, START_MS + MINUTE_MS))).result.outcomes).toEqual({
      accepted: 1,
    });
    expect(cloud.snapshots().map(({ status }) => status)).toEqual([
      "error",
      expect.stringMatching(/creating|available/),
    ]);
  });
});
