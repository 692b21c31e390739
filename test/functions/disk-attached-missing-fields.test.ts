/** Tests `disk-attached` when EVS returns neither the id nor the time of an attachment. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  completed,
  createFixture,
  disksWithSnapshots,
  record,
  requested,
  resourceOutcomes,
  withoutAttachmentFields,
} from "../support/attachments.ts";
import { HOUR_MS, MINUTE_MS, START_MS } from "../support/common.ts";
import type { Json } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("an attachment without an id and a time in EVS", () => {
  const createFixtureWithoutFields = async (variables: Record<string, string> = {}) => {
    const fixture = await createFixture({ variables });
    withoutAttachmentFields(fixture.runtime);
    return fixture;
  };
  const attachAgain = (cloud: EmbeddedCloud, disk: string, server: string) => {
    cloud.detach(disk);
    cloud.attach(disk, server);
  };

  describe.each(["snapshot", "standard-snapshot"])("%s", (DISK_ATTACHED_KIND) => {
    test.each([
      ["starting with the request trace", 0],
      ["starting with the completion trace", 1],
    ])(
      `disk-attached creates one ${DISK_ATTACHED_KIND} from 5 copies of each trace if EVS shows no attachment fields, %s`,
      async (_order, first) => {
        const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields({ DISK_ATTACHED_KIND });
        cloud.attach(disk, server);
        const named = completed(server, START_MS + 3 * MINUTE_MS);
        const traces = [
          requested(server, disk),
          { cts: { ...named.cts, request: { volumeAttachment: { volumeId: disk } } } },
        ];
        const found: string[] = [];
        for (let delivery = 0; delivery < 10; delivery += 1) {
          const invoked = await deliver(traces[(delivery + first) % 2]);
          found.push(record(invoked).outcome);
          clock.advance(delivery % 3 === 0 ? 1_000 : 4 * MINUTE_MS);
        }
        expect(found).toEqual(["accepted", ...Array.from({ length: 9 }, () => "existing")]);
        expect(disksWithSnapshots(cloud)).toEqual([disk]);
      },
    );
  });

  test("disk-attached creates one snapshot if EVS shows no attachment fields and no list shows the snapshot before the second trace", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.listLagMs = 5_000;
    cloud.attach(disk, server);
    const second = completed(server, START_MS + 60_000);
    const named = { cts: { ...second.cts, request: { volumeAttachment: { volumeId: disk } } } };
    for (const event of [requested(server, disk), named]) {
      expect((await deliver(event)).error).toBeUndefined();
      clock.advance(1_000);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates one snapshot from simultaneous traces if EVS shows no attachment fields", async () => {
    const { cloud, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server, { after: 10_000 });
    const second = completed(server, START_MS + 60_000);
    const named = { cts: { ...second.cts, request: { volumeAttachment: { volumeId: disk } } } };
    const events = Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? requested(server, disk) : named));
    const invoked = await Promise.all(events.map((event) => deliver(event)));
    expect(invoked.map((one) => record(one).outcome).sort()).toEqual([
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
    "disk-attached creates another snapshot if the disk is attached again after %s and EVS shows no attachment fields",
    async (_much, later) => {
      const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
      const once = async () => {
        attachAgain(cloud, disk, server);
        const began = clock.now();
        expect((await deliver(requested(server, disk, began))).result.outcomes).toEqual({ accepted: 1 });
        clock.advance(30_000);
        expect((await deliver(completed(server, began + 30_000))).result.outcomes).toEqual({ existing: 1 });
      };
      await once();
      clock.set(START_MS + later);
      await once();
      expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
    },
  );

  test("disk-attached distinguishes attachments whose traces show neither the request nor the completion", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    const traceless = (time: number) => {
      const { cts } = requested(server, disk, time);
      return { cts: { ...cts, trace_type: undefined, response: undefined } };
    };
    cloud.attach(disk, server);
    for (const after of [0, MINUTE_MS, 9 * MINUTE_MS]) {
      clock.set(START_MS + after);
      expect((await deliver(traceless(START_MS + after))).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
    clock.set(START_MS + HOUR_MS);
    attachAgain(cloud, disk, server);
    expect((await deliver(traceless(START_MS + HOUR_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot from traces without a time that arrive within minutes", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    const timeless = ({ cts }: { cts: Json }) => ({ cts: { ...cts, time: undefined, record_time: undefined } });
    cloud.attach(disk, server);
    for (const event of [requested(server, disk), requested(server, disk), completed(server)]) {
      expect((await deliver(timeless(event))).error).toBeUndefined();
      clock.advance(MINUTE_MS);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
    clock.advance(HOUR_MS);
    attachAgain(cloud, disk, server);
    expect((await deliver(timeless(requested(server, disk)))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot for each server of a shared disk if EVS shows no attachment fields", async () => {
    const { cloud, deliver, server } = await createFixtureWithoutFields();
    const other = cloud.addServer().id;
    const shared = cloud.addVolume({ multiattach: true, serverId: other }).id;
    cloud.attach(shared, server);
    for (const event of [requested(other, shared), requested(server, shared), requested(other, shared)]) {
      expect((await deliver(event)).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([shared, shared]);
  });

  test("disk-attached finds the snapshot of the request trace when the completion trace names only the server", async () => {
    const { cloud, clock, deliver, server, disk, system } = await createFixtureWithoutFields();
    cloud.attach(disk, server);
    // The completion does not say which of the two disks was attached.
    const early = await deliver(completed(server));
    expect(record(early)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    clock.advance(MINUTE_MS);
    const late = await deliver(completed(server));
    expect(resourceOutcomes(late)).toEqual([`existing ${disk}`]);
    expect(disksWithSnapshots(cloud)).not.toContain(system);
  });

  test("disk-attached creates a snapshot of the disk that is attached after a completion trace that names only the server", async () => {
    const { cloud, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server, { after: 10_000 });
    expect(resourceOutcomes(await deliver(completed(server)))).toEqual([`accepted ${disk}`]);
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ existing: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates another snapshot for the second trace if the first snapshot failed", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server);
    cloud.endWith(disk, "error");
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    clock.advance(MINUTE_MS);
    expect((await deliver(completed(server, START_MS + MINUTE_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(cloud.snapshots().map(({ status }) => status)).toEqual([
      "error",
      expect.stringMatching(/creating|available/),
    ]);
  });
});
