/** Tests create requests whose body is invalid, and the messages for invalid fields. */
import { describe, expect, test } from "vitest";
import { expectRejected } from "../support/create-validation.ts";
import { CREATES, createFixture, GROUP, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { apig, errorOf } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe.each(CREATES)("$name", (create) => {
  const { envelope } = create;
  const other = envelope === "snapshot" ? "snapshot_group" : "snapshot";

  const BODIES: [what: string, text: (whole: string) => string, ...messages: string[]][] = [
    ["that is null", () => "null", "body: expected an object, got null."],
    ["that is an array", (whole) => `[${whole}]`, "body: expected an object, got an array of 1 item."],
    ["that is a string", () => '"snapshot"', 'body: expected an object, got "snapshot".'],
    ["that is a number", () => "5", "body: expected an object, got the number 5."],
    ["that is false", () => "false", "body: expected an object, got false."],
    ["that is an empty object", () => "{}", `${envelope}: required, but missing.`],
    [
      "with the other envelope",
      (whole) => whole.replace(`"${envelope}"`, `"${other}"`),
      `${envelope}: required, but missing.`,
      `${other}: unknown field. Allowed: `,
    ],
    ["with both envelopes", (whole) => whole.replace("{", `{"${other}":{},`), `${other}: unknown field. Allowed: `],
    [
      "without an envelope",
      (whole) => JSON.stringify(JSON.parse(whole)[envelope]),
      `${envelope}: required, but missing.`,
    ],
    ["whose envelope is null", () => `{"${envelope}":null}`, `${envelope}: expected an object, got null.`],
    ["whose envelope is an array", () => `{"${envelope}":[]}`, `${envelope}: expected an object, got an empty array.`],
    ["whose envelope is a string", () => `{"${envelope}":"x"}`, `${envelope}: expected an object, got "x".`],
    ["with an unknown field", (whole) => whole.replace("{", '{"dry_run":true,'), "dry_run: unknown field. Allowed: "],
    [
      "with an unknown field in its envelope",
      (whole) => whole.replace(":{", ':{"Name":"x",'),
      `${envelope}.Name: unknown field. Allowed: `,
    ],
    [
      "with the field __proto__",
      (whole) => `{"__proto__":${whole}}`,
      "__proto__: unknown field. Allowed: ",
      `${envelope}: required, but missing.`,
    ],
    [
      "with the field __proto__ in its envelope",
      (whole) => `{"${envelope}":{"__proto__":${JSON.stringify(JSON.parse(whole)[envelope])}}}`,
      `${envelope}.__proto__: unknown field. Allowed: `,
    ],
    [
      "with the field constructor in its envelope",
      (whole) => whole.replace(":{", ':{"constructor":{"prototype":{}},'),
      `${envelope}.constructor: unknown field. Allowed: `,
    ],
    [
      "with a path as the name of a field",
      (whole) => whole.replace(":{", ':{"a/b~c":1,'),
      `${envelope}.a/b~c: unknown field. Allowed: `,
    ],
  ];
  test.each(BODIES)(`${create.name} rejects a body %s`, async (_what, text, ...messages) => {
    const fixture = await createFixture(create);
    await expectRejected(create, fixture, apig(text(JSON.stringify(fixture.body()))), messages);
  });

  test(`${create.name} throws an error that names every invalid field when it is invoked directly`, async () => {
    const fixture = await createFixture(create);
    const { result, error, records } = await fixture.direct(fixture.body({ one: 1, two: 2 }));
    expect(result).toBeUndefined();
    expect(error).toMatchObject({ name: "InvalidRequest", reason: "InvalidRequest" });
    for (const name of ["one", "two"]) {
      expect(error?.message).toContain(`${envelope}.${name}: unknown field. Allowed: `);
    }
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(fixture.requests()).toEqual([]);
  });

  test.each([[undefined], [null], [[]], ["text"], [5]])(
    `${create.name} rejects the event %j when it is invoked directly`,
    async (event) => {
      const fixture = await createFixture(create);
      const { error } = await fixture.invoke(create.factory, event);
      expect(error?.message).toMatch(/^(body: expected an object|snapshot(_group)?: required, but missing)/);
      expect(fixture.requests()).toEqual([]);
    },
  );
});

test("create-standard-snapshot names the path of each invalid field of a request", async () => {
  const fixture = await createFixture(STANDARD);
  const event = apig({
    snapshot: {
      volume_id: "../x",
      name: "autobk_snapshot_1",
      description: "d".repeat(86),
      tags: { policy: "mine", ok: 5, ["k".repeat(37)]: "v".repeat(44) },
      enterprise_project_id: "one",
      instant_access: "yes",
      incremental: null,
      force: true,
    },
    dry_run: true,
  });
  await expectRejected(STANDARD, fixture, event, [
    "dry_run: unknown field. Allowed: ",
    "snapshot.force: unknown field. Allowed: ",
    'snapshot.volume_id: expected a UUID, got "../x".',
    "snapshot.name: expected a name that does not begin with autobk_snapshot_, which backups use, got",
    "snapshot.description: expected at most 85 characters, got 86.",
    "snapshot.tags.policy: expected a key other than managed-by, policy, key, content, which identify snapshots",
    "snapshot.tags.ok: expected a string, got the number 5.",
    `snapshot.tags.${"k".repeat(37)}: expected a key of at most 36 characters, got 37.`,
    `snapshot.tags.${"k".repeat(37)}: expected at most 43 characters, got 44.`,
    "snapshot.enterprise_project_id: expected a UUID, or 0 for the default enterprise project",
    'snapshot.instant_access: expected true or false, got "yes".',
    "snapshot.incremental: expected true or false, got null.",
  ]);
});

test("create-snapshot-group names each of 100 invalid ids", async () => {
  const fixture = await createFixture(GROUP);
  const volume_ids = Array.from({ length: 100 }, (_, index) => `disk-${index}`);
  const messages = volume_ids.map((_, index) => `snapshot_group.volume_ids[${index}]: expected a UUID`);
  await expectRejected(GROUP, fixture, apig({ snapshot_group: { volume_ids } }), messages);
});

test("create-snapshot-group names the first 200 of 10,000 invalid ids", async () => {
  const fixture = await createFixture(GROUP);
  const volume_ids = Array.from({ length: 10_000 }, (_, index) => `disk-${index}`);
  const { result } = await fixture.http(apig({ snapshot_group: { volume_ids } }));
  expect(result.statusCode).toBe(400);
  expect(result.body.length).toBeLessThan(64 * 1024);
  const { message } = errorOf({ result });
  expect(message.match(/expected a UUID/g)).toHaveLength(200);
  expect(message).toMatch(/ Validation stopped after 200 faults\. There are more\.$/);
});

test("create-snapshot shortens long values and field names in its message", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const response = await fixture.post({ volume_id: "x".repeat(100_000), ["f".repeat(100_000)]: 1 });
  expect(response.result.statusCode).toBe(400);
  const { message } = errorOf(response);
  expect(message).toMatch(/snapshot\.volume_id: expected a UUID, got "x{80}…"\./);
  expect(message).toMatch(/snapshot\.f{64}: unknown field. Allowed: /);
});
