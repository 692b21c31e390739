/** Tests each constraint of the API documents on create requests at its limit and just beyond the limit. */
import { describe, expect, test } from "vitest";
import {
  CLUSTER,
  CREATES,
  type Create,
  type CreateFixture,
  createFixture,
  creates,
  GROUP,
  SNAPSHOT,
  STANDARD,
} from "../support/creates.ts";
import { apig, errorOf, type Json, outcomes, type TestEnvironmentOptions } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
/** One character that has two UTF-16 units and four bytes in UTF-8. */
const EMOJI = "😀";
/** A letter of the same sizes, for fields that accept only letters. */
const LETTER = "𝐀";
const CLASSIC = { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } } as const;

type Case = [what: string, fields: Json, ...messages: string[]];

const unitOf = ({ name }: Create, options?: TestEnvironmentOptions) =>
  options === undefined ? name : `${name} with EVS_LIMITS=classic`;

/** Tests that the function and the cloud accept the fields, and that the function sends them unchanged. */
function accepts(create: Create, cases: Case[], options?: TestEnvironmentOptions) {
  test.each(cases)(`${unitOf(create, options)} accepts a request that has %s`, async (_what, fields) => {
    const fixture = await createFixture(create, options);
    const { result } = await fixture.post(fields);
    expect(JSON.parse(result.body)).not.toHaveProperty("error");
    expect(result.statusCode).toBe(create.status);
    expect(creates(fixture)[0]?.body).toMatchObject({ [create.envelope]: fields });
    expect(fixture.cloud.snapshots(create.kind)).toHaveLength(1);
  });
}

/** Tests that the function rejects the fields in its response and records, and does not call the cloud. */
function rejects(create: Create, cases: Case[], options?: TestEnvironmentOptions) {
  test.each(cases)(`${unitOf(create, options)} rejects a request that has %s`, async (_what, fields, ...messages) => {
    const fixture = await createFixture(create, options);
    await expectRejected(create, fixture, apig(fixture.body(fields)), messages);
  });
}

async function expectRejected(create: Create, fixture: CreateFixture, event: Json, messages: string[]) {
  const response = await fixture.http(event, { requestId: "r-1" });
  const { result, records } = response;
  expect(result.statusCode).toBe(400);
  expect(result.headers).toEqual({ "content-type": "application/json", "x-request-id": "r-1" });
  const { message } = errorOf(response);
  expect(errorOf(response)).toStrictEqual({
    code: "InvalidRequest",
    message,
    reason: "InvalidRequest",
    request_id: "r-1",
  });
  for (const part of messages) expect(message).toContain(part);
  expect(outcomes(response)).toEqual(["create rejected", "run failed"]);
  expect(records[0]).toMatchObject({ level: "error", kind: create.kind, error: { reason: "InvalidRequest", message } });
  expect(records[1]).toMatchObject({ level: "error", outcomes: { rejected: 1 }, error: { reason: "InvalidRequest" } });
  expect(fixture.requests()).toEqual([]);
  expect(fixture.cloud.logs.map(({ line }) => line)).toEqual(records);
  expect(fixture.cloud.snapshots()).toEqual([]);
}

/** Ids become part of URLs, so the functions accept nothing but a UUID. */
const NO_IDS: [what: string, id: unknown][] = [
  ["an empty string", ""],
  ["a word", "disk"],
  ["a path", "../../v2/0123456789abcdef0123456789abcdef/cloudvolumes"],
  ["a UUID before a path", `${ID}/../${ID}`],
  ["a UUID before a query", `${ID}?limit=1`],
  ["a UUID after a space", ` ${ID}`],
  ["a UUID before a space", `${ID} `],
  ["a UUID before a line break", `${ID}\n`],
  ["a UUID before a Windows line break", `${ID}\r\n`],
  ["a UUID before a line separator", `${ID}\u2028`],
  ["a UUID after a line break", `\n${ID}`],
  ["two UUIDs", `${ID}\n${ID}`],
  ["a UUID with a percent sign", `${ID.slice(0, -3)}%2e`],
  ["a placeholder", "{project_id}"],
  ["a UUID without hyphens", ID.replaceAll("-", "")],
  ["a UUID with a letter after f", ID.replace("a", "g")],
  ["a UUID with fullwidth digits", ID.replace("5", "５")],
  ["a number", 5],
  ["null", null],
  ["an array", [ID]],
  ["an object", { id: ID }],
];

