/** Tests how `disk-attached` handles every form that the event of an attachment may have. */
import { describe, expect, test } from "vitest";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import {
  at,
  cloudEvent,
  completed,
  HOUR,
  type Json,
  record,
  requested,
  stage,
  taken,
  withoutAttachmentFields,
} from "../support/attachments.ts";
import { onTheSitesDay, outcomes } from "../support/creates.ts";
import type { Invoked } from "../support/environment.ts";

onTheSitesDay();

const MINUTE = 60_000;
/** An array in an array in an array, deeper than any call stack. */
const deep = (depth = 100_000): unknown => JSON.parse("[".repeat(depth) + "]".repeat(depth));
const resources = ({ records }: Invoked) =>
  records.slice(0, -1).map(({ outcome, resource_id }) => `${outcome} ${resource_id}`);

describe("the time of a trace", () => {
  test.each<[how: string, time: unknown, eventTime: string]>([
    ["year first with a zone", "2026/11/21 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["month first with a zone", "11/21/2026 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["as the name of a month with a zone", "Nov 21, 2026 10:00:00 GMT+08:00", "2026-11-21T02:00:00.000Z"],
    ["year first without a zone", "2026/11/21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["with dashes and without a zone", "2026-11-21 02:00:00", "2026-11-21T02:00:00.000Z"],
    ["in seconds with a fraction, as a string", "1795226400.5", "2026-11-21T02:00:00.500Z"],
    ["in ISO 8601", "2026-11-21T10:00:00+08:00", "2026-11-21T02:00:00.000Z"],
  ])("disk-attached reads a time that is written %s", async (_how, time, eventTime) => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, time, record_time: undefined } });
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({ outcome: "accepted", event_time: eventTime });
    expect(taken(cloud)).toEqual([disk]);
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
  ])("disk-attached takes a named disk although both times of its trace are %s", async (_what, time) => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server, { after: 20_000 });
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, time, record_time: time } });
    expect(invoked.error).toBeUndefined();
    expect(record(invoked)).toMatchObject({ outcome: "accepted", resource_id: disk });
    expect(record(invoked)).not.toHaveProperty("event_time");
    expect(invoked.output.length).toBeLessThan(5_000);
    expect((await deliver(completed(server))).result.outcomes).toEqual({ existing: 1 });
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached falls back on the record's time and then on the time of the CloudEvent", async () => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const byRecord = await deliver({ cts: { ...cts, time: "soon", record_time: "2026-11-21 01:59:00" } });
    expect(record(byRecord).event_time).toBe("2026-11-21T01:59:00.000Z");
    const timeless = { ...cts, time: "soon", record_time: null };
    const byEvent = await deliver({ ...cloudEvent(timeless), time: "2026-11-21T01:58:00Z" });
    expect(record(byEvent).event_time).toBe("2026-11-21T01:58:00.000Z");
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached never skips a disk as too old on account of a time that it cannot read", async () => {
    const { cloud, deliver, server, disk } = await stage();
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, time: null, record_time: null } });
    expect(record(invoked)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect(cloud.snapshots()).toEqual([]);
  });

  test.each<[what: string, time: unknown]>([
    ["unreadable", null],
    ["eight hours ahead", "11/21/2026 10:00:00"],
  ])("disk-attached does not take the only disk of the server at once when the time is %s", async (_what, time) => {
    const { cloud, clock, deliver, server, disk } = await stage();
    cloud.attach(disk, server, { after: 25_000 });
    const { cts } = completed(server);
    const invoked = await deliver({ cts: { ...cts, time, record_time: time } });
    expect(invoked.error).toBeUndefined();
    expect(taken(cloud)).toEqual([disk]);
    expect(clock.now() - at).toBeGreaterThanOrEqual(25_000);
  });
});

