import Ajv from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { current as cluster } from "../../../functions/create-cluster-snapshot/schema.generated.js";
import { classic, current } from "../../../functions/create-snapshot/schema.generated.js";
import { current as group } from "../../../functions/create-snapshot-group/schema.generated.js";
import { current as standard } from "../../../functions/create-standard-snapshot/schema.generated.js";
import { deployment } from "../../../functions/pre-deploy/schema.generated.js";
import { policy as prune } from "../../../functions/prune-snapshots/schema.generated.js";
import { policy } from "../../../functions/scheduled-snapshots/schema.generated.js";
import { lookback } from "../../../functions/verify-snapshots/schema.generated.js";
import { type Schema, validate } from "../../../shared/validation/validate.ts";
import { withOurKeywords } from "../../support/keywords.ts";

const SCHEMAS: Record<string, Schema> = {
  "create-snapshot with EVS_LIMITS=classic": classic,
  "create-snapshot": current,
  "create-cluster-snapshot": cluster,
  "create-snapshot-group": group,
  "create-standard-snapshot": standard,
  "pre-deploy": deployment,
  "prune-snapshots": prune,
  "scheduled-snapshots": policy,
  "verify-snapshots": lookback,
};
const RUNS = Number(process.env.RUNS ?? 300);

/** Returns an ajv instance with this project's keywords. The strict mode rejects schemas with unknown keywords. */
const ajv = () =>
  withOurKeywords(new Ajv({ strict: true, strictTypes: false, strictRequired: false, discriminator: true }));

const name = fc.constantFrom(
  ..."snapshot snapshot_group volume_id volume_ids server_id server_ids cluster_id cluster_ids".split(" "),
  ..."name description tags exclude_tags metadata force incremental kind key hold wait_seconds".split(" "),
  ..."targets policy retention keep_last min_keep deployment_id".split(" "),
);

const leaf = fc.oneof(
  fc.constantFrom<unknown>(null, true, false, 0, 1, 50, 51, -1, 1.5, ""),
  fc.constantFrom("0", "a", "nightly", "a\nb", "autobk_snapshot_1"),
  fc.constantFrom(..."snapshot standard-snapshot snapshot-group cluster-snapshot ../etc".split(" ")),
  fc.constantFrom("😀".repeat(64), "é".repeat(128), "a".repeat(257)),
  fc.constantFrom("5aa119a8-d25b-45a7-8d1b-88e127885635", "5AA119A8-d25b-45a7-8d1b-88e127885635"),
  fc.string(),
);
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "medium" },
    leaf,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(name, tie("value"), { maxKeys: 6 }),
  ),
}));

/** Generates values that are valid, or invalid only in a few places. */
function nearlyValid(schema: Schema): fc.Arbitrary<unknown> {
  const other = { arbitrary: value, weight: 1 };
  if (schema.enum) return fc.oneof({ arbitrary: fc.constantFrom(...schema.enum), weight: 9 }, other);
  if (schema.const !== undefined) return fc.oneof({ arbitrary: fc.constant(schema.const), weight: 9 }, other);
  const type = [schema.type].flat()[0];
  if (type === "array") {
    const { items = {} } = schema;
    return fc.oneof({ arbitrary: fc.array(nearlyValid(items), { maxLength: 3 }), weight: 9 }, other);
  }
  if (type === "object" || schema.oneOf) {
    const own = (of: Schema) =>
      Object.entries(of.properties ?? {}).map(([key, inner]) => [key, nearlyValid(inner)] as const);
    const shapes = (schema.oneOf ?? [schema]).map((shape) =>
      fc.record(Object.fromEntries(own(shape)), { requiredKeys: shape.required as never }),
    );
    const free = typeof schema.additionalProperties === "object" ? nearlyValid(schema.additionalProperties) : leaf;
    const extra = fc.dictionary(fc.oneof(name, fc.string()), free, { maxKeys: 2 });
    const mixed = fc.tuple(
      fc.oneof(...shapes),
      schema.properties || schema.oneOf ? fc.oneof({ arbitrary: fc.constant({}), weight: 6 }, extra) : extra,
    );
    return fc.oneof({ arbitrary: mixed.map(([a, b]) => ({ ...b, ...(a as object) })), weight: 12 }, other);
  }
  const matching = { integer: fc.integer({ min: -1, max: 60 }), boolean: fc.boolean() }[String(type)];
  return fc.oneof({ arbitrary: matching ?? matchingText(schema), weight: 40 }, leaf);
}

