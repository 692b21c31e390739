/** Tests that a create function accepts valid requests and rejects invalid requests, and builds the fields of the requests. */
import { expect, test } from "vitest";
import { type CLASSIC, type Create, type CreateFixture, createFixture, creates } from "./creates.ts";
import { apig, errorOf, type Json, outcomes } from "./environment.ts";

export const ID = "5aa119a8-d25b-45a7-8d1b-88e127885635";
/** One character that has two UTF-16 units and four bytes in UTF-8. */
export const EMOJI = "😀";
/** A letter that has two UTF-16 units and four bytes in UTF-8, for fields that accept only letters. */
const LETTER = "𝐀";

/**
 * A request to test: a description of its content for the test name, its fields in addition to the resource id, and
 * parts of the expected error message. `rejects` adds the envelope, such as `snapshot`, in front of the first part.
 */
export type Case = [content: string, fields: Json, ...messages: string[]];

const unitOf = ({ name }: Create, options?: typeof CLASSIC) =>
  options === undefined ? name : `${name} with EVS_LIMITS=classic`;

/** Tests that the function and the embedded cloud accept each request. */
export function accepts(create: Create, cases: Case[], options?: typeof CLASSIC) {
  test.each(cases)(`${unitOf(create, options)} accepts a request with %s`, async (_, fields) => {
    const fixture = await createFixture(create, options);
    const { result } = await fixture.post(fields);
    expect(JSON.parse(result.body)).not.toHaveProperty("error");
    expect(result.statusCode).toBe(create.status);
    expect(creates(fixture)[0]?.body).toMatchObject({ [create.envelope]: fields });
    expect(fixture.snapshots()).toHaveLength(1);
  });
}

/** Tests that the function rejects each request. */
export function rejects(create: Create, cases: Case[], options?: typeof CLASSIC) {
  test.each(cases)(`${unitOf(create, options)} responds 400 to a request with %s`, async (_, fields, ...messages) => {
    const fixture = await createFixture(create, options);
    const [first, ...others] = messages;
    await expectRejected(create, fixture, fixture.body(fields), [`${create.envelope}${first}`, ...others]);
  });
}

/** Expects that the function responds 400 to a request body, writes the message to its records, and calls no service. */
export async function expectRejected(create: Create, fixture: CreateFixture, body: unknown, messages: string[]) {
  const response = await fixture.http(apig(body), { requestId: "r-1" });
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
  expect(fixture.deliveredRecords()).toEqual(records);
  expect(fixture.cloud.snapshots()).toEqual([]);
}

/** Values that are not a UUID. The functions reject them because ids become part of URLs. */
export const INVALID_IDS: [content: string, id: unknown][] = [
  ["an empty string", ""],
  ["a word", "disk"],
  ["a path", "../../v2/0123456789abcdef0123456789abcdef/cloudvolumes"],
  ["a UUID followed by a path", `${ID}/../${ID}`],
  ["a UUID followed by a query string", `${ID}?limit=1`],
  ["a space before a UUID", ` ${ID}`],
  ["a space after a UUID", `${ID} `],
  ["a line break after a UUID", `${ID}\n`],
  ["a Windows line break after a UUID", `${ID}\r\n`],
  ["a Unicode line separator after a UUID", `${ID}\u2028`],
  ["a line break before a UUID", `\n${ID}`],
  ["two UUIDs on two lines", `${ID}\n${ID}`],
  ["a UUID that ends with a percent-encoded character", `${ID.slice(0, -3)}%2e`],
  ["the placeholder {project_id}", "{project_id}"],
  ["a UUID without hyphens", ID.replaceAll("-", "")],
  ["a UUID that contains the letter g", ID.replace("a", "g")],
  ["a UUID that contains a fullwidth digit", ID.replace("5", "５")],
  ["a number", 5],
  ["null", null],
  ["an array of one UUID", [ID]],
  ["an object that contains a UUID", { id: ID }],
];

export const invalidIds = (field: string): Case[] =>
  INVALID_IDS.map(([content, id]) => [`${content} in the field "${field}"`, { [field]: id }, `.${field}: expected`]);

export const missing = (field: string): Case => [
  `no field "${field}"`,
  { [field]: undefined },
  `.${field}: required, but missing.`,
];

export const unknownField = (field: string, reason: string): Case => [
  `the field "${field}", which ${reason}`,
  { [field]: true },
  `.${field}: unknown field. Allowed: `,
];

export const nullText = (field: string): Case => [
  `null in the field "${field}"`,
  { [field]: null },
  `.${field}: expected a string, got null.`,
];

export const notStrings = (...fields: string[]): Case[] =>
  fields.flatMap((field) =>
    (
      [
        ["a number", 5, "the number 5"],
        ["an array", ["x"], "an array of 1 item"],
        ["an object", {}, "an object"],
        ["the boolean true", true, "true"],
      ] as const
    ).map(
      ([content, value, actual]): Case => [
        `${content} in the field "${field}"`,
        { [field]: value },
        `.${field}: expected a string, got ${actual}.`,
      ],
    ),
  );

const NOT_BOOLEANS: readonly [content: string, value: unknown][] = [
  ['the string "true"', "true"],
  ["an empty string", ""],
  ["the number 1", 1],
  ["the number 0", 0],
  ["null", null],
  ["an empty array", []],
  ["an empty object", {}],
];

export const notBooleans = (...fields: string[]): Case[] =>
  fields.flatMap((field) =>
    NOT_BOOLEANS.map(
      ([content, value]): Case => [
        `${content} instead of a boolean in the field "${field}"`,
        { [field]: value },
        `.${field}: expected true or false, got `,
      ],
    ),
  );

