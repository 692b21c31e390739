/** Tests how `disk-attached` creates one snapshot from the traces of an attachment. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  at,
  cloudEvent,
  common,
  completed,
  createFixture,
  disksWithSnapshots,
  HOUR,
  NOBODY,
  record,
  requested,
} from "../support/attachments.ts";
import { type Invoked, type Json, outcomes, START } from "../support/environment.ts";
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
    expect(clock.now() - at).toBeGreaterThanOrEqual(30_000);
    expect(clock.now() - at).toBeLessThan(41_000);
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
      clock.set(at + hours * HOUR);
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

describe("a trace", () => {
  /** The places of a trace in which the id of the disk may be. */
  const places: Record<string, (volumeId: string) => { request?: Json; response?: Json } | undefined> = {
    "request.volumeAttachment.volumeId": (volumeId) => ({ request: { volumeAttachment: { volumeId } } }),
    "request.volumeAttachment.volume_id": (volume_id) => ({ request: { volumeAttachment: { volume_id } } }),
    "request.volumeId": (volumeId) => ({ request: { volumeId } }),
    "response.volumeAttachment.volumeId": (volumeId) => ({ response: { volumeAttachment: { volumeId } } }),
    "response.volumeAttachment.id": (id) => ({ response: { volumeAttachment: { id } } }),
    "response.entities.volume_id": (volume_id) => ({ response: { entities: { volume_id } } }),
    nowhere: () => ({}),
  };
  const servers: Record<string, (serverId: string) => Json> = {
    resource_id: (resource_id) => ({ resource_id }),
    "response.entities.server_id": (server_id) => ({ resource_id: "", response: { entities: { server_id } } }),
  };
  const shape = fc.record({
    name: fc.constantFrom("attachVolume", "attachVolumeV2", "attachVolume2"),
    service: fc.constantFrom("ECS", "ecs", undefined),
    time: fc.constantFrom<(ms: number) => unknown>(
      (ms) => ms,
      (ms) => ms / 1000,
      (ms) => String(ms),
      (ms) => String(ms / 1000),
      () => undefined,
    ),
    code: fc.constantFrom(200, "200", 202, "202", 0, "", null, undefined),
    rating: fc.constantFrom<Json>(
      { trace_rating: "normal", trace_status: "normal" },
      { trace_rating: undefined, trace_status: "normal" },
      { trace_rating: "", trace_status: undefined },
      { trace_rating: undefined, trace_status: undefined },
    ),
    user: fc.constantFrom<unknown>(undefined, null, "", {}, { name: "ops", domain: { name: "example" } }),
    place: fc.constantFrom(...Object.keys(places)),
    server: fc.constantFrom(...Object.keys(servers)),
    upper: fc.boolean(),
    written: fc.constantFrom<(body: Json | undefined) => unknown>(
      (body) => body ?? {},
      (body) => JSON.stringify(body ?? {}),
      (body) => body ?? "",
      (body) => body ?? null,
      (body) => (body === undefined ? "no JSON {" : JSON.stringify(body, undefined, 2)),
    ),
    wrapped: fc.constantFrom<(trace: Json) => Json>((cts) => ({ cts }), cloudEvent),
    unknown: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }).map((more) => {
      for (const name of Object.keys(common("", 0))) delete more[name];
      return more;
    }),
  });

  test("disk-attached creates one snapshot of the right disk from a trace in any known shape", {
    timeout: 30_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(shape, async (chosen) => {
        const { cloud, deliver, server, disk } = await createFixture();
        cloud.attach(disk, server);
        // Another disk is attached at the same time, so the function must read the id.
        if (chosen.place !== "nowhere") cloud.addVolume({ serverId: server });
        const cased = (id: string) => (chosen.upper ? id.toUpperCase() : id);
        const bodies = places[chosen.place]?.(cased(disk)) ?? {};
        const { response, ...serverFields } = (servers[chosen.server] ?? (() => ({})))(cased(server)) as {
          response?: Json;
        };
        const merged = { ...bodies.response, ...response };
        if (bodies.response?.entities && response?.entities) {
          merged.entities = { ...(bodies.response.entities as Json), ...(response.entities as Json) };
        }
        const { name, service, code, rating, user, time, written, wrapped, unknown } = chosen;
        const event = wrapped({
          ...unknown,
          ...common(server, at),
          ...serverFields,
          trace_name: name,
          service_type: service,
          time: time(at),
          code,
          ...rating,
          user,
          request: written(bodies.request),
          response: written(Object.keys(merged).length > 0 ? merged : undefined),
        });
        // JSON has no undefined fields.
        const invoked = await deliver(JSON.parse(JSON.stringify(event)));
        const { trigger } = record(invoked);
        const again = await deliver(requested(server, disk));
        await cloud.close();
        expect(invoked.error).toBeUndefined();
        expect(invoked.result.outcomes).toEqual({ accepted: 1 });
        expect(trigger).toBe("cts" in event ? "cts" : "eventgrid");
        expect(record(invoked).event_time).toBe("2026-11-21T02:00:00.000Z");
        expect(again.result.outcomes).toEqual({ existing: 1 });
        expect(disksWithSnapshots(cloud)).toEqual([disk]);
      }),
      { numRuns: 100 },
    );
  });

  test.each<[what: string, change: Json, detail: string]>([
    ["of another call", { trace_name: "detachVolume" }, "The trace detachVolume does not report an attached disk"],
    [
      "of a call that reserves the disk",
      { trace_name: "reserveVolume", service_type: "EVS" },
      "does not report an attached disk",
    ],
    ["of another service", { service_type: "CCE" }, "The trace attachVolume is from CCE, not from ECS."],
    [
      "of a call that failed",
      { trace_rating: "warning" },
      'The attachment failed: the trace has the rating "warning".',
    ],
    ["of an incident", { trace_rating: "incident" }, 'the trace has the rating "incident"'],
    ["with another status", { trace_rating: undefined, trace_status: "warning" }, 'the trace has the rating "warning"'],
    ["with an error code", { code: 400 }, "the trace has the status code 400"],
    ["with an error code as a string", { code: "409" }, "the trace has the status code 409"],
  ])("disk-attached records the reason when it skips a trace %s", async (_what, change, detail) => {
    for (const wrapped of [(cts: Json) => ({ cts }), cloudEvent]) {
      const { cloud, deliver, server, disk, requests } = await createFixture();
      cloud.attach(disk, server);
      const { cts } = requested(server, disk);
      const invoked = await deliver(wrapped({ ...cts, ...change }));
      expect(invoked.error).toBeUndefined();
      expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
      expect(record(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk, level: "info" });
      expect(record(invoked).detail).toContain(detail);
      expect(requests()).toEqual([]);
    }
  });
});