/** Generates a string that matches the pattern of the schema. */
function matchingText({ pattern = "" }: Schema): fc.Arbitrary<unknown> {
  const texts = ["nightly", "5aa119a8-d25b-45a7-8d1b-88e127885635", "snapshot-3"];
  return fc.constantFrom(...texts.filter((text) => new RegExp(pattern, "u").test(text)));
}

describe.each(Object.entries(SCHEMAS))("validate with the schema of %s", (name, schema) => {
  test(`validate with the schema of ${name} accepts the same values as ajv`, () => {
    const bodies = fc.oneof({ arbitrary: nearlyValid(schema), weight: 4 }, { arbitrary: value, weight: 1 });
    const ajvValidate = ajv().compile(JSON.parse(JSON.stringify(schema)));
    fc.assert(
      fc.property(bodies, (body) => {
        const faults = validate(schema, body);
        expect({ body, passes: faults.length === 0, faults }).toEqual({ body, passes: ajvValidate(body), faults });
      }),
      { numRuns: RUNS },
    );
    // Each fault consists of a path and one of three sentences.
    const SENTENCE = /^.+: (expected .+, got .+\.|unknown field\. Allowed: .+\.|required, but missing\.)$/s;
    for (const body of fc.sample(bodies, { numRuns: RUNS, seed: 1 })) {
      for (const fault of validate(schema, body)) expect(fault).toMatch(SENTENCE);
    }
    // The generator must return both valid and invalid values. The fixed seed keeps the test deterministic.
    const passed = fc.sample(bodies, { numRuns: 2_000, seed: 1 }).filter((body) => ajvValidate(body)).length;
    expect(passed).toBeGreaterThan(0);
    expect(passed).toBeLessThan(2_000);
  });
});

describe("validate with many faults", () => {
  const uuids: Schema = { type: "array", items: { type: "string", pattern: "^a$", "x-expected": "a UUID" } };
  const STOPPED = "Validation stopped after 200 faults. There are more.";

  test("validate returns all of 200 faults", () => {
    const faults = validate(uuids, Array(200).fill("b"));
    expect(faults).toHaveLength(200);
    expect(faults[199]).toBe('[199]: expected a UUID, got "b".');
  });

  test("validate stops after 200 faults and adds the sentence that there are more faults", () => {
    const faults = validate(uuids, Array(201).fill("b"));
    expect(faults).toHaveLength(201);
    expect(faults[200]).toBe(STOPPED);
    expect(validate(uuids, Array(10_000).fill("b"))).toEqual(faults);
  });

  test("validate stops after faults with 32 KiB of text and adds the sentence that there are more faults", () => {
    const faults = validate(uuids, Array(200).fill("\u0000".repeat(100)));
    expect(faults.join(" ").length).toBeLessThan(33 * 1024);
    expect(faults.at(-1)).toMatch(/^Validation stopped after \d{2} faults\. There are more\.$/);
  });

  test("validate accepts an array of 10,000 items and an object of 10,000 fields, and rejects 10,001 items or fields", () => {
    const fields = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, index) => [`f${index}`, "a"]));
    const map: Schema = { type: "object", additionalProperties: { type: "string" } };
    expect(validate(uuids, Array(10_000).fill("a"))).toEqual([]);
    expect(validate(uuids, Array(10_001).fill("a"))).toEqual(["body: expected at most 10000 items, got 10001."]);
    expect(validate(map, fields(10_000))).toEqual([]);
    expect(validate(map, fields(10_001))).toEqual(["body: expected at most 10000 fields, got 10001."]);
  });

  test("validate returns a fault only once if two parts of a schema find the same fault", () => {
    expect(validate(deployment, { deployment_id: "d", targets: [{ kind: "snapshot", tags: 7 }] })).toEqual([
      "targets[0].tags: expected an object, got the number 7.",
    ]);
  });

  test("validate accepts 100,000 nested arrays in places for which the schema has no rules", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(validate({}, deep)).toEqual([]);
    expect(validate({ type: "object" }, { a: deep })).toEqual([]);
    expect(validate({ type: "array" }, deep)).toEqual([]);
  });
});
