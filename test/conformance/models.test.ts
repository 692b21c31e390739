/** Compares the responses of the embedded cloud with the models of the Python SDK, without Python, and checks the written files. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ResponseComparison } from "./compare.ts";
import { OMISSIONS } from "./omissions.ts";
import { README_FILE, tableIn } from "./readme.ts";
import { judge, unusedOmissions } from "./report.ts";
import { OPERATIONS, runScenario, STEPS } from "./scenario.ts";
import { readModels, sendDirectly } from "./send-directly.ts";

const models = readModels();
const results = await runScenario(sendDirectly);
const judged = judge({ client: "none", description: models, results }, OMISSIONS);

test.each(judged.map((result) => [result.operation, result] as const))(
  "the responses of the embedded cloud to %s have the fields and types of the SDK's model",
  (_, { problems }) => {
    expect(problems).toEqual([]);
  },
);

test("OMISSIONS lists fewer than 40 omitted response fields, lists no field twice, and names only operations of the scenario", () => {
  expect(OMISSIONS.length).toBeLessThan(40);
  const names = OMISSIONS.map(({ operation, field }) => `${operation} ${field}`);
  expect(new Set(names).size).toBe(names.length);
  const operations = OPERATIONS.map((pair) => pair.join("."));
  expect(OMISSIONS.filter(({ operation }) => !operations.includes(operation))).toEqual([]);
});

test("if the responses contain a field that OMISSIONS lists as omitted, unusedOmissions returns the entry for this field", () => {
  const superfluous = { operation: "evs.ShowVolume", field: "volume.id", reason: "none" };
  const omissions = [...OMISSIONS, superfluous];
  const unused = unusedOmissions([judge({ client: "none", description: models, results }, omissions)], omissions);
  expect(unused).toContain(superfluous);
  // Only the Node.js client needs the other unused entries, because its release lacks fields of the Python SDK.
  expect(unused.filter(({ reason }) => !reason.includes("Node.js"))).toEqual([superfluous]);
});

test("test/conformance/models.json has the models of each operation in the scenario, and of no other operation", () => {
  expect(Object.keys(models.operations).sort()).toEqual(OPERATIONS.map((pair) => pair.join(".")).sort());
});

test("for each operation, the table in test/infra/local/README.md shows the numbers of calls and of omitted fields, and no problem", () => {
  const rows = tableIn(readFileSync(README_FILE, "utf8"));
  const calls = (service: string, operation: string) =>
    STEPS.filter((step) => step.service === service && step.operation === operation).length;
  expect(rows.map(([operation, count]) => [operation, count])).toEqual(
    OPERATIONS.map(([service, operation]) => [
      `${service.toUpperCase()} ${operation}`,
      String(calls(service, operation)),
    ]),
  );
  const omitted = (operation: string) => judged.find((result) => result.operation === operation)?.omitted.length ?? 0;
  const python = OPERATIONS.map((pair) => omitted(pair.join(".")));
  expect(rows.map((row) => Number(/\d+/.exec(row[2] ?? "")?.[0] ?? 0))).toEqual(python);
  expect(rows.flat().filter((cell) => cell.includes("problem"))).toEqual([]);
});

const DESCRIPTION = {
  operations: { "evs.Show": { response: "Show" } },
  models: { Show: { disk: "Disk" }, Disk: { id: "string!", size: "integer", tags: "{string}", links: "[string]" } },
};

/** Returns the differences of one response, as `<field>: <difference>`. */
function differencesOf(body: unknown): string[] {
  const comparison = new ResponseComparison(DESCRIPTION);
  comparison.add("evs.Show", JSON.stringify(body));
  return comparison.differences().map(({ field, difference }) => `${field}: ${difference}`);
}

test("ResponseComparison reports no difference if a response has every field of the model, or null as the value of a field", () => {
  expect(differencesOf({ disk: { id: "a", size: 1, tags: { key: "value" }, links: ["x"] } })).toEqual([]);
  expect(differencesOf({ disk: { id: null, size: null, tags: null, links: [null] } })).toEqual([]);
  expect(differencesOf({ disk: null })).toEqual([]);
});

test("ResponseComparison reports absent fields, wrong types and fields that the model lacks", () => {
  expect(differencesOf({})).toEqual(["disk: optional, and no response has it"]);
  expect(differencesOf({ disk: { size: 1.5, tags: { key: 1 }, links: {}, color: "red" } })).toEqual([
    "disk.id: required, but absent",
    "disk.size: expected integer, got the number 1.5",
    "disk.tags{}: expected string, got the number 1",
    "disk.links: expected [string], got the object {}",
    "disk.color: not in the model",
  ]);
});

test("if only some responses have a field, ResponseComparison reports a required field, but not an optional field", () => {
  const comparison = new ResponseComparison(DESCRIPTION);
  comparison.add("evs.Show", JSON.stringify({ disk: { id: "a", size: 1, tags: {}, links: [] } }));
  comparison.add("evs.Show", JSON.stringify({ disk: {} }));
  expect(comparison.differences().map(({ field }) => field)).toEqual(["disk.id"]);
});
