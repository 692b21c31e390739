import { describe, expect, test } from "vitest";
import { after, before, instant } from "../../../shared/core/instant.ts";
import type { FoundSnapshot, Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { type VerifyOptions, verify } from "../../../shared/snapshots/verify.ts";
import {
  cloudError,
  cluster,
  createFixture,
  group,
  MINUTE_MS,
  markerOf,
  START,
  STATUS,
  snapshot,
  snapshotOf,
} from "../../support/domain.ts";

const minutesAgo = (minutes: number) => before(START, minutes * MINUTE_MS);
const timeMinutesAgo = (minutes: number) => new Date(minutesAgo(minutes)).toISOString();

/**
 * Calls `verify` for the given snapshots. Returns the number of checked snapshots, the result records, and a line for each record
 * without the creation time.
 */
async function verifyWith(found: FoundSnapshot[], options: Partial<VerifyOptions> = {}, kind: Kind = snapshot) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...found);
  const count = await verify({ time: START, lookbackMinutes: 60, ...options }, fixture.runContext);
  const outcomes = fixture.outcomes().map((line) => line.replace(/:? Created at \S+Z\./, ""));
  return { count, outcomes, records: fixture.records };
}

describe("the snapshots that verify checks", () => {
  const old = (changes: Partial<FoundSnapshot> = {}) =>
    snapshotOf("old", "disk-1", { created: minutesAgo(121), ...changes });

  test("verify checks snapshots that are 60 minutes old and younger if the lookback is 60 minutes", async () => {
    const ages = [59, 60, 61].map((age) => snapshotOf(`${age}`, "disk-1", { created: minutesAgo(age) }));
    expect(await verifyWith(ages)).toMatchObject({ count: 2, outcomes: ["59 available", "60 available"] });
  });

  test("verify also checks failed snapshots that are older than the lookback but have possibly failed within the lookback", async () => {
    const edge = snapshotOf("edge", "disk-1", { ...STATUS.failed, created: minutesAgo(120) });
    expect(await verifyWith([old(STATUS.failed), edge])).toMatchObject({
      count: 1,
      records: [{ snapshot_id: "edge", outcome: "failed" }],
    });
    expect(await verifyWith([old(STATUS.failed)], { lookbackMinutes: 61 })).toMatchObject({ count: 1 });
    expect(await verifyWith([old(STATUS.failed)], { stuckAfterMinutes: 61 })).toMatchObject({ count: 1 });
    expect(await verifyWith([edge], { stuckAfterMinutes: 59 })).toMatchObject({ count: 0 });
    const hours = [6.99, 7, 7.01].map((age, index) =>
      snapshotOf(`${index}`, "", { ...STATUS.failed, created: minutesAgo(age * 60) }),
    );
    expect(await verifyWith(hours, {}, cluster)).toMatchObject({ count: 2 });
  });

  test("verify checks snapshots with the status error_deleting of any age, but no old snapshots with the status deleting", async () => {
    expect((await verifyWith([old(STATUS.stuckDeleting), old(STATUS.deleting)])).count).toBe(1);
  });

  test("verify checks an old group if one of its members is recent, creating or stuck in deletion", async () => {
    const groupWith = (member: Partial<FoundSnapshot>) => old({ members: [old(), old(member)] });
    expect((await verifyWith([groupWith({})], {}, group)).count).toBe(0);
    for (const member of [STATUS.creating, STATUS.stuckDeleting, { created: minutesAgo(60) }, { created: undefined }]) {
      expect((await verifyWith([groupWith(member)], {}, group)).count).toBe(1);
    }
  });

  test('verify checks an old snapshot if its field "updated_at", "finished" or "updated" contains a time within the lookback', async () => {
    for (const field of ["updated_at", "finished", "updated"]) {
      expect((await verifyWith([old({ raw: { [field]: timeMinutesAgo(60) } })])).outcomes, field).toEqual([
        "old available",
      ]);
      expect((await verifyWith([old({ raw: { [field]: timeMinutesAgo(61) } })])).outcomes, field).toEqual([]);
    }
  });

  test("verify checks old snapshots that are still creating or have an unknown status", async () => {
    for (const changes of [STATUS.creating, STATUS.unknown]) expect((await verifyWith([old(changes)])).count).toBe(1);
  });

  test.each([
    ["unknown", undefined, "unknown"],
    ["in the last millisecond of 2014", Date.UTC(2015, 0) - 1, "before 2015"],
    ["more than 1 hour in the future", START + 3_600_001, "in the future"],
  ])("verify writes a warning about an available snapshot whose creation time is %s", async (_what, time, what) => {
    const created = time === undefined ? undefined : instant(time);
    const { outcomes, records } = await verifyWith([old({ created })]);
    expect(outcomes[0]).toMatch(
      new RegExp(
        `^old available:? Prune neither counts nor deletes the snapshot, because its creation time is ${what}\\. Delete it by hand if you do not need it\\.$`,
      ),
    );
    expect(records).toMatchObject([{ level: "warn" }]);
  });

  test("verify writes no warning about creation times from 2015 to 1 hour in the future", async () => {
    expect((await verifyWith([old({ created: instant(Date.UTC(2015, 0)) })])).count).toBe(0);
    const { records } = await verifyWith([old({ created: instant(START + 3_600_000) })]);
    expect(records).toMatchObject([{ outcome: "available" }]);
    expect(records[0]).not.toHaveProperty("level");
  });

  test("verify accepts the creation times up to 1 hour after the event time if the event time is later than the clock", async () => {
    const late = after(START, 24 * 60 * MINUTE_MS);
    const { records } = await verifyWith([old({ created: late })], { time: late });
    expect(records[0]).not.toHaveProperty("level");
  });

  test("verify ignores snapshots without a marker, and copies of snapshots", async () => {
    const ignored = [
      snapshotOf("a", "disk-1", { marker: undefined }),
      snapshotOf("b", "disk-1", { raw: { snapshot_type: "copy" } }),
    ];
    expect(await verifyWith(ignored)).toMatchObject({ count: 0, outcomes: [] });
  });

  test("verify writes a failed record for a kind whose list request fails, and checks the snapshots of the other kinds", async () => {
    const fixture = createFixture();
    fixture.cloud.add(cluster, snapshotOf("a", "cluster-1"));
    fixture.cloud.onNextCalls("listAll", cloudError("AccessDenied"));
    expect(await verify({ time: START, lookbackMinutes: 60 }, fixture.runContext)).toBe(1);
    expect(fixture.records).toMatchObject([
      { action: "verify", kind: "snapshot", outcome: "failed" },
      { action: "verify", kind: "cluster-snapshot", resource_id: "cluster-1", outcome: "available" },
    ]);
  });
});

