/** Create requests that the API documents allow or forbid. */
import { expect, test } from "vitest";
import { type Create, type CreateFixture, createFixture, creates } from "./creates.ts";
import { apig, errorOf, type Json, outcomes, type TestEnvironmentOptions } from "./environment.ts";

export const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
/** One character that has two UTF-16 units and four bytes in UTF-8. */
export const EMOJI = "😀";
/** A letter of the same sizes, for fields that accept only letters. */
export const LETTER = "𝐀";
export const CLASSIC = { evsLimits: "classic", variables: { EVS_LIMITS: "classic" } } as const;

export type Case = [what: string, fields: Json, ...messages: string[]];

export const unitOf = ({ name }: Create, options?: TestEnvironmentOptions) =>
  options === undefined ? name : `${name} with EVS_LIMITS=classic`;

/** Tests that the function and the cloud accept the fields, and that the function sends them unchanged. */
export function accepts(create: Create, cases: Case[], options?: TestEnvironmentOptions) {
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
export function rejects(create: Create, cases: Case[], options?: TestEnvironmentOptions) {
  test.each(cases)(`${unitOf(create, options)} rejects a request that has %s`, async (_what, fields, ...messages) => {
    const fixture = await createFixture(create, options);
    await expectRejected(create, fixture, apig(fixture.body(fields)), messages);
  });
}

export async function expectRejected(create: Create, fixture: CreateFixture, event: Json, messages: string[]) {
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
export const NO_IDS: [what: string, id: unknown][] = [
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

export const ids = (field: string, path: string): Case[] =>
  NO_IDS.map(([what, id]) => [`${what} as ${field}`, { [field]: id }, `${path}: expected`]);

export const text = (field: string, path: string): Case[] => [
  [`a number as ${field}`, { [field]: 5 }, `${path}: expected a string, got the number 5.`],
  [`an array as ${field}`, { [field]: ["x"] }, `${path}: expected a string, got an array of 1 item.`],
  [`an object as ${field}`, { [field]: {} }, `${path}: expected a string, got an object.`],
  [`true as ${field}`, { [field]: true }, `${path}: expected a string, got true.`],
];

export const flag = (field: string, path: string): Case[] =>
  ["true", "", 1, 0, null, [], {}].map((value) => [
    `${JSON.stringify(value)} as ${field}`,
    { [field]: value },
    `${path}: expected true or false, got `,
  ]);

export const flags = (...fields: string[]): Case[] =>
  fields.flatMap((field) => [true, false].map((value): Case => [`${value} as ${field}`, { [field]: value }]));

export const MARKER_KEYS = ["managed-by", "policy", "key", "content"];

export const labels = (field: "metadata" | "tags", path: string): Case[] => [
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

export const PREFIX = "autobk_snapshot_";
export const prefix = (path: string): Case[] => [
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
export const NEAR_PREFIX: Case[] = [
  ["a name that lacks the last character of the prefix of backups", { name: PREFIX.slice(0, -1) }],
  ["a name that contains the prefix of backups", { name: `my_${PREFIX}1` }],
];

export const longest = (field: string, max: number): Case => [
  `a ${field} of ${max} characters`,
  { [field]: EMOJI.repeat(max) },
];
export const tooLong = (field: string, path: string, max: number): Case => [
  `a ${field} of ${max + 1} characters`,
  { [field]: EMOJI.repeat(max + 1) },
  `${path}: expected at most ${max} characters, got ${max + 1}.`,
];
export const BYTES: Case[] = ["name", "description"].flatMap((field): Case[] => [
  [`a ${field} of 255 bytes`, { [field]: "x".repeat(255) }],
  [`a ${field} of 255 bytes in 65 characters`, { [field]: `${EMOJI.repeat(63)}éx` }],
]);
export const tooManyBytes = (path: string): Case[] =>
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

export const TAGS: Case[] = [
  ["a tag key of 36 characters", { tags: { [LETTER.repeat(36)]: "x" } }],
  ["a tag value of 43 characters", { tags: { backup: LETTER.repeat(43) } }],
  ["an empty tag value", { tags: { backup: "" } }],
  [
    "tags with the names of properties of JavaScript objects",
    { tags: JSON.parse('{"__proto__":"a","constructor":"b"}') },
  ],
];
export const noTags = (path: string): Case[] => [
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
export const PROJECTS: Case[] = [
  ["the default enterprise project 0", { enterprise_project_id: "0" }],
  ["an enterprise project", { enterprise_project_id: ID }],
];
export const noProjects = (path: string): Case[] => [
  ...ids("enterprise_project_id", path),
  [
    "the number 0 as enterprise_project_id",
    { enterprise_project_id: 0 },
    `${path}: expected a string, got the number 0.`,
  ],
  ["00 as enterprise_project_id", { enterprise_project_id: "00" }, `${path}: expected a UUID, or 0`],
  ["0 and a line break as enterprise_project_id", { enterprise_project_id: "0\n" }, `${path}: expected a UUID, or 0`],
];
