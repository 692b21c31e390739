/** Every constraint of the five API documents, at its edge and one past it. */
import { describe, expect, test } from "vitest";
import {
  CLUSTER,
  CREATES,
  type Create,
  creates,
  errorOf,
  GROUP,
  type Json,
  onTheSitesDay,
  outcomes,
  SNAPSHOT,
  STANDARD,
  stage,
} from "../support/creates.ts";
import { apig } from "../support/environment.ts";

onTheSitesDay();

const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
/** One character, two UTF-16 units, four bytes of UTF-8. */
const EMOJI = "😀";
/** A letter with the same sizes, where the cloud takes only letters. */
const LETTER = "𝐀";
const CLASSIC = { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } } as const;

type Options = Parameters<typeof stage>[1];
type Case = [what: string, fields: Json, ...said: string[]];

/** Taken by the function and by the cloud, and sent as it was given. */
function takes(create: Create, cases: Case[], options?: Options) {
  test.each(cases)("takes %s", async (_what, fields) => {
    const site = await stage(create, options);
    const { result } = await site.post(fields);
    expect(JSON.parse(result.body)).not.toHaveProperty("error");
    expect(result.statusCode).toBe(create.status);
    expect(creates(site)[0]?.body).toMatchObject({ [create.envelope]: fields });
    expect(site.cloud.snapshots(create.kind)).toHaveLength(1);
  });
}

/** Refused: the answer, the records, and nothing in the cloud but the report of it. */
function refuses(create: Create, cases: Case[], options?: Options) {
  test.each(cases)("refuses %s", async (_what, fields, ...said) => {
    const site = await stage(create, options);
    await refused(create, site, apig(site.body(fields)), said);
  });
}

async function refused(create: Create, site: Awaited<ReturnType<typeof stage>>, event: Json, said: string[]) {
  const over = await site.http(event, { requestId: "r-1" });
  const { result, records } = over;
  expect(result.statusCode).toBe(400);
  expect(result.headers).toEqual({ "content-type": "application/json", "x-request-id": "r-1" });
  const { message } = errorOf(over);
  expect(errorOf(over)).toStrictEqual({
    code: "InvalidRequest",
    message,
    reason: "InvalidRequest",
    request_id: "r-1",
  });
  for (const part of said) expect(message).toContain(part);
  expect(outcomes(over)).toEqual(["create rejected", "run failed"]);
  expect(records[0]).toMatchObject({ level: "error", kind: create.kind, error: { reason: "InvalidRequest", message } });
  expect(records[1]).toMatchObject({ level: "error", outcomes: { rejected: 1 }, error: { reason: "InvalidRequest" } });
  expect(site.requests()).toEqual([]);
  expect(site.cloud.logs.map(({ line }) => line)).toEqual(records);
  expect(site.cloud.snapshots()).toEqual([]);
}

/** Ids go into URLs: only a UUID passes, from its first character to its last. */
const NO_IDS: [what: string, id: unknown][] = [
  ["an empty text", ""],
  ["a word", "disk"],
  ["a path", "../../v2/0123456789abcdef0123456789abcdef/cloudvolumes"],
  ["a path after it", `${ID}/../${ID}`],
  ["a query after it", `${ID}?limit=1`],
  ["a blank before it", ` ${ID}`],
  ["a blank after it", `${ID} `],
  ["a line break after it", `${ID}\n`],
  ["a Windows line break after it", `${ID}\r\n`],
  ["a line separator after it", `${ID}\u2028`],
  ["a line break before it", `\n${ID}`],
  ["two of them", `${ID}\n${ID}`],
  ["a percent sign", `${ID.slice(0, -3)}%2e`],
  ["a placeholder", "{project_id}"],
  ["no hyphens", ID.replaceAll("-", "")],
  ["a letter past f", ID.replace("a", "g")],
  ["fullwidth digits", ID.replace("5", "５")],
  ["a number", 5],
  ["null", null],
  ["a list", [ID]],
  ["an object", { id: ID }],
];