describe("the records of verify", () => {
  test("verify writes a record with the snapshot's id, name, resource and policy", async () => {
    const { records } = await verifyWith([snapshotOf("a", "disk-1")]);
    expect(records).toEqual([
      {
        action: "verify",
        kind: "snapshot",
        resource_id: "disk-1",
        name: "nightly-a",
        snapshot_id: "a",
        policy: "nightly",
        outcome: "available",
        detail: `Created at ${timeMinutesAgo(0)}.`,
      },
    ]);
  });

  test("verify writes a failed record with the error SnapshotFailed and the status for a failed snapshot", async () => {
    const { records } = await verifyWith([snapshotOf("a", "disk-1", STATUS.failed)]);
    expect(records).toMatchObject([
      {
        outcome: "failed",
        error: {
          reason: "SnapshotFailed",
          message: 'Expected the snapshot a of disk-1 to become available; its status is "error".',
        },
        detail:
          "The snapshot exists but is in an error state. Check the disk or cluster, then create another snapshot.",
      },
    ]);
  });

  test("verify writes no record for a creating snapshot until the snapshot has been creating for 60 minutes, or 6 hours in DWS", async () => {
    const creating = (minutes: number) =>
      snapshotOf("a", "disk-1", { ...STATUS.creating, created: minutesAgo(minutes) });
    const stuck = (minutes: number) => [
      `a unverified: Stuck: the snapshot has been in creation for ${minutes} minutes. Check the disk or cluster, and create another snapshot. Delete this snapshot by hand if its creation never ends.`,
    ];
    expect(await verifyWith([creating(60)])).toMatchObject({ count: 1, outcomes: [] });
    expect((await verifyWith([creating(61)])).outcomes).toEqual(stuck(61));
    expect((await verifyWith([creating(61.9)])).outcomes).toEqual(stuck(61));
    expect((await verifyWith([creating(61)], {}, cluster)).outcomes).toEqual([]);
    expect((await verifyWith([creating(361)], {}, cluster)).outcomes).toEqual(stuck(361));
    expect((await verifyWith([creating(6)], { stuckAfterMinutes: 5 })).outcomes).toEqual(stuck(6));
    expect((await verifyWith([creating(5)], { stuckAfterMinutes: 5 })).outcomes).toEqual([]);
  });

  test("verify writes an unverified record for a creating snapshot without a creation time", async () => {
    expect(
      (await verifyWith([snapshotOf("a", "disk-1", { ...STATUS.creating, created: undefined })])).outcomes,
    ).toEqual([
      "a unverified: The snapshot is in creation, and its creation time cannot be read. Prune neither counts nor deletes the snapshot, because its creation time is unknown. Delete it by hand if you do not need it.",
    ]);
  });

  test("verify writes no record for a snapshot that is being deleted, and an unverified record if the deletion failed", async () => {
    expect((await verifyWith([snapshotOf("a", "disk-1", STATUS.deleting)])).outcomes).toEqual([]);
    expect((await verifyWith([snapshotOf("a", "disk-1", STATUS.stuckDeleting)])).outcomes).toEqual([
      'a unverified: The status is "error_deleting": only the support of Huawei Cloud can delete the snapshot.',
    ]);
    expect(
      (await verifyWith([snapshotOf("a", "disk-1", { ...STATUS.deleting, status: "ERROR_DELETING" })])).outcomes,
    ).toHaveLength(1);
  });

  test("verify writes an unverified record with the literal status if the status is unknown", async () => {
    expect((await verifyWith([snapshotOf("a", "disk-1", STATUS.unknown)])).outcomes).toEqual([
      'a unverified: The snapshot has the unknown status "rollbacking". Check it on the console: prune neither counts nor deletes it.',
    ]);
  });
});

