import { expect, test } from "vitest";
import { attachmentEvent, TRACE_VARIANTS, type TraceVariant } from "../../../../infra/local/tour/trace-variants.ts";

const attachment = {
  serverId: "11111111-1111-4111-8111-111111111111",
  volumeId: "22222222-2222-4222-8222-222222222222",
  requestedAt: Date.parse("2026-11-27T17:35:51Z"),
};

// biome-ignore lint/suspicious/noExplicitAny: the tests read fields of events of many shapes
const event = (record: "request" | "completion", variant: TraceVariant = {}): any =>
  attachmentEvent(record, attachment, variant);

test("attachmentEvent writes the times in a CTS trace in the requested time format", () => {
  const timeIn = (time: TraceVariant["time"]) => event("request", { time }).cts;
  expect(timeIn("milliseconds")).toMatchObject({ time: 1795800951000, record_time: 1795800951000 });
  expect(timeIn("seconds").time).toBe(1795800951);
  expect(timeIn("digits").time).toBe("1795800951000");
  expect(timeIn("iso").time).toBe("2026-11-27T17:35:51.000Z");
  expect(timeIn("offset").time).toBe("2026-11-28T01:35:51+08:00");
  expect(timeIn("yearFirst").time).toBe("2026/11/28 01:35:51 GMT+08:00");
  expect(timeIn("monthName").time).toBe("Nov 28, 2026 01:35:51 GMT+08:00");
  expect(timeIn("monthFirst").time).toBe("11/28/2026 01:35:51");
  expect(timeIn("noZone").time).toBe("2026-11-27 17:35:51");
  expect(timeIn("null")).toMatchObject({ time: null, record_time: null });
  for (const field of ["time", "record_time"]) expect(timeIn("absent")).not.toHaveProperty(field);
  expect(event("completion").cts.time - event("request").cts.time).toBe(30_000);
});

test("attachmentEvent writes the ids, the request body and the job status in a CTS trace as the variant specifies", () => {
  const { serverId, volumeId } = attachment;
  const request = event("request").cts;
  expect(request).toMatchObject({ resource_id: serverId, request: { volumeAttachment: { volumeId } } });
  expect(event("completion").cts.response).toMatchObject({ status: "SUCCESS", entities: { server_id: serverId } });
  expect(JSON.stringify(event("completion"))).not.toContain(volumeId);
  expect(JSON.parse(event("request", { bodies: "texts" }).cts.request)).toEqual(request.request);
  expect(JSON.stringify(event("request", { ids: "noDisk" }))).not.toContain(volumeId);
  expect(JSON.stringify(event("request", { ids: "noServer" }))).not.toContain(serverId);
  for (const record of ["request", "completion"] as const) {
    expect(JSON.stringify(event(record, { ids: "none" }))).not.toMatch(/[0-9a-f]{8}-[0-9a-f]{4}/);
  }
  const failed = event("completion", { job: "FAIL" }).cts;
  expect(failed).toMatchObject({ trace_rating: "normal", response: { status: "FAIL", error_code: "Ecs.0219" } });
});

test("attachmentEvent wraps a CTS trace in the requested envelope", () => {
  const trace = event("completion").cts;
  const inside = (envelope: TraceVariant["envelope"]) => event("completion", { envelope });
  expect(inside("data")).toMatchObject({ specversion: "1.0", type: "ECS:CloudTrace:SystemAction", data: trace });
  expect(JSON.parse(inside("dataText").data)).toEqual(trace);
  expect(JSON.parse(Buffer.from(inside("dataBase64").data_base64, "base64").toString())).toEqual(trace);
  expect(inside("dataBase64")).not.toHaveProperty("data");
  expect(inside("dataCts").data).toEqual({ cts: trace });
  expect(inside("batch")).toMatchObject([{ specversion: "1.0", data: trace }]);
});

test("the events of all TRACE_VARIANTS differ and can be serialized as JSON", () => {
  const events = Object.values(TRACE_VARIANTS).flatMap((variant) =>
    JSON.stringify([event("request", variant), event("completion", variant)]),
  );
  expect(new Set(events).size).toBe(events.length);
  expect(events.length).toBeGreaterThan(20);
  expect(TRACE_VARIANTS["time absent"]).toEqual({ time: "absent" });
});