describe("where EVS gives neither an id nor a time of an attachment", () => {
  const site = async (variables: Record<string, string> = {}) => {
    const opened = await stage({ variables });
    withoutAttachmentFields(opened.runtime);
    return opened;
  };
  const attachAgain = (cloud: EmbeddedCloud, disk: string, server: string) => {
    cloud.detach(disk);
    cloud.attach(disk, server);
  };

  describe.each(["snapshot", "standard-snapshot"])("%s", (DISK_ATTACHED_KIND) => {
    test.each([
      ["the request first", 0],
      ["the completion first", 1],
    ])("disk-attached creates one snapshot from traces that come %s, 5 times each", async (_order, first) => {
      const { cloud, clock, deliver, server, disk } = await site({ DISK_ATTACHED_KIND });
      cloud.attach(disk, server);
      const named = completed(server, at + 3 * MINUTE);
      const traces = [
        requested(server, disk),
        { cts: { ...named.cts, request: { volumeAttachment: { volumeId: disk } } } },
      ];
      const said: string[] = [];
      for (let delivery = 0; delivery < 10; delivery += 1) {
        const invoked = await deliver(traces[(delivery + first) % 2]);
        said.push(record(invoked).outcome);
        clock.advance(delivery % 3 === 0 ? 1_000 : 4 * MINUTE);
      }
      expect(said).toEqual(["accepted", ...Array.from({ length: 9 }, () => "existing")]);
      expect(taken(cloud)).toEqual([disk]);
    });
  });

  test("disk-attached creates one snapshot although no list shows it before the second trace", async () => {
    const { cloud, clock, deliver, server, disk } = await site();
    cloud.listLagMs = 5_000;
    cloud.attach(disk, server);
    const second = completed(server, at + 60_000);
    const named = { cts: { ...second.cts, request: { volumeAttachment: { volumeId: disk } } } };
    for (const event of [requested(server, disk), named]) {
      expect((await deliver(event)).error).toBeUndefined();
      clock.advance(1_000);
    }
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached creates one snapshot from both traces at once", async () => {
    const { cloud, deliver, server, disk } = await site();
    cloud.attach(disk, server, { after: 10_000 });
    const second = completed(server, at + 60_000);
    const named = { cts: { ...second.cts, request: { volumeAttachment: { volumeId: disk } } } };
    const events = Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? requested(server, disk) : named));
    const invoked = await Promise.all(events.map((event) => deliver(event)));
    expect(invoked.map((one) => record(one).outcome).sort()).toEqual([
      "accepted",
      ...Array.from({ length: 5 }, () => "existing"),
    ]);
    expect(taken(cloud)).toEqual([disk]);
  });

  test.each([
    ["an hour", HOUR],
    ["11 minutes", 11 * MINUTE],
    ["4 minutes", 4 * MINUTE],
  ])("disk-attached creates another snapshot when the disk is attached again %s later", async (_much, later) => {
    const { cloud, clock, deliver, server, disk } = await site();
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
    expect(taken(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached tells attachments apart that say nothing of their stage", async () => {
    const { cloud, clock, deliver, server, disk } = await site();
    const traceless = (time: number) => {
      const { cts } = requested(server, disk, time);
      return { cts: { ...cts, trace_type: undefined, response: undefined } };
    };
    cloud.attach(disk, server);
    for (const after of [0, MINUTE, 9 * MINUTE]) {
      clock.set(at + after);
      expect((await deliver(traceless(at + after))).error).toBeUndefined();
    }
    expect(taken(cloud)).toEqual([disk]);
    clock.set(at + HOUR);
    attachAgain(cloud, disk, server);
    expect((await deliver(traceless(at + HOUR))).result.outcomes).toEqual({ accepted: 1 });
    expect(taken(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot from traces without a time that come within minutes", async () => {
    const { cloud, clock, deliver, server, disk } = await site();
    const timeless = ({ cts }: { cts: Json }) => ({ cts: { ...cts, time: undefined, record_time: undefined } });
    cloud.attach(disk, server);
    for (const event of [requested(server, disk), requested(server, disk), completed(server)]) {
      expect((await deliver(timeless(event))).error).toBeUndefined();
      clock.advance(MINUTE);
    }
    expect(taken(cloud)).toEqual([disk]);
    clock.advance(HOUR);
    attachAgain(cloud, disk, server);
    expect((await deliver(timeless(requested(server, disk)))).result.outcomes).toEqual({ accepted: 1 });
    expect(taken(cloud)).toEqual([disk, disk]);
  });

  test("disk-attached creates one snapshot for each server of a shared disk", async () => {
    const { cloud, deliver, server } = await site();
    const other = cloud.addServer().id;
    const shared = cloud.addVolume({ multiattach: true, serverId: other }).id;
    cloud.attach(shared, server);
    for (const event of [requested(other, shared), requested(server, shared), requested(other, shared)]) {
      expect((await deliver(event)).error).toBeUndefined();
    }
    expect(taken(cloud)).toEqual([shared, shared]);
  });

  test("disk-attached finds the snapshot of the request when the completion names the server alone", async () => {
    const { cloud, clock, deliver, server, disk, system } = await site();
    cloud.attach(disk, server);
    // The completion does not say which of the two disks was attached.
    const early = await deliver(completed(server));
    expect(record(early)).toMatchObject({ outcome: "failed", error: { reason: "DeadlineExceeded" } });
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ accepted: 1 });
    clock.advance(MINUTE);
    const late = await deliver(completed(server));
    expect(resources(late)).toEqual([`existing ${disk}`]);
    expect(taken(cloud)).not.toContain(system);
  });

  test("disk-attached takes the disk that appears after a completion that names the server alone", async () => {
    const { cloud, deliver, server, disk } = await site();
    cloud.attach(disk, server, { after: 10_000 });
    expect(resources(await deliver(completed(server)))).toEqual([`accepted ${disk}`]);
    expect((await deliver(requested(server, disk))).result.outcomes).toEqual({ existing: 1 });
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached creates a snapshot again that failed, when the second trace arrives", async () => {
    const { cloud, clock, deliver, server, disk } = await site();
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

describe("a completion that names the server alone, of several disks", () => {
  test("disk-attached takes each disk that was attached within 10 minutes under its own key", async () => {
    const { cloud, clock, deliver, server, disk, system } = await stage();
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
    expect(taken(cloud).sort()).toEqual([disk, second, third].sort());
    expect(taken(cloud)).not.toContain(system);
  });

  test("disk-attached takes the other disks when one of them cannot be taken", async () => {
    const { cloud, deliver, server, disk } = await stage();
    const other = cloud.addVolume({ serverId: server }).id;
    cloud.attach(disk, server);
    cloud.fault({ operation: "evs.createSnapshot", resource: disk }, { type: "status", status: 400 });
    const invoked = await deliver(completed(server));
    expect(resources(invoked).sort()).toEqual([`accepted ${other}`, `failed ${disk}`].sort());
    expect(taken(cloud)).toEqual([other]);
  });

  test("disk-attached waits for a disk of a request although another one was attached before it", async () => {
    const { cloud, deliver, server, disk } = await stage();
    const before = cloud.addVolume({ serverId: server, attachedAt: at - 5 * MINUTE }).id;
    cloud.attach(disk, server, { after: 20_000 });
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, request: {} } });
    expect(resources(invoked).sort()).toEqual([`accepted ${before}`, `accepted ${disk}`].sort());
  });
});

describe("a job that failed", () => {
  const job = { job_id: "70a599e0-31e7-49b7-b260-868f441e862b", job_type: "attachVolume" };
  const failed = { ...job, status: "FAIL", error_code: "Ecs.0219", fail_reason: "Failed to attach the disk." };

  test.each<[what: string, response: unknown]>([
    ["its status", { ...job, status: "FAIL" }],
    ["its status and reason", failed],
    ["its status in other letters", { ...job, status: "failed" }],
    ["a reason without a status", { ...job, fail_reason: "The disk is in use." }],
    ["an error code without a status", { ...job, error_code: "Ecs.0219" }],
    ["JSON text", JSON.stringify(failed)],
    ["a nested job", { job: failed }],
    ["a nested job as JSON text", { job: JSON.stringify(failed) }],
    ["a nested job beside a call that succeeded", { status: "SUCCESS", job: failed }],
    ["a body as JSON text with a nested job", JSON.stringify({ body: JSON.stringify({ job: failed }) })],
    ["a refusal", { error: { code: "Ecs.0219", message: "The disk must be available." } }],
    ["an HTTP status", { status: 409 }],
  ])("disk-attached skips an attachment whose trace tells of it by %s", async (_what, response) => {
    for (const wrapped of [(cts: Json) => ({ cts }), cloudEvent]) {
      const { cloud, clock, deliver, server, requests } = await stage();
      const { cts } = completed(server);
      const invoked = await deliver(wrapped({ ...cts, response }));
      expect(invoked.error).toBeUndefined();
      expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
      expect(record(invoked).detail).toMatch(/^The attachment did not succeed: /);
      expect(clock.now()).toBe(at);
      expect(requests()).toEqual([]);
      expect(cloud.snapshots()).toEqual([]);
    }
  });

  test.each<[what: string, response: unknown]>([
    ["a success with empty error fields", { ...job, status: "SUCCESS", error_code: null, fail_reason: "" }],
    ["a success with an error code of 0", { ...job, status: "SUCCESS", error_code: "0" }],
    ["a success in the fields of an error", { ...job, error_code: "0", error_msg: "Success." }],
    ["a success in the reason", { ...job, fail_reason: "ok" }],
    ["a reason that stands for none", { ...job, fail_reason: "-", error_code: "N/A" }],
    ["a job that is still running", { ...job, status: "RUNNING" }],
    ["a text that is no JSON", "FAIL {"],
    ["an array", ["FAIL"]],
    ["a deeply nested array", deep()],
    ["a number", 7],
  ])("disk-attached takes the disk when the trace's response is %s", async (_what, response) => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const { cts } = completed(server);
    expect((await deliver({ cts: { ...cts, response } })).result.outcomes).toEqual({ accepted: 1 });
    expect(taken(cloud)).toEqual([disk]);
  });
});

