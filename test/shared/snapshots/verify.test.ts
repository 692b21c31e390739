import { describe, expect, test } from "vitest";
import { before } from "../../../shared/core/instant.ts";
import type { FoundSnapshot, Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { type VerifyOptions, verify } from "../../../shared/snapshots/verify.ts";
import {
  CREATING,
  cloudError,
  cluster,
  createFixture,
  DELETING,
  type DomainFixture,
  FAILED,
  group,
  MINUTE_MS,
  markerOf,
  START,
  STUCK_DELETING,
  snapshot,
  snapshotOf,
  standard,
  UNKNOWN,
} from "../../support/domain.ts";

const minutesAgo = (minutes: number) => before(START, minutes * MINUTE_MS);
const text = (minutes: number) => new Date(minutesAgo(minutes)).toISOString();

/** Runs verify with the given snapshots and returns its records. */
async function outcomes(found: FoundSnapshot[], options: Partial<VerifyOptions> = {}, kind: Kind = snapshot) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...found);
  const count = await verify({ time: START, lookbackMinutes: 60, ...options }, fixture.runContext);
  expect(fixture.unbalancedRecords()).toBe(0);
  return { count, outcomes: fixture.outcomes(), records: fixture.records };
}

describe("the snapshots that verify checks", () => {
  const old = (changes: Partial<FoundSnapshot> = {}) =>
    snapshotOf("old", "disk-1", { created: minutesAgo(121), ...changes });

  test("verify checks snapshots that were created within the lookback, to the minute", async () => {
    const ages = [59, 60, 61].map((age) => snapshotOf(`${age}`, "disk-1", { created: minutesAgo(age) }));
    expect(await outcomes(ages)).toMatchObject({ count: 2, outcomes: ["59 available", "60 available"] });
  });

  test("verify checks failed snapshots that may still have been in creation when the lookback began", async () => {
    const edge = snapshotOf("edge", "disk-1", { ...FAILED, created: minutesAgo(120) });
    expect(await outcomes([old(FAILED), edge])).toMatchObject({
      count: 1,
      records: [{ snapshot_id: "edge", outcome: "failed" }],
    });
    expect(await outcomes([old(FAILED)], { lookbackMinutes: 61 })).toMatchObject({ count: 1 });
    expect(await outcomes([old(FAILED)], { stuckAfterMinutes: 61 })).toMatchObject({ count: 1 });
    expect(await outcomes([edge], { stuckAfterMinutes: 59 })).toMatchObject({ count: 0 });
    const hours = [6.99, 7, 7.01].map((age, index) =>
      snapshotOf(`${index}`, "", { ...FAILED, created: minutesAgo(age * 60) }),
    );
    expect(await outcomes(hours, {}, cluster)).toMatchObject({ count: 2 });
  });

  test("verify checks snapshots that cannot be deleted, however old they are", async () => {
    expect((await outcomes([old(STUCK_DELETING), old(DELETING)])).count).toBe(1);
  });

  test("verify checks a group if it checks one of its members", async () => {
    const groupWith = (member: Partial<FoundSnapshot>) => old({ members: [old(), old(member)] });
    expect((await outcomes([groupWith({})], {}, group)).count).toBe(0);
    for (const member of [CREATING, STUCK_DELETING, { created: minutesAgo(60) }, { created: undefined }]) {
      expect((await outcomes([groupWith(member)], {}, group)).count).toBe(1);
    }
  });

  test("verify checks snapshots that changed within the lookback, whichever field has the time", async () => {
    for (const field of ["updated_at", "finished", "updated"]) {
      expect((await outcomes([old({ raw: { [field]: text(60) } })])).outcomes, field).toEqual(["old available"]);
      expect((await outcomes([old({ raw: { [field]: text(61) } })])).outcomes, field).toEqual([]);
    }
  });

  test("verify checks old snapshots that are still being created, and snapshots without a time", async () => {
    expect((await outcomes([old(CREATING)])).count).toBe(1);
    expect((await outcomes([old({ created: undefined })])).outcomes).toEqual(["old available"]);
  });

  test("verify checks only snapshots of this project, without copies", async () => {
    const theirs = [
      snapshotOf("a", "disk-1", { marker: undefined }),
      snapshotOf("b", "disk-1", { raw: { snapshot_type: "copy" } }),
    ];
    expect(await outcomes(theirs)).toMatchObject({ count: 0, outcomes: [] });
  });

  test("verify checks every kind and continues if one cannot be listed", async () => {
    const fixture = createFixture();
    fixture.cloud.add(cluster, snapshotOf("a", "cluster-1"));
    fixture.cloud.at("listAll", cloudError("AccessDenied"));
    expect(await verify({ time: START, lookbackMinutes: 60 }, fixture.runContext)).toBe(1);
    expect(fixture.records).toMatchObject([
      { action: "verify", kind: "snapshot", outcome: "failed" },
      { action: "verify", kind: "cluster-snapshot", resource_id: "cluster-1", outcome: "available" },
    ]);
  });
});