describe("a disk that the trace does not name", () => {
  test("disk-attached selects the disk that was attached within 10 minutes of a trace without a disk", async () => {
    for (const minutes of [-9, 0, 9]) {
      const { cloud, clock, deliver, server, disk } = await createFixture();
      cloud.attach(disk, server);
      clock.advance(HOUR);
      expect((await deliver(completed(server, at + minutes * 60_000))).error).toBeUndefined();
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
    }
  });

  test("disk-attached selects the only disk of the server for a trace without a disk if no other disk is attached in time", async () => {
    const { cloud, clock, deliver, server, system } = await createFixture();
    expect((await deliver(completed(server, at))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([system]);
    expect(clock.now() - at).toBeLessThan(50_000);
  });

  test("disk-attached selects the only disk of the server at once if the trace is more than 10 minutes old", async () => {
    const { cloud, clock, deliver, server, system } = await createFixture();
    clock.advance(601_000);
    expect((await deliver(completed(server, at))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([system]);
    expect(clock.now() - at).toBe(601_000);
  });

  test("disk-attached does not select the only disk of the server if another disk is attached in time", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server, { after: 30_000 });
    expect((await deliver(completed(server, at))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached waits for a disk if none of the server's disks was attached at the time of the trace", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.addVolume({ serverId: server, attachedAt: at - 24 * HOUR });
    cloud.attach(disk, server, { after: 30_000 });
    const invoked = await deliver(completed(server, at));
    expect(invoked.error).toBeUndefined();
    expect(disksWithSnapshots(cloud)).toEqual([disk]);

    clock.advance(HOUR);
    const late = await deliver(completed(server, clock.now()));
    expect(record(late)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect(record(late).error.message).toContain(`Expected a disk to be attached to ${server}`);
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});

describe("the attachment in EVS", () => {
  test("disk-attached creates a snapshot of an attached disk although the trace is 30 days old", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    clock.advance(30 * 24 * HOUR);
    expect((await deliver(requested(server, disk, at))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached skips a disk at once if it is attached to another server", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.attach(disk, cloud.addServer().id);
    const invoked = await deliver(requested(server, disk));
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk });
    expect(record(invoked).detail).toBe(`The disk is attached to another server, not to ${server}.`);
    expect(clock.now()).toBe(at);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached skips a disk that is not attached an hour after the trace", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    clock.advance(HOUR + 1);
    const invoked = await deliver(requested(server, disk, at));
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
    expect(clock.now() - at).toBeLessThan(60_000);
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { failed: 1 }, topic: "delivered" });
    expect(record(invoked)).toMatchObject({
      outcome: "failed",
      resource_id: disk,
      error: { reason: "DeadlineExceeded" },
    });
    expect(record(invoked).error.message).toContain(
      `Expected the disk ${disk} to be attached to ${server}; its status is still`,
    );
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
    expect(clock.now()).toBeGreaterThan(at);
    expect(cloud.count("evs.showVolume")).toBe(4);
  });

  test("disk-attached fails at once if the disk does not exist", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.removeVolume(disk);
    const invoked = await deliver(requested(server, disk));
    expect(invoked.error).toBeDefined();
    expect(record(invoked)).toMatchObject({ outcome: "failed", resource_id: disk, error: { reason: "NotFound" } });
    expect(clock.now()).toBe(at);
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

describe("an invalid event", () => {
  const { cts } = requested(NOBODY, NOBODY);
  const without = (...names: string[]) =>
    Object.fromEntries(Object.entries(cts).filter(([name]) => !names.includes(name)));
  const EXPECTED = 'Expected a CTS event {"cts":{"trace_name",...}} or an EventGrid event with the trace in "data"';
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
