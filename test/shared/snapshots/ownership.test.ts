import { expect, test } from "vitest";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { foreignReason } from "../../../shared/snapshots/ownership.ts";

const ORDINARY: FoundSnapshot = {
  id: "a",
  name: "nightly-a",
  status: "available",
  state: "available",
  labels: {},
  raw: {},
};

test("foreignReason returns undefined for a snapshot that is not automatic, not part of a backup, not a copy and not a group member", () => {
  const others: Partial<FoundSnapshot>[] = [
    {},
    { name: "before autobk_snapshot_" },
    { name: "manualbk_snapshots" },
    { labels: { hold: "true" } },
    { raw: { snapshot_type: "manual", type: "MANUAL", snapshot_group_id: "" } },
    { raw: { snapshot_group_id: null, type: 1 } },
  ];
  expect(others.map((changes) => foreignReason({ ...ORDINARY, ...changes }))).toEqual(others.map(() => undefined));
});

test.each<[reason: string, changes: Partial<FoundSnapshot>]>([
  ["created by a backup", { name: "autobk_snapshot_2026" }],
  ["created by a backup", { name: "manualbk_snapshot_csbs_1" }],
  ["created by a backup", { name: " AutoBK_SNAPSHOT_" }],
  ["created by EVS itself", { labels: { __system__enableActive: "" } }],
  ["created by EVS itself", { raw: { snapshot_type: "auto" } }],
  ["a copy", { raw: { snapshot_type: "copy" } }],
  ["an automated snapshot", { raw: { type: "AUTO" } }],
  ["an automated snapshot", { raw: { type: "auto" } }],
  ["a member of a group", { raw: { snapshot_group_id: "b0b44f93" } }],
])('foreignReason returns "%s" for a snapshot with %j', (reason, changes) => {
  expect(foreignReason({ ...ORDINARY, ...changes })).toBe(reason);
});
