/** Compares infra/policy.schema.json, which editors use, with the policies that the functions accept. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { policyDocumentText } from "../../infra/schemas/policy-document.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { UNKNOWN_ID } from "../support/common.ts";
import { type Any, createTestEnvironment, type Json, timerEvent } from "../support/environment.ts";

const root = join(import.meta.dirname, "../..");
const text = readFileSync(join(root, "infra/policy.schema.json"), "utf8");
const document = JSON.parse(text);
const compile = (schema: object) =>
  new Ajv({ strictSchema: true, strictTypes: false, allErrors: true }).compile(schema);
const isValid = compile(document);

/** Returns the error message of a function that receives a policy, or undefined if the function accepts the policy. */
async function refusalOf(factory: typeof pruneSnapshots, policy: unknown): Promise<string | undefined> {
  const { invoke } = await createTestEnvironment({ timeoutSeconds: 900 });
  const { error } = await invoke(factory, timerEvent(policy));
  return error?.reason === "InvalidRequest" ? error.message : undefined;
}

const tagged = (target: Json) => ({ policy: "p", targets: [{ kind: "snapshot", tags: { a: "b" }, ...target }] });
const retaining = (retention: unknown) => ({ policy: "p", retention });

test("policy.schema.json is identical to the output of `npm run generate`", () => {
  expect(text).toBe(policyDocumentText());
});

