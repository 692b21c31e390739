/** Tests how `disk-attached` handles each form that the event of an attachment may have. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  at,
  cloudEvent,
  completed,
  createFixture,
  disksWithSnapshots,
  HOUR,
  record,
  requested,
  withoutAttachmentFields,
} from "../support/attachments.ts";
import { type Invoked, type Json, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const MINUTE = 60_000;
/** Returns an array that is nested more deeply than any call stack allows. */
const deep = (depth = 100_000): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
const resources = ({ records }: Invoked) =>
  records.slice(0, -1).map(({ outcome, resource_id }) => `${outcome} ${resource_id}`);

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
    ["a deeply nested array", deep()],
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
      expect(clock.now() - at).toBeGreaterThanOrEqual(25_000);
    },
  );
});

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
        const named = completed(server, at + 3 * MINUTE);
        const traces = [
          requested(server, disk),
          { cts: { ...named.cts, request: { volumeAttachment: { volumeId: disk } } } },
        ];
        const found: string[] = [];
        for (let delivery = 0; delivery < 10; delivery += 1) {
          const invoked = await deliver(traces[(delivery + first) % 2]);
          found.push(record(invoked).outcome);
          clock.advance(delivery % 3 === 0 ? 1_000 : 4 * MINUTE);
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
    const second = completed(server, at + 60_000);
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
    const second = completed(server, at + 60_000);
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
    ["an hour", HOUR],
    ["11 minutes", 11 * MINUTE],
    ["4 minutes", 4 * MINUTE],
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
      clock.set(at + later);
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
    for (const after of [0, MINUTE, 9 * MINUTE]) {
      clock.set(at + after);
      expect((await deliver(traceless(at + after))).error).toBeUndefined();
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
    clock.set(at + HOUR);
    attachAgain(cloud, disk, server);
    expect((await deliver(traceless(at + HOUR))).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot from traces without a time that arrive within minutes", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    const timeless = ({ cts }: { cts: Json }) => ({ cts: { ...cts, time: undefined, record_time: undefined } });
    cloud.attach(disk, server);
    for (const event of [requested(server, disk), requested(server, disk), completed(server)]) {
      expect((await deliver(timeless(event))).error).toBeUndefined();
      clock.advance(MINUTE);
    }
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
    clock.advance(HOUR);
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
    clock.advance(MINUTE);
    const late = await deliver(completed(server));
    expect(resources(late)).toEqual([`existing ${disk}`]);
    expect(disksWithSnapshots(cloud)).not.toContain(system);
  });

  test("disk-attached creates a snapshot of the disk that is attached after a completion trace that names only the server", async () => {
    const { cloud, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server, { after: 10_000 });
    expect(resources(await deliver(completed(server)))).toEqual([`accepted ${disk}`]);
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ existing: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates another snapshot for the second trace if the first snapshot failed", async () => {
    const { cloud, clock, deliver, server, disk } = await createFixtureWithoutFields();
    cloud.attach(disk, server);
    cloud.endWith(disk, "error");
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    clock.advance(MINUTE);
    expect((await deliver(completed(server, at + MINUTE))).result.outcomes).toEqual({ accepted: 1 });
    expect(cloud.snapshots().map(({ status }) => status)).toEqual([
      "error",
      expect.stringMatching(/creating|available/),
    ]);
  });
});