const ids = (field: string, path: string): Case[] =>
  NO_IDS.map(([what, id]) => [`${what} as ${field}`, { [field]: id }, `${path}: expected`]);

const text = (field: string, path: string): Case[] => [
  [`a number as ${field}`, { [field]: 5 }, `${path}: expected a string, got the number 5.`],
  [`an array as ${field}`, { [field]: ["x"] }, `${path}: expected a string, got an array of 1 item.`],
  [`an object as ${field}`, { [field]: {} }, `${path}: expected a string, got an object.`],
  [`true as ${field}`, { [field]: true }, `${path}: expected a string, got true.`],
];

const flag = (field: string, path: string): Case[] =>
  ["true", "", 1, 0, null, [], {}].map((value) => [
    `${JSON.stringify(value)} as ${field}`,
    { [field]: value },
    `${path}: expected true or false, got `,
  ]);

const flags = (...fields: string[]): Case[] =>
  fields.flatMap((field) => [true, false].map((value): Case => [`${value} as ${field}`, { [field]: value }]));

const MARKER_KEYS = ["managed-by", "policy", "key", "content"];

const labels = (field: "metadata" | "tags", path: string): Case[] => [
  ...MARKER_KEYS.map(
    (key): Case => [
      `the marker's label ${key} in its ${field}`,
      { [field]: { [key]: "mine" } },
      `${path}.${key}: expected a key other than managed-by, policy, key, content, which identify snapshots`,
    ],
  ),
  [
    `an array as ${field}`,
    { [field]: [{ key: "a", value: "b" }] },
    `${path}: expected an object, got an array of 1 item.`,
  ],
  [`a string as ${field}`, { [field]: "a=b" }, `${path}: expected an object, got "a=b".`],
  [`null as ${field}`, { [field]: null }, `${path}: expected an object, got null.`],
  [`a number as a value of its ${field}`, { [field]: { a: 5 } }, `${path}.a: expected a string, got the number 5.`],
  [`null as a value of its ${field}`, { [field]: { a: null } }, `${path}.a: expected a string, got null.`],
  [`an object as a value of its ${field}`, { [field]: { a: {} } }, `${path}.a: expected a string, got an object.`],
];

const PREFIX = "autobk_snapshot_";
const prefix = (path: string): Case[] => [
  [
    "a name with the prefix of backups",
    { name: `${PREFIX}2026` },
    `${path}: expected a name that does not begin with ${PREFIX}`,
  ],
  [
    "the prefix of backups as its name",
    { name: PREFIX },
    `${path}: expected a name that does not begin with ${PREFIX}`,
  ],
];
const NEAR_PREFIX: Case[] = [
  ["a name that lacks the last character of the prefix of backups", { name: PREFIX.slice(0, -1) }],
  ["a name that contains the prefix of backups", { name: `my_${PREFIX}1` }],
];

