import { describe, expect, test } from "vitest";
import { checkMakeRoom, checkPolicy } from "../../../shared/snapshots/check-policy.ts";

const invalidRequest = (message: string) => expect.objectContaining({ reason: "InvalidRequest", message });

test.each([undefined, "UTC", "Europe/Berlin"])("checkPolicy accepts a policy with the time zone %j", (time_zone) => {
  expect(checkPolicy({ policy: "nightly", time_zone })).toBeUndefined();
});

test("checkPolicy rejects a time zone that does not exist", () => {
  expect(() => checkPolicy({ policy: "nightly", time_zone: "Mars/Olympus" })).toThrow(
    invalidRequest('time_zone: expected an IANA name such as Europe/Berlin, got "Mars/Olympus".'),
  );
});

describe.each([
  ["no retention", undefined, "none"],
  ["a retention without rules", {}, "{}"],
  ["only keep rules of 0", { keep_last: 0, min_keep: 2 }, '{"keep_last":0,"min_keep":2}'],
])("a policy with %s", (what, retention, got) => {
  const error = invalidRequest(
    `make_room: expected a retention with at least one keep_ rule above 0, got ${got}. Add a rule, or omit make_room.`,
  );

  test(`checkPolicy and checkMakeRoom reject make_room in a policy with ${what}`, () => {
    expect(() => checkPolicy({ policy: "nightly", make_room: true, retention })).toThrow(error);
    expect(() => checkMakeRoom({ make_room: true, retention })).toThrow(error);
  });

  test(`checkPolicy accepts a policy without make_room and with ${what}`, () => {
    expect(checkPolicy({ policy: "nightly", make_room: false, retention })).toBeUndefined();
    expect(checkPolicy({ policy: "nightly", retention })).toBeUndefined();
  });
});

test("checkPolicy accepts make_room in a policy with a keep_last of 1", () => {
  expect(checkPolicy({ policy: "nightly", make_room: true, retention: { keep_last: 1 } })).toBeUndefined();
});
