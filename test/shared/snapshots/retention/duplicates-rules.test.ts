/** Tests comparisons of two snapshots that prune itself never makes, because it finds the two snapshots in one list response. */
import { describe, expect, test } from "vitest";
import type { FoundSnapshot } from "../../../../shared/snapshots/kinds/kind.ts";
import {
  applyDuplicateRules,
  findBrokenRule,
  findDuplicates,
} from "../../../../shared/snapshots/retention/duplicates.ts";
import {
  group,
  HOUR_MS,
  MINUTE_MS,
  markerOf,
  START,
  snapshot,
  snapshotOf,
  startPlus,
} from "../../../support/domain.ts";
import { duplicatesOf, generatedName, MEMBERS, marker } from "../../../support/duplicates.ts";

const OPTIONS = { hold: new Set<string>(), now: START };
const [memberA, memberB] = MEMBERS as [FoundSnapshot, FoundSnapshot];
const pairOf = (...parameters: Parameters<typeof duplicatesOf>) =>
  duplicatesOf(...parameters) as [FoundSnapshot, FoundSnapshot];

describe("findBrokenRule", () => {
  test("findBrokenRule returns a rule if both snapshots are the same one, or if the younger snapshot is now the older one", () => {
    const [old, young] = pairOf(snapshot);
    expect(findBrokenRule(snapshot, old, young, OPTIONS)).toBeUndefined();
    expect(findBrokenRule(snapshot, old, old, OPTIONS)).toBe("it is the same snapshot");
    expect(findBrokenRule(snapshot, young, old, OPTIONS)).toBe("old is older");
  });

  test.each([
    ["no marker", undefined],
    ["another policy", { ...marker, policy: "weekly" }],
    ["another idempotency key", { ...marker, idempotencyKey: markerOf("other").idempotencyKey }],
    ["another request hash", { ...marker, requestHash: "76543210" }],
  ])("findBrokenRule returns a rule if one of the snapshots has %s", (_, other) => {
    const [old, young] = pairOf(snapshot);
    expect(findBrokenRule(snapshot, { ...old, marker: other }, young, OPTIONS)).toBe("their markers differ");
    expect(findBrokenRule(snapshot, old, { ...young, marker: other }, OPTIONS)).toBe("their markers differ");
    if (other === undefined) {
      const without = [old, young].map((found) => ({ ...found, marker: other })) as [FoundSnapshot, FoundSnapshot];
      expect(findBrokenRule(snapshot, ...without, OPTIONS)).toBe("their markers differ");
    }
  });

  test("findBrokenRule returns no rule for two groups with the same members, even if the members are listed in another order", () => {
    const [old, young] = pairOf(group, {}, { members: [memberB, memberA] });
    expect(findBrokenRule(group, old, young, OPTIONS)).toBeUndefined();
  });

  test("findBrokenRule compares the disk ids of two groups one by one", () => {
    const membersOf = (...disks: string[]) => disks.map((disk) => ({ ...memberA, id: `m-${disk}`, resource: disk }));
    const [old, young] = pairOf(group, { members: membersOf("a", "bc") }, { members: membersOf("ab", "c") });
    expect(findBrokenRule(group, old, young, OPTIONS)).toBe("their member disks differ or are unknown");
  });

  test("findBrokenRule returns a rule if the members of the groups are unknown", () => {
    const [old, young] = pairOf(group, { members: undefined }, { members: undefined });
    expect(findBrokenRule(group, old, young, OPTIONS)).toBe("their member disks differ or are unknown");
  });
});

describe("findDuplicates", () => {
  test("findDuplicates ignores snapshots without a marker", () => {
    const [old, young] = pairOf(snapshot);
    const unmarked = [old, young].map((found) => ({ ...found, id: `${found.id}-unmarked`, marker: undefined }));
    const found = [...findDuplicates(snapshot, [...unmarked, old, young], OPTIONS).keys()];
    expect(found.map(({ id }) => id)).toEqual(["young"]);
  });

  test.each([
    [19, "deleted"],
    [20, "kept"],
  ])("if %i snapshots with other names are between two duplicates, the younger duplicate is %s", (count, end) => {
    const at = (minutes: number) => startPlus(-10 * HOUR_MS + minutes * MINUTE_MS);
    const named = (id: string, minutes: number, attempt: number) => {
      const found = snapshotOf(id, "res-1", { marker, created: at(minutes) });
      return { ...found, name: generatedName(snapshot, found, attempt) };
    };
    const others = Array.from({ length: count }, (_, index) =>
      snapshotOf(`other-${index}`, "res-1", { marker, created: at(1 + index), name: `by-hand-${index}` }),
    );
    const young = named("young", 40, 2);
    const duplicate = findDuplicates(snapshot, [named("old", 0, 1), ...others, young], OPTIONS).get(young);
    expect(duplicate?.brokenRule === undefined ? "deleted" : "kept").toBe(end);
  });
});

test("applyDuplicateRules keeps a duplicate that breaks a rule, and no longer treats it as a duplicate", () => {
  const [original, young] = pairOf(snapshot);
  const verdict = { snapshot: young, decision: "deleted" as const, rule: "", isDuplicate: true };
  expect(applyDuplicateRules(verdict, { original, brokenRule: "their names differ" })).toEqual({
    ...verdict,
    decision: "kept",
    rule: "possible twin of old, but their names differ",
    isDuplicate: false,
  });
});