describe("the records of verify", () => {
  test("verify records the snapshot, its resource and its policy", async () => {
    const { records } = await outcomes([snapshotOf("a", "disk-1")]);
    expect(records).toEqual([
      {
        action: "verify",
        kind: "snapshot",
        resource_id: "disk-1",
        name: "nightly-a",
        snapshot_id: "a",
        policy: "nightly",
        outcome: "available",
      },
    ]);
  });

  test("verify records a failed snapshot as an error with its status", async () => {
    const { records } = await outcomes([snapshotOf("a", "disk-1", FAILED)]);
    expect(records).toMatchObject([
      {
        outcome: "failed",
        error: {
          reason: "SnapshotFailed",
          message: 'Expected the snapshot a of disk-1 to become available; its status is "error".',
        },
      },
    ]);
  });

  test("verify leaves a snapshot in creation for the next run until it takes longer than its kind allows", async () => {
    const creating = (minutes: number) => snapshotOf("a", "disk-1", { ...CREATING, created: minutesAgo(minutes) });
    const stuck = (minutes: number) => [
      `a unverified: Stuck: the snapshot has been in creation for ${minutes} minutes.`,
    ];
    expect(await outcomes([creating(60)])).toMatchObject({ count: 1, outcomes: [] });
    expect((await outcomes([creating(61)])).outcomes).toEqual(stuck(61));
    expect((await outcomes([creating(61.9)])).outcomes).toEqual(stuck(61));
    expect((await outcomes([creating(61)], {}, cluster)).outcomes).toEqual([]);
    expect((await outcomes([creating(361)], {}, cluster)).outcomes).toEqual(stuck(361));
    expect((await outcomes([creating(6)], { stuckAfterMinutes: 5 })).outcomes).toEqual(stuck(6));
    expect((await outcomes([creating(5)], { stuckAfterMinutes: 5 })).outcomes).toEqual([]);
  });

  test("verify records a snapshot in creation without a time as unverified", async () => {
    expect((await outcomes([snapshotOf("a", "disk-1", { ...CREATING, created: undefined })])).outcomes).toEqual([
      "a unverified: The snapshot is in creation, and its creation time cannot be read.",
    ]);
  });

  test("verify skips a snapshot that is being deleted, unless the deletion failed", async () => {
    expect((await outcomes([snapshotOf("a", "disk-1", DELETING)])).outcomes).toEqual([]);
    expect((await outcomes([snapshotOf("a", "disk-1", STUCK_DELETING)])).outcomes).toEqual([
      'a unverified: The status is "error_deleting": only the support of Huawei Cloud can delete the snapshot.',
    ]);
    expect(
      (await outcomes([snapshotOf("a", "disk-1", { ...DELETING, status: "ERROR_DELETING" })])).outcomes,
    ).toHaveLength(1);
  });

  test("verify records an unknown status word for word", async () => {
    expect((await outcomes([snapshotOf("a", "disk-1", UNKNOWN)])).outcomes).toEqual([
      'a unverified: The snapshot has the unknown status "rollbacking".',
    ]);
  });
});

