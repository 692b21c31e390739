/** Tests which event formats `disk-attached` reads, and which events it skips. */
import { describe, expect, test } from "vitest";
import {
  cloudEvent,
  createAttachedFixture,
  createCompletionTrace,
  createFixture,
  createRequestTrace,
  disksWithSnapshots,
  nestDeeply,
  recordOf,
  resourceOutcomes,
  withFields,
} from "../support/attachments.ts";
import { expectSuccess, HOUR_MS, START_MS } from "../support/common.ts";
import { type Json, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("the response field of a CTS trace", () => {
  const job = { job_id: "70a599e0-31e7-49b7-b260-868f441e862b", job_type: "attachVolume" };
  const failed = { ...job, status: "FAIL", error_code: "Ecs.0219", fail_reason: "Failed to attach the disk." };

  test.each<[what: string, response: unknown]>([
    ['a job with the status "FAIL"', { ...job, status: "FAIL" }],
    ['a job with the status "FAIL" and a failure reason', failed],
    ['a job with the status "failed" in lower case', { ...job, status: "failed" }],
    ["a job with a failure reason but no status", { ...job, fail_reason: "The disk is in use." }],
    ["a job with an error code but no status", { ...job, error_code: "Ecs.0219" }],
    ["a failed job as a JSON string", JSON.stringify(failed)],
    ["a failed job in a nested object", { job: failed }],
    ["a failed job in a nested JSON string", { job: JSON.stringify(failed) }],
    ['a failed job although the status of the response is "SUCCESS"', { status: "SUCCESS", job: failed }],
    [
      "a failed job in a JSON string inside another JSON string",
      JSON.stringify({ body: JSON.stringify({ job: failed }) }),
    ],
    ["the error of a rejected request", { error: { code: "Ecs.0219", message: "The disk must be available." } }],
    ["the HTTP status 409", { status: 409 }],
  ])(
    'disk-attached skips an attachment if the field "response" of the CTS trace contains %s',
    async (_what, response) => {
      for (const wrapped of [(cts: Json) => ({ cts }), cloudEvent]) {
        const { cloud, clock, deliver, server, requests } = await createFixture();
        const { cts } = createCompletionTrace(server);
        const invoked = expectSuccess(await deliver(wrapped({ ...cts, response })));
        expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
        expect(recordOf(invoked).detail).toMatch(/^The attachment failed: /);
        expect(clock.now()).toBe(START_MS);
        expect(requests()).toEqual([]);
        expect(cloud.snapshots()).toEqual([]);
      }
    },
  );

  test.each<[what: string, response: unknown]>([
    ["a successful job with empty error fields", { ...job, status: "SUCCESS", error_code: null, fail_reason: "" }],
    ["a successful job with the error code 0", { ...job, status: "SUCCESS", error_code: "0" }],
    ["a job whose error fields report success", { ...job, error_code: "0", error_msg: "Success." }],
    ['a job with the failure reason "ok"', { ...job, fail_reason: "ok" }],
    ['a job with the failure reason "-"', { ...job, fail_reason: "-", error_code: "N/A" }],
    ["a job that is still running", { ...job, status: "RUNNING" }],
    ["a string that is not JSON", "FAIL {"],
    ["an array", ["FAIL"]],
    ["a deeply nested array", nestDeeply()],
    ["a number", 7],
  ])('disk-attached creates a snapshot if the field "response" of the CTS trace is %s', async (_what, response) => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    expect((await deliver(withFields(createCompletionTrace(server), { response }))).result.outcomes).toEqual({
      accepted: 1,
    });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });
});

