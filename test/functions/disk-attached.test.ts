/** Tests that `disk-attached` creates one snapshot for each attachment of a disk, even if EVS fails. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud, Fault } from "../../infra/local/cloud/index.ts";
import {
  createAttachedFixture,
  createCompletionTrace,
  createFixture,
  createRequestTrace,
  disksWithSnapshots,
  recordOf,
} from "../support/attachments.ts";
import { expectSuccess, HOUR_MS, START_MS } from "../support/common.ts";
import { type Invoked, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("the CTS traces of one attachment", () => {
  test("disk-attached waits until the disk is attached and creates one snapshot from the CTS request trace and the CTS completion trace", async () => {
    const { cloud, clock, deliver, server, disk, requests } = await createFixture();
    cloud.attach(disk, server, { after: 30_000 });
    const first = expectSuccess(await deliver(createRequestTrace(server, disk)));
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
    // The function waits between two requests for the disk, so it sends fewer than 10 requests in 30 s.
    expect(requests().filter((operation) => operation === "evs.showVolume").length).toBeLessThan(10);

    const second = await deliver(createCompletionTrace(server));
    expect(second.result.outcomes).toEqual({ existing: 1 });
    const [snapshot, ...others] = cloud.snapshots();
    expect(others).toEqual([]);
    expect(snapshot).toMatchObject({
      kind: "snapshot",
      volume_id: disk,
      // The name contains the attachment time that EVS returns, so the two traces lead to the same name.
      name: expect.stringMatching(/^disk-attached-20261121T020030Z-[0-9a-f]{8}$/),
      metadata: { "managed-by": "snapshot-functions", policy: "disk-attached" },
    });
    expect(cloud.requests.find(({ operation }) => operation === "evs.createSnapshot")?.body).toMatchObject({
      snapshot: { force: true },
    });
    expect(recordOf(first)).toMatchObject({
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
    expect(recordOf(second)).toMatchObject({ outcome: "existing", resource_id: disk, snapshot_id: snapshot?.id });
    expect(cloud.logs.map(({ line }) => line)).toEqual([...first.records, ...second.records]);
  });

  describe.each(["snapshot", "standard-snapshot"])("DISK_ATTACHED_KIND=%s", (DISK_ATTACHED_KIND) => {
    describe.each(["request", "completion"])("%s trace first", (firstTrace) => {
      const createDeliveries = async () => {
        const fixture = await createAttachedFixture({ variables: { DISK_ATTACHED_KIND } });
        const traces = [createRequestTrace(fixture.server, fixture.disk), createCompletionTrace(fixture.server)];
        if (firstTrace === "completion") traces.reverse();
        return { ...fixture, events: Array.from({ length: 20 }, (_, index) => traces[index % 2]) };
      };
      const expectOneSnapshot = (cloud: EmbeddedCloud, disk: string, invoked: Invoked[]) => {
        expect(invoked.map(({ error }) => error)).toEqual(invoked.map(() => undefined));
        expect(cloud.snapshots().map(({ kind, volume_id }) => [kind, volume_id])).toEqual([[DISK_ATTACHED_KIND, disk]]);
        expect(cloud.count(/\.create/)).toBe(1);
        const found = invoked.map((one) => recordOf(one).outcome).sort();
        expect(found).toEqual(["accepted", ...Array.from({ length: 19 }, () => "existing")]);
      };

      test(`disk-attached creates one ${DISK_ATTACHED_KIND} from 20 consecutive CTS traces of one attachment if the ${firstTrace} trace is the first`, async () => {
        const { cloud, clock, deliver, disk, events } = await createDeliveries();
        const invoked: Invoked[] = [];
        for (const event of events) {
          invoked.push(await deliver(event));
          clock.advance(1_000);
        }
        expectOneSnapshot(cloud, disk, invoked);
      });

      test(`disk-attached creates one ${DISK_ATTACHED_KIND} from 20 simultaneous CTS traces of one attachment if the ${firstTrace} trace is the first`, async () => {
        const { cloud, deliver, disk, events } = await createDeliveries();
        expectOneSnapshot(cloud, disk, await Promise.all(events.map((event) => deliver(event))));
      });

      test(`disk-attached creates one ${DISK_ATTACHED_KIND} from 20 simultaneous CTS traces that arrive 30 s before the disk is attached, if the ${firstTrace} trace is the first`, async () => {
        const { cloud, deliver, disk, server, events } = await createDeliveries();
        cloud.detach(disk);
        cloud.attach(disk, server, { after: 30_000 });
        expectOneSnapshot(cloud, disk, await Promise.all(events.map((event) => deliver(event))));
      });
    });
  });

  test("disk-attached creates one snapshot from four CTS traces of one attachment although all of them arrive before EVS lists the snapshot", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.listLagMs = 5_000;
    cloud.attach(disk, server);
    for (let deliveries = 0; deliveries < 4; deliveries += 1) {
      const event = deliveries % 2 === 0 ? createRequestTrace(server, disk) : createCompletionTrace(server);
      expect((await deliver(event)).result.outcomes).toEqual({ [deliveries === 0 ? "accepted" : "existing"]: 1 });
      clock.advance(1_000);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates a second snapshot when the disk is attached again an hour later", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    for (const hours of [0, 1]) {
      clock.set(START_MS + hours * HOUR_MS);
      cloud.attach(disk, server);
      for (const event of [createRequestTrace(server, disk, clock.now()), createCompletionTrace(server, clock.now())])
        await deliver(event);
      cloud.detach(disk);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot for each server to which a shared disk is attached", async () => {
    const { cloud, deliver, server } = await createFixture();
    const other = cloud.addServer().id;
    const shared = cloud.addVolume({ multiattach: true, serverId: other }).id;
    cloud.attach(shared, server, { after: 20_000 });
    for (const event of [
      createRequestTrace(other, shared),
      createRequestTrace(server, shared),
      createRequestTrace(other, shared),
    ]) {
      expect((await deliver(event)).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([shared, shared]);
  });
});

describe("the attachment that EVS returns", () => {
  test("disk-attached creates a snapshot of an attached disk although the CTS trace is 30 days old", async () => {
    const { cloud, clock, deliver, server, disk } = await createAttachedFixture();
    clock.advance(30 * 24 * HOUR_MS);
    expect((await deliver(createRequestTrace(server, disk, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached skips a disk at once if the disk is attached to a different server than the server in the CTS trace", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, cloud.addServer().id);
    const invoked = expectSuccess(await deliver(createRequestTrace(server, disk)));
    expect(recordOf(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk });
    expect(recordOf(invoked).detail).toBe(`The disk is attached to another server, not to ${server}.`);
    expect(clock.now()).toBe(START_MS);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached skips a disk that is not attached if the CTS trace is more than one hour old", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    clock.advance(HOUR_MS + 1);
    const invoked = expectSuccess(await deliver(createRequestTrace(server, disk, START_MS)));
    expect(recordOf(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk });
    expect(recordOf(invoked).detail).toContain("more than an hour old");
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached fails if the disk is not attached before the deadline, and creates the snapshot when the event is redelivered", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server, { after: 100_000 });
    const event = createRequestTrace(server, disk);
    const invoked = await deliver(event);
    expect(clock.now() - START_MS).toBeLessThan(60_000);
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { failed: 1 }, topic: "delivered" });
    expect(recordOf(invoked)).toMatchObject({
      outcome: "failed",
      resource_id: disk,
      error: { reason: "DeadlineExceeded" },
    });
    expect(recordOf(invoked).error.message).toContain(
      `Expected the disk ${disk} to be attached to ${server}; its status is still`,
    );
    expect(cloud.snapshots()).toEqual([]);

    expect((await deliver(event)).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test('disk-attached waits while the disk has the status "attaching"', async () => {
    const { cloud, clock, deliver, server, disk } = await createAttachedFixture();
    cloud.setVolumeStatus(disk, "attaching");
    cloud.fault(
      { operation: "evs.showVolume", nth: 3 },
      { type: "mutatePage", mutate: (changed) => changed.setVolumeStatus(disk, undefined) },
    );
    expect((await deliver(createRequestTrace(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    expect(clock.now()).toBeGreaterThan(START_MS);
    expect(cloud.count("evs.showVolume")).toBe(4);
  });

  test("disk-attached fails at once if the disk does not exist", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.removeVolume(disk);
    const invoked = await deliver(createRequestTrace(server, disk));
    expect(invoked.error).toBeDefined();
    expect(recordOf(invoked)).toMatchObject({ outcome: "failed", resource_id: disk, error: { reason: "NotFound" } });
    expect(clock.now()).toBe(START_MS);
  });
});

describe("failures of EVS", () => {
  test.each([
    ["is throttled", { type: "throttle" }],
    ["loses its connection", { type: "reset", after: false }],
    ["gets a 503 response", { type: "status", status: 503 }],
  ] satisfies [failure: string, fault: Fault][])(
    "disk-attached repeats a read request that %s",
    async (_failure, fault) => {
      const { cloud, deliver, server, disk } = await createAttachedFixture();
      for (const operation of ["evs.showVolume", "evs.listSnapshots"])
        cloud.fault({ operation, nth: 1, times: 2 }, fault);
      expect((await deliver(createRequestTrace(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    },
  );

  test("disk-attached creates no snapshot if EVS returns a different disk than the function requested", async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const other = cloud.addVolume({ serverId: server }).id;
    const edit = ({ volume }: { volume: { id: string } }) => {
      volume.id = other;
    };
    cloud.fault({ operation: "evs.showVolume" }, { type: "edit", edit });
    const invoked = await deliver(createRequestTrace(server, disk));
    expect(cloud.snapshots()).toEqual([]);
    expect(recordOf(invoked)).toMatchObject({ outcome: "failed", resource_id: disk, error: { reason: "BadResponse" } });
  });

  test("disk-attached creates one snapshot from the CTS request trace and the CTS completion trace although the create response is lost", async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "reset", after: true });
    expect((await deliver(createRequestTrace(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    expect((await deliver(createCompletionTrace(server))).result.outcomes).toEqual({ existing: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached returns before its deadline if EVS never responds, and creates one snapshot when the event is redelivered", async () => {
    const { cloud, clock, deliver, server, disk } = await createAttachedFixture();
    for (const operation of ["evs.showVolume", "evs.createSnapshot"]) {
      const hanging = cloud.fault({ operation }, { type: "hang", after: true });
      const began = clock.now();
      const invoked = await deliver(createRequestTrace(server, disk));
      expect(clock.now() - began).toBeLessThan(60_000);
      expect(outcomes(invoked)[1]).toBe(invoked.error ? "run failed" : "run done");
      hanging.remove();
    }
    clock.advance(60_000);
    expect((await deliver(createRequestTrace(server, disk))).error).toBeUndefined();
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached names DISK_ATTACHED_KIND in its error and sends no request if this variable is invalid", async () => {
    const { deliver, server, disk, requests } = await createAttachedFixture({
      variables: { DISK_ATTACHED_KIND: "snapshots" },
    });
    const { error, records } = await deliver(createRequestTrace(server, disk));
    expect(error?.message).toBe('DISK_ATTACHED_KIND: expected "snapshot" or "standard-snapshot", got "snapshots".');
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", error: { reason: "Misconfigured" } });
    expect(requests()).toEqual([]);
  });
});