describe("the fields of policy.schema.json", () => {
  /** Returns the schema of every field at every depth, by its path. */
  function fieldsOf(schema: Any, path = ""): [path: string, field: Any, isRequired: boolean][] {
    const own = Object.entries<Any>(schema.properties ?? {})
      .filter(([, field]) => field !== true)
      .flatMap(([name, field]): [string, Any, boolean][] => [
        [`${path}${name}`, field, schema.required?.includes(name)],
        ...fieldsOf(field, `${path}${name}.`),
      ]);
    const variants = (schema.items?.oneOf ?? []).flatMap((one: Any) =>
      fieldsOf(one, `${path}${one.properties.kind.const}.`),
    );
    return [...own, ...variants];
  }
  const fields = fieldsOf(document);

  test("policy.schema.json has the fields of a policy, of the retention, and of the targets of each kind of snapshot", () => {
    const paths = fields.map(([path]) => path);
    expect(paths).toEqual(expect.arrayContaining(["$schema", "policy", "retention.keep_daily", "targets"]));
    for (const kind of Object.keys(KINDS)) expect(paths).toContain(`targets.${kind}.exclude_tags`);
    expect(paths).toContain("targets.standard-snapshot.instant_access");
  });

  test.each(fields)("policy.schema.json describes the field %s, with a valid example", (_path, field, isRequired) => {
    expect(field.description).toMatch(/^[A-Z`].*\.$/);
    expect(field.examples?.length).toBeGreaterThan(0);
    for (const example of field.examples) {
      const accepts = compile(field);
      expect(accepts(example), JSON.stringify(accepts.errors)).toBe(true);
    }
    // An optional field has a default value, or its description says what happens without the field.
    if (!isRequired)
      expect("default" in field || /\b(Default|Without|requires?|ignore)\b/.test(field.description)).toBe(true);
    if ("default" in field) expect(compile(field)(field.default)).toBe(true);
  });

  test("policy.schema.json states, for each create option, the default that the functions use", () => {
    for (const { name, target } of Object.values(KINDS)) {
      for (const [option, value] of Object.entries(target.defaults)) {
        const field = fields.find(([path]) => path === `targets.${name}.${option}`)?.[1];
        expect(field.default, `${name} ${option}`).toBe(value);
      }
    }
  });
});

describe("policy.schema.json and the functions", () => {
  const WRONG: [what: string, policy: unknown][] = [
    ["without a name", { retention: { keep_last: 1 } }],
    ["whose name is empty", { policy: "" }],
    ["whose name begins with a digit", { policy: "1-nightly" }],
    ["whose name contains a space", { policy: "every night" }],
    ["whose name has 39 characters", { policy: "p".repeat(39) }],
    ["whose name begins with the prefix of backups", { policy: "autobk_snapshot_1" }],
    ["whose name is a number", { policy: 7 }],
    ["with an unknown field", { policy: "p", retain: 3 }],
    ["whose $schema is a number", { policy: "p", $schema: 7 }],
    ["whose time zone is a number", { policy: "p", time_zone: 1 }],
    ["whose retention is a number", retaining(3)],
    ["whose retention is empty", retaining({})],
    ["whose retention has only min_keep", retaining({ min_keep: 3 })],
    ["whose retention keeps nothing", retaining({ keep_last: 0, keep_daily: 0 })],
    ["whose min_keep is 0", retaining({ keep_last: 1, min_keep: 0 })],
    ["with a negative retention", retaining({ keep_last: -1 })],
    ["with a fraction in its retention", retaining({ keep_daily: 1.5 })],
    ["with a string in its retention", retaining({ keep_daily: "7" })],
    ["with an unknown rule", retaining({ keep_last: 1, keep_hourly: 24 })],
    ["with make_room but without a retention", { policy: "p", make_room: true }],
    ["whose make_room is a string", { policy: "p", make_room: "true", retention: { keep_last: 1 } }],
    ["whose hold is a string", { policy: "p", hold: "audit" }],
    ["whose hold contains an empty string", { policy: "p", hold: [""] }],
    ["whose dry_run is a number", { policy: "p", dry_run: 1 }],
    ["whose targets are an object", { policy: "p", targets: { kind: "snapshot", tags: { a: "b" } } }],
    ["with a target that is a string", { policy: "p", targets: ["snapshot"] }],
    ["with a target without a kind", { policy: "p", targets: [{ tags: { a: "b" } }] }],
    ["with an unknown kind", tagged({ kind: "snapshots" })],
    ["with a target that selects nothing", { policy: "p", targets: [{ kind: "snapshot" }] }],
    [
      "with a target that has only exclude_tags",
      { policy: "p", targets: [{ kind: "snapshot", exclude_tags: { a: "b" } }] },
    ],
    ["with an empty list of disks", { policy: "p", targets: [{ kind: "snapshot", volume_ids: [] }] }],
    ["with a disk id that is no UUID", { policy: "p", targets: [{ kind: "snapshot", volume_ids: ["disk-1"] }] }],
    [
      "with a disk as the target of a group",
      { policy: "p", targets: [{ kind: "snapshot-group", volume_ids: [UNKNOWN_ID] }] },
    ],
    ["with tags without an entry", tagged({ tags: {} })],
    ["with a tag whose key is empty", tagged({ tags: { "": "b" } })],
    ["with a tag whose value is a number", tagged({ tags: { a: 1 } })],
    ["with exclude_tags that are an array", tagged({ exclude_tags: ["a"] })],
    ["with a description of 86 characters", tagged({ description: "d".repeat(86) })],
    ["with a group description of 256 characters", tagged({ kind: "snapshot-group", description: "d".repeat(256) })],
    [
      "with a cluster description that contains an ampersand",
      tagged({ kind: "cluster-snapshot", description: "a & b" }),
    ],
    ["with a force that is a string", tagged({ force: "true" })],
    ["with instant_access for a legacy snapshot", tagged({ instant_access: true })],
  ];

  test.each(WRONG)(
    "policy.schema.json and prune-snapshots reject a policy %s, and scheduled-snapshots also does unless only the retention is wrong",
    async (_what, policy) => {
      expect(isValid(policy)).toBe(false);
      expect(await refusalOf(pruneSnapshots, policy)).toBeDefined();
      // scheduled-snapshots does not use the retention, but it rejects every other mistake.
      const isRetentionMistake =
        JSON.stringify(policy).includes('"retention"') && !JSON.stringify(policy).includes("make_room");
      if (!isRetentionMistake) expect(await refusalOf(scheduledSnapshots, policy)).toBeDefined();
    },
  );

  const RIGHT: [what: string, policy: Json][] = [
    ["with nothing but a name", { policy: "p" }],
    ["without targets", retaining({ keep_last: 3 })],
    ["with an empty list of targets", { policy: "p", targets: [] }],
    ["with one rule above 0", retaining({ keep_last: 0, keep_yearly: 1 })],
    ["with make_room: false and without a retention", { policy: "p", make_room: false }],
    ["with make_room and a retention", { policy: "p", make_room: true, retention: { keep_daily: 3 } }],
    [
      "with every field",
      {
        $schema: "x",
        policy: "p",
        time_zone: "Europe/Berlin",
        retention: { keep_last: 1, min_keep: 2 },
        make_room: true,
        hold: ["audit"],
        dry_run: true,
        ...{
          targets: [
            {
              kind: "snapshot",
              volume_ids: [UNKNOWN_ID],
              tags: { a: "*" },
              exclude_tags: { b: "c" },
              description: "d",
              force: false,
            },
          ],
        },
      },
    ],
    [
      "with a target of each kind",
      { policy: "p", targets: Object.keys(KINDS).map((kind) => ({ kind, tags: { a: "b" } })) },
    ],
    ["with a description of 85 characters outside the basic plane", tagged({ description: "😀".repeat(85) })],
  ];

  test.each(RIGHT)("policy.schema.json and prune-snapshots accept a policy %s", async (_what, policy) => {
    expect(isValid(policy), JSON.stringify(isValid.errors)).toBe(true);
    expect(await refusalOf(pruneSnapshots, policy)).toBeUndefined();
    if (Array.isArray(policy.targets) && policy.targets.length > 0) {
      expect(await refusalOf(scheduledSnapshots, policy)).toBeUndefined();
    }
  });

  test("policy.schema.json cannot express three rules: time zones, the UTF-8 bytes of a group's description, and that scheduled-snapshots requires targets", async () => {
    const rules: [typeof pruneSnapshots, Json, RegExp][] = [
      [pruneSnapshots, { policy: "p", time_zone: "Mars/Olympus" }, /time_zone: expected an IANA name/],
      [pruneSnapshots, tagged({ kind: "snapshot-group", description: "ä".repeat(200) }), /at most 255 bytes/],
      [scheduledSnapshots, retaining({ keep_last: 3 }), /targets: required/],
    ];
    for (const [factory, policy, message] of rules) {
      expect(isValid(policy)).toBe(true);
      expect(await refusalOf(factory, policy)).toMatch(message);
    }
  });
});

test("policy.schema.json accepts the policy in each sample timer event and the policy in README.md", () => {
  const events = readdirSync(join(root, "test/events")).filter((name) =>
    /^(scheduled|prune)-snapshots\..*json$/.test(name),
  );
  const samples = events.map((name) => JSON.parse(readFileSync(join(root, "test/events", name), "utf8")).user_event);
  const readme = /```json\n(\{\s*"policy"[\s\S]*?)```/.exec(readFileSync(join(root, "README.md"), "utf8"))?.[1];
  expect(samples.length).toBeGreaterThan(3);
  for (const sample of [...samples, readme]) {
    const policy = JSON.parse(sample.replace(/\{\{\w+\}\}/g, UNKNOWN_ID));
    expect(isValid(policy), JSON.stringify(isValid.errors)).toBe(true);
  }
});