describe("verify with groups", () => {
  const members = [
    snapshotOf("m-1", "disk-1"),
    snapshotOf("m-2", "disk-2", FAILED),
    snapshotOf("m-3", "disk-3", FAILED),
  ];

  test("verify lists the members of a group with their statuses", async () => {
    const good = snapshotOf("g", "server-1", { members: members.slice(0, 1) });
    expect((await outcomes([good], {}, group)).outcomes).toEqual(["g available: Members: m-1 available."]);
    const empty = snapshotOf("g", "server-1", { members: [] });
    expect((await outcomes([empty], {}, group)).outcomes).toEqual(["g available: Members: none."]);
  });

  test("verify lists each status of the members of a failed group once", async () => {
    const { records } = await outcomes([snapshotOf("g", "server-1", { ...FAILED, members })], {}, group);
    expect(records[0]?.error?.message).toBe(
      'Expected the snapshot-group g of server-1 to become available; its status is "error" (members: "available", "error").',
    );
    expect(records[0]?.detail).toBe("Members: m-1 available, m-2 error, m-3 error.");
  });

  test("verify names the disks of a group of individual disks, or several disks if they are unknown", async () => {
    const disks = { resource: undefined, ...FAILED };
    const known = await outcomes([snapshotOf("g", "", { ...disks, members })], {}, group);
    expect(known.records[0]?.error?.message).toContain("g of disk-1,disk-2,disk-3 to become");
    const unknown = await outcomes([snapshotOf("g", "", { ...disks, members: [] })], {}, group);
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
    expect((await outcomes([younger, older])).outcomes).toEqual([`b available: ${duplicateOf("a")}`, "a available"]);
    const stuck = { ...younger, ...CREATING };
    expect((await outcomes([older, stuck], { stuckAfterMinutes: 0 })).outcomes).toEqual([
      "a available",
      `b unverified: Stuck: the snapshot has been in creation for 1 minutes. ${duplicateOf("a")}`,
    ]);
  });

  test("verify ignores failed and deleted snapshots when it looks for duplicates", async () => {
    for (const gone of [FAILED, DELETING]) {
      expect((await outcomes([{ ...older, ...gone }, younger])).outcomes.at(-1)).toBe("b available");
    }
  });

  test("verify treats snapshots of two disks as no duplicates", async () => {
    expect((await outcomes([older, { ...younger, resource: "disk-2" }])).outcomes).toEqual([
      "a available",
      "b available",
    ]);
  });
});

describe("verify with members of deleted groups", () => {
  const member = (id: string, of: string, changes: Partial<FoundSnapshot> = {}) =>
    snapshotOf(id, "disk-1", { marker: undefined, raw: { snapshot_group_id: of }, ...changes });
  const verified = async (members: FoundSnapshot[], arrange: (fixture: DomainFixture) => void = () => {}) => {
    const fixture = createFixture();
    fixture.cloud.add(standard, ...members);
    fixture.cloud.add(group, snapshotOf("there", "server-1"), snapshotOf("foreign", "server-1", { marker: undefined }));
    arrange(fixture);
    await verify({ time: START, lookbackMinutes: 60 }, fixture.runContext);
    return fixture.notices;
  };

  test("verify adds a notice with the id of each deleted group that has members left", async () => {
    const left = [member("a", "gone"), member("b", "gone"), member("c", "lost"), member("d", "there")];
    expect(await verified([...left, member("e", "foreign")])).toEqual([
      "Standard snapshots of deleted groups remain. Delete them by hand. Their snapshot_group_id: gone, lost.",
    ]);
  });

  test("verify adds no notice for members that are being deleted, or if no groups could be listed", async () => {
    expect(await verified([member("a", "gone", DELETING), member("b", "")])).toEqual([]);
    const unlisted = await verified([member("a", "gone")], ({ cloud }) =>
      cloud.at("listAll", undefined, undefined, cloudError("AccessDenied")),
    );
    expect(unlisted).toEqual([]);
  });

  test("verify names the first 20 of many deleted groups", async () => {
    const many = Array.from({ length: 23 }, (_, index) => member(`m-${index}`, `g-${index}`));
    expect((await verified(many))[0]).toMatch(/: g-0, g-1, .*, g-19 and 3 more\.$/);
    expect((await verified(many.slice(0, 20)))[0]).toMatch(/, g-19\.$/);
  });
});
