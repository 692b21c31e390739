/** Tests the limits that the API documents set for each field of a create request: a value at the limit and a value beyond it. */
import { describe, expect, test } from "vitest";
import {
  ALMOST_BACKUP_NAMES,
  accepts,
  BACKUP_NAMES,
  BACKUP_NAMES_AFTER_BLANKS,
  booleans,
  type Case,
  EMOJI,
  ID,
  INVALID_ENTERPRISE_PROJECTS,
  INVALID_IDS,
  INVALID_TAGS,
  invalidIds,
  invalidLabels,
  LONGEST_IN_BYTES,
  longest,
  missing,
  notBooleans,
  notStrings,
  nullText,
  rejects,
  TOO_MANY_BYTES,
  tooLong,
  unknownField,
  VALID_ENTERPRISE_PROJECTS,
  VALID_TAGS,
} from "../support/create-validation.ts";
import { CLASSIC, CLUSTER, createFixture, creates, GROUP, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { apig } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("create-snapshot", () => {
  accepts(SNAPSHOT, [
    longest("name", 64),
    longest("description", 85),
    ["an empty name", { name: "" }],
    ["an empty description", { description: "" }],
    ["a name of two lines", { name: "one\ntwo" }],
    ["a name that ends with half of a surrogate pair", { name: "half \ud83d" }],
    ...ALMOST_BACKUP_NAMES,
    ...booleans("force"),
    [
      "metadata keys that are empty, Cyrillic or padded with a space",
      { metadata: { hold: "true", Policy: "mine", "": "", "policy ": "x", ключ: "значение" } },
    ],
    [
      "the metadata keys __proto__, constructor and toString",
      { metadata: JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}') },
    ],
    [
      "a metadata key of 300 characters and a metadata value of 5,000 characters",
      { metadata: { ["k".repeat(300)]: "v".repeat(5000) } },
    ],
  ]);
  rejects(SNAPSHOT, [
    tooLong("name", 64),
    tooLong("description", 85),
    nullText("name"),
    nullText("description"),
    ...BACKUP_NAMES,
    ...BACKUP_NAMES_AFTER_BLANKS,
    ...notStrings("name", "description"),
    ...notBooleans("force"),
    ...invalidLabels("metadata"),
    missing("volume_id"),
    ...invalidIds("volume_id"),
    unknownField("incremental", "only EVS v5 supports"),
  ]);

  describe("create-snapshot with EVS_LIMITS=classic", () => {
    accepts(
      SNAPSHOT,
      [...LONGEST_IN_BYTES, ...ALMOST_BACKUP_NAMES, ["a null description", { description: null }]],
      CLASSIC,
    );
    rejects(
      SNAPSHOT,
      [
        ...TOO_MANY_BYTES,
        ...BACKUP_NAMES,
        ...BACKUP_NAMES_AFTER_BLANKS,
        nullText("name"),
        [
          'a number in the field "description"',
          { description: 5 },
          ".description: expected a string or null, got the number 5.",
        ],
        ...notBooleans("force"),
      ],
      CLASSIC,
    );
  });
});

describe("create-standard-snapshot", () => {
  accepts(STANDARD, [
    longest("name", 64),
    longest("description", 85),
    ...ALMOST_BACKUP_NAMES,
    ...booleans("instant_access", "incremental"),
    ...VALID_TAGS,
    ...VALID_ENTERPRISE_PROJECTS,
  ]);
  rejects(STANDARD, [
    tooLong("name", 64),
    tooLong("description", 85),
    nullText("description"),
    ...BACKUP_NAMES,
    ...BACKUP_NAMES_AFTER_BLANKS,
    ...notStrings("name", "description"),
    ...notBooleans("instant_access", "incremental"),
    ...INVALID_TAGS,
    ...INVALID_ENTERPRISE_PROJECTS,
    missing("volume_id"),
    ...invalidIds("volume_id"),
    unknownField("force", "only EVS v2 supports"),
  ]);
});

describe("create-snapshot-group", () => {
  accepts(GROUP, [
    ...LONGEST_IN_BYTES,
    ...ALMOST_BACKUP_NAMES,
    ...booleans("instant_access", "incremental"),
    ...VALID_TAGS,
    ...VALID_ENTERPRISE_PROJECTS,
  ]);
  rejects(GROUP, [
    ...TOO_MANY_BYTES,
    ...BACKUP_NAMES,
    ...BACKUP_NAMES_AFTER_BLANKS,
    ...notStrings("name", "description"),
    nullText("description"),
    ...notBooleans("instant_access", "incremental"),
    ...INVALID_TAGS,
    ...INVALID_ENTERPRISE_PROJECTS,
    ...invalidIds("server_id"),
    [
      'neither of the fields "server_id" and "volume_ids"',
      { server_id: undefined },
      ": expected server_id or volume_ids, got neither.",
    ],
    ...(
      [
        ["an empty array", [], "at least 1 item, got 0."],
        ["null", null, "an array, got null."],
        ["a UUID instead of an array", ID, "an array, got "],
        ["a string that contains a UUID in brackets", `['${ID}']`, "an array, got "],
        ["the same disk id twice", [ID, ID.replace("5", "6"), ID], "each item once, got the same id in items 0 and 2."],
        [
          "the same disk id in lower case and in upper case",
          [ID, ID.toUpperCase()],
          "each item once, got the same id in items 0 and 1.",
        ],
      ] as const
    ).map(
      ([content, volume_ids, expected]): Case => [
        `${content} in the field "volume_ids"`,
        { volume_ids },
        `.volume_ids: expected ${expected}`,
      ],
    ),
    ...INVALID_IDS.map(
      ([content, id]): Case => [
        `${content} as the second item of the field "volume_ids"`,
        { volume_ids: [ID, id] },
        ".volume_ids[1]: expected",
      ],
    ),
  ]);

  test("create-snapshot-group accepts a server_id, an array of volume_ids, or a server_id with some disks of the server", async () => {
    const fixture = await createFixture(GROUP, { creationMs: 0 });
    const { server_id } = fixture.resource;
    const disks = fixture.addDisks(3, { serverId: String(server_id) });
    for (const fields of [{ server_id }, { volume_ids: disks }, { server_id, volume_ids: disks.slice(1) }]) {
      const { result } = await fixture.http(apig({ snapshot_group: fields }));
      expect(result.statusCode).toBe(202);
      expect(creates(fixture).at(-1)?.body).toMatchObject({ snapshot_group: fields });
    }
    expect(fixture.snapshots().map(({ volume_ids }) => volume_ids?.length)).toEqual([5, 3, 2]);
  });
});

const MARKER_TEXT = "managed-by:snapshot-functions";

describe("create-cluster-snapshot", () => {
  accepts(CLUSTER, [
    ["a name of 4 characters", { name: "a-_0" }],
    ["a name of 64 characters", { name: `Z${"9".repeat(63)}` }],
    ...ALMOST_BACKUP_NAMES,
  ]);
  test.each([
    ["a description of 256 characters", EMOJI.repeat(256)],
    ["an empty description", ""],
    ["a description with every punctuation character that DWS allows", "#$%()*+,-./:;?@[\\]^_`{|}~ äß漢字\n\t"],
    ["a description that differs from a snapshot marker only in a space", "managed-by: snapshot-functions"],
  ])("create-cluster-snapshot accepts %s", async (_, description) => {
    const fixture = await createFixture(CLUSTER);
    const { result } = await fixture.post({ description });
    expect(result.statusCode).toBe(200);
    expect(fixture.snapshots()[0]?.description?.startsWith(description)).toBe(true);
  });
  rejects(CLUSTER, [
    missing("name"),
    missing("cluster_id"),
    ...invalidIds("cluster_id"),
    ...BACKUP_NAMES,
    ...["", "abc", "a".repeat(65), "1abc", "_abc", "-abc", "äbcd", "abcdé", "ab cd", "ab.cd"]
      .concat(["abcd\n", "abcd\r", "\nabcd", "abcd\u2029"])
      .map(
        (name): Case => [
          name.length > 8
            ? `a name of ${name.length} letters`
            : `the name ${JSON.stringify(name).replace("\u2029", "\\u2029")}`,
          { name },
          ".name: expected a letter followed by 3 to 63 letters, digits, hyphens or underscores, got ",
        ],
      ),
    ...notStrings("name", "description"),
    nullText("name"),
    ...[..."!<>'=&\""].flatMap((sign): Case[] => [
      [
        `the character ${sign} in its description`,
        { description: `a ${sign} b` },
        ".description: expected a string without any of the characters !<>'=&\"",
      ],
      [
        `the character ${sign} in the second line of its description`,
        { description: `a\n${sign}` },
        ".description: expected a string",
      ],
    ]),
    tooLong("description", 256),
    nullText("description"),
    ...[MARKER_TEXT, `text ${MARKER_TEXT} policy:x`, `text\n${MARKER_TEXT}`].map(
      (description): Case => [
        `the description ${JSON.stringify(description)}, which contains the marker of the functions`,
        { description },
        `.description: expected a string without ${MARKER_TEXT}, which identifies snapshots created by snapshot-functions`,
      ],
    ),
    unknownField("tags", "DWS does not support"),
  ]);
});
