import { describe, expect, test } from "vitest";
import { after, type Instant, instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot, State } from "../../../shared/snapshots/kinds/kind.ts";
import { compareWithDisks, groupWith, seemsComplete } from "../../../shared/snapshots/kinds/snapshot-group.ts";
import type { AttachedDisk } from "../../../shared/snapshots/ports.ts";
import { group, START, snapshotOf } from "../../support/domain.ts";

describe("groupWith", () => {
  const member = (state: State, index: number) =>
    snapshotOf(`member-${index}`, `disk-${index}`, { state, status: `is ${state}` });
  const stateOf = (own: State, ...members: State[]) =>
    groupWith(snapshotOf("group", "server-1", { state: own }), members.map(member)).state;

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
  ])("groupWith returns for a group that is %s with members %j the state %s", (own, members, whole) => {
    expect(stateOf(own, ...members)).toBe(whole);
  });

  test("groupWith returns the group with its members", () => {
    const members = [member("available", 1), member("creating", 2)];
    const whole = groupWith(snapshotOf("group", "server-1"), members);
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
  ])(
    "seemsComplete returns for a group in the status %s with members in the states %j: %s",
    (status, members, complete) => {
      const read = group.read({ id: "group", status, server_id: "server-1" }) as FoundSnapshot;
      expect(seemsComplete(groupWith(read, members.map(member)))).toBe(complete);
    },
  );
});

describe("compareWithDisks", () => {
  const moment = (milliseconds: number) => after(START, milliseconds);
  const CREATED = moment(-60_000);
  const LATER = moment(-59_999);
  const whole = (...disks: (string | undefined)[]) =>
    snapshotOf("group", "server-1", {
      members: disks.map((resource, index) => snapshotOf(`member-${index}`, "", { resource })),
    });
  const compared = (members: FoundSnapshot, disks: AttachedDisk[], created: Instant | undefined = CREATED) => {
    const { state, stateDetail } = compareWithDisks(members, disks, START, created);
    return [state, stateDetail];
  };
  const missing = (id: string) => ["failed", `the member for disk ${id} is missing`];

  test("compareWithDisks keeps the state of a group with a member for each disk, in any case of the ids", () => {
    const one = whole("a", "b", "c");
    expect(compareWithDisks(one, [{ id: "A" }, { id: "b" }], START, CREATED)).toBe(one);
  });

  test("compareWithDisks returns failed for a group without a member for a disk, and ignores members without a disk", () => {
    expect(compared(whole("a"), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(whole("a", undefined), [{ id: "a" }, { id: "b" }])).toEqual(missing("b"));
    expect(compared(whole(), [{ id: "a" }])).toEqual(missing("a"));
  });

  test("compareWithDisks returns creating for a group that lacks a member in the first 6 s", () => {
    const stateAfter = (ms: number) => compared(whole("a"), [{ id: "b" }], moment(-ms))[0];
    expect([stateAfter(-60_000), stateAfter(0), stateAfter(5_999), stateAfter(6_000)]).toEqual([
      "creating",
      "creating",
      "creating",
      "failed",
    ]);
  });

  test("compareWithDisks ignores a disk that was attached later, by a credible time", () => {
    const since = (attachedAt: Instant | undefined) => compared(whole("a"), [{ id: "a" }, { id: "b", attachedAt }]);
    expect(since(LATER)).toEqual(["available", undefined]);
    for (const attachedAt of [CREATED, moment(-60_001), undefined, instant(0), moment(3_600_000)]) {
      expect(since(attachedAt), String(attachedAt)).toEqual(missing("b"));
    }
  });

  test("compareWithDisks requires a member for each disk if the creation time is unknown", () => {
    const found = compareWithDisks(whole("a"), [{ id: "a" }, { id: "b", attachedAt: START }], START, undefined);
    expect([found.state, found.stateDetail]).toEqual(missing("b"));
  });

  test("compareWithDisks returns unknown if no disk was attached when the group was created", () => {
    for (const disks of [[], [{ id: "a", attachedAt: LATER }]]) {
      expect(compared(whole("a"), disks)).toEqual([
        "unknown",
        "the list of disks shows none that its server had by then",
      ]);
    }
  });
});
