/** Tests each constraint of the API documents on create requests at its limit and just beyond the limit. */
import { describe, expect, test } from "vitest";
import {
  accepts,
  BYTES,
  type Case,
  CLASSIC,
  EMOJI,
  flag,
  flags,
  ID,
  ids,
  labels,
  longest,
  NEAR_PREFIX,
  NO_IDS,
  noProjects,
  noTags,
  PROJECTS,
  prefix,
  rejects,
  TAGS,
  text,
  tooLong,
  tooManyBytes,
} from "../support/create-validation.ts";
import { CLUSTER, createFixture, creates, GROUP, SNAPSHOT, STANDARD } from "../support/creates.ts";
import { apig } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

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
      "snapshot_group.volume_ids: expected each item once, got the same in items 0 and 2.",
    ],
    [
      "the same disk twice, once in capitals",
      { volume_ids: [ID, ID.toUpperCase()] },
      "snapshot_group.volume_ids: expected each item once, got the same in items 0 and 1.",
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
