/** Tests how `disk-attached` creates one snapshot for each attachment of a disk, also when EVS fails. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { completed, createFixture, disksWithSnapshots, record, requested } from "../support/attachments.ts";
import { HOUR_MS, START_MS } from "../support/common.ts";
import { type Invoked, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("one attachment", () => {
  test("disk-attached waits until the disk is attached and creates one snapshot from both traces of the attachment", async () => {
    const { cloud, clock, deliver, server, disk, requests } = await createFixture();
    cloud.attach(disk, server, { after: 30_000 });
    const first = await deliver(requested(server, disk));
    expect(first.error).toBeUndefined();
    expect(first.result).toEqual({
      function: "disk-attached",
      policy: "disk-attached",
      targets: 1,
      outcomes: { accepted: 1 },
      deferred_to: [],
      topic: "delivered",
    });
    expect(clock.now() - START_MS).toBeGreaterThanOrEqual(30_000);
    expect(clock.now() - START_MS).toBeLessThan(41_000);
    // The function does not poll the disk continuously.
    expect(requests().filter((operation) => operation === "evs.showVolume").length).toBeLessThan(10);

    const second = await deliver(completed(server));
    expect(second.result.outcomes).toEqual({ existing: 1 });
    const [snapshot, ...others] = cloud.snapshots();
    expect(others).toEqual([]);
    expect(snapshot).toMatchObject({
      kind: "snapshot",
      volume_id: disk,
      // Both traces result in the same name, because the name has the time of the attachment from EVS.
      name: expect.stringMatching(/^disk-attached-20261121T020030Z-[0-9a-f]{8}$/),
      metadata: { "managed-by": "snapshot-functions", policy: "disk-attached" },
    });
    expect(cloud.requests.find(({ operation }) => operation === "evs.createSnapshot")?.body).toMatchObject({
      snapshot: { force: true },
    });
    expect(record(first)).toMatchObject({
      trigger: "cts",
      event_time: "2026-11-21T02:00:00.000Z",
      action: "create",
      kind: "snapshot",
      outcome: "accepted",
      resource_id: disk,
      name: snapshot?.name,
      snapshot_id: snapshot?.id,
      policy: "disk-attached",
    });
    expect(record(second)).toMatchObject({ outcome: "existing", resource_id: disk, snapshot_id: snapshot?.id });
    expect(cloud.logs.map(({ line }) => line)).toEqual([...first.records, ...second.records]);
  });

  const orders: [order: string, first: number][] = [
    ["starting with the request trace", 0],
    ["starting with the completion trace", 1],
  ];
  describe.each(["snapshot", "standard-snapshot"])("DISK_ATTACHED_KIND=%s", (DISK_ATTACHED_KIND) => {
    describe.each(orders)("%s", (order, first) => {
      const both = async () => {
        const fixture = await createFixture({ variables: { DISK_ATTACHED_KIND } });
        fixture.cloud.attach(fixture.disk, fixture.server);
        const records = [requested(fixture.server, fixture.disk), completed(fixture.server)];
        return { ...fixture, events: Array.from({ length: 20 }, (_, index) => records[(index + first) % 2]) };
      };
      const once = (cloud: EmbeddedCloud, disk: string, invoked: Invoked[]) => {
        expect(invoked.map(({ error }) => error)).toEqual(invoked.map(() => undefined));
        expect(cloud.snapshots().map(({ kind, volume_id }) => [kind, volume_id])).toEqual([[DISK_ATTACHED_KIND, disk]]);
        expect(cloud.count(/\.create/)).toBe(1);
        const found = invoked.map((one) => record(one).outcome).sort();
        expect(found).toEqual(["accepted", ...Array.from({ length: 19 }, () => "existing")]);
      };

      test(`disk-attached creates one ${DISK_ATTACHED_KIND} from 10 copies of each trace in sequence, ${order}`, async () => {
        const { cloud, clock, deliver, disk, events } = await both();
        const invoked: Invoked[] = [];
        for (const event of events) {
          invoked.push(await deliver(event));
          clock.advance(1_000);
        }
        once(cloud, disk, invoked);
      });

      test(`disk-attached creates one ${DISK_ATTACHED_KIND} from 10 simultaneous copies of each trace, ${order}`, async () => {
        const { cloud, deliver, disk, events } = await both();
        once(cloud, disk, await Promise.all(events.map((event) => deliver(event))));
      });

      test(`disk-attached creates one ${DISK_ATTACHED_KIND} from 10 simultaneous copies of each trace before the attachment, ${order}`, async () => {
        const { cloud, deliver, disk, server, events } = await both();
        cloud.detach(disk);
        cloud.attach(disk, server, { after: 30_000 });
        once(cloud, disk, await Promise.all(events.map((event) => deliver(event))));
      });
    });
  });

  test("disk-attached creates one snapshot from traces that arrive before a list shows the snapshot", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.listLagMs = 5_000;
    cloud.attach(disk, server);
    for (let deliveries = 0; deliveries < 4; deliveries += 1) {
      const event = deliveries % 2 === 0 ? requested(server, disk) : completed(server);
      expect((await deliver(event)).result.outcomes).toEqual({ [deliveries === 0 ? "accepted" : "existing"]: 1 });
      clock.advance(1_000);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates another snapshot when the disk is attached again", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    for (const hours of [0, 1]) {
      clock.set(START_MS + hours * HOUR_MS);
      cloud.attach(disk, server);
      for (const event of [requested(server, disk, clock.now()), completed(server, clock.now())]) await deliver(event);
      cloud.detach(disk);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot for each server to which a shared disk is attached", async () => {
    const { cloud, deliver, server } = await createFixture();
    const other = cloud.addServer().id;
    const shared = cloud.addVolume({ multiattach: true, serverId: other }).id;
    cloud.attach(shared, server, { after: 20_000 });
    for (const event of [requested(other, shared), requested(server, shared), requested(other, shared)]) {
      expect((await deliver(event)).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([shared, shared]);
  });
});

describe("the attachment in EVS", () => {
  test("disk-attached creates a snapshot of an attached disk although the trace is 30 days old", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    clock.advance(30 * 24 * HOUR_MS);
    expect((await deliver(requested(server, disk, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached skips a disk at once if it is attached to another server", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, cloud.addServer().id);
    const invoked = await deliver(requested(server, disk));
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk });
    expect(record(invoked).detail).toBe(`The disk is attached to another server than ${server}.`);
    expect(clock.now()).toBe(START_MS);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached skips a disk that is not attached an hour after the trace", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    clock.advance(HOUR_MS + 1);
    const invoked = await deliver(requested(server, disk, START_MS));
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk });
    expect(record(invoked).detail).toContain("more than an hour old");
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached fails if the disk is not attached in time, so the platform redelivers the event", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server, { after: 100_000 });
    const event = requested(server, disk);
    const invoked = await deliver(event);
    expect(clock.now() - START_MS).toBeLessThan(60_000);
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { failed: 1 }, topic: "delivered" });
    expect(record(invoked)).toMatchObject({
      outcome: "failed",
      resource_id: disk,
      error: { reason: "DeadlineExceeded" },
    });
    expect(record(invoked).error.message).toContain(`Expected the disk ${disk} to be attached to ${server}; it was`);
    expect(cloud.snapshots()).toEqual([]);

    expect((await deliver(event)).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached waits while the disk is in the status attaching", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    cloud.setVolumeStatus(disk, "attaching");
    cloud.fault(
      { operation: "evs.showVolume", nth: 3 },
      { type: "mutatePage", mutate: (changed) => changed.setVolumeStatus(disk, undefined) },
    );
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    expect(clock.now()).toBeGreaterThan(START_MS);
    expect(cloud.count("evs.showVolume")).toBe(4);
  });

  test("disk-attached fails at once if the disk does not exist", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.removeVolume(disk);
    const invoked = await deliver(requested(server, disk));
    expect(invoked.error).toBeDefined();
    expect(record(invoked)).toMatchObject({ outcome: "failed", resource_id: disk, error: { reason: "NotFound" } });
    expect(clock.now()).toBe(START_MS);
  });
});

describe("failures of the cloud", () => {
  test.each(["throttle", "reset", "status"] as const)(
    "disk-attached repeats a read that fails with the fault %s",
    async (type) => {
      const { cloud, deliver, server, disk } = await createFixture();
      cloud.attach(disk, server);
      const fault = type === "status" ? { type, status: 503 } : type === "reset" ? { type, after: false } : { type };
      for (const operation of ["evs.showVolume", "evs.listSnapshots"])
        cloud.fault({ operation, nth: 1, times: 2 }, fault);
      expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    },
  );

  test("disk-attached creates no snapshot if EVS describes another disk than the one that it asked for", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const other = cloud.addVolume({ serverId: server }).id;
    const edit = ({ volume }: { volume: { id: string } }) => {
      volume.id = other;
    };
    cloud.fault({ operation: "evs.showVolume" }, { type: "edit", edit });
    const invoked = await deliver(requested(server, disk));
    expect(cloud.snapshots()).toEqual([]);
    expect(record(invoked)).toMatchObject({ outcome: "failed", resource_id: disk, error: { reason: "BadResponse" } });
  });

  test("disk-attached creates one snapshot if the response to the create is lost and the second trace arrives", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "reset", after: true });
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    expect((await deliver(completed(server))).result.outcomes).toEqual({ existing: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached ends before its deadline if the cloud never responds, and succeeds when the event is redelivered", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    for (const operation of ["evs.showVolume", "evs.createSnapshot"]) {
      const hanging = cloud.fault({ operation }, { type: "hang", after: true });
      const began = clock.now();
      const invoked = await deliver(requested(server, disk));
      expect(clock.now() - began).toBeLessThan(60_000);
      expect(outcomes(invoked)[1]).toBe(invoked.error ? "run failed" : "run done");
      hanging.remove();
    }
    clock.advance(60_000);
    expect((await deliver(requested(server, disk))).error).toBeUndefined();
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached names DISK_ATTACHED_KIND and calls nothing if the variable is invalid", async () => {
    const { cloud, deliver, server, disk, requests } = await createFixture({
      variables: { DISK_ATTACHED_KIND: "snapshots" },
    });
    cloud.attach(disk, server);
    const { error, records } = await deliver(requested(server, disk));
    expect(error?.message).toBe('DISK_ATTACHED_KIND: expected "snapshot" or "standard-snapshot", got "snapshots".');
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", error: { reason: "Misconfigured" } });
    expect(requests()).toEqual([]);
  });
});
