import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import { wallClockOf } from "../../../../shared/core/time-zone.ts";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import type { Retention } from "../../../../shared/snapshots/policy.ts";
import { byResource, planRetention, youngerDuplicates } from "../../../../shared/snapshots/retention/plan.ts";

const DAY_MS = 86_400_000;
const START = Date.parse("2026-11-21T02:00:00Z");

/** Returns a good snapshot of the disk of the given age in days. */
const good = (id: string, days: number, changes: Partial<FoundSnapshot> = {}): FoundSnapshot => ({
  id,
  name: `nightly-${id}`,
  resource: "disk",
  status: "available",
  state: "available",
  created: instant(START - days * DAY_MS),
  labels: {},
  raw: {},
  marker: { policy: "nightly", idempotencyKey: id.padStart(32, "0"), requestHash: "01234567" },
  ...changes,
});
const failed = (id: string, days: number, changes: Partial<FoundSnapshot> = {}) =>
  good(id, days, { state: "failed", status: "error", ...changes });

/** Returns the verdicts as `id decision: rule`, newest first. */
const plan = (
  found: FoundSnapshot[],
  retention: Retention,
  { zone = "UTC", hold = [] as string[], now = undefined as number | undefined } = {},
) =>
  planRetention(found, {
    retention,
    wallClock: wallClockOf(zone),
    hold,
    now: now === undefined ? undefined : instant(now),
  }).map(({ snapshot, decision, rule }) => `${snapshot.id} ${decision}: ${rule}`);

describe("planRetention with failed snapshots", () => {
  test("planRetention does not count failed snapshots, and deletes them once a newer good one exists", () => {
    const found = [failed("f1", 0), good("a", 1), failed("f2", 2), good("b", 3), failed("f3", 4)];
    expect(plan(found, { keep_last: 1 })).toEqual([
      "f1 kept: failed, and no newer good snapshot exists",
      "a kept: keep_last",
      "f2 deleted: failed, and a newer good snapshot exists",
      "b deleted: kept by no rule",
      "f3 deleted: failed, and a newer good snapshot exists",
    ]);
  });

  test("planRetention keeps failed snapshots while no good one exists", () => {
    expect(plan([failed("f1", 0), failed("f2", 9)], { keep_last: 1 })).toEqual([
      "f1 kept: failed, and no newer good snapshot exists",
      "f2 kept: failed, and no newer good snapshot exists",
    ]);
  });

  test("planRetention keeps the last good snapshots after a week of failed ones", () => {
    const found = [...Array.from({ length: 7 }, (_, day) => failed(`f${day}`, day)), good("a", 8), good("b", 9)];
    expect(plan(found, { keep_last: 1, keep_daily: 2 }).slice(-2)).toEqual([
      "a kept: keep_last, keep_daily",
      "b kept: keep_daily",
    ]);
  });

  test("planRetention does not delete a failed snapshot for a good one of the same time", () => {
    expect(plan([failed("f", 1), good("a", 1)], { keep_last: 1 })).toContain(
      "f kept: failed, and no newer good snapshot exists",
    );
  });

  test("planRetention deletes a failed snapshot for a newer good one that is held", () => {
    expect(plan([good("a", 1, { labels: { hold: "true" } }), failed("f", 2)], { keep_last: 1 })).toEqual([
      "a held: held by its label",
      "f deleted: failed, and a newer good snapshot exists",
    ]);
  });
});

test.each([
  ["creating", "creating"],
  ["deleting", "deleting"],
  ["deleting", "error_deleting"],
  ["unknown", "rollbacking"],
  ["unknown", "a status of next year"],
] as const)("planRetention neither counts nor deletes a snapshot in the state %s (status %s)", (state, status) => {
  const found = [good("x", 0, { state, status }), good("a", 1), good("y", 2, { state, status }), good("b", 3)];
  expect(plan(found, { keep_last: 1 })).toEqual([
    `x kept: its status is ${status}`,
    "a kept: keep_last",
    `y kept: its status is ${status}`,
    "b deleted: kept by no rule",
  ]);
});