describe("a CloudEvent", () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  const shapes: Record<string, (trace: Json) => unknown> = {
    "whose data is JSON text": (trace) => cloudEvent(JSON.stringify(trace)),
    "whose data is JSON text with a byte order mark": (trace) => cloudEvent(`\ufeff${JSON.stringify(trace)}`),
    "whose data is JSON text that was written as JSON again": (trace) =>
      cloudEvent(JSON.stringify(JSON.stringify(trace))),
    "whose data is in base64": (trace) => ({ ...cloudEvent(undefined), data_base64: base64(trace) }),
    "whose data is null, and in base64": (trace) => ({ ...cloudEvent(null), data_base64: base64({ cts: trace }) }),
    "whose data is a CTS event": (cts) => cloudEvent({ cts }),
    "whose data is a CTS event as JSON text": (cts) => cloudEvent(JSON.stringify({ cts })),
    "whose data is a CTS event with the trace as JSON text": (cts) => cloudEvent({ cts: JSON.stringify(cts) }),
    "in an array of its own": (trace) => [cloudEvent(trace)],
  };
  test.each(Object.entries(shapes))("disk-attached reads a CloudEvent %s", async (_what, shape) => {
    const { cloud, deliver, server, disk } = await stage();
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
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached reads a CTS event whose trace is JSON text", async () => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const invoked = await deliver({ cts: JSON.stringify(requested(server, disk).cts) });
    expect(record(invoked)).toMatchObject({ trigger: "cts", outcome: "accepted", resource_id: disk });
  });
});

