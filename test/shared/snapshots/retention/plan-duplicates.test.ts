import { describe, expect, test } from "vitest";
import { youngerDuplicates } from "../../../../shared/snapshots/retention/plan.ts";
import { good, plan } from "../../../support/plans.ts";

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
    expect(plan(found, { keep_last: 5 }).sort()).toEqual(["n held: its time cannot be read", "x kept: keep_last"]);
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