export const booleans = (...fields: string[]): Case[] =>
  fields.flatMap((field) =>
    [true, false].map((value): Case => [`the boolean ${value} in the field "${field}"`, { [field]: value }]),
  );

export const invalidLabels = (field: "metadata" | "tags"): Case[] => [
  ...["managed-by", "policy", "key", "content"].map(
    (key): Case => [
      `the reserved key "${key}" in the field "${field}"`,
      { [field]: { [key]: "mine" } },
      `.${field}.${key}: expected a key other than managed-by, policy, key, content, which identify snapshots`,
    ],
  ),
  ...(
    [
      ["an array", [{ key: "a", value: "b" }], "an array of 1 item"],
      ["a string", "a=b", '"a=b"'],
      ["null", null, "null"],
    ] as const
  ).map(
    ([content, value, actual]): Case => [
      `${content} in the field "${field}"`,
      { [field]: value },
      `.${field}: expected an object, got ${actual}.`,
    ],
  ),
  ...(
    [
      ["a number", 5, "the number 5"],
      ["null", null, "null"],
      ["an object", {}, "an object"],
    ] as const
  ).map(
    ([content, value, actual]): Case => [
      `${content} as the value of a key in the field "${field}"`,
      { [field]: { a: value } },
      `.${field}.a: expected a string, got ${actual}.`,
    ],
  ),
];

const BACKUP_PREFIXES = ["autobk_snapshot_", "manualbk_snapshot_"];
/** Names of backups that are valid names of a DWS snapshot in all other respects. */
export const BACKUP_NAMES: Case[] = BACKUP_PREFIXES.flatMap((prefix) =>
  [`${prefix}2026`, prefix, `${prefix.toUpperCase()}2026`, prefix.replace("s", "S")].map(
    (name): Case => [
      `the name "${name}"`,
      { name },
      `.name: expected a name that does not begin with ${prefix}, which backups use, got "${name}"`,
    ],
  ),
);
export const BACKUP_NAMES_AFTER_BLANKS: Case[] = BACKUP_PREFIXES.map((prefix) => [
  `the name "${prefix}1" after two blanks`,
  { name: `  ${prefix}1` },
  `.name: expected a name that does not begin with ${prefix}`,
]);
export const ALMOST_BACKUP_NAMES: Case[] = BACKUP_PREFIXES.flatMap((prefix) =>
  [prefix.slice(0, -1), `my_${prefix}1`, prefix.replace("bk", "")].map(
    (name): Case => [`the name "${name}"`, { name }],
  ),
);

export const longest = (field: string, max: number): Case => [
  `a ${field} of ${max} characters`,
  { [field]: EMOJI.repeat(max) },
];
export const tooLong = (field: string, max: number): Case => [
  `a ${field} of ${max + 1} characters`,
  { [field]: EMOJI.repeat(max + 1) },
  `.${field}: expected at most ${max} characters, got ${max + 1}.`,
];
export const LONGEST_IN_BYTES: Case[] = ["name", "description"].flatMap((field): Case[] => [
  [`a ${field} of 255 bytes`, { [field]: "x".repeat(255) }],
  [`a ${field} of 65 characters and 255 bytes`, { [field]: `${EMOJI.repeat(63)}éx` }],
]);
export const TOO_MANY_BYTES: Case[] = ["name", "description"].flatMap((field): Case[] => [
  [`a ${field} of 256 bytes`, { [field]: "x".repeat(256) }, `.${field}: expected at most 255 bytes of UTF-8, got 256.`],
  [`a ${field} of 64 characters and 256 bytes`, { [field]: EMOJI.repeat(64) }, `.${field}: expected at most 255 bytes`],
]);

export const VALID_TAGS: Case[] = [
  ["a tag key of 36 characters", { tags: { [LETTER.repeat(36)]: "x" } }],
  ["a tag value of 43 characters", { tags: { backup: LETTER.repeat(43) } }],
  ["an empty tag value", { tags: { backup: "" } }],
  ["the tag keys __proto__ and constructor", { tags: JSON.parse('{"__proto__":"a","constructor":"b"}') }],
];
export const INVALID_TAGS: Case[] = [
  [
    "a tag key of 37 characters",
    { tags: { [LETTER.repeat(37)]: "x" } },
    `.tags.${LETTER.repeat(32)}`,
    "expected a key of at most 36 characters, got 37.",
  ],
  ["an empty tag key", { tags: { "": "x" } }, ".tags.: expected a key of at least 1 character, got 0."],
  [
    "a tag value of 44 characters",
    { tags: { backup: LETTER.repeat(44) } },
    ".tags.backup: expected at most 43 characters, got 44.",
  ],
  ...invalidLabels("tags"),
];
export const VALID_ENTERPRISE_PROJECTS: Case[] = [
  ['the value "0" in the field "enterprise_project_id"', { enterprise_project_id: "0" }],
  ['a UUID in the field "enterprise_project_id"', { enterprise_project_id: ID }],
];
export const INVALID_ENTERPRISE_PROJECTS: Case[] = [
  ...invalidIds("enterprise_project_id"),
  ...(
    [
      ["the number 0", 0, "a string, got the number 0."],
      ['the string "00"', "00", "a UUID, or 0"],
      ['the string "0" followed by a line break', "0\n", "a UUID, or 0"],
    ] as const
  ).map(
    ([content, id, expected]): Case => [
      `${content} in the field "enterprise_project_id"`,
      { enterprise_project_id: id },
      `.enterprise_project_id: expected ${expected}`,
    ],
  ),
];