describe("planRetention with held snapshots", () => {
  test.each([
    ["by its label", { labels: { hold: "true" } }, "held by its label"],
    ["by a label with any value", { labels: { hold: "" } }, "held by its label"],
    ["by a label in capitals", { labels: { HOLD: "true" } }, "held by its label"],
    ["by a label with a blank", { labels: { "Hold ": "until 2027" } }, "held by its label"],
    ["by a label with the value FALSE", { labels: { hold: "FALSE" } }, "held by its label"],
    ["by a description after a blank", { description: " hold: audit 2026" }, "held by its description"],
    ["by a description without a blank", { description: "hold_until_2027" }, "held by its description"],
    ["by a description", { description: "hold: audit 2026" }, "held by its description"],
    ["by a description in capitals", { description: "HOLD" }, "held by its description"],
    ["of a backup", { name: "autobk_snapshot_2026" }, "created by a backup"],
    ["of the system (v2)", { labels: { __system__enableActive: "true" } }, "created by the system"],
    ["of the system (v5)", { raw: { snapshot_type: "auto" } }, "created by the system"],
    ["that is a copy", { raw: { snapshot_type: "copy" } }, "a copy"],
    ["that is automated (DWS)", { raw: { type: "AUTO" } }, "an automated snapshot"],
    ["that is a member of a group", { raw: { snapshot_group_id: "b0b44f93" } }, "a member of a group"],
    ["without a time", { created: undefined }, "its creation time is unknown"],
  ])("planRetention holds a snapshot %s and keeps another one in its place", (_how, changes, rule) => {
    const found = [good("a", 1), good("h", 2, changes), good("b", 3), good("c", 4)];
    const said = plan(found, { keep_last: 2 });
    expect(said).toContain(`h held: ${rule}`);
    expect(said.filter((line) => !line.startsWith("h "))).toEqual([
      "a kept: keep_last",
      "b kept: keep_last",
      "c deleted: kept by no rule",
    ]);
  });

  test("planRetention holds an id in the policy in any case", () => {
    expect(plan([good("abc-1", 5), good("b", 1)], { keep_last: 1 }, { hold: ["ABC-1", "unknown"] })).toEqual([
      "b kept: keep_last",
      "abc-1 held: held by the policy",
    ]);
  });

  test("planRetention holds an id or name in the policy with blanks and capitals", () => {
    const found = [good("a", 1), good("b", 2), good("c", 3), good("d", 4), good("e", 5, { name: "" })];
    expect(plan(found, { keep_last: 1 }, { hold: [" b ", "NIGHTLY-c", ""] })).toEqual([
      "a kept: keep_last",
      "b held: held by the policy",
      "c held: held by the policy",
      "d deleted: kept by no rule",
      "e deleted: kept by no rule",
    ]);
  });

  test.each([
    ["hold=false", { labels: { hold: "false" } }],
    ["another label", { labels: { holding: "true" } }],
    ["a description that only begins with the letters", { description: "holding company's disk" }],
    ["a description with the word in another place", { description: "do not hold" }],
    ["the type of a manual snapshot", { raw: { type: "MANUAL", snapshot_type: "user", snapshot_group_id: null } }],
  ])("planRetention does not hold a snapshot because of %s", (_what, changes) => {
    expect(plan([good("a", 1), good("x", 2, changes)], { keep_last: 1 })[1]).toBe("x deleted: kept by no rule");
  });

  test("planRetention holds a failed snapshot", () => {
    expect(plan([good("a", 1), failed("f", 2, { labels: { hold: "true" } })], { keep_last: 1 })[1]).toBe(
      "f held: held by its label",
    );
  });
});