const longest = (field: string, max: number): Case => [
  `a ${field} of ${max} characters`,
  { [field]: EMOJI.repeat(max) },
];
const tooLong = (field: string, path: string, max: number): Case => [
  `a ${field} of ${max + 1} characters`,
  { [field]: EMOJI.repeat(max + 1) },
  `${path}: expected at most ${max} characters, got ${max + 1}.`,
];
const BYTES: Case[] = ["name", "description"].flatMap((field): Case[] => [
  [`a ${field} of 255 bytes`, { [field]: "x".repeat(255) }],
  [`a ${field} of 255 bytes in 65 characters`, { [field]: `${EMOJI.repeat(63)}éx` }],
]);
const tooManyBytes = (path: string): Case[] =>
  ["name", "description"].flatMap((field): Case[] => [
    [
      `a ${field} of 256 bytes`,
      { [field]: "x".repeat(256) },
      `${path}.${field}: expected at most 255 bytes of UTF-8, got 256.`,
    ],
    [
      `a ${field} of 256 bytes in 64 characters`,
      { [field]: EMOJI.repeat(64) },
      `${path}.${field}: expected at most 255 bytes`,
    ],
  ]);

describe("create-snapshot", () => {
  accepts(SNAPSHOT, [
    longest("name", 64),
    longest("description", 85),
    ["an empty name", { name: "" }],
    ["an empty description", { description: "" }],
    ["a name of several lines", { name: "one\ntwo" }],
    ["half an emoji as its name", { name: "half \ud83d" }],
    ...NEAR_PREFIX,
    ...flags("force"),
    [
      "metadata with unusual keys",
      { metadata: { hold: "true", Policy: "mine", "": "", "policy ": "x", ключ: "значение" } },
    ],
    [
      "metadata with the names of properties of JavaScript objects",
      { metadata: JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}') },
    ],
    ["metadata that is longer than a tag may be", { metadata: { ["k".repeat(300)]: "v".repeat(5000) } }],
  ]);
  rejects(SNAPSHOT, [
    tooLong("name", "snapshot.name", 64),
    tooLong("description", "snapshot.description", 85),
    ["a null name", { name: null }, "snapshot.name: expected a string, got null."],
    ["a null description", { description: null }, "snapshot.description: expected a string, got null."],
    ...prefix("snapshot.name"),
    ...text("name", "snapshot.name"),
    ...text("description", "snapshot.description"),
    ...flag("force", "snapshot.force"),
    ...labels("metadata", "snapshot.metadata"),
    ["no disk", { volume_id: undefined }, "snapshot.volume_id: required, but missing."],
    ...ids("volume_id", "snapshot.volume_id"),
    ["a field of v5", { incremental: true }, "snapshot.incremental: unknown field. Allowed: "],
  ]);

  describe("create-snapshot with EVS_LIMITS=classic", () => {
    accepts(SNAPSHOT, [...BYTES, ...NEAR_PREFIX, ["a null description", { description: null }]], CLASSIC);
    rejects(
      SNAPSHOT,
      [
        ...tooManyBytes("snapshot"),
        ...prefix("snapshot.name"),
        ["a null name", { name: null }, "snapshot.name: expected a string, got null."],
        [
          "a number as description",
          { description: 5 },
          "snapshot.description: expected a string or null, got the number 5.",
        ],
        ...flag("force", "snapshot.force"),
      ],
      CLASSIC,
    );
  });
});

const TAGS: Case[] = [
  ["a tag key of 36 characters", { tags: { [LETTER.repeat(36)]: "x" } }],
  ["a tag value of 43 characters", { tags: { backup: LETTER.repeat(43) } }],
  ["an empty tag value", { tags: { backup: "" } }],
  [
    "tags with the names of properties of JavaScript objects",
    { tags: JSON.parse('{"__proto__":"a","constructor":"b"}') },
  ],
];
const noTags = (path: string): Case[] => [
  [
    "a tag key of 37 characters",
    { tags: { [LETTER.repeat(37)]: "x" } },
    `${path}.${LETTER.repeat(32)}`,
    "expected a key of at most 36 characters, got 37.",
  ],
  ["an empty tag key", { tags: { "": "x" } }, `${path}.: expected a key of at least 1 character, got 0.`],
  [
    "a tag value of 44 characters",
    { tags: { backup: LETTER.repeat(44) } },
    `${path}.backup: expected at most 43 characters, got 44.`,
  ],
  ...labels("tags", path),
];
const PROJECTS: Case[] = [
  ["the default enterprise project 0", { enterprise_project_id: "0" }],
  ["an enterprise project", { enterprise_project_id: ID }],
];
const noProjects = (path: string): Case[] => [
  ...ids("enterprise_project_id", path),
  [
    "the number 0 as enterprise_project_id",
    { enterprise_project_id: 0 },
    `${path}: expected a string, got the number 0.`,
  ],
  ["00 as enterprise_project_id", { enterprise_project_id: "00" }, `${path}: expected a UUID, or 0`],
  ["0 and a line break as enterprise_project_id", { enterprise_project_id: "0\n" }, `${path}: expected a UUID, or 0`],
];

