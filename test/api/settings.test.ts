/** Tests the files that `npm run test:api` writes for schemathesis, and its list of exclusions. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { configuration, exampleIds, operationNames, readDocument, withoutDefaultResponses } from "./settings.ts";

const SETTINGS = {
  url: "http://127.0.0.1:8080",
  seed: 7,
  examples: 20,
  ids: { disk: ["a"], server: ["b"], cluster: ["c"] },
};

test("test:api tests every operation of openapi.json", () => {
  expect(operationNames(readDocument())).toEqual([
    "POST /create-cluster-snapshot",
    "POST /create-snapshot",
    "POST /create-snapshot-group",
    "POST /create-standard-snapshot",
    "POST /pre-deploy",
    "GET /report-coverage",
  ]);
});

test('test:api removes the responses named "default" from openapi.json, and changes no other part of the document', () => {
  const document = readDocument();
  const changed = withoutDefaultResponses(document);
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, { responses, ...others }] of Object.entries(item)) {
      const { default: _, ...kept } = responses;
      expect(Object.keys(kept).length).toBeLessThan(Object.keys(responses).length);
      expect(changed.paths[path]?.[method]).toEqual({ ...others, responses: kept });
    }
  }
  const { paths: _, ...others } = document;
  expect(changed).toMatchObject(others);
});

test("test:api reads the ids of disks, servers and clusters from the sample requests in openapi.json", () => {
  expect(exampleIds(readDocument())).toEqual({
    disk: ["5aa119a8-d25b-45a7-8d1b-88e127885635", expect.any(String)],
    server: [expect.any(String)],
    cluster: ["44b277eb-39be-4921-be31-3d61b43651d7"],
  });
});

test("test:api configures schemathesis with a seed, and disables options that make requests depend on earlier responses", () => {
  const text = configuration(SETTINGS);
  expect(text).toMatch(/^seed = 7$/m);
  expect(text).toMatch(/^workers = 1$/m);
  expect(text).toMatch(/^database = "none"$/m);
  for (const phase of ["examples", "coverage", "fuzzing"]) {
    expect(text).toContain(`[phases.${phase}.extra-data-sources]\nresponses = false`);
  }
  expect(text).toContain("[phases.fuzzing.error-feedback]\nenabled = false");
  expect(text).toContain('[dictionaries.cluster]\nvalues = ["c"]');
});

test("test:api disables no check of schemathesis", () => {
  const disabled = [...configuration(SETTINGS).matchAll(/^\[(.+)\]\nenabled = false$/gm)].map(([, section]) => section);
  expect(disabled).toEqual(["cache", "phases.stateful", "phases.fuzzing.error-feedback"]);
});

test("test:api has fewer than 10 exclusions, and a comment before each exclusion gives the reason for the exclusion", () => {
  const lines = readFileSync(join(import.meta.dirname, "hooks.py"), "utf8").split("\n");
  const places = lines.flatMap((line, index) => (line.startsWith("@exclusion(") ? [index] : []));
  expect(places.length).toBeGreaterThan(0);
  expect(places.length).toBeLessThan(10);
  for (const place of places) expect(lines[place - 1], lines[place + 1]).toMatch(/^# \w.*\.$/);
});