const ids = (field: string, path: string): Case[] =>
  NO_IDS.map(([what, id]) => [`${field}: ${what}`, { [field]: id }, `${path}: expected`]);

const text = (field: string, path: string): Case[] => [
  [`${field}: a number`, { [field]: 5 }, `${path}: expected a string, got the number 5.`],
  [`${field}: a list`, { [field]: ["x"] }, `${path}: expected a string, got an array of 1 item.`],
  [`${field}: an object`, { [field]: {} }, `${path}: expected a string, got an object.`],
  [`${field}: true`, { [field]: true }, `${path}: expected a string, got true.`],
];

const flag = (field: string, path: string): Case[] =>
  ["true", "", 1, 0, null, [], {}].map((value) => [
    `${field}: ${JSON.stringify(value)}`,
    { [field]: value },
    `${path}: expected true or false, got `,
  ]);

const flags = (...fields: string[]): Case[] =>
  fields.flatMap((field) => [true, false].map((value): Case => [`${field}: ${value}`, { [field]: value }]));

const MARKER_KEYS = ["managed-by", "policy", "key", "content"];

const labels = (field: "metadata" | "tags", path: string): Case[] => [
  ...MARKER_KEYS.map(
    (key): Case => [
      `${field} with the marker's ${key}`,
      { [field]: { [key]: "mine" } },
      `${path}.${key}: expected a key other than managed-by, policy, key, content, which identify snapshots`,
    ],
  ),
  [`${field}: a list`, { [field]: [{ key: "a", value: "b" }] }, `${path}: expected an object, got an array of 1 item.`],
  [`${field}: a text`, { [field]: "a=b" }, `${path}: expected an object, got "a=b".`],
  [`${field}: null`, { [field]: null }, `${path}: expected an object, got null.`],
  [`${field}: a number as value`, { [field]: { a: 5 } }, `${path}.a: expected a string, got the number 5.`],
  [`${field}: null as value`, { [field]: { a: null } }, `${path}.a: expected a string, got null.`],
  [`${field}: an object as value`, { [field]: { a: {} } }, `${path}.a: expected a string, got an object.`],
];

const PREFIX = "autobk_snapshot_";
const prefix = (path: string): Case[] => [
  ["a name of backups", { name: `${PREFIX}2026` }, `${path}: expected a name that does not begin with ${PREFIX}`],
  ["the prefix alone", { name: PREFIX }, `${path}: expected a name that does not begin with ${PREFIX}`],
];
const NEAR_PREFIX: Case[] = [
  ["a name that only resembles one of backups", { name: PREFIX.slice(0, -1) }],
  ["a name with the prefix inside", { name: `my_${PREFIX}1` }],
];

const characters = (field: string, most: number): Case => [
  `${field}: ${most} characters`,
  { [field]: EMOJI.repeat(most) },
];
const tooMany = (field: string, path: string, most: number): Case => [
  `${field}: ${most + 1} characters`,
  { [field]: EMOJI.repeat(most + 1) },
  `${path}: expected at most ${most} characters, got ${most + 1}.`,
];
const BYTES: Case[] = ["name", "description"].flatMap((field): Case[] => [
  [`${field}: 255 bytes`, { [field]: "x".repeat(255) }],
  [`${field}: 255 bytes in 64 characters`, { [field]: `${EMOJI.repeat(63)}éx` }],
]);
const tooLong = (path: string): Case[] =>
  ["name", "description"].flatMap((field): Case[] => [
    [
      `${field}: 256 bytes`,
      { [field]: "x".repeat(256) },
      `${path}.${field}: expected at most 255 bytes of UTF-8, got 256.`,
    ],
    [
      `${field}: 256 bytes in 64 characters`,
      { [field]: EMOJI.repeat(64) },
      `${path}.${field}: expected at most 255 bytes`,
    ],
  ]);