describe("a completion trace without a disk, for several disks", () => {
  test("disk-attached creates one snapshot of each disk that was attached within 10 minutes of a completion trace without a disk", async () => {
    const { cloud, clock, deliver, server, disk, system } = await createFixture();
    const [second, third] = [cloud.addVolume().id, cloud.addVolume().id];
    for (const id of [disk, second, third]) {
      cloud.attach(id, server);
      clock.advance(MINUTE);
    }
    expect((await deliver(requested(server, disk, at))).result.outcomes).toEqual({ accepted: 1 });
    const invoked = await deliver(completed(server, clock.now()));
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: 3, outcomes: { existing: 1, accepted: 2 } });
    expect(resources(invoked).sort()).toEqual([`existing ${disk}`, `accepted ${second}`, `accepted ${third}`].sort());
    for (const id of [second, third]) {
      expect((await deliver(requested(server, id, at))).result.outcomes).toEqual({ existing: 1 });
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
    expect(resources(invoked).sort()).toEqual([`accepted ${other}`, `failed ${disk}`].sort());
    expect(disksWithSnapshots(cloud)).toEqual([other]);
  });

  test("disk-attached waits for the disk of a request trace although another disk was attached before", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const before = cloud.addVolume({ serverId: server, attachedAt: at - 5 * MINUTE }).id;
    cloud.attach(disk, server, { after: 20_000 });
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, request: {} } });
    expect(resources(invoked).sort()).toEqual([`accepted ${before}`, `accepted ${disk}`].sort());
  });
});

describe("the response in a trace", () => {
  const job = { job_id: "70a599e0-31e7-49b7-b260-868f441e862b", job_type: "attachVolume" };
  const failed = { ...job, status: "FAIL", error_code: "Ecs.0219", fail_reason: "Failed to attach the disk." };

  test.each<[what: string, response: unknown]>([
    ["the status of the job", { ...job, status: "FAIL" }],
    ["the status and the reason of the job", failed],
    ["the status of the job in lower case", { ...job, status: "failed" }],
    ["a reason without a status", { ...job, fail_reason: "The disk is in use." }],
    ["an error code without a status", { ...job, error_code: "Ecs.0219" }],
    ["a job as a JSON string", JSON.stringify(failed)],
    ["a nested job", { job: failed }],
    ["a nested job as a JSON string", { job: JSON.stringify(failed) }],
    ["a nested job in a successful call", { status: "SUCCESS", job: failed }],
    ["a nested job in a body as a JSON string", JSON.stringify({ body: JSON.stringify({ job: failed }) })],
    ["the error of a refused call", { error: { code: "Ecs.0219", message: "The disk must be available." } }],
    ["an HTTP status of 409", { status: 409 }],
  ])("disk-attached skips an attachment whose trace reports a failure by %s", async (_what, response) => {
    for (const wrapped of [(cts: Json) => ({ cts }), cloudEvent]) {
      const { cloud, clock, deliver, server, requests } = await createFixture();
      const { cts } = completed(server);
      const invoked = await deliver(wrapped({ ...cts, response }));
      expect(invoked.error).toBeUndefined();
      expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
      expect(record(invoked).detail).toMatch(/^The attachment failed: /);
      expect(clock.now()).toBe(at);
      expect(requests()).toEqual([]);
      expect(cloud.snapshots()).toEqual([]);
    }
  });

  test.each<[what: string, response: unknown]>([
    ["a success with empty error fields", { ...job, status: "SUCCESS", error_code: null, fail_reason: "" }],
    ["a success with an error code of 0", { ...job, status: "SUCCESS", error_code: "0" }],
    ["a success in error fields", { ...job, error_code: "0", error_msg: "Success." }],
    ["a success in the field for the reason", { ...job, fail_reason: "ok" }],
    ["a placeholder as the reason", { ...job, fail_reason: "-", error_code: "N/A" }],
    ["a job that is still running", { ...job, status: "RUNNING" }],
    ["a string that is not JSON", "FAIL {"],
    ["an array", ["FAIL"]],
    ["a deeply nested array", deep()],
    ["a number", 7],
  ])("disk-attached creates a snapshot if the response in the trace is %s", async (_what, response) => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const { cts } = completed(server);
    expect((await deliver({ cts: { ...cts, response } })).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});

describe("a CloudEvent", () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  const shapes: Record<string, (trace: Json) => unknown> = {
    "whose data is a JSON string": (trace) => cloudEvent(JSON.stringify(trace)),
    "whose data is a JSON string with a byte order mark": (trace) => cloudEvent(`\ufeff${JSON.stringify(trace)}`),
    "whose data is a JSON string in a JSON string": (trace) => cloudEvent(JSON.stringify(JSON.stringify(trace))),
    "whose data is in base64": (trace) => ({ ...cloudEvent(undefined), data_base64: base64(trace) }),
    "whose data is null and in base64": (trace) => ({ ...cloudEvent(null), data_base64: base64({ cts: trace }) }),
    "whose data is a CTS event": (cts) => cloudEvent({ cts }),
    "whose data is a CTS event as a JSON string": (cts) => cloudEvent(JSON.stringify({ cts })),
    "whose data is a CTS event with the trace as a JSON string": (cts) => cloudEvent({ cts: JSON.stringify(cts) }),
    "in an array": (trace) => [cloudEvent(trace)],
  };
  test.each(Object.entries(shapes))("disk-attached reads a CloudEvent %s", async (_what, shape) => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const event = JSON.parse(JSON.stringify(shape(requested(server, disk).cts)));
    const invoked = await deliver(event);
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({
      trigger: "eventgrid",
      outcome: "accepted",
      resource_id: disk,
      event_time: "2026-11-21T02:00:00.000Z",
    });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached reads a CTS event whose trace is a JSON string", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const invoked = await deliver({ cts: JSON.stringify(requested(server, disk).cts) });
    expect(record(invoked)).toMatchObject({ trigger: "cts", outcome: "accepted", resource_id: disk });
  });
});