describe("a batch of CloudEvents", () => {
  test("disk-attached handles every event of a batch, whatever the others are", async () => {
    const { cloud, deliver, server, disk } = await stage();
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
    expect(taken(cloud).sort()).toEqual([disk, other].sort());
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

  test("disk-attached writes one record for an attachment that several events of a batch tell of", async () => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const [first, second] = [cloudEvent(requested(server, disk).cts), cloudEvent(completed(server).cts)];
    const invoked = await deliver([first, second, first]);
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: 1, outcomes: { accepted: 1 } });
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached fails if it skips one attachment of a disk and another one does not end in time", async () => {
    const { deliver, server, disk } = await stage();
    const old = cloudEvent(requested(server, disk, at - 2 * HOUR).cts);
    const recent = cloudEvent(requested(server, disk).cts);
    const invoked = await deliver([old, recent]);
    expect(resources(invoked)).toEqual([`skipped ${disk}`, `failed ${disk}`]);
    // It fails, so that the platform delivers it again.
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { skipped: 1, failed: 1 } });
  });

  test("disk-attached rejects a batch without events or with more than 100, in one record", async () => {
    for (const count of [0, 101]) {
      const { deliver, requests } = await stage();
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
    ["a trace of another name alone", { cts: { trace_name: "deleteGraph" } }, "The trace deleteGraph does not attach"],
    [
      "a trace of another name with odd fields",
      { cts: { trace_name: "createServer", service_type: "ECS", ...odd } },
      "The trace createServer does not attach",
    ],
    [
      "a trace of another service with odd fields",
      { cts: { trace_name: "attachVolume", service_type: "CCE", ...odd } },
      "The trace attachVolume is of CCE",
    ],
    ["a trace of another service without a name", { cts: { service_type: "OBS", trace_name: deep() } }, "is of OBS"],
    [
      "a CloudEvent of another service",
      { specversion: "1.0", source: "HC.OBS.DWR", type: "OBS:DWR:ObjectCreated:PUT", data: { obs: deep() } },
      "is of OBS",
    ],
    [
      "a CloudEvent of another service without data",
      { specversion: "1.0", source: "HC.EVS", type: "EVS:CloudTrace:ApiCall" },
      "is of EVS",
    ],
    [
      "a CloudEvent of another service whose trace does not say so",
      { specversion: "1.0", source: "HC.CCE", type: "CCE:CloudTrace:ApiCall", data: { trace_name: "attachVolume" } },
      "is of CCE",
    ],
  ])("disk-attached skips %s, in one record and without a call", async (_what, event, detail) => {
    const { cloud, deliver, requests } = await stage();
    const invoked = await deliver(event);
    expect(invoked.error).toBeUndefined();
    expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
    expect(record(invoked).detail).toContain(detail);
    expect(requests()).toEqual([]);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached cuts a name, a service and a rating of 1 MB before it records them", async () => {
    const { deliver } = await stage();
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

  test("disk-attached rejects a name that is a deeply nested array, in one short record", async () => {
    const { deliver, requests, server, disk } = await stage();
    const { cts } = requested(server, disk);
    const invoked = await deliver({ cts: { ...cts, trace_name: deep() } });
    expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
    expect(invoked.error?.message).toContain("trace_name: expected a name such as attachVolume");
    expect(invoked.output.length).toBeLessThan(3_000);
    expect(requests()).toEqual([]);
  });

  test("disk-attached does not take the id of the disk for the id of the server", async () => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const ofDisk = { ...cts, resource_type: "evs", resource_id: disk.toUpperCase() };
    const request = { server_id: server, volumeAttachment: { volumeId: disk } };
    expect((await deliver({ cts: { ...ofDisk, request } })).result.outcomes).toEqual({ accepted: 1 });
    const without = await deliver({ cts: ofDisk });
    expect(outcomes(without)).toEqual(["create rejected", "run failed"]);
    expect(taken(cloud)).toEqual([disk]);
  });

  test("disk-attached ignores secondary fields of a type that it does not know", async () => {
    const { cloud, deliver, server, disk } = await stage();
    cloud.attach(disk, server);
    const { cts } = requested(server, disk);
    const changes = { service_type: 7, trace_rating: deep(), trace_status: {}, code: deep(), trace_type: [], user: 1 };
    expect((await deliver({ cts: { ...cts, ...changes } })).result.outcomes).toEqual({ accepted: 1 });
    expect(taken(cloud)).toEqual([disk]);
  });
});