describe("create-snapshot", () => {
  takes(SNAPSHOT, [
    characters("name", 64),
    characters("description", 85),
    ["an empty name", { name: "" }],
    ["an empty description", { description: "" }],
    ["a name of several lines", { name: "one\ntwo" }],
    ["a half emoji", { name: "half \ud83d" }],
    ...NEAR_PREFIX,
    ...flags("force"),
    ["metadata", { metadata: { hold: "true", Policy: "mine", "": "", "policy ": "x", ключ: "значение" } }],
    [
      "keys that JavaScript has a meaning for",
      { metadata: JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}') },
    ],
    ["metadata longer than a tag", { metadata: { ["k".repeat(300)]: "v".repeat(5000) } }],
  ]);
  refuses(SNAPSHOT, [
    tooMany("name", "snapshot.name", 64),
    tooMany("description", "snapshot.description", 85),
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

  describe("EVS_LIMITS=classic", () => {
    takes(SNAPSHOT, [...BYTES, ...NEAR_PREFIX, ["a null description", { description: null }]], CLASSIC);
    refuses(
      SNAPSHOT,
      [
        ...tooLong("snapshot"),
        ...prefix("snapshot.name"),
        ["a null name", { name: null }, "snapshot.name: expected a string, got null."],
        [
          "description: a number",
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
  ["keys that JavaScript has a meaning for", { tags: JSON.parse('{"__proto__":"a","constructor":"b"}') }],
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
  ["the default enterprise project", { enterprise_project_id: "0" }],
  ["an enterprise project", { enterprise_project_id: ID }],
];
const noProjects = (path: string): Case[] => [
  ...ids("enterprise_project_id", path),
  [
    "enterprise_project_id: 0 as a number",
    { enterprise_project_id: 0 },
    `${path}: expected a string, got the number 0.`,
  ],
  ["enterprise_project_id: 00", { enterprise_project_id: "00" }, `${path}: expected a UUID, or 0`],
  ["enterprise_project_id: 0 and a line break", { enterprise_project_id: "0\n" }, `${path}: expected a UUID, or 0`],
];

describe("create-standard-snapshot", () => {
  takes(STANDARD, [
    characters("name", 64),
    characters("description", 85),
    ...NEAR_PREFIX,
    ...flags("instant_access", "incremental"),
    ...TAGS,
    ...PROJECTS,
  ]);
  refuses(STANDARD, [
    tooMany("name", "snapshot.name", 64),
    tooMany("description", "snapshot.description", 85),
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
  takes(GROUP, [...BYTES, ...NEAR_PREFIX, ...flags("instant_access", "incremental"), ...TAGS, ...PROJECTS]);
  refuses(GROUP, [
    ...tooLong("snapshot_group"),
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
      "neither server nor disks",
      { server_id: undefined },
      "snapshot_group: expected server_id or volume_ids, got neither.",
    ],
    ["no disks", { volume_ids: [] }, "snapshot_group.volume_ids: expected at least 1 item, got 0."],
    ["null disks", { volume_ids: null }, "snapshot_group.volume_ids: expected an array, got null."],
    ["disks that are no list", { volume_ids: ID }, "snapshot_group.volume_ids: expected an array, got "],
    ["disks in the form of a query", { volume_ids: `['${ID}']` }, "snapshot_group.volume_ids: expected an array, got "],
    [
      "a disk twice",
      { volume_ids: [ID, ID.replace("5", "6"), ID] },
      "snapshot_group.volume_ids: expected each item once, got the same in items 0 and 2.",
    ],
    [
      "a disk twice, once in capitals",
      { volume_ids: [ID, ID.toUpperCase()] },
      "snapshot_group.volume_ids: expected each item once, got the same in items 0 and 1.",
    ],
    ...NO_IDS.map(
      ([what, id]): Case => [`volume_ids: ${what}`, { volume_ids: [ID, id] }, "snapshot_group.volume_ids[1]: expected"],
    ),
  ]);

  test("takes a server, disks, or disks of that server", async () => {
    const site = await stage(GROUP, { creationMs: 0 });
    const { server_id } = site.resource;
    const disks = [1, 2, 3].map(() => site.cloud.addVolume({ serverId: String(server_id) }).id);
    for (const chosen of [{ server_id }, { volume_ids: disks }, { server_id, volume_ids: disks.slice(1) }]) {
      const { result } = await site.http(apig({ snapshot_group: chosen }));
      expect(result.statusCode).toBe(202);
      expect(creates(site).at(-1)?.body).toMatchObject({ snapshot_group: chosen });
    }
    expect(site.cloud.snapshots("snapshot-group").map(({ volume_ids }) => volume_ids?.length)).toEqual([5, 3, 2]);
  });
});

const FORBIDDEN = [..."!<>'=&\""];
const NAME = "snapshot.name: expected a letter followed by 3 to 63 letters, digits, hyphens or underscores, got ";
const OURS = "managed-by:snapshot-functions";

describe("create-cluster-snapshot", () => {
  takes(CLUSTER, [
    ["a name of 4 characters", { name: "a-_0" }],
    ["a name of 64 characters", { name: `Z${"9".repeat(63)}` }],
  ]);
  test.each([
    ["256 characters", EMOJI.repeat(256)],
    ["an empty one", ""],
    ["every other sign", "#$%()*+,-./:;?@[\\]^_`{|}~ äß漢字\n\t"],
    ["words that only resemble the marker", "managed-by: snapshot-functions"],
  ])("takes a description: %s", async (_what, description) => {
    const site = await stage(CLUSTER);
    const { result } = await site.post({ description });
    expect(result.statusCode).toBe(200);
    expect(site.cloud.snapshots("cluster-snapshot")[0]?.description?.startsWith(description)).toBe(true);
  });
  refuses(CLUSTER, [
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
    ].map((name): Case => [`the name ${JSON.stringify(name.slice(0, 8))} of ${name.length}`, { name }, NAME]),
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
    tooMany("description", "snapshot.description", 256),
    ["a null description", { description: null }, "snapshot.description: expected a string, got null."],
    ...text("description", "snapshot.description"),
    ...[OURS, `text ${OURS} policy:x`, `text\n${OURS}`].map(
      (description): Case => [
        `the marker's words: ${JSON.stringify(description)}`,
        { description },
        `snapshot.description: expected a string without ${OURS}, which identifies snapshots created by snapshot-functions`,
      ],
    ),
    ["tags, which DWS has not", { tags: {} }, "snapshot.tags: unknown field. Allowed: "],
  ]);
});

describe.each(CREATES)("$name", (create) => {
  const { envelope } = create;
  const other = envelope === "snapshot" ? "snapshot_group" : "snapshot";

  const BODIES: [what: string, text: (whole: string) => string, ...said: string[]][] = [
    ["null", () => "null", "body: expected an object, got null."],
    ["a list", (whole) => `[${whole}]`, "body: expected an object, got an array of 1 item."],
    ["a text", () => '"snapshot"', 'body: expected an object, got "snapshot".'],
    ["a number", () => "5", "body: expected an object, got the number 5."],
    ["false", () => "false", "body: expected an object, got false."],
    ["nothing in it", () => "{}", `${envelope}: required, but missing.`],
    [
      "the other envelope",
      (whole) => whole.replace(`"${envelope}"`, `"${other}"`),
      `${envelope}: required, but missing.`,
      `${other}: unknown field. Allowed: `,
    ],
    ["both envelopes", (whole) => whole.replace("{", `{"${other}":{},`), `${other}: unknown field. Allowed: `],
    ["no envelope", (whole) => JSON.stringify(JSON.parse(whole)[envelope]), `${envelope}: required, but missing.`],
    ["null in the envelope", () => `{"${envelope}":null}`, `${envelope}: expected an object, got null.`],
    ["a list in the envelope", () => `{"${envelope}":[]}`, `${envelope}: expected an object, got an empty array.`],
    ["a text in the envelope", () => `{"${envelope}":"x"}`, `${envelope}: expected an object, got "x".`],
    [
      "an unknown field outside",
      (whole) => whole.replace("{", '{"dry_run":true,'),
      "dry_run: unknown field. Allowed: ",
    ],
    [
      "an unknown field inside",
      (whole) => whole.replace(":{", ':{"Name":"x",'),
      `${envelope}.Name: unknown field. Allowed: `,
    ],
    [
      "__proto__ outside",
      (whole) => `{"__proto__":${whole}}`,
      "__proto__: unknown field. Allowed: ",
      `${envelope}: required, but missing.`,
    ],
    [
      "__proto__ inside",
      (whole) => `{"${envelope}":{"__proto__":${JSON.stringify(JSON.parse(whole)[envelope])}}}`,
      `${envelope}.__proto__: unknown field. Allowed: `,
    ],
    [
      "constructor inside",
      (whole) => whole.replace(":{", ':{"constructor":{"prototype":{}},'),
      `${envelope}.constructor: unknown field. Allowed: `,
    ],
    [
      "a field whose name is a path",
      (whole) => whole.replace(":{", ':{"a/b~c":1,'),
      `${envelope}.a/b~c: unknown field. Allowed: `,
    ],
  ];
  test.each(BODIES)("refuses a body: %s", async (_what, text, ...said) => {
    const site = await stage(create);
    await refused(create, site, apig(text(JSON.stringify(site.body()))), said);
  });

  test("a refusal of a direct call is thrown, with every fault in its message", async () => {
    const site = await stage(create);
    const { result, error, records } = await site.direct(site.body({ one: 1, two: 2 }));
    expect(result).toBeUndefined();
    expect(error).toMatchObject({ name: "InvalidRequest", reason: "InvalidRequest" });
    for (const name of ["one", "two"]) {
      expect(error?.message).toContain(`${envelope}.${name}: unknown field. Allowed: `);
    }
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(site.requests()).toEqual([]);
  });

  test.each([undefined, null, [], "text", 5])("refuses a direct call with %j", async (event) => {
    const site = await stage(create);
    const { error } = await site.invoke(create.factory, event);
    expect(error?.message).toMatch(/^(body: expected an object|snapshot(_group)?: required, but missing)/);
    expect(site.requests()).toEqual([]);
  });
});

test("several faults at once: each is named with its path", async () => {
  const site = await stage(STANDARD);
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
  await refused(STANDARD, site, event, [
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

test("a hundred faults: all of them are named", async () => {
  const site = await stage(GROUP);
  const volume_ids = Array.from({ length: 100 }, (_, index) => `disk-${index}`);
  const said = volume_ids.map((_, index) => `snapshot_group.volume_ids[${index}]: expected a UUID`);
  await refused(GROUP, site, apig({ snapshot_group: { volume_ids } }), said);
});

test("a create call with 10,000 wrong ids is answered with the first 200 faults", async () => {
  const site = await stage(GROUP);
  const volume_ids = Array.from({ length: 10_000 }, (_, index) => `disk-${index}`);
  const { result } = await site.http(apig({ snapshot_group: { volume_ids } }));
  expect(result.statusCode).toBe(400);
  expect(result.body.length).toBeLessThan(64 * 1024);
  const { message } = errorOf({ result } as never);
  expect(message.match(/expected a UUID/g)).toHaveLength(200);
  expect(message).toMatch(/ Validation stopped after 200 faults\. There are more\.$/);
});

test("what came is shown in short", async () => {
  const site = await stage(SNAPSHOT);
  const answer = await site.post({ volume_id: "x".repeat(100_000), ["f".repeat(100_000)]: 1 });
  expect(answer.result.statusCode).toBe(400);
  const { message } = errorOf(answer);
  expect(message).toMatch(/snapshot\.volume_id: expected a UUID, got "x{80}…"\./);
  expect(message).toMatch(/snapshot\.f{64}: unknown field. Allowed: /);
});