describe("the data of a CloudEvent", () => {
  const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64");
  const createEvent: Record<string, (trace: Json) => unknown> = {
    'whose field "data" is a JSON string': (trace) => cloudEvent(JSON.stringify(trace)),
    'whose field "data" is a JSON string with a byte order mark': (trace) =>
      cloudEvent(`\ufeff${JSON.stringify(trace)}`),
    'whose field "data" is a JSON string inside another JSON string': (trace) =>
      cloudEvent(JSON.stringify(JSON.stringify(trace))),
    'that contains a CTS trace in the field "data_base64"': (trace) => ({
      ...cloudEvent(undefined),
      data_base64: base64(trace),
    }),
    'that contains a CTS event in the field "data_base64" and null in the field "data"': (trace) => ({
      ...cloudEvent(null),
      data_base64: base64({ cts: trace }),
    }),
    'that contains a CTS event in the field "data"': (cts) => cloudEvent({ cts }),
    'that contains a CTS event as a JSON string in the field "data"': (cts) => cloudEvent(JSON.stringify({ cts })),
    "that contains a CTS event whose trace is a JSON string": (cts) => cloudEvent({ cts: JSON.stringify(cts) }),
    "that is the only item of an array": (trace) => [cloudEvent(trace)],
  };
  test.each(Object.entries(createEvent))("disk-attached reads a CloudEvent %s", async (_what, create) => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const event = JSON.parse(JSON.stringify(create(createRequestTrace(server, disk).cts)));
    const invoked = expectSuccess(await deliver(event));
    expect(recordOf(invoked)).toMatchObject({
      trigger: "eventgrid",
      outcome: "accepted",
      resource_id: disk,
      event_time: "2026-11-21T02:00:00.000Z",
    });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached reads a CTS event whose trace is a JSON string", async () => {
    const { deliver, server, disk } = await createAttachedFixture();
    const invoked = await deliver({ cts: JSON.stringify(createRequestTrace(server, disk).cts) });
    expect(recordOf(invoked)).toMatchObject({ trigger: "cts", outcome: "accepted", resource_id: disk });
  });
});

