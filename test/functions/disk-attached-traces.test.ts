/** Tests how `disk-attached` reads CTS traces, and how it finds the disk if a CTS trace names only the server. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  commonFields,
  createAttachedFixture,
  createCompletionTrace,
  createFixture,
  createRequestTrace,
  disksWithSnapshots,
  recordOf,
  resourceOutcomes,
  withFields,
} from "../support/attachments.ts";
import { expectSuccess, HOUR_MS, MINUTE_MS, START_MS } from "../support/common.ts";
import type { Json } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("a CTS trace", () => {
  /** The paths at which a CTS trace can contain the disk id. Each function returns a request or response with this id. */
  const diskIdPaths: Record<string, (volumeId: string) => { request?: Json; response?: Json } | undefined> = {
    "request.volumeAttachment.volumeId": (volumeId) => ({ request: { volumeAttachment: { volumeId } } }),
    "request.volumeAttachment.volume_id": (volume_id) => ({ request: { volumeAttachment: { volume_id } } }),
    "request.volumeId": (volumeId) => ({ request: { volumeId } }),
    "response.volumeAttachment.volumeId": (volumeId) => ({ response: { volumeAttachment: { volumeId } } }),
    "response.volumeAttachment.id": (id) => ({ response: { volumeAttachment: { id } } }),
    "response.entities.volume_id": (volume_id) => ({ response: { entities: { volume_id } } }),
    nowhere: () => ({}),
  };
  const serverIdPaths: Record<string, (serverId: string) => Json> = {
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
    diskIdPath: fc.constantFrom(...Object.keys(diskIdPaths)),
    serverIdPath: fc.constantFrom(...Object.keys(serverIdPaths)),
    isUpperCase: fc.boolean(),
    encodeBody: fc.constantFrom<(body: Json | undefined) => unknown>(
      (body) => body ?? {},
      (body) => JSON.stringify(body ?? {}),
      (body) => body ?? "",
      (body) => body ?? null,
      (body) => (body === undefined ? "no JSON {" : JSON.stringify(body, undefined, 2)),
    ),
    createEvent: fc.constantFrom<(trace: Json) => Json>((cts) => ({ cts }), cloudEvent),
    unknownFields: fc.dictionary(fc.string(), fc.jsonValue(), { maxKeys: 3 }).map((more) => {
      for (const name of Object.keys(commonFields("", 0))) delete more[name];
      return more;
    }),
  });

  test("disk-attached creates one snapshot of the attached disk from each of 100 random CTS traces in the known formats", {
    timeout: 30_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(shape, async (chosen) => {
        const { cloud, deliver, server, disk } = await createAttachedFixture();
        // A second disk is attached at the same time, so only the id in the trace identifies the right disk.
        if (chosen.diskIdPath !== "nowhere") cloud.addVolume({ serverId: server });
        const cased = (id: string) => (chosen.isUpperCase ? id.toUpperCase() : id);
        const bodies = diskIdPaths[chosen.diskIdPath]?.(cased(disk)) ?? {};
        const { response, ...serverFields } = (serverIdPaths[chosen.serverIdPath] ?? (() => ({})))(cased(server)) as {
          response?: Json;
        };
        const merged = { ...bodies.response, ...response };
        if (bodies.response?.entities && response?.entities) {
          merged.entities = { ...(bodies.response.entities as Json), ...(response.entities as Json) };
        }
        const { name, service, code, rating, user, time, encodeBody, createEvent, unknownFields } = chosen;
        const event = createEvent({
          ...unknownFields,
          ...commonFields(server, START_MS),
          ...serverFields,
          trace_name: name,
          service_type: service,
          time: time(START_MS),
          code,
          ...rating,
          user,
          request: encodeBody(bodies.request),
          response: encodeBody(Object.keys(merged).length > 0 ? merged : undefined),
        });
        // The platform delivers JSON, which has no undefined fields, so the event is converted to JSON and back.
        const invoked = await deliver(JSON.parse(JSON.stringify(event)));
        const { trigger } = recordOf(invoked);
        const again = await deliver(createRequestTrace(server, disk));
        await cloud.close();
        expect(invoked.error).toBeUndefined();
        expect(invoked.result.outcomes).toEqual({ accepted: 1 });
        expect(trigger).toBe("cts" in event ? "cts" : "eventgrid");
        expect(recordOf(invoked).event_time).toBe("2026-11-21T02:00:00.000Z");
        expect(again.result.outcomes).toEqual({ existing: 1 });
        expect(disksWithSnapshots(cloud)).toEqual([disk]);
      }),
      { numRuns: 100 },
    );
  });

  test.each<[what: string, change: Json, detail: string]>([
    [
      "with the name detachVolume",
      { trace_name: "detachVolume" },
      "The trace detachVolume does not report an attached disk",
    ],
    [
      "with the name reserveVolume",
      { trace_name: "reserveVolume", service_type: "EVS" },
      "does not report an attached disk",
    ],
    ["of the service CCE", { service_type: "CCE" }, "The trace attachVolume is from CCE, not from ECS."],
    [
      'with the rating "warning"',
      { trace_rating: "warning" },
      'The attachment failed: the trace has the rating "warning".',
    ],
    ['with the rating "incident"', { trace_rating: "incident" }, 'the trace has the rating "incident"'],
    [
      'with the status "warning"',
      { trace_rating: undefined, trace_status: "warning" },
      'the trace has the rating "warning"',
    ],
    ["with the status code 400", { code: 400 }, "the trace has the status code 400"],
    ['with the string "409" as its status code', { code: "409" }, "the trace has the status code 409"],
  ])("disk-attached records the reason when it skips a CTS trace %s", async (_what, change, detail) => {
    for (const wrapped of [(cts: Json) => ({ cts }), cloudEvent]) {
      const { deliver, server, disk, requests } = await createAttachedFixture();
      const { cts } = createRequestTrace(server, disk);
      const invoked = expectSuccess(await deliver(wrapped({ ...cts, ...change })));
      expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
      expect(recordOf(invoked)).toMatchObject({ outcome: "skipped", resource_id: disk, level: "info" });
      expect(recordOf(invoked).detail).toContain(detail);
      expect(requests()).toEqual([]);
    }
  });
});