describe("planRetention with times in the future", () => {
  const HOUR = 1 / 24;

  test("planRetention holds a snapshot from the future and applies the rules to the others", () => {
    const found = [good("f", -365), good("a", 1), good("b", 2), good("c", 9)];
    expect(plan(found, { keep_within_days: 7 }, { now: START })).toEqual([
      "f held: its creation time is in the future",
      "a kept: keep_within_days",
      "b kept: keep_within_days",
      "c deleted: kept by no rule",
    ]);
  });

  test("planRetention accepts times of up to an hour ahead, because clocks differ", () => {
    const found = [good("f", -1.001 * HOUR), good("n", -HOUR), good("a", 1)];
    expect(plan(found, { keep_last: 1 }, { now: START })).toEqual([
      "f held: its creation time is in the future",
      "n kept: keep_last",
      "a deleted: kept by no rule",
    ]);
  });

  test("planRetention does not delete a failed snapshot for a good one from the future", () => {
    expect(plan([good("f", -365), failed("x", 1)], { keep_last: 1 }, { now: START })).toEqual([
      "f held: its creation time is in the future",
      "x kept: failed, and no newer good snapshot exists",
    ]);
  });
});

describe("planRetention with groups", () => {
  const member = (disk: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot =>
    good(`m-${disk}`, 0, { resource: disk, marker: undefined, ...changes });
  const group = (id: string, days: number, disks: string[], changes: Partial<FoundSnapshot> = {}) =>
    good(id, days, { resource: "server", members: disks.map((disk) => member(disk)), ...changes });

  test("planRetention keeps a group that has the last good snapshot of a disk", () => {
    const found = [group("new", 1, ["a"]), group("both", 2, ["a", "b"]), group("older", 3, ["a", "b"])];
    expect(plan(found, { keep_last: 1 })).toEqual([
      "new kept: keep_last",
      "both kept: the last good one of disk b",
      "older deleted: kept by no rule",
    ]);
  });

  test("planRetention names all disks of which a group has the last good snapshot, and no others", () => {
    const found = [
      group("new", 1, ["a"]),
      group("c", 2, ["c"]),
      group("bcd", 3, ["b", "c", "d"]),
      group("all", 4, ["a", "b", "c", "d"]),
    ];
    expect(plan(found, { keep_last: 1 }).slice(1)).toEqual([
      "c kept: the last good one of disk c",
      "bcd kept: the last good one of disk b and d",
      "all deleted: kept by no rule",
    ]);
  });

  test("planRetention does not count a group for the disk of a member that it lost", () => {
    const found = [group("torn", 1, ["b"]), group("whole", 2, ["a", "b"]), group("older", 3, ["a", "b"])];
    expect(plan(found, { keep_last: 1 }).slice(1)).toEqual([
      "whole kept: the last good one of disk a",
      "older deleted: kept by no rule",
    ]);
  });

  test("planRetention deletes a duplicate group unless only it has a disk", () => {
    const { marker } = good("t", 0);
    const duplicates = (disks: string[]) => [
      group("new", 1, ["a"]),
      group("y", 2, disks, { marker }),
      group("o", 2.001, ["a"], { marker }),
    ];
    expect(plan(duplicates(["a"]), { keep_last: 5 })[1]).toBe("y deleted: twin of o");
    expect(plan(duplicates(["a", "b"]), { keep_last: 5 })[1]).toBe("y kept: the last good one of disk b");
  });

  test("planRetention keeps nothing for a member whose disk is unknown", () => {
    const members = [member("a"), member("b", { resource: undefined })];
    expect(plan([group("new", 1, ["a"]), group("old", 2, [], { members })], { keep_last: 1 })[1]).toBe(
      "old deleted: kept by no rule",
    );
  });

  test("resourceOf names the disks of a group of individual disks in any order of its members", () => {
    const single = (id: string, disks: string[]) => group(id, 1, disks, { resource: undefined });
    const found = [single("x", ["a", "b"]), single("y", ["b", "a"]), single("z", ["a"])];
    expect(byResource(found).map((list) => list.map(({ id }) => id))).toEqual([["x", "y"], ["z"]]);
  });

  test("planRetention keeps a failed group that has the only good member of a disk", () => {
    const members = [member("a"), member("b"), member("c", { state: "failed", status: "error" })];
    const torn = failed("f", 2, { resource: "server", members });
    expect(plan([group("new", 1, ["a"]), torn], { keep_last: 1 })[1]).toBe(
      "f kept: failed, but contains the only good snapshot of disk b",
    );
    expect(plan([group("new", 1, ["a"]), torn, group("old", 3, ["a", "b"])], { keep_last: 1 }).slice(1)).toEqual([
      "f deleted: failed, and a newer good snapshot exists",
      "old kept: the last good one of disk b",
    ]);
  });

  test.each([
    ["label", { labels: { hold: "true" } }, [], "its member m-1 is held by its label"],
    ["description", { description: "hold: audit" }, [], "its member m-1 is held by its description"],
    ["id in the hold", {}, ["M-1"], "its member m-1 is held by the policy"],
  ])(
    "planRetention holds a group for the %s of a member, because the deletion would delete the member",
    (_how, changes, hold, rule) => {
      const held = group("h", 2, [], { members: [member("a"), member("b", { id: "m-1", ...changes })] });
      expect(plan([group("new", 1, ["a", "b"]), held], { keep_last: 1 }, { hold })).toEqual([
        "new kept: keep_last",
        `h held: ${rule}`,
      ]);
    },
  );
});

describe("planRetention with duplicates", () => {
  const marker = good("t", 0).marker;

  test("planRetention deletes the younger duplicate once the older snapshot is available, and does not count it", () => {
    const found = [good("y", 1, { marker }), good("o", 1.001, { marker }), good("b", 2), good("c", 3)];
    expect(plan(found, { keep_last: 2 })).toEqual([
      "y deleted: twin of o",
      "o kept: keep_last",
      "b kept: keep_last",
      "c deleted: kept by no rule",
    ]);
  });

  test("youngerDuplicates ignores copies and snapshots without a time", () => {
    const { marker } = good("t", 0);
    const one = good("x", 1, { marker });
    for (const other of [{ created: undefined }, { raw: { snapshot_type: "copy" } }]) {
      expect(youngerDuplicates([one, good("n", 2, { marker, ...other })]).size).toBe(0);
      expect(youngerDuplicates([good("n", 2, { marker, ...other }), one]).size).toBe(0);
    }
    expect(youngerDuplicates([one, good("n", 2, { marker })]).size).toBe(1);
  });

  test("planRetention treats a snapshot without a time as no duplicate, because its age is unknown", () => {
    const { marker } = good("t", 0);
    const found = [good("x", 1, { marker }), good("n", 2, { marker, created: undefined })];
    expect(plan(found, { keep_last: 5 }).sort()).toEqual(["n held: its creation time is unknown", "x kept: keep_last"]);
  });

  test("planRetention keeps the oldest of three duplicates in any order of the list", () => {
    const duplicates = [good("1", 1.002, { marker }), good("2", 1.001, { marker }), good("3", 1, { marker })];
    const expected = ["3 deleted: twin of 1", "2 deleted: twin of 1", "1 kept: keep_last"];
    expect(plan(duplicates, { keep_last: 5 })).toEqual(expected);
    expect(plan([...duplicates].reverse(), { keep_last: 5 })).toEqual(expected);
  });

  test.each(["creating", "failed", "deleting", "unknown"] as const)(
    "planRetention keeps the younger duplicate while the older snapshot is in the state %s",
    (state) => {
      const found = [good("y", 1, { marker }), good("o", 1.001, { marker, state, status: state })];
      expect(plan(found, { keep_last: 1 })[0]).toBe("y kept: keep_last");
    },
  );

  test("planRetention keeps a held snapshot and deletes its duplicate", () => {
    const hold = { labels: { hold: "true" } };
    expect(plan([good("y", 1, { marker, ...hold }), good("o", 1.001, { marker })], { keep_last: 1 })).toEqual([
      "y held: held by its label",
      "o kept: keep_last",
    ]);
    expect(
      plan([good("a", 0), good("y", 1, { marker }), good("o", 1.001, { marker, ...hold })], { keep_last: 5 }),
    ).toEqual(["a kept: keep_last", "y deleted: twin of o", "o held: held by its label"]);
  });

  test("planRetention treats snapshots of one key with other options as no duplicates", () => {
    const other = {
      marker: { policy: "nightly", idempotencyKey: marker?.idempotencyKey ?? "", requestHash: "76543210" },
    };
    const found = [good("1", 4, { marker }), good("2", 3, other), good("3", 2, other), good("4", 1, { marker })];
    expect(plan(found, { keep_last: 5 })).toEqual([
      "4 deleted: twin of 1",
      "3 deleted: twin of 2",
      "2 kept: keep_last",
      "1 kept: keep_last",
    ]);
  });

  test("planRetention does not treat a copy with the same marker as a duplicate", () => {
    const copy = good("copy", 1, { marker, raw: { snapshot_type: "copy" } });
    expect(plan([copy, good("o", 2, { marker })], { keep_last: 1 })).toEqual([
      "copy held: a copy",
      "o kept: keep_last",
    ]);
  });

  test("planRetention keeps duplicates for min_keep if there are no other snapshots", () => {
    const found = [good("y", 1, { marker }), good("o", 1.001, { marker })];
    expect(plan(found, { keep_last: 1, min_keep: 2 })).toEqual(["y kept: min_keep", "o kept: keep_last"]);
    expect(plan([...found, good("b", 2)], { keep_last: 1, min_keep: 2 })[0]).toBe("y deleted: twin of o");
  });
});

describe("planRetention with min_keep", () => {
  test("planRetention keeps the newest snapshots for min_keep, whatever the rules keep", () => {
    const found = [0, 1, 2, 3, 9, 10].map((days) => good(`d${days}`, days));
    expect(plan(found, { keep_weekly: 2, min_keep: 3 })).toEqual([
      "d0 kept: keep_weekly",
      "d1 kept: min_keep",
      "d2 kept: min_keep",
      "d3 deleted: kept by no rule",
      "d9 kept: keep_weekly",
      "d10 deleted: kept by no rule",
    ]);
  });

  test("planRetention deletes no additional snapshot if the policy has an additional rule", () => {
    const found = [0, 1, 2, 3].map((days) => good(`d${days}`, days));
    const kept = (retention: Retention) => plan(found, retention).filter((line) => line.includes("kept:")).length;
    expect(kept({ keep_last: 1, min_keep: 3 })).toBe(3);
    // The yearly rule keeps the oldest snapshot in addition to the three of min_keep.
    expect(kept({ keep_last: 1, keep_yearly: 2, min_keep: 3 })).toBe(4);
  });

  test("planRetention uses a min_keep of 1 by default", () => {
    expect(plan([good("a", 1), good("b", 2)], {})).toEqual(["a kept: min_keep", "b deleted: kept by no rule"]);
  });
});

test("planRetention keeps one snapshot of a day that occurs twice because a clock was set back over midnight", () => {
  // In St. John's in 2006, the clock was set back from 00:01 on the 29th to 23:01 on the 28th.
  const at = (text: string) => good(text, 0, { created: instant(Date.parse(text)) });
  const found = ["2006-10-29T03:30:00Z", "2006-10-29T03:00:00Z", "2006-10-29T02:30:30Z", "2006-10-29T02:00:00Z"].map(
    at,
  );
  expect(plan(found, { keep_daily: 4 }, { zone: "America/St_Johns" })).toEqual([
    "2006-10-29T03:30:00Z kept: keep_daily",
    "2006-10-29T03:00:00Z kept: keep_daily",
    "2006-10-29T02:30:30Z deleted: kept by no rule",
    "2006-10-29T02:00:00Z kept: oldest keep_daily",
  ]);
});

test("byResource groups snapshots by resource, and groups with unknown disks by request hash", () => {
  const group = (id: string, content: string) =>
    good(id, 1, {
      resource: undefined,
      marker: { policy: "nightly", idempotencyKey: id.padStart(32, "0"), requestHash: content },
    });
  const found = [good("a", 1), good("b", 1, { resource: "other" }), group("g", "1"), group("h", "2"), group("i", "1")];
  expect(byResource([...found, good("c", 2)]).map((list) => list.map(({ id }) => id))).toEqual([
    ["a", "c"],
    ["b"],
    ["g", "i"],
    ["h"],
  ]);
});