describe("verify with groups", () => {
  const members = [
    snapshotOf("m-1", "disk-1"),
    snapshotOf("m-2", "disk-2", STATUS.failed),
    snapshotOf("m-3", "disk-3", STATUS.failed),
  ];

  test("verify writes the members of a group and their statuses into the detail of the record", async () => {
    const good = snapshotOf("g", "server-1", { members: members.slice(0, 1) });
    expect((await verifyWith([good], {}, group)).outcomes).toEqual(["g available Members: m-1 available."]);
    const failed = snapshotOf("g", "server-1", { ...STATUS.failed, members: [] });
    expect((await verifyWith([failed], {}, group)).records[0]?.detail).toMatch(/ Members: none\.$/);
  });

  test("verify names each status of a failed group's members once in the error message", async () => {
    const { records } = await verifyWith([snapshotOf("g", "server-1", { ...STATUS.failed, members })], {}, group);
    expect(records[0]?.error?.message).toBe(
      'Expected the snapshot-group g of server-1 to become available; its status is "error" (members: "available", "error").',
    );
    expect(records[0]?.detail).toMatch(/ Members: m-1 available, m-2 error, m-3 error\.$/);
  });

  test('verify names the disks of a failed group of individual disks, or "several disks" if the group has no members', async () => {
    const disks = { resource: undefined, ...STATUS.failed };
    const known = await verifyWith([snapshotOf("g", "", { ...disks, members })], {}, group);
    expect(known.records[0]?.error?.message).toContain("g of disk-1,disk-2,disk-3 to become");
    const unknown = await verifyWith([snapshotOf("g", "", { ...disks, members: [] })], {}, group);
    expect(unknown.records[0]?.error?.message).toContain("g of several disks to become");
    expect(unknown.records[0]?.error?.message).toContain('its status is "error".');
  });
});

describe("verify with duplicates", () => {
  const marker = markerOf("same");
  const older = snapshotOf("a", "disk-1", { marker, created: minutesAgo(2) });
  const younger = snapshotOf("b", "disk-1", { marker, created: minutesAgo(1) });
  const duplicateOf = (of: string) => `Duplicate of ${of}: prune deletes this snapshot once ${of} is available.`;

  test("verify names the older snapshot in the record of a younger duplicate", async () => {
    expect((await verifyWith([younger, older])).outcomes).toEqual([`b available ${duplicateOf("a")}`, "a available"]);
    const stuck = { ...younger, ...STATUS.creating };
    expect((await verifyWith([older, stuck], { stuckAfterMinutes: 0 })).outcomes).toEqual([
      "a available",
      expect.stringMatching(
        /^b unverified: Stuck: .* Duplicate of a: prune deletes this snapshot once a is available\.$/,
      ),
    ]);
  });

  test("verify writes a warning that prune keeps a snapshot whose key was first used more than 1 hour before", async () => {
    const first = { ...older, created: minutesAgo(62) };
    expect((await verifyWith([younger, first])).outcomes[0]).toBe(
      "b available Duplicate of a, but created more than 1 hour later: prune does not delete this snapshot as a duplicate.",
    );
    const recent = { ...older, created: minutesAgo(61) };
    expect((await verifyWith([younger, recent])).outcomes[0]).toBe(`b available ${duplicateOf("a")}`);
  });

  test("verify sets the level warn in the record of the younger duplicate and in no other record", async () => {
    const { records } = await verifyWith([younger, older]);
    expect(records.map(({ snapshot_id, level }) => [snapshot_id, level])).toEqual([
      ["b", "warn"],
      ["a", undefined],
    ]);
  });

  test("verify reports no duplicate if the older snapshot failed or is being deleted", async () => {
    for (const changes of [STATUS.failed, STATUS.deleting]) {
      expect((await verifyWith([{ ...older, ...changes }, younger])).outcomes.at(-1)).toBe("b available");
    }
  });

  test("verify reports no duplicate if two snapshots with the same key are of different disks", async () => {
    expect((await verifyWith([older, { ...younger, resource: "disk-2" }])).outcomes).toEqual([
      "a available",
      "b available",
    ]);
  });
});
