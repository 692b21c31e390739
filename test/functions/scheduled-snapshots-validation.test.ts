/** Tests events and policies that `scheduled-snapshots` rejects. */
import { describe, expect, test } from "vitest";
import { UNKNOWN_ID } from "../support/common.ts";
import { type Json, outcomes, timerEvent } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";
import { createFixture } from "../support/schedules.ts";

useFixedDate();

describe("an invalid event", () => {
  const good = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
  const { user_event: _, ...withoutUserEvent } = timerEvent(good);
  const { time: __, ...withoutTime } = timerEvent(good);
  const TIMER = "Expected a TIMER event: ";
  const USER_EVENT = "user_event: expected a string with a JSON object, got ";

  test.each<[what: string, event: unknown, message: string]>([
    ["undefined instead of an event", undefined, `${TIMER}`],
    ["null instead of an event", null, `${TIMER}`],
    ["a string instead of an event", JSON.stringify(timerEvent(good)).slice(0, 60), `${TIMER}`],
    ["a string of 5,000,000 characters instead of an event", "x".repeat(5_000_000), `${TIMER}`],
    ["an array that contains the event", [timerEvent(good)], `${TIMER}`],
    ["a policy that is not inside an event", good, `${TIMER}`],
    ["an event with the trigger type KAFKA", { ...timerEvent(good), trigger_type: "KAFKA" }, `${TIMER}`],
    ["a CTS event", { cts: { trace_name: "attachVolume", time: 1 } }, 'got an event of the trigger "cts"'],
    ["a CloudEvent", { specversion: "1.0", source: "HC.ECS", data: {} }, 'got an event of the trigger "eventgrid"'],
    [
      'an event without the field "time"',
      withoutTime,
      "time: expected a time such as 2023-06-01T08:30:00+08:00, got nothing.",
    ],
    [
      'an event whose field "time" is the string "tomorrow"',
      { ...timerEvent(good), time: "tomorrow" },
      'got "tomorrow"',
    ],
    [
      'an event whose field "time" is a number',
      { ...timerEvent(good), time: 1_795_226_400 },
      "got the number 1795226400.",
    ],
    ['an event without the field "user_event"', withoutUserEvent, `${USER_EVENT}nothing`],
    ['an event whose field "user_event" is an empty string', timerEvent(""), `${USER_EVENT}""`],
    [
      'an event whose field "user_event" is a string that is not JSON',
      timerEvent("nightly"),
      `${USER_EVENT}"nightly": Unexpected token`,
    ],
    [
      'an event whose field "user_event" contains truncated JSON',
      timerEvent(JSON.stringify(good).slice(0, 40)),
      "in JSON at position 40",
    ],
    ['an event whose field "user_event" is a string with a JSON array', timerEvent([good]), USER_EVENT],
    [
      'an event whose field "user_event" is an array',
      { ...timerEvent(good), user_event: [JSON.stringify(good)] },
      USER_EVENT,
    ],
    [
      'an event whose field "user_event" is a number',
      { ...timerEvent(good), user_event: 5 },
      `${USER_EVENT}the number 5.`,
    ],
    ['an event whose field "user_event" is the string "null"', timerEvent("null"), `${USER_EVENT}"null"`],
  ])(
    "scheduled-snapshots reports InvalidRequest with the cause, and sends no request, if it receives %s",
    async (_what, event, message) => {
      const { cloud, deliver, requests } = await createFixture();
      const { error, records } = await deliver(event);
      expect(outcomes({ records })).toEqual(["create rejected", "run failed"]);
      expect(error?.message).toContain(message);
      expect(error?.message.length).toBeLessThan(500);
      expect(records[0].error).toMatchObject({ reason: "InvalidRequest", message: error?.message });
      expect(requests()).toEqual([]);
      expect(cloud.logs.map(({ line }) => line)).toEqual(records);
    },
  );
});