describe("a batch of CloudEvents", () => {
  test("disk-attached processes the valid events of a batch and rejects the invalid events", async () => {
    const { cloud, deliver, server, disk } = await createFixture();
    const other = cloud.addVolume().id;
    const stuck = cloud.addVolume().id;
    cloud.attach(disk, server);
    cloud.attach(other, server);
    const trace = (id: string) => createRequestTrace(server, id).cts;
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
    // The function throws an error, so the platform redelivers the batch. The redelivery finds the snapshots that already exist.
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({
      targets: 3,
      outcomes: { rejected: 5, skipped: 1, accepted: 2, failed: 1 },
    });
  });

  test("if three events in a batch report the same attachment, disk-attached counts one target and creates one snapshot", async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const [first, second] = [
      cloudEvent(createRequestTrace(server, disk).cts),
      cloudEvent(createCompletionTrace(server).cts),
    ];
    const invoked = expectSuccess(await deliver([first, second, first]));
    expect(invoked.result).toMatchObject({ targets: 1, outcomes: { accepted: 1 } });
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("if a batch reports an old and a recent attachment of a disk that is not attached, disk-attached skips the old one and fails for the recent one", async () => {
    const { deliver, server, disk } = await createFixture();
    const old = cloudEvent(createRequestTrace(server, disk, START_MS - 2 * HOUR_MS).cts);
    const recent = cloudEvent(createRequestTrace(server, disk).cts);
    const invoked = await deliver([old, recent]);
    expect(resourceOutcomes(invoked)).toEqual([`skipped ${disk}`, `failed ${disk}`]);
    // The function throws an error, so the platform redelivers the batch.
    expect(JSON.parse(String(invoked.error?.message))).toMatchObject({ outcomes: { skipped: 1, failed: 1 } });
  });

  test("disk-attached rejects a batch of 0 events and a batch of 101 events, and writes one rejected record for each batch", async () => {
    for (const count of [0, 101]) {
      const { deliver, requests } = await createFixture();
      const invoked = await deliver(Array.from({ length: count }, () => cloudEvent({})));
      expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
      expect(invoked.error?.message).toContain(`Expected a batch of 1 to 100 events, got ${count}.`);
      expect(requests()).toEqual([]);
    }
  });
});

describe("an event with unrelated or invalid fields", () => {
  const invalidFields = {
    time: nestDeeply(),
    request: nestDeeply(),
    response: { a: nestDeeply() },
    code: nestDeeply(),
    resource_id: nestDeeply(),
    user: nestDeeply(),
  };

  test.each<[what: string, event: unknown, detail: string]>([
    [
      "a CTS trace whose only field is the name deleteGraph",
      { cts: { trace_name: "deleteGraph" } },
      "The trace deleteGraph does not report",
    ],
    [
      "a CTS trace with the name createServer, whose remaining fields are invalid",
      { cts: { trace_name: "createServer", service_type: "ECS", ...invalidFields } },
      "The trace createServer does not report",
    ],
    [
      "a CTS trace of the service CCE, whose remaining fields are invalid",
      { cts: { trace_name: "attachVolume", service_type: "CCE", ...invalidFields } },
      "The trace attachVolume is from CCE",
    ],
    [
      "a CTS trace of the service OBS, whose name is invalid",
      { cts: { service_type: "OBS", trace_name: nestDeeply() } },
      "is from OBS",
    ],
    [
      "a CloudEvent of the service OBS",
      { specversion: "1.0", source: "HC.OBS.DWR", type: "OBS:DWR:ObjectCreated:PUT", data: { obs: nestDeeply() } },
      "is from OBS",
    ],
    [
      'a CloudEvent of the service EVS without the field "data"',
      { specversion: "1.0", source: "HC.EVS", type: "EVS:CloudTrace:ApiCall" },
      "is from EVS",
    ],
    [
      "a CloudEvent of the service CCE whose trace names no service",
      { specversion: "1.0", source: "HC.CCE", type: "CCE:CloudTrace:ApiCall", data: { trace_name: "attachVolume" } },
      "is from CCE",
    ],
  ])("disk-attached writes one record and sends no request when it skips %s", async (_what, event, detail) => {
    const { cloud, deliver, requests } = await createFixture();
    const invoked = expectSuccess(await deliver(event));
    expect(invoked.result).toMatchObject({ targets: 0, outcomes: { skipped: 1 } });
    expect(recordOf(invoked).detail).toContain(detail);
    expect(requests()).toEqual([]);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("disk-attached truncates the name, the service or the rating of a CTS trace in its record if one of them is 1 MB long", async () => {
    const { deliver } = await createFixture();
    const long = "x\u202e\n".repeat(300_000);
    for (const change of [{ trace_name: long }, { service_type: long }, { trace_rating: long }]) {
      const { cts } = createRequestTrace(START_MS.toString(), START_MS.toString());
      const invoked = await deliver({ cts: { ...cts, ...change } });
      expect(recordOf(invoked).outcome).toBe("skipped");
      expect(recordOf(invoked).detail.length).toBeLessThan(300);
      expect(recordOf(invoked).detail).not.toMatch(/[\n\u202e]/);
      expect(invoked.output.length).toBeLessThan(3_000);
    }
  });

  test("disk-attached writes fewer than 3,000 characters when it rejects a CTS trace whose name is a deeply nested array", async () => {
    const { deliver, requests, server, disk } = await createFixture();
    const invoked = await deliver(withFields(createRequestTrace(server, disk), { trace_name: nestDeeply() }));
    expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
    expect(invoked.error?.message).toContain("trace_name: expected a name such as attachVolume");
    expect(invoked.output.length).toBeLessThan(3_000);
    expect(requests()).toEqual([]);
  });

  test('disk-attached does not use the field "resource_id" of a CTS trace as the server id if this field contains the disk id', async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const { cts } = createRequestTrace(server, disk);
    const ofDisk = { ...cts, resource_type: "evs", resource_id: disk.toUpperCase() };
    const request = { server_id: server, volumeAttachment: { volumeId: disk } };
    expect((await deliver({ cts: { ...ofDisk, request } })).result.outcomes).toEqual({ accepted: 1 });
    const without = await deliver({ cts: ofDisk });
    expect(outcomes(without)).toEqual(["create rejected", "run failed"]);
    expect(disksWithSnapshots(cloud)).toEqual([disk]);
  });

  test("disk-attached creates a snapshot although optional fields of the CTS trace have unexpected types", async () => {
    const { cloud, deliver, server, disk } = await createAttachedFixture();
    const { cts } = createRequestTrace(server, disk);
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
