import { describe, expect, test } from "vitest";
import { youngerDuplicates } from "../../../../shared/snapshots/retention/plan.ts";
import { good, plan } from "../../../support/plans.ts";

describe("planRetention with duplicate snapshots", () => {
  const marker = good("t", 0).marker;

  test("planRetention deletes the younger of two available duplicates and counts only the older duplicate for keep_last", () => {
    const found = [good("y", 1, { marker }), good("o", 1.001, { marker }), good("b", 2), good("c", 3)];
    expect(plan(found, { keep_last: 2 })).toEqual([
      "y deleted: twin of o",
      "o kept: keep_last",
      "b kept: keep_last",
      "c deleted: kept by no rule",
    ]);
  });

  test("youngerDuplicates ignores snapshots without a creation time, and copies of snapshots", () => {
    const { marker } = good("t", 0);
    const original = good("x", 1, { marker });
    for (const other of [{ created: undefined }, { raw: { snapshot_type: "copy" } }]) {
      expect(youngerDuplicates([original, good("n", 2, { marker, ...other })]).size).toBe(0);
      expect(youngerDuplicates([good("n", 2, { marker, ...other }), original]).size).toBe(0);
    }
    expect(youngerDuplicates([original, good("n", 2, { marker })]).size).toBe(1);
  });

  test("planRetention holds a snapshot without a creation time instead of deleting it as a duplicate", () => {
    const { marker } = good("t", 0);
    const found = [good("x", 1, { marker }), good("n", 2, { marker, created: undefined })];
    expect(plan(found, { keep_last: 5 }).sort()).toEqual(["n held: its creation time is unknown", "x kept: keep_last"]);
  });

  test("planRetention keeps the oldest of three duplicates, in whichever order they are listed", () => {
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

  test("planRetention never deletes a held duplicate, but deletes the younger duplicate of a held snapshot", () => {
    const hold = { labels: { hold: "true" } };
    expect(plan([good("y", 1, { marker, ...hold }), good("o", 1.001, { marker })], { keep_last: 1 })).toEqual([
      "y held: held by its label",
      "o kept: keep_last",
    ]);
    expect(
      plan([good("a", 0), good("y", 1, { marker }), good("o", 1.001, { marker, ...hold })], { keep_last: 5 }),
    ).toEqual(["a kept: keep_last", "y deleted: twin of o", "o held: held by its label"]);
  });

  test("planRetention treats snapshots with the same key as duplicates only if they also have the same request hash", () => {
    const other = {
      marker: { policy: "nightly", idempotencyKey: marker?.idempotencyKey ?? "", requestHash: "76543210" },
    };
    const found = [
      good("1", 1.004, { marker }),
      good("2", 1.003, other),
      good("3", 1.002, other),
      good("4", 1.001, { marker }),
    ];
    expect(plan(found, { keep_last: 5 })).toEqual([
      "4 deleted: twin of 1",
      "3 deleted: twin of 2",
      "2 kept: keep_last",
      "1 kept: keep_last",
    ]);
  });

  test("planRetention counts two snapshots of one key that were created more than 1 hour apart as different snapshots", () => {
    const apart = (minutes: number) => [good("y", 1, { marker }), good("o", 1 + minutes / 1_440, { marker })];
    expect(plan([...apart(60), good("b", 2)], { keep_last: 2 })).toEqual([
      "y deleted: twin of o",
      "o kept: keep_last",
      "b kept: keep_last",
    ]);
    expect(plan([...apart(61), good("b", 2)], { keep_last: 2 })).toEqual([
      "y kept: keep_last",
      "o kept: keep_last",
      "b deleted: kept by no rule",
    ]);
  });

  test("planRetention treats the third snapshot of a reused key as a duplicate of the second, not of the first", () => {
    const found = [good("3", 1, { marker }), good("2", 1.001, { marker }), good("1", 5, { marker })];
    expect(plan(found, { keep_last: 5 })).toEqual(["3 deleted: twin of 2", "2 kept: keep_last", "1 kept: keep_last"]);
  });

  test("planRetention counts only the first of three snapshots of one key that were created less than 1 hour after each other", () => {
    const found = [
      good("y", 1, { marker }),
      good("m", 1 + 50 / 1_440, { marker }),
      good("o", 1 + 100 / 1_440, { marker }),
      good("b", 2),
    ];
    expect(plan(found, { keep_last: 2 })).toEqual([
      "y deleted: twin of o",
      "m deleted: twin of o",
      "o kept: keep_last",
      "b kept: keep_last",
    ]);
  });

  test("planRetention holds a snapshot whose snapshot_type is copy, and does not delete it as a duplicate of the snapshot with the same marker", () => {
    const copy = good("copy", 1, { marker, raw: { snapshot_type: "copy" } });
    expect(plan([copy, good("o", 2, { marker })], { keep_last: 1 })).toEqual([
      "copy held: a copy",
      "o kept: keep_last",
    ]);
  });

  test("planRetention keeps a younger duplicate if fewer than min_keep snapshots would remain without the duplicate", () => {
    const found = [good("y", 1, { marker }), good("o", 1.001, { marker })];
    expect(plan(found, { keep_last: 1, min_keep: 2 })).toEqual(["y kept: min_keep", "o kept: keep_last"]);
    expect(plan([...found, good("b", 2)], { keep_last: 1, min_keep: 2 })[0]).toBe("y deleted: twin of o");
  });
});