describe("an invalid policy", () => {
  const target = { kind: "snapshot", tags: { backup: "daily" } };
  const changeTarget = (change: Json) => ({ targets: [{ ...target, ...change }] });

  test.each<[what: string, policy: Json, ...messages: string[]]>([
    ["without a name", { policy: undefined }, "policy: required, but missing."],
    ["with a name that begins with a digit", { policy: "1st" }, "policy: expected a letter followed by"],
    ["with a name of 39 characters", { policy: "n".repeat(39) }, "policy: expected a letter followed by"],
    ...["autobk_snapshot_x", "manualbk_snapshot_x", "AutoBK_snapshot_x", "MANUALBK_SNAPSHOT_X"].map(
      (policy): [string, Json, string] => [
        `with the name ${policy}, which begins like the name of a backup`,
        { policy },
        "policy: expected a letter followed by up to 37 letters, digits, hyphens or underscores, not beginning with autobk_snapshot_",
      ],
    ),
    ["without targets", { targets: undefined }, "targets: required, but missing."],
    ["with an empty array as targets", { targets: [] }, "targets: expected at least 1 item, got 0."],
    ["with an object as targets", { targets: target }, "targets: expected an array, got an object."],
    ["with a target of an unknown kind", changeTarget({ kind: "backup" }), 'targets[0].kind: expected "snapshot" or'],
    ["with a target without a kind", changeTarget({ kind: undefined }), "targets[0].kind: required, but missing."],
    [
      "with a target that has neither ids nor tags",
      changeTarget({ tags: undefined }),
      "targets[0]: expected volume_ids or tags, got neither.",
    ],
    [
      "with a target that has only exclude_tags",
      changeTarget({ tags: undefined, exclude_tags: { a: "b" } }),
      "expected volume_ids or tags",
    ],
    [
      "with a target that has empty tags",
      changeTarget({ tags: {} }),
      "targets[0].tags: expected at least 1 field, got 0.",
    ],
    [
      "with an empty array of volume_ids",
      changeTarget({ volume_ids: [] }),
      "targets[0].volume_ids: expected at least 1 item, got 0.",
    ],
    [
      "with a path as a disk id",
      changeTarget({ volume_ids: ["../x"] }),
      "targets[0].volume_ids[0]: expected a UUID, got",
    ],
    [
      'with server_ids in a target of the kind "snapshot"',
      changeTarget({ server_ids: [UNKNOWN_ID] }),
      "targets[0].server_ids: unknown field. Allowed: ",
    ],
    [
      'with the option "incremental" in a target of the kind "snapshot"',
      changeTarget({ incremental: true }),
      "targets[0].incremental: unknown field. Allowed: ",
    ],
    [
      "with a number as a tag value",
      changeTarget({ tags: { a: 1 } }),
      "targets[0].tags.a: expected a string, got the number 1.",
    ],
    [
      "with a description of 86 characters",
      changeTarget({ description: "x".repeat(86) }),
      "expected at most 85 characters, got 86.",
    ],
    [
      'with a string in the field "force"',
      changeTarget({ force: "yes" }),
      'targets[0].force: expected true or false, got "yes".',
    ],
    ["with an unknown field", { retain: 3 }, "retain: unknown field. Allowed: "],
    [
      "with three invalid fields of its retention",
      { retention: { min_keep: 0, keep_daily: 1.5, keep_hourly: 2 } },
      "retention.min_keep: expected at least 1, got 0.",
      "retention.keep_daily: expected an integer, got the number 1.5.",
      "retention.keep_hourly: unknown field. Allowed: ",
    ],
    ["with an unknown time zone", { time_zone: "Mars/Olympus" }, "time_zone: expected an IANA name"],
    ["with an empty time zone", { time_zone: "" }, "time_zone: expected an IANA name"],
  ])("scheduled-snapshots names each invalid field when it rejects a policy %s", async (_what, policy, ...messages) => {
    const { fire, requests } = await createFixture();
    const { error, records } = await fire({ targets: [target], ...policy });
    expect(outcomes({ records })).toEqual(["create rejected", "run failed"]);
    for (const message of messages) expect(error?.message).toContain(message);
    expect(requests()).toEqual([]);
  });

  test("scheduled-snapshots creates one snapshot of a disk if its targets contain the disk id in lower case and in upper case", async () => {
    const { cloud, fire } = await createFixture();
    const { id } = cloud.addVolume({ id: "ABCDEFAB-0000-4000-8000-000000000000".toLowerCase() });
    const volume_ids = [id, id.toUpperCase(), id];
    const { result } = await fire({
      targets: [
        { kind: "snapshot", volume_ids },
        { kind: "snapshot", volume_ids },
      ],
    });
    expect(result).toMatchObject({ targets: 1, outcomes: { accepted: 1 } });
    expect(cloud.snapshots()).toHaveLength(1);
  });
});