describe("create-standard-snapshot", () => {
  accepts(STANDARD, [
    longest("name", 64),
    longest("description", 85),
    ...NEAR_PREFIX,
    ...flags("instant_access", "incremental"),
    ...TAGS,
    ...PROJECTS,
  ]);
  rejects(STANDARD, [
    tooLong("name", "snapshot.name", 64),
    tooLong("description", "snapshot.description", 85),
    ["a null description", { description: null }, "snapshot.description: expected a string, got null."],
    ...prefix("snapshot.name"),
    ...text("name", "snapshot.name"),
    ...text("description", "snapshot.description"),
    ...flag("instant_access", "snapshot.instant_access"),
    ...flag("incremental", "snapshot.incremental"),
    ...noTags("snapshot.tags"),
    ...noProjects("snapshot.enterprise_project_id"),
    ["no disk", { volume_id: undefined }, "snapshot.volume_id: required, but missing."],
    ...ids("volume_id", "snapshot.volume_id"),
    ["a field of v2", { force: true }, "snapshot.force: unknown field. Allowed: "],
  ]);
});

describe("create-snapshot-group", () => {
  accepts(GROUP, [...BYTES, ...NEAR_PREFIX, ...flags("instant_access", "incremental"), ...TAGS, ...PROJECTS]);
  rejects(GROUP, [
    ...tooManyBytes("snapshot_group"),
    ...prefix("snapshot_group.name"),
    ...text("name", "snapshot_group.name"),
    ...text("description", "snapshot_group.description"),
    ["a null description", { description: null }, "snapshot_group.description: expected a string, got null."],
    ...flag("instant_access", "snapshot_group.instant_access"),
    ...flag("incremental", "snapshot_group.incremental"),
    ...noTags("snapshot_group.tags"),
    ...noProjects("snapshot_group.enterprise_project_id"),
    ...ids("server_id", "snapshot_group.server_id"),
    [
      "neither server_id nor volume_ids",
      { server_id: undefined },
      "snapshot_group: expected server_id or volume_ids, got neither.",
    ],
    ["an empty array as volume_ids", { volume_ids: [] }, "snapshot_group.volume_ids: expected at least 1 item, got 0."],
    ["null as volume_ids", { volume_ids: null }, "snapshot_group.volume_ids: expected an array, got null."],
    ["a UUID as volume_ids", { volume_ids: ID }, "snapshot_group.volume_ids: expected an array, got "],
    [
      "a query parameter as volume_ids",
      { volume_ids: `['${ID}']` },
      "snapshot_group.volume_ids: expected an array, got ",
    ],
    [
      "the same disk twice",
      { volume_ids: [ID, ID.replace("5", "6"), ID] },
      "snapshot_group.volume_ids: expected each item once, got the same id in items 0 and 2.",
    ],
    [
      "the same disk twice, once in capitals",
      { volume_ids: [ID, ID.toUpperCase()] },
      "snapshot_group.volume_ids: expected each item once, got the same id in items 0 and 1.",
    ],
    ...NO_IDS.map(
      ([what, id]): Case => [
        `${what} in its volume_ids`,
        { volume_ids: [ID, id] },
        "snapshot_group.volume_ids[1]: expected",
      ],
    ),
  ]);

  test("create-snapshot-group accepts a server, disks, or disks of that server", async () => {
    const fixture = await createFixture(GROUP, { creationMs: 0 });
    const { server_id } = fixture.resource;
    const disks = [1, 2, 3].map(() => fixture.cloud.addVolume({ serverId: String(server_id) }).id);
    for (const chosen of [{ server_id }, { volume_ids: disks }, { server_id, volume_ids: disks.slice(1) }]) {
      const { result } = await fixture.http(apig({ snapshot_group: chosen }));
      expect(result.statusCode).toBe(202);
      expect(creates(fixture).at(-1)?.body).toMatchObject({ snapshot_group: chosen });
    }
    expect(fixture.cloud.snapshots("snapshot-group").map(({ volume_ids }) => volume_ids?.length)).toEqual([5, 3, 2]);
  });
});

