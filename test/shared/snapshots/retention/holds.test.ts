import { describe, expect, test } from "vitest";
import { createHoldCheck } from "../../../../shared/snapshots/retention/holds.ts";
import { snapshotOf } from "../../../support/domain.ts";

/** Visits snapshots with these names and returns the notice about the policy field `hold`. */
function noticeOf(hold: string[], names: string[]): string | undefined {
  const check = createHoldCheck(hold);
  names.forEach((name, index) => void check.visit(snapshotOf(`id-${index}`, "disk-1", { name })));
  return check.notice();
}

const NOTHING_SIMILAR = 'hold: expected ids or names of existing snapshots, got "audit-2026". Correct or remove them.';

describe("createHoldCheck", () => {
  test("createHoldCheck returns no notice if each item is the id or the name of a snapshot", () => {
    expect(noticeOf([], ["a"])).toBeUndefined();
    expect(noticeOf(["ID-0", " b ", "re\u0301"], ["a", "B", "R\u00c9"])).toBeUndefined();
  });

  test("createHoldCheck ignores invisible characters in an item and in a name", () => {
    expect(noticeOf(["au\u200bdit"], ["audit"])).toBeUndefined();
    expect(noticeOf(["audit"], ["\ufeffaudit"])).toBeUndefined();
  });

  test("createHoldCheck returns no notice if an item is the name of a snapshot and has 255 characters", () => {
    const name = "a".repeat(255);
    expect(noticeOf([name], [name])).toBeUndefined();
  });

  test("createHoldCheck suggests a name that has exactly a third of the item's characters in common", () => {
    expect(noticeOf(["audi-2026-xy"], ["audi"])).toContain('Similar to "audi-2026-xy": "audi".');
    expect(noticeOf(["audi-2026-xyz"], ["audi"])).not.toContain("Similar");
  });

  test("createHoldCheck keeps the similar name that was listed first if another name is as similar", () => {
    const names = ["audit-1", "audit-2", "audit-3", "audit-4"];
    expect(noticeOf(["audit-0"], names)).toContain('Similar to "audit-0": "audit-1", "audit-2", "audit-3".');
  });

  test("createHoldCheck separates the similar names of two items", () => {
    expect(noticeOf(["audit-20261", "weekly-7x"], ["audit-2026", "weekly-7"])).toMatch(
      /Correct or remove them\. Similar to "audit-20261": "audit-2026"\. Similar to "weekly-7x": "weekly-7"\.$/,
    );
  });

  test("createHoldCheck ignores snapshots without a name, even if an item of the hold contains only blanks", () => {
    expect(noticeOf(["  "], [""])).toBe(
      'hold: expected ids or names of existing snapshots, got "  ". Correct or remove them.',
    );
  });

  test("createHoldCheck returns the similar id of a snapshot", () => {
    expect(noticeOf(["id-00"], ["x"])).toContain('Similar to "id-00": "id-0".');
  });

  test.each([
    ["have less than 4 characters in common", ["aud-9999"]],
    ["have less than a third of the item's characters in common", ["2026-audit", "026"]],
    ["have more than 255 characters", [`audit-2026${"x".repeat(246)}`]],
  ])("createHoldCheck returns no similar names that %s", (_what, names) => {
    expect(noticeOf(["audit-2026"], names)).toBe(NOTHING_SIMILAR);
  });

  test("createHoldCheck suggests the existing name if an entry of hold has a mistake at its start or end, or two mistakes", () => {
    for (const item of ["efore-audit", "before-audi", "before_audit", "befor-audits"]) {
      expect(noticeOf([item], ["weekly", "before-audit"])).toContain(`Similar to "${item}": "before-audit".`);
    }
  });

  test("createHoldCheck does not count a character twice if it belongs to the common start and to the common end of two names", () => {
    expect(noticeOf(["aaaaaaaaaaaaa"], ["aaaa"])).not.toContain("Similar");
    expect(noticeOf(["audit-2026"], ["au-2026"])).toContain('Similar to "audit-2026": "au-2026".');
  });

  test("createHoldCheck returns the three most similar names, each of them once, although the list is read twice", () => {
    const names = ["audit-2026-1234", "audit-2026-1", "audit-2026-12", "audit-2026-123", "audit-2025"];
    expect(noticeOf(["audit-2026"], [...names, ...names])).toBe(
      `${NOTHING_SIMILAR} Similar to "audit-2026": "audit-2025", "audit-2026-1", "audit-2026-12".`,
    );
  });

  test("createHoldCheck searches similar names for 10 items", () => {
    const items = Array.from({ length: 12 }, (_, index) => `release-${index}x`);
    const notice = noticeOf(items, ["release-"]);
    expect(notice).toContain('Similar to "release-9x"');
    expect(notice).not.toContain('Similar to "release-10x"');
  });
});