describe("a batch of CloudEvents", () => {
  test("disk-attached processes each event of a batch although others are invalid", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const other = cloud.addVolume().id;
    const stuck = cloud.addVolume().id;
    cloud.attach(disk, server);
    cloud.attach(other, server);
    const trace = (id: string) => requested(server, id).cts;
    const invoked = await deliver([
      null,
      cloudEvent(trace(stuck)),
      "a text",
      cloudEvent(trace(disk)),
      cloudEvent({ ...trace(disk), resource_id: "none" }),
      [deep()],
      cloudEvent({ ...trace(disk), trace_name: "detachVolume" }),
      cloudEvent(JSON.stringify(trace(other))),
      {},
    ]);
    expect(disksWithSnapshots(cloud).sort()).toEqual([disk, other].sort());
    expect(invoked.records[0].trigger).toBe("eventgrid");
    expect(resources(invoked).sort()).toEqual(
      [
        ...Array.from({ length: 4 }, () => "rejected undefined"),
        `rejected ${disk}`,
        `skipped ${disk}`,
        `accepted ${disk}`,
        `accepted ${other}`,
        `failed ${stuck}`,
      ].sort(),
    );
    // The invocation fails, so the platform redelivers the event. The redelivery finds the snapshots that exist.
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({
      targets: 3,
      outcomes: { rejected: 5, skipped: 1, accepted: 2, failed: 1 },
    });
  });

  test("disk-attached writes one record for an attachment that several events of a batch report", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const [first, second] = [cloudEvent(requested(server, disk).cts), cloudEvent(completed(server).cts)];
    const invoked = await deliver([first, second, first]);
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: 1, outcomes: { accepted: 1 } });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached fails if it skips one attachment of a disk and another attachment does not complete in time", async () => {
    const { deliver, server, disk } = await createFixture();
    const old = cloudEvent(requested(server, disk, at - 2 * HOUR).cts);
    const recent = cloudEvent(requested(server, disk).cts);
    const invoked = await deliver([old, recent]);
    expect(resources(invoked)).toEqual([`skipped ${disk}`, `failed ${disk}`]);
    // The invocation fails, so the platform redelivers the event.
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { skipped: 1, failed: 1 } });
  });

  test("disk-attached rejects a batch of 0 or 101 events with one record", async () => {
    for (const count of [0, 101]) {
      const { deliver, requests } = await createFixture();
      const invoked = await deliver(Array.from({ length: count }, () => cloudEvent({})));
      expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
      expect(invoked.error?.message).toContain(`Expected a batch of 1 to 100 events, got ${count}.`);
      expect(requests()).toEqual([]);
    }
  });
});

