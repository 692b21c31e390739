import { expect, test } from "vitest";
import { triggerOf } from "../../../shared/functiongraph/triggers.ts";

test.each<[trigger: string, event: unknown]>([
  ["http", { httpMethod: "POST", body: "", headers: {}, isBase64Encoded: true }],
  ["http", { httpMethod: undefined }],
  ["timer", { version: "v1.0", time: "2023-06-01T08:30:00+08:00", trigger_type: "TIMER", user_event: "{}" }],
  ["cts", { cts: { trace_name: "attachVolume2" } }],
  ["eventgrid", { specversion: "1.0", type: "ECS:CloudTrace:ApiCall", data: {} }],
  ["direct", { snapshot: {} }],
  ["direct", { trigger_type: "OBS" }],
  ["direct", {}],
  ["eventgrid", [{ specversion: "1.0" }]],
  ["eventgrid", [null, "text", { specversion: "1.0" }]],
  ["direct", []],
  ["direct", [null, [{ specversion: "1.0" }]]],
  ["direct", null],
  ["direct", undefined],
  ["direct", "text"],
])("triggerOf returns the trigger type %s for the event %j", (trigger, event) => {
  expect(triggerOf(event)).toBe(trigger);
});
