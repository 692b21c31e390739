import { describe, expect, test } from "vitest";
import { instant } from "../../../../shared/core/instant.ts";
import type { Retention } from "../../../../shared/snapshots/policy.ts";
import { groupByResource } from "../../../../shared/snapshots/retention/plan.ts";
import { START } from "../../../support/domain.ts";
import { failed, good, plan } from "../../../support/plans.ts";

describe("planRetention with failed snapshots", () => {
  test("planRetention does not count failed snapshots for keep_last, and deletes a failed snapshot if a newer available snapshot exists", () => {
    const found = [failed("f1", 0), good("a", 1), failed("f2", 2), good("b", 3), failed("f3", 4)];
    expect(plan(found, { keep_last: 1 })).toEqual([
      "f1 kept: failed, and no newer good snapshot exists",
      "a kept: keep_last",
      "f2 deleted: failed, and a newer good snapshot exists",
      "b deleted: kept by no rule",
      "f3 deleted: failed, and a newer good snapshot exists",
    ]);
  });

  test("planRetention keeps all failed snapshots if no snapshot is available", () => {
    expect(plan([failed("f1", 0), failed("f2", 9)], { keep_last: 1 })).toEqual([
      "f1 kept: failed, and no newer good snapshot exists",
      "f2 kept: failed, and no newer good snapshot exists",
    ]);
  });

  test("planRetention keeps the newest available snapshots after seven days of failed snapshots", () => {
    const found = [...Array.from({ length: 7 }, (_, day) => failed(`f${day}`, day)), good("a", 8), good("b", 9)];
    expect(plan(found, { keep_last: 1, keep_daily: 2 }).slice(-2)).toEqual([
      "a kept: keep_last, keep_daily",
      "b kept: keep_daily",
    ]);
  });

  test("planRetention keeps a failed snapshot if the only available snapshot has the same creation time", () => {
    expect(plan([failed("f", 1), good("a", 1)], { keep_last: 1 })).toContain(
      "f kept: failed, and no newer good snapshot exists",
    );
  });

  test("planRetention deletes a failed snapshot if a newer available snapshot is held", () => {
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
] as const)(
  'planRetention keeps a snapshot in the state %s (status "%s") and does not count it for keep_last',
  (state, status) => {
    const found = [good("x", 0, { state, status }), good("a", 1), good("y", 2, { state, status }), good("b", 3)];
    expect(plan(found, { keep_last: 1 })).toEqual([
      `x kept: its status is ${status}`,
      "a kept: keep_last",
      `y kept: its status is ${status}`,
      "b deleted: kept by no rule",
    ]);
  },
);

describe("planRetention with held snapshots", () => {
  test.each([
    ["with the label hold=true", { labels: { hold: "true" } }, "held by its label"],
    ["with an empty hold label", { labels: { hold: "" } }, "held by its label"],
    ["with a hold label in capitals", { labels: { HOLD: "true" } }, "held by its label"],
    ["with a hold label that ends with a blank", { labels: { "Hold ": "until 2027" } }, "held by its label"],
    ["with a hold label that has the value FALSE in capitals", { labels: { hold: "FALSE" } }, "held by its label"],
    [
      "with a description that starts with a blank and the word hold",
      { description: " hold: audit 2026" },
      "held by its description",
    ],
    ['with a description that starts with "hold_"', { description: "hold_until_2027" }, "held by its description"],
    [
      "with a description that starts with the word hold",
      { description: "hold: audit 2026" },
      "held by its description",
    ],
    ["with the description HOLD in capitals", { description: "HOLD" }, "held by its description"],
    ["with a hold label in full-width letters", { labels: { ｈｏｌｄ: "true" } }, "held by its label"],
    ["with a description in full-width letters", { description: "ＨＯＬＤ： audit" }, "held by its description"],
    ["with the name of a backup's snapshot", { name: "autobk_snapshot_2026" }, "created by a backup"],
    ["with the name of a manual backup's snapshot", { name: "MANUALBK_snapshot_2026" }, "created by a backup"],
    [
      "of EVS v2 that EVS created automatically",
      { labels: { __system__enableActive: "true" } },
      "created by EVS itself",
    ],
    ["of EVS v5 that EVS created automatically", { raw: { snapshot_type: "auto" } }, "created by EVS itself"],
    ["that is a copy", { raw: { snapshot_type: "copy" } }, "a copy"],
    ["of DWS that an automatic policy created", { raw: { type: "AUTO" } }, "an automated snapshot"],
    ["that is a member of a group", { raw: { snapshot_group_id: "b0b44f93" } }, "a member of a group"],
    ["without a creation time", { created: undefined }, "its creation time is unknown"],
  ])("planRetention holds a snapshot %s and does not count it for keep_last", (_how, changes, rule) => {
    const found = [good("a", 1), good("h", 2, changes), good("b", 3), good("c", 4)];
    const verdicts = plan(found, { keep_last: 2 });
    expect(verdicts).toContain(`h held: ${rule}`);
    expect(verdicts.filter((line) => !line.startsWith("h "))).toEqual([
      "a kept: keep_last",
      "b kept: keep_last",
      "c deleted: kept by no rule",
    ]);
  });

  test("planRetention holds a snapshot whose id is in the policy's hold in upper case", () => {
    expect(plan([good("abc-1", 5), good("b", 1)], { keep_last: 1 }, { hold: ["ABC-1", "unknown"] })).toEqual([
      "b kept: keep_last",
      "abc-1 held: held by the policy",
    ]);
  });

  test("planRetention ignores blanks and case in the ids and names of the policy's hold", () => {
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
    ["the label hold=false", { labels: { hold: "false" } }],
    ["the label holding=true", { labels: { holding: "true" } }],
    ["a description that starts with the word holding", { description: "holding company's disk" }],
    ["a description that ends with the word hold", { description: "do not hold" }],
    ["the type of a manual snapshot", { raw: { type: "MANUAL", snapshot_type: "user", snapshot_group_id: null } }],
  ])("planRetention does not hold a snapshot because of %s", (_what, changes) => {
    expect(plan([good("a", 1), good("x", 2, changes)], { keep_last: 1 })[1]).toBe("x deleted: kept by no rule");
  });

  test("planRetention holds a failed snapshot that has a hold label", () => {
    expect(plan([good("a", 1), failed("f", 2, { labels: { hold: "true" } })], { keep_last: 1 })[1]).toBe(
      "f held: held by its label",
    );
  });
});

describe("planRetention with creation times in the future", () => {
  const HOUR = 1 / 24;

  test("planRetention holds a snapshot with a creation time in the future and applies the rules to the other snapshots", () => {
    const found = [good("f", -365), good("a", 1), good("b", 2), good("c", 9)];
    expect(plan(found, { keep_within_days: 7 }, { now: START })).toEqual([
      "f held: its creation time is in the future",
      "a kept: keep_within_days",
      "b kept: keep_within_days",
      "c deleted: kept by no rule",
    ]);
  });

  test("planRetention accepts creation times up to an hour in the future, because clocks differ", () => {
    const found = [good("f", -1.001 * HOUR), good("n", -HOUR), good("a", 1)];
    expect(plan(found, { keep_last: 1 }, { now: START })).toEqual([
      "f held: its creation time is in the future",
      "n kept: keep_last",
      "a deleted: kept by no rule",
    ]);
  });

  test("planRetention keeps a failed snapshot if the only newer available snapshot has a creation time in the future", () => {
    expect(plan([good("f", -365), failed("x", 1)], { keep_last: 1 }, { now: START })).toEqual([
      "f held: its creation time is in the future",
      "x kept: failed, and no newer good snapshot exists",
    ]);
  });
});

describe("planRetention with min_keep", () => {
  test("planRetention with a min_keep of 3 keeps the three newest snapshots in addition to those that the rules keep", () => {
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

  test("planRetention keeps four snapshots instead of three if keep_yearly is added to keep_last and min_keep", () => {
    const found = [0, 1, 2, 3].map((days) => good(`d${days}`, days));
    const kept = (retention: Retention) => plan(found, retention).filter((line) => line.includes("kept:")).length;
    expect(kept({ keep_last: 1, min_keep: 3 })).toBe(3);
    // keep_yearly keeps the oldest snapshot in addition to the three snapshots that min_keep keeps.
    expect(kept({ keep_last: 1, keep_yearly: 2, min_keep: 3 })).toBe(4);
  });

  test("planRetention without rules keeps one snapshot, because min_keep is 1 by default", () => {
    expect(plan([good("a", 1), good("b", 2)], {})).toEqual(["a kept: min_keep", "b deleted: kept by no rule"]);
  });
});

test("planRetention keeps one daily snapshot of a day that occurs twice because the clock was set back over midnight", () => {
  // In St. John's, the clock was set back from 00:01 on 29 October 2006 to 23:01 on 28 October.
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

test("groupByResource groups snapshots by resource, and snapshots without a resource by request hash", () => {
  const group = (id: string, content: string) =>
    good(id, 1, {
      resource: undefined,
      marker: { policy: "nightly", idempotencyKey: id.padStart(32, "0"), requestHash: content },
    });
  const found = [good("a", 1), good("b", 1, { resource: "other" }), group("g", "1"), group("h", "2"), group("i", "1")];
  expect(groupByResource([...found, good("c", 2)]).map((list) => list.map(({ id }) => id))).toEqual([
    ["a", "c"],
    ["b"],
    ["g", "i"],
    ["h"],
  ]);
});