describe("an event that does not concern the function", () => {
  const odd = {
    time: deep(),
    request: deep(),
    response: { a: deep() },
    code: deep(),
    resource_id: deep(),
    user: deep(),
  };

  test.each<[what: string, event: unknown, detail: string]>([
    ["a trace with only another name", { cts: { trace_name: "deleteGraph" } }, "The trace deleteGraph does not report"],
    [
      "a trace of another name with odd fields",
      { cts: { trace_name: "createServer", service_type: "ECS", ...odd } },
      "The trace createServer does not report",
    ],
    [
      "a trace of another service with odd fields",
      { cts: { trace_name: "attachVolume", service_type: "CCE", ...odd } },
      "The trace attachVolume is from CCE",
    ],
    ["a trace of another service without a name", { cts: { service_type: "OBS", trace_name: deep() } }, "is from OBS"],
    [
      "a CloudEvent of another service",
      { specversion: "1.0", source: "HC.OBS.DWR", type: "OBS:DWR:ObjectCreated:PUT", data: { obs: deep() } },
      "is from OBS",
    ],
    [
      "a CloudEvent of another service without data",
      { specversion: "1.0", source: "HC.EVS", type: "EVS:CloudTrace:ApiCall" },
      "is from EVS",
    ],
    [
      "a CloudEvent of another service whose trace does not say so",
      { specversion: "1.0", source: "HC.CCE", type: "CCE:CloudTrace:ApiCall", data: { trace_name: "attachVolume" } },
      "is from CCE",
    ],
  ])("disk-attached writes one record and calls nothing when it skips %s", async (_what, event, detail) => {
    const { cloud, deliver, requests } = await createFixture();
    const invoked = await deliver(event);
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
    expect(record(invoked).detail).toContain(detail);
    expect(requests()).toEqual([]);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached truncates a name, a service and a rating of 1 MB in its record", async () => {
    const { deliver } = await createFixture();
    const long = "x\u202e\n".repeat(300_000);
    for (const change of [{ trace_name: long }, { service_type: long }, { trace_rating: long }]) {
      const { cts } = requested(at.toString(), at.toString());
      const invoked = await deliver({ cts: { ...cts, ...change } });
      expect(record(invoked).outcome).toBe("skipped");
      expect(record(invoked).detail.length).toBeLessThan(300);
      expect(record(invoked).detail).not.toMatch(/[\n\u202e]/);
      expect(invoked.output.length).toBeLessThan(3_000);
    }
  });

  test("disk-attached rejects a trace whose name is a deeply nested array with one short record", async () => {
    const { deliver, requests, server, disk } = await createFixture();
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, trace_name: deep() } });
    expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
    expect(invoked.error?.message).toContain("trace_name: expected a name such as attachVolume");
    expect(invoked.output.length).toBeLessThan(3_000);
    expect(requests()).toEqual([]);
  });

  test("disk-attached does not use the id of the disk as the id of the server", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const ofDisk = { ...cts, resource_type: "evs", resource_id: disk.toUpperCase() };
    const request = { server_id: server, volumeAttachment: { volumeId: disk } };
    expect((await deliver({ cts: { ...ofDisk, request } })).result.outcomes).toEqual({ accepted: 1 });
    const without = await deliver({ cts: ofDisk });
    expect(outcomes(without)).toEqual(["create rejected", "run failed"]);
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached ignores secondary fields of unexpected types", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const changes = { service_type: 7, trace_rating: deep(), trace_status: {}, code: deep(), trace_type: [], user: 1 };
    expect((await deliver({ cts: { ...cts, ...changes } })).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});