const FORBIDDEN = [..."!<>'=&\""];
const NAME = "snapshot.name: expected a letter followed by 3 to 63 letters, digits, hyphens or underscores, got ";
const OURS = "managed-by:snapshot-functions";

describe("create-cluster-snapshot", () => {
  accepts(CLUSTER, [
    ["a name of 4 characters", { name: "a-_0" }],
    ["a name of 64 characters", { name: `Z${"9".repeat(63)}` }],
  ]);
  test.each([
    ["of 256 characters", EMOJI.repeat(256)],
    ["without characters", ""],
    ["with every other character", "#$%()*+,-./:;?@[\\]^_`{|}~ äß漢字\n\t"],
    ["that resembles the marker", "managed-by: snapshot-functions"],
  ])("create-cluster-snapshot accepts a description %s", async (_what, description) => {
    const fixture = await createFixture(CLUSTER);
    const { result } = await fixture.post({ description });
    expect(result.statusCode).toBe(200);
    expect(fixture.cloud.snapshots("cluster-snapshot")[0]?.description?.startsWith(description)).toBe(true);
  });
  rejects(CLUSTER, [
    ["no name", { name: undefined }, "snapshot.name: required, but missing."],
    ["no cluster", { cluster_id: undefined }, "snapshot.cluster_id: required, but missing."],
    ...ids("cluster_id", "snapshot.cluster_id"),
    ...[
      "",
      "abc",
      "a".repeat(65),
      "1abc",
      "_abc",
      "-abc",
      "äbcd",
      "abcdé",
      "ab cd",
      "ab.cd",
      "abcd\n",
      "abcd\r",
      "\nabcd",
      "abcd\u2029",
    ].map(
      (name): Case => [`the name ${JSON.stringify(name.slice(0, 8))} of ${name.length} characters`, { name }, NAME],
    ),
    ...text("name", "snapshot.name"),
    ["a null name", { name: null }, "snapshot.name: expected a string, got null."],
    ...FORBIDDEN.flatMap((sign): Case[] => [
      [
        `a description with ${sign}`,
        { description: `a ${sign} b` },
        "snapshot.description: expected a string without any of the characters !<>'=&\"",
      ],
      [
        `a description with ${sign} in its second line`,
        { description: `a\n${sign}` },
        "snapshot.description: expected a string",
      ],
    ]),
    tooLong("description", "snapshot.description", 256),
    ["a null description", { description: null }, "snapshot.description: expected a string, got null."],
    ...text("description", "snapshot.description"),
    ...[OURS, `text ${OURS} policy:x`, `text\n${OURS}`].map(
      (description): Case => [
        `the text of the marker in the description ${JSON.stringify(description)}`,
        { description },
        `snapshot.description: expected a string without ${OURS}, which identifies snapshots created by snapshot-functions`,
      ],
    ),
    ["tags, which DWS does not support", { tags: {} }, "snapshot.tags: unknown field. Allowed: "],
  ]);
});

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