describe("a CTS trace that names only the server", () => {
  test("if a CTS trace names only the server, disk-attached selects the disk that was attached at most 10 minutes before or after the trace", async () => {
    for (const minutes of [-9, 0, 9]) {
      const { cloud, clock, deliver, server, disk } = await createAttachedFixture();
      clock.advance(HOUR_MS);
      expect((await deliver(createCompletionTrace(server, START_MS + minutes * 60_000))).error).toBeUndefined();
      expect(disksWithSnapshots(cloud)).toEqual([disk]);
    }
  });

  test("disk-attached selects the server's only disk if the CTS trace names no disk and no second disk is attached before the deadline", async () => {
    const { cloud, clock, deliver, server, systemDisk } = await createFixture();
    expect((await deliver(createCompletionTrace(server, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([systemDisk]);
    expect(clock.now() - START_MS).toBeLessThan(50_000);
  });

  test("disk-attached selects the server's only disk at once if the CTS trace names no disk and is more than 10 minutes old", async () => {
    const { cloud, clock, deliver, server, systemDisk } = await createFixture();
    clock.advance(601_000);
    expect((await deliver(createCompletionTrace(server, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([systemDisk]);
    expect(clock.now() - START_MS).toBe(601_000);
  });

  test("disk-attached selects the disk that is attached 30 s after the CTS trace, not the disk that the server already had", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server, { after: 30_000 });
    expect((await deliver(createCompletionTrace(server, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached waits for a newly attached disk if the CTS trace names no disk and both disks of the server were attached a day earlier", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixture();
    cloud.addVolume({ serverId: server, attachedAt: START_MS - 24 * HOUR_MS });
    cloud.attach(disk, server, { after: 30_000 });
    expectSuccess(await deliver(createCompletionTrace(server, START_MS)));
    expect(disksWithSnapshots(cloud)).toEqual([disk]);

    clock.advance(HOUR_MS);
    const late = await deliver(createCompletionTrace(server, clock.now()));
    expect(recordOf(late)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect(recordOf(late).error.message).toContain(`Expected a disk to be attached to ${server}`);
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});

describe("several disks for a CTS trace that names only the server", () => {
  test("if a CTS trace names only the server, disk-attached creates a snapshot of each disk that was attached at most 10 minutes before the trace", async () => {
    const { cloud, clock, deliver, server, disk, systemDisk } = await createFixture();
    const [second, third] = [cloud.addVolume().id, cloud.addVolume().id];
    for (const id of [disk, second, third]) {
      cloud.attach(id, server);
      clock.advance(MINUTE_MS);
    }
    expect((await deliver(createRequestTrace(server, disk, START_MS))).result.outcomes).toEqual({ accepted: 1 });
    const invoked = expectSuccess(await deliver(createCompletionTrace(server, clock.now())));
    expect(invoked.result).toMatchObject({ targets: 3, outcomes: { existing: 1, accepted: 2 } });
    expect(resourceOutcomes(invoked).sort()).toEqual(
      [`existing ${disk}`, `accepted ${second}`, `accepted ${third}`].sort(),
    );
    for (const id of [second, third]) {
      expect((await deliver(createRequestTrace(server, id, START_MS))).result.outcomes).toEqual({ existing: 1 });
    }
    expect((await deliver(createCompletionTrace(server, clock.now()))).result.outcomes).toEqual({ existing: 3 });
    expect(disksWithSnapshots(cloud).sort()).toEqual([disk, second, third].sort());
    expect(disksWithSnapshots(cloud)).not.toContain(systemDisk);
  });

  test("disk-attached still creates the snapshot of one attached disk if EVS rejects the snapshot of the other attached disk", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const other = cloud.addVolume({ serverId: server }).id;
    cloud.attach(disk, server);
    cloud.fault({ operation: "evs.createSnapshot", resource: disk }, { type: "status", status: 400 });
    const invoked = await deliver(createCompletionTrace(server));
    expect(resourceOutcomes(invoked).sort()).toEqual([`accepted ${other}`, `failed ${disk}`].sort());
    expect(disksWithSnapshots(cloud)).toEqual([other]);
  });

  test("if a CTS request trace names no disk, disk-attached creates snapshots of a disk attached 5 minutes earlier and of a disk attached 20 s later", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const before = cloud.addVolume({ serverId: server, attachedAt: START_MS - 5 * MINUTE_MS }).id;
    cloud.attach(disk, server, { after: 20_000 });
    const invoked = await deliver(withFields(createRequestTrace(server, disk), { request: {} }));
    expect(resourceOutcomes(invoked).sort()).toEqual([`accepted ${before}`, `accepted ${disk}`].sort());
  });
});
