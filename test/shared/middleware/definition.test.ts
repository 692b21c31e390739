/** Tests that the definition of each function matches its folder, its handler, its bundle and the documented rights. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callsOf, loadDefinitions } from "../../../infra/definitions.ts";
import type { FunctionDefinition } from "../../../shared/middleware/definition.ts";
import { DIST } from "../../support/bare-node.ts";
import { apig, createTestEnvironment, timerEvent } from "../../support/environment.ts";
import { CALLS } from "../../support/rights.ts";

const FUNCTIONS = join(import.meta.dirname, "..", "..", "..", "functions");
const folders = readdirSync(FUNCTIONS).filter((name) => statSync(join(FUNCTIONS, name)).isDirectory());
const definitions = await loadDefinitions();
const byFolder = folders.map((folder, index) => [folder, definitions[index] as FunctionDefinition] as const);

const moduleOf = (folder: string) => import(join(FUNCTIONS, folder, "handler.ts"));
const hasTimer = (trigger: FunctionDefinition["trigger"]) => "hasTimer" in trigger;
const camelCase = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

test.each(byFolder)(
  "the folder functions/%s contains function.ts and handler.ts, and the definition has the name of the folder",
  (folder, definition) => {
    expect(definition.name).toBe(folder);
    for (const file of ["function.ts", "handler.ts"])
      expect([file, existsSync(join(FUNCTIONS, folder, file))]).toEqual([file, true]);
  },
);

test.each(folders)("functions/%s/handler.ts exports only the handler and its factory", async (folder) => {
  const exports = Object.entries(await moduleOf(folder)).map(([name, value]) => [name, typeof value]);
  expect(Object.fromEntries(exports)).toEqual({ handler: "function", [camelCase(folder)]: "function" });
});

test("the folder dist contains exactly one bundle for each function", () => {
  const bundles = readdirSync(DIST, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(bundles.map(({ name }) => name).sort()).toEqual(folders.toSorted());
});

test.each(byFolder)(
  "the bundle of %s contains the name of the function, but not the summary, the timeout and the API calls of its definition",
  (folder, definition) => {
    const bundle = readFileSync(join(DIST, folder, "index.js"), "utf8");
    expect(bundle).toContain(`"${folder}"`);
    expect(bundle).not.toContain(definition.summary);
    expect(bundle).not.toMatch(/every-kind|timeoutSeconds|evs\.listSnapshots/);
  },
);

test.each(byFolder)(
  "the definition of %s names exactly the API calls that infra/README.md lists for the function",
  (folder, definition) => {
    const documented = [...CALLS].flatMap(([call, functions]) => (functions?.includes(folder) ? [call] : []));
    expect(callsOf(definition, definitions)).toEqual(documented.sort());
  },
);

test.each(byFolder)(
  "the definition of %s has a memory size and a timeout that FunctionGraph and the API gateway allow",
  (_folder, { timeoutSeconds, memoryMb, summary, trigger }) => {
    // The API gateway closes a request after 60 s.
    const isOnlyHttp = trigger.type === "http" && !hasTimer(trigger);
    expect(timeoutSeconds).toBeLessThanOrEqual(isOnlyHttp ? 60 : 900);
    expect([128, 256, 512, 768, 1024]).toContain(memoryMb);
    expect(summary).toMatch(/^[A-Z][^\n]*\.$/);
  },
);

test.each(byFolder)("%s accepts only events of the trigger types in its definition", async (folder, { trigger }) => {
  const cts = { cts: { trace_name: "deleteVolume", service_type: "EVS", time: 1 } };
  const events = { http: apig({}), direct: {}, timer: timerEvent({ policy: "nightly" }), cts };
  const accepted = new Set<string>([trigger.type]);
  if ("acceptsDirectCalls" in trigger) accepted.add("direct");
  if (hasTimer(trigger)) accepted.add("timer");
  const factory = (await moduleOf(folder))[camelCase(folder)];
  const environment = await createTestEnvironment();
  for (const [type, event] of Object.entries(events)) {
    const { error, result, records } = await environment.invoke(factory, event);
    const message = error?.message ?? JSON.parse(result?.body ?? "{}").error?.message ?? "";
    const isRejected = /^Expected (an HTTP request|a TIMER event|a CTS event)/.test(message);
    expect([type, isRejected]).toEqual([type, !accepted.has(type)]);
    expect(records.at(-1)).toMatchObject({ function: folder, action: "run" });
  }
});

test("each HTTP function, and no other function, describes its OpenAPI operation", () => {
  const described = definitions.filter(({ operation }) => operation !== undefined).map(({ name }) => name);
  expect(described).toEqual(definitions.filter(({ trigger }) => trigger.type === "http").map(({ name }) => name));
});

test('callsOf replaces "every-kind.list" by the list calls of the four snapshot kinds', () => {
  const verify = definitions.find(({ name }) => name === "verify-snapshots") as FunctionDefinition;
  expect(callsOf(verify, definitions)).toEqual([
    "dws.listSnapshots",
    "evs.listSnapshotGroups",
    "evs.listSnapshots",
    "evs.listStandardSnapshots",
  ]);
});
