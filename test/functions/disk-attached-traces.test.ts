/** Tests how `disk-attached` reads CTS traces, and how it finds the disk if a CTS trace names only the server. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  common,
  completed,
  createFixture,
  disksWithSnapshots,
  record,
  requested,
  resourceOutcomes,
} from "../support/attachments.ts";
import { HOUR_MS, MINUTE_MS, START_MS } from "../support/common.ts";
import type { Json } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

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
          ...common(server, START_MS),
          ...serverFields,
          trace_name: name,
          service_type: service,
          time: time(START_MS),
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
    ["of another call", { trace_name: "detachVolume" }, "The trace detachVolume does not attach a disk"],
    [
      "of a call that reserves the disk",
      { trace_name: "reserveVolume", service_type: "EVS" },
      "does not attach a disk",
    ],
    ["of another service", { service_type: "CCE" }, "The trace attachVolume is of CCE, not of ECS."],
    [
      "of a call that failed",
      { trace_rating: "warning" },
      'The attachment did not succeed: the trace is rated "warning".',
    ],
    ["of an incident", { trace_rating: "incident" }, 'the trace is rated "incident"'],
    ["with another status", { trace_rating: undefined, trace_status: "warning" }, 'the trace is rated "warning"'],
    ["with an error code", { code: 400 }, "the trace has the code 400"],
    ["with an error code as a string", { code: "409" }, "the trace has the code 409"],
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
      clock.advance(HOUR_MS);
      expect((await deliver(completed(server, START_MS + minutes * 60_000))).error).toBeUndefined();
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
    }
  });

  test("disk-attached selects the only disk of the server for a trace without a disk if no other disk is attached in time", async () => {
    const { cloud, clock, deliver, server, system } = await createFixture();
    expect((await deliver(completed(server, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([system]);
    expect(clock.now() - START_MS).toBeLessThan(50_000);
  });

  test("disk-attached selects the only disk of the server at once if the trace is more than 10 minutes old", async () => {
    const { cloud, clock, deliver, server, system } = await createFixture();
    clock.advance(601_000);
    expect((await deliver(completed(server, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([system]);
    expect(clock.now() - START_MS).toBe(601_000);
  });

  test("disk-attached does not select the only disk of the server if another disk is attached in time", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server, { after: 30_000 });
    expect((await deliver(completed(server, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached waits for a disk if none of the server's disks was attached at the time of the trace", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.addVolume({ serverId: server, attachedAt: START_MS - 24 * HOUR_MS });
    cloud.attach(disk, server, { after: 30_000 });
    const invoked = await deliver(completed(server, START_MS));
    expect(invoked.error).toBeUndefined();
    expect(disksWithSnapshots(cloud)).toEqual([disk]);

    clock.advance(HOUR_MS);
    const late = await deliver(completed(server, clock.now()));
    expect(record(late)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect(record(late).error.message).toContain(`Expected a disk to be attached to ${server}`);
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});

describe("a completion trace without a disk, for several disks", () => {
  test("disk-attached creates one snapshot of each disk that was attached within 10 minutes of a completion trace without a disk", async () => {
    const { cloud, clock, deliver, server, disk, system } = await createFixture();
    const [second, third] = [cloud.addVolume().id, cloud.addVolume().id];
    for (const id of [disk, second, third]) {
      cloud.attach(id, server);
      clock.advance(MINUTE_MS);
    }
    expect((await deliver(requested(server, disk, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    const invoked = await deliver(completed(server, clock.now()));
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: 3, outcomes: { existing: 1, accepted: 2 } });
    expect(resourceOutcomes(invoked).sort()).toEqual(
      [`existing ${disk}`, `accepted ${second}`, `accepted ${third}`].sort(),
    );
    for (const id of [second, third]) {
      expect((await deliver(requested(server, id, START_MS))).result.outcomes).toEqual({ existing: 1 });
    }
    expect((await deliver(completed(server, clock.now()))).result.outcomes).toEqual({ existing: 3 });
    expect(disksWithSnapshots(cloud).sort()).toEqual([disk, second, third].sort());
    expect(disksWithSnapshots(cloud)).not.toContain(system);
  });

  test("disk-attached creates snapshots of the other disks if the snapshot of one disk fails", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const other = cloud.addVolume({ serverId: server }).id;
    cloud.attach(disk, server);
    cloud.fault({ operation: "evs.createSnapshot", resource: disk }, { type: "status", status: 400 });
    const invoked = await deliver(completed(server));
    expect(resourceOutcomes(invoked).sort()).toEqual([`accepted ${other}`, `failed ${disk}`].sort());
    expect(disksWithSnapshots(cloud)).toEqual([other]);
  });

  test("disk-attached waits for the disk of a request trace although another disk was attached before", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const before = cloud.addVolume({ serverId: server, attachedAt: START_MS - 5 * MINUTE_MS }).id;
    cloud.attach(disk, server, { after: 20_000 });
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, request: {} } });
    expect(resourceOutcomes(invoked).sort()).toEqual([`accepted ${before}`, `accepted ${disk}`].sort());
  });
});
