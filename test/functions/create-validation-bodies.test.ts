/** Tests create requests whose body has the wrong structure, and error messages about several invalid fields. */
import { describe, expect, test } from "vitest";
import { expectRejected } from "../support/create-validation.ts";
import { byName, CREATES, createFixture, GROUP, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { apig, errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe.each(byName(CREATES))("%s", (_name, create) => {
  const { envelope } = create;
  const otherEnvelope = envelope === "snapshot" ? "snapshot_group" : "snapshot";
  const optionsIn = (validBody: string) => JSON.stringify(JSON.parse(validBody)[envelope]);

  const BODIES: [content: string, change: (validBody: string) => string, ...messages: string[]][] = [
    ["that is null", () => "null", "body: expected an object, got null."],
    ["that is an array", (body) => `[${body}]`, "body: expected an object, got an array of 1 item."],
    ["that is a string", () => '"snapshot"', 'body: expected an object, got "snapshot".'],
    ["that is a number", () => "5", "body: expected an object, got the number 5."],
    ["that is false", () => "false", "body: expected an object, got false."],
    ["that is an empty object", () => "{}", `${envelope}: required, but missing.`],
    [
      `with the field "${otherEnvelope}" instead of the field "${envelope}"`,
      (body) => body.replace(`"${envelope}"`, `"${otherEnvelope}"`),
      `${envelope}: required, but missing.`,
      `${otherEnvelope}: unknown field. Allowed: `,
    ],
    [
      'with both fields "snapshot" and "snapshot_group"',
      (body) => body.replace("{", `{"${otherEnvelope}":{},`),
      `${otherEnvelope}: unknown field. Allowed: `,
    ],
    [
      `that contains the snapshot options at the top level instead of in the field "${envelope}"`,
      optionsIn,
      `${envelope}: required, but missing.`,
    ],
    [`whose field "${envelope}" is null`, () => `{"${envelope}":null}`, `${envelope}: expected an object, got null.`],
    [
      `whose field "${envelope}" is an array`,
      () => `{"${envelope}":[]}`,
      `${envelope}: expected an object, got an empty array.`,
    ],
    [`whose field "${envelope}" is a string`, () => `{"${envelope}":"x"}`, `${envelope}: expected an object, got "x".`],
    [
      'with the unknown field "dry_run"',
      (body) => body.replace("{", '{"dry_run":true,'),
      "dry_run: unknown field. Allowed: ",
    ],
    [
      `with the unknown field "Name" inside the field "${envelope}"`,
      (body) => body.replace(":{", ':{"Name":"x",'),
      `${envelope}.Name: unknown field. Allowed: `,
    ],
    [
      'with the field "__proto__"',
      (body) => `{"__proto__":${body}}`,
      "__proto__: unknown field. Allowed: ",
      `${envelope}: required, but missing.`,
    ],
    [
      `with the field "__proto__" inside the field "${envelope}"`,
      (body) => `{"${envelope}":{"__proto__":${optionsIn(body)}}}`,
      `${envelope}.__proto__: unknown field. Allowed: `,
    ],
    [
      `with the field "constructor" inside the field "${envelope}"`,
      (body) => body.replace(":{", ':{"constructor":{"prototype":{}},'),
      `${envelope}.constructor: unknown field. Allowed: `,
    ],
    [
      "with a field name that contains a slash",
      (body) => body.replace(":{", ':{"a/b~c":1,'),
      `${envelope}.a/b~c: unknown field. Allowed: `,
    ],
  ];
  test.each(BODIES)(`${create.name} responds 400 to a body %s`, async (_, change, ...messages) => {
    const fixture = await createFixture(create);
    await expectRejected(create, fixture, change(JSON.stringify(fixture.body())), messages);
  });

  test(`${create.name}, invoked directly, throws an error that names each unknown field`, async () => {
    const fixture = await createFixture(create);
    const invoked = await fixture.direct(fixture.body({ one: 1, two: 2 }));
    expect(invoked.result).toBeUndefined();
    expect(invoked.error).toMatchObject({ name: "InvalidRequest", reason: "InvalidRequest" });
    for (const name of ["one", "two"]) {
      expect(invoked.error?.message).toContain(`${envelope}.${name}: unknown field. Allowed: `);
    }
    expect(outcomes(invoked)).toEqual(["create rejected", "run failed"]);
    expect(fixture.requests()).toEqual([]);
  });

  test.each<[label: string, event: unknown]>([
    ["undefined", undefined],
    ["null", null],
    ["an empty array", []],
    ["a string", "text"],
    ["the number 5", 5],
  ])(`${create.name}, invoked directly, throws an error if its event is %s`, async (_label, event) => {
    const fixture = await createFixture(create);
    const { error } = await fixture.invoke(create.factory, event);
    expect(error?.message).toMatch(/^(body: expected an object|snapshot(_group)?: required, but missing)/);
    expect(fixture.requests()).toEqual([]);
  });
});

test("create-standard-snapshot names the path of each invalid field in its error message", async () => {
  const body = {
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
  };
  await expectRejected(STANDARD, await createFixture(STANDARD), body, [
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

test("create-snapshot-group names each of 100 invalid disk ids in its error message", async () => {
  const volume_ids = Array.from({ length: 100 }, (_, index) => `disk-${index}`);
  const messages = volume_ids.map((_, index) => `snapshot_group.volume_ids[${index}]: expected a UUID`);
  await expectRejected(GROUP, await createFixture(GROUP), { snapshot_group: { volume_ids } }, messages);
});

test("create-snapshot-group names only the first 200 of 10,000 invalid disk ids in its error message", async () => {
  const fixture = await createFixture(GROUP);
  const volume_ids = Array.from({ length: 10_000 }, (_, index) => `disk-${index}`);
  const { result } = await fixture.http(apig({ snapshot_group: { volume_ids } }));
  expect(result.statusCode).toBe(400);
  expect(result.body.length).toBeLessThan(64 * 1024);
  const { message } = errorOf({ result });
  expect(message.match(/expected a UUID/g)).toHaveLength(200);
  expect(message).toMatch(/ Validation stopped after 200 faults\. There are more\.$/);
});

test("create-snapshot truncates long field names and values in its error message", async () => {
  const fixture = await createFixture(SNAPSHOT);
  const response = await fixture.post({ volume_id: "x".repeat(100_000), ["f".repeat(100_000)]: 1 });
  expect(response.result.statusCode).toBe(400);
  const { message } = errorOf(response);
  expect(message).toMatch(/snapshot\.volume_id: expected a UUID, got "x{80}…"\./);
  expect(message).toMatch(/snapshot\.f{64}: unknown field. Allowed: /);
});
