/** Tests how `disk-attached` reads the forms of an event, and which events it skips. */
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  completed,
  createFixture,
  disksWithSnapshots,
  nestDeeply,
  record,
  requested,
  resourceOutcomes,
} from "../support/attachments.ts";
import { HOUR_MS, START_MS } from "../support/common.ts";
import { type Json, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

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
      expect(record(invoked).detail).toMatch(/^The attachment did not succeed: /);
      expect(clock.now()).toBe(START_MS);
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
    ["a deeply nested array", nestDeeply()],
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
      [nestDeeply()],
      cloudEvent({ ...trace(disk), trace_name: "detachVolume" }),
      cloudEvent(JSON.stringify(trace(other))),
      {},
    ]);
    expect(disksWithSnapshots(cloud).sort()).toEqual([disk, other].sort());
    expect(invoked.records[0].trigger).toBe("eventgrid");
    expect(resourceOutcomes(invoked).sort()).toEqual(
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
    const old = cloudEvent(requested(server, disk, START_MS - 2 * HOUR_MS).cts);
    const recent = cloudEvent(requested(server, disk).cts);
    const invoked = await deliver([old, recent]);
    expect(resourceOutcomes(invoked)).toEqual([`skipped ${disk}`, `failed ${disk}`]);
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
    time: nestDeeply(),
    request: nestDeeply(),
    response: { a: nestDeeply() },
    code: nestDeeply(),
    resource_id: nestDeeply(),
    user: nestDeeply(),
  };

  test.each<[what: string, event: unknown, detail: string]>([
    ["a trace with only another name", { cts: { trace_name: "deleteGraph" } }, "The trace deleteGraph does not attach"],
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
    [
      "a trace of another service without a name",
      { cts: { service_type: "OBS", trace_name: nestDeeply() } },
      "is of OBS",
    ],
    [
      "a CloudEvent of another service",
      { specversion: "1.0", source: "HC.OBS.DWR", type: "OBS:DWR:ObjectCreated:PUT", data: { obs: nestDeeply() } },
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
      const { cts } = requested(START_MS.toString(), START_MS.toString());
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
    const invoked = await deliver({ cts: { ...cts, trace_name: nestDeeply() } });
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
    const changes = {
      service_type: 7,
      trace_rating: nestDeeply(),
      trace_status: {},
      code: nestDeeply(),
      trace_type: [],
      user: 1,
    };
    expect((await deliver({ cts: { ...cts, ...changes } })).result.outcomes).toEqual({ accepted: 1 });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});
