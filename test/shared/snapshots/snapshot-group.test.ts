import { describe, expect, test } from "vitest";
import { type Instant, instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot, State } from "../../../shared/snapshots/kinds/kind.ts";
import { addMembers, compareWithDisks, seemsComplete } from "../../../shared/snapshots/kinds/snapshot-group.ts";
import type { AttachedDisk } from "../../../shared/snapshots/ports.ts";
import { group, START, snapshotOf, startPlus } from "../../support/domain.ts";

describe("addMembers", () => {
  const member = (state: State, index: number) =>
    snapshotOf(`member-${index}`, `disk-${index}`, { state, status: `is ${state}` });
  const stateOf = (own: State, ...members: State[]) =>
    addMembers(snapshotOf("group", "server-1", { state: own }), members.map(member)).state;

  test.each<[own: State, members: State[], whole: State]>([
    ["available", ["available", "available"], "available"],
    ["available", ["available", "creating"], "creating"],
    ["available", [], "creating"],
    ["available", ["available", "failed"], "failed"],
    ["available", ["creating", "failed"], "failed"],
    ["available", ["available", "deleting"], "unknown"],
    ["available", ["available", "unknown"], "unknown"],
    ["available", ["creating", "unknown"], "unknown"],
    ["creating", [], "creating"],
    ["creating", ["available"], "creating"],
    ["creating", ["deleting"], "creating"],
    ["creating", ["available", "failed"], "failed"],
    ["unknown", ["available"], "unknown"],
    ["unknown", ["failed"], "failed"],
    ["failed", ["available"], "failed"],
    ["failed", ["deleting", "failed"], "failed"],
    ["deleting", ["failed"], "deleting"],
    ["deleting", ["available"], "deleting"],
  ])("addMembers combines the group state %s and the member states %j into the state %s", (own, members, whole) => {
    expect(stateOf(own, ...members)).toBe(whole);
  });

  test("addMembers adds the members to the fields of the group", () => {
    const members = [member("available", 1), member("creating", 2)];
    const whole = addMembers(snapshotOf("group", "server-1"), members);
    expect(whole).toMatchObject({ id: "group", resource: "server-1", members });
  });
});

describe("seemsComplete", () => {
  const member = (state: State) => snapshotOf(`is-${state}`, "disk-1", { state });
  test.each<[status: string, members: State[], complete: boolean]>([
    ["available", ["available"], true],
    ["avaialble", ["available", "available"], true],
    ["AVAILABLE", [], true],
    ["available", ["creating"], false],
    ["available", ["available", "creating"], false],
    ["available", ["unknown"], false],
    ["available", ["failed"], false],
    ["creating", ["available"], false],
    ["creating", [], false],
    ["deleting", ["available"], false],
    ["quantum", ["available"], false],
  ])("seemsComplete, given the group status %s and the member states %j, returns %s", (status, members, complete) => {
    const read = group.read({ id: "group", status, server_id: "server-1" }) as FoundSnapshot;
    expect(seemsComplete(addMembers(read, members.map(member)))).toBe(complete);
  });
});

describe("compareWithDisks", () => {
  const CREATED = startPlus(-60_000);
  const LATER = startPlus(-59_999);
  const groupOf = (...disks: (string | undefined)[]) =>
    snapshotOf("group", "server-1", {
      members: disks.map((resource, index) => snapshotOf(`member-${index}`, "", { resource })),
    });
  const compared = (members: FoundSnapshot, disks: AttachedDisk[], created: Instant | undefined = CREATED) => {
    const { state, stateDetail } = compareWithDisks(members, disks, START, created);
    return [state, stateDetail];
  };
  const missing = (id: string) => ["failed", `the member for disk ${id} is missing`];

  test("compareWithDisks returns the group unchanged if each disk has a member, and ignores the case of the ids", () => {
    const found = groupOf("a", "b", "c");
    expect(compareWithDisks(found, [{ id: "A" }, { id: "b" }], START, CREATED)).toBe(found);
  });

  test("compareWithDisks returns the state failed and names the missing disk if the group lacks a snapshot of one of the server's disks", () => {
    expect(compared(groupOf("a"), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(groupOf("a", undefined), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(groupOf(), [{ id: "a" }])).toEqual(missing("a"));
  });

  test("compareWithDisks returns the state creating if a member is missing in the first 6 s after the group was created", () => {
    const stateAfter = (ms: number) => compared(groupOf("a"), [{ id: "b" }], startPlus(-ms))[0];
    expect([stateAfter(-60_000), stateAfter(0), stateAfter(5_999), stateAfter(6_000)]).toEqual([
      "creating",
      "creating",
      "creating",
      "failed",
    ]);
  });

  test("compareWithDisks ignores a disk that was attached after the group was created, if the attachment time is plausible", () => {
    const comparedWith = (attachedAt: Instant | undefined) =>
      compared(groupOf("a"), [{ id: "a" }, { id: "b", attachedAt }]);
    expect(comparedWith(LATER)).toEqual(["available", undefined]);
    for (const attachedAt of [CREATED, startPlus(-60_001), undefined, instant(0), startPlus(3_600_000)]) {
      expect(comparedWith(attachedAt), String(attachedAt)).toEqual(missing("b"));
    }
  });

  test("compareWithDisks reports a missing member for each disk without a member if the creation time of the group is unknown", () => {
    const found = compareWithDisks(groupOf("a"), [{ id: "a" }, { id: "b", attachedAt: START }], START, undefined);
    expect([found.state, found.stateDetail]).toEqual(missing("b"));
  });

  test("compareWithDisks returns the state unknown if the server had no disk when the group was created", () => {
    for (const disks of [[], [{ id: "a", attachedAt: LATER }]]) {
      expect(compared(groupOf("a"), disks)).toEqual([
        "unknown",
        "EVS lists no disk that the server had at the group's creation",
      ]);
    }
  });
});
