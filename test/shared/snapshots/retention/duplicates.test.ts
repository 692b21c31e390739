/** Tests each rule for the deletion of a duplicate: at the plan of prune, and when prune lists both snapshots again. */
import { describe, expect, test } from "vitest";
import type { FoundSnapshot, Kind } from "../../../../shared/snapshots/kinds/kind.ts";
import { findDuplicates } from "../../../../shared/snapshots/retention/duplicates.ts";
import { type PrunePolicy, prune } from "../../../../shared/snapshots/retention/prune.ts";
import { deleteCalls } from "../../../support/daily-snapshots.ts";
import {
  changeSnapshot,
  cluster,
  createFixture,
  group,
  HOUR_MS,
  MINUTE_MS,
  markerOf,
  START,
  STATUS,
  snapshot,
  snapshotOf,
  standard,
  startPlus,
} from "../../../support/domain.ts";
import { BROKEN, type Changes, duplicatesOf, generatedName, MEMBERS, marker } from "../../../support/duplicates.ts";

const at = (milliseconds: number) => ({ created: startPlus(milliseconds) });

const DUPLICATES_ONLY: PrunePolicy = { policy: "nightly" };
const WITH_RETENTION: PrunePolicy = { policy: "nightly", retention: { keep_last: 5 } };

/** Adds the snapshots to a cloud, calls `prune`, and returns the delete requests, records and notices. */
async function pruneOnly(kind: Kind, found: FoundSnapshot[], policy = DUPLICATES_ONLY) {
  const fixture = createFixture();
  fixture.cloud.add(kind, ...found);
  const count = await prune(policy, fixture.runContext);
  return { count, removed: deleteCalls(fixture), outcomes: fixture.outcomes(), notices: fixture.notices };
}

describe.each([snapshot, standard, group, cluster])("two duplicates of the kind $name", (kind) => {
  test(`prune without a retention deletes the younger of two duplicate ${kind.name}s and keeps every other ${kind.name}`, async () => {
    const others = [1, 2, 3].map((days) =>
      snapshotOf(`other-${days}`, "res-1", { created: startPlus(-days * 24 * HOUR_MS), members: MEMBERS }),
    );
    const failed = snapshotOf("failed", "res-1", { ...STATUS.failed, created: startPlus(-99 * HOUR_MS) });
    expect(await pruneOnly(kind, [...duplicatesOf(kind), ...others, failed])).toEqual({
      count: 6,
      removed: [`0 s remove ${kind.name} young`],
      outcomes: ["young deleted: twin of old"],
      notices: [],
    });
  });

  test(`prune with a retention deletes the younger of two duplicate ${kind.name}s`, async () => {
    const { removed, outcomes } = await pruneOnly(kind, duplicatesOf(kind), WITH_RETENTION);
    expect(removed).toEqual([`0 s remove ${kind.name} young`]);
    expect(outcomes).toEqual(["old kept: keep_last", "young deleted: twin of old"]);
  });

  test(`prune with dry_run and without a retention deletes no ${kind.name} and plans the deletion of the younger duplicate`, async () => {
    const { removed, outcomes } = await pruneOnly(kind, duplicatesOf(kind), { ...DUPLICATES_ONLY, dry_run: true });
    expect(removed).toEqual([]);
    expect(outcomes).toEqual(["young planned: twin of old: deleted"]);
  });
});

/** The ways in which two snapshots do not look like duplicates, so prune keeps both without a notice. */
const DIFFERENT: [string, Changes][] = [
  ["policies", { marker: { ...marker, policy: "weekly" } }],
  ["idempotency keys", { marker: markerOf("twice") }],
  ["request hashes", { marker: markerOf("once", { requestHash: "76543210" }) }],
  ["resources", { resource: "res-2" }],
];
test.each(DIFFERENT)(
  "prune keeps two snapshots that have different %s, and writes no notice about them",
  async (_what, changes) => {
    for (const policy of [DUPLICATES_ONLY, WITH_RETENTION]) {
      const { removed, outcomes, notices } = await pruneOnly(snapshot, duplicatesOf(snapshot, {}, changes), policy);
      expect([...removed, ...notices, ...outcomes.filter((one) => one.includes("twin"))]).toEqual([]);
    }
  },
);

/** The rules except those about members of a group, because prune plans nothing for them. */
const PLANNED = BROKEN.filter(([what]) => !what.endsWith("is a member of a group"));

describe("the rules for the deletion of a duplicate", () => {
  test.each(PLANNED)(
    "prune without a retention keeps a snapshot that looks like a duplicate if %s, and the run's notice contains the rule",
    async (_what, kind, { older, younger, base }, rule) => {
      const { removed, outcomes, notices } = await pruneOnly(kind, duplicatesOf(kind, older, younger, base));
      expect({ removed, outcomes }).toEqual({ removed: [], outcomes: [] });
      expect(notices).toHaveLength(1);
      expect(notices[0]).toMatch(/^Not deleted as duplicates: \w+ \(possible twin of \w+, but /);
      expect(notices[0]).toContain(rule);
    },
  );

  test.each(PLANNED)(
    "prune with a retention keeps a snapshot that looks like a duplicate if %s",
    async (_what, kind, { older, younger, base }) => {
      const { removed, outcomes } = await pruneOnly(kind, duplicatesOf(kind, older, younger, base), WITH_RETENTION);
      expect(removed).toEqual([]);
      expect(outcomes.filter((one) => / held: |possible twin of/.test(one)).length).toBeGreaterThan(0);
    },
  );

  test.each(BROKEN.filter(([, , { base }]) => base === undefined))(
    "prune deletes no duplicate if the list response immediately before the deletion shows that %s",
    async (_what, kind, { older, younger }, rule) => {
      for (const policy of [DUPLICATES_ONLY, WITH_RETENTION]) {
        const fixture = createFixture();
        fixture.cloud.add(kind, ...duplicatesOf(kind));
        fixture.cloud.onNextCalls("listFor", () => {
          changeSnapshot(fixture.cloud, kind, "old", older ?? {});
          changeSnapshot(fixture.cloud, kind, "young", younger ?? {});
        });
        await prune(policy, fixture.runContext);
        expect(deleteCalls(fixture)).toEqual([]);
        expect(fixture.outcomes()).toContain(
          `young kept: possible twin of old, but ${rule}: The plan changed after another list request. Previous rule: twin of old.`,
        );
      }
    },
  );

  test("prune keeps a duplicate that the policy holds by its id or its name, and a duplicate of a snapshot that the policy holds", async () => {
    const [, young] = duplicatesOf(snapshot);
    for (const idOrName of ["young", ` ${young?.name.toUpperCase()} `, "old"]) {
      const policy = { ...DUPLICATES_ONLY, hold: [idOrName] };
      const { removed, notices } = await pruneOnly(snapshot, duplicatesOf(snapshot), policy);
      expect(removed).toEqual([]);
      expect(notices).toEqual([expect.stringContaining("must not be deleted (held by the policy)")]);
    }
  });

  test("prune deletes the younger of two duplicates that both have the name that the caller chose", async () => {
    const name = { name: "before-update" };
    expect((await pruneOnly(snapshot, duplicatesOf(snapshot, name, name))).removed).toHaveLength(1);
  });

  test("prune deletes a duplicate that is exactly 1 hour younger than the original and exactly 1 hour old", async () => {
    const found = duplicatesOf(snapshot, at(-2 * HOUR_MS), at(-HOUR_MS));
    expect((await pruneOnly(snapshot, found)).removed).toHaveLength(1);
  });

  test("prune deletes duplicates that were created in attempts 19 and 20, and whose snapshot_type is user", async () => {
    const user = { raw: { snapshot_type: "user" } };
    const names = [19, 20].map((attempt) => ({
      ...user,
      name: generatedName(standard, snapshotOf("x", "res-1"), attempt),
    }));
    expect((await pruneOnly(standard, duplicatesOf(standard, ...names))).removed).toHaveLength(1);
  });

  test("prune deletes the younger of two duplicate groups of individual disks", async () => {
    const found = duplicatesOf(group, {}, {}, { resource: undefined });
    expect((await pruneOnly(group, found)).removed).toEqual(["0 s remove snapshot-group young"]);
  });

  test("prune keeps the only group that contains a disk, although an older group of the same request lacks the disk", async () => {
    const found = duplicatesOf(group, { members: MEMBERS.slice(0, 1) }, {}, { resource: undefined });
    expect((await pruneOnly(group, found)).removed).toEqual([]);
  });
});

describe("findDuplicates with more than two snapshots of one request", () => {
  const generated = (id: string, minutes: number, changes: Changes = {}): FoundSnapshot => {
    const found = snapshotOf(id, "res-1", { marker, created: startPlus(-10 * HOUR_MS + minutes * MINUTE_MS) });
    return { ...found, name: generatedName(snapshot, found, 1 + (minutes % 20)), ...changes };
  };
  const summarize = (...found: FoundSnapshot[]) =>
    [...findDuplicates(snapshot, found, { hold: new Set(), now: START })]
      .map(([{ id }, { original, brokenRule }]) => `${id} of ${original.id}: ${brokenRule ?? "deleted"}`)
      .sort();

  test("findDuplicates compares every younger duplicate with the oldest available snapshot, in whichever order they are listed", () => {
    const found = [generated("a", 0), generated("b", 1), generated("c", 2)];
    const expected = ["b of a: deleted", "c of a: deleted"];
    expect(summarize(...found)).toEqual(expected);
    expect(summarize(...found.reverse())).toEqual(expected);
  });

  test("findDuplicates finds the duplicate of an available snapshot while the oldest snapshot remains in creation", () => {
    expect(summarize(generated("a", 0, STATUS.creating), generated("b", 1), generated("c", 2))).toEqual([
      "b of a: a has the status creating",
      "c of b: deleted",
    ]);
  });

  test("findDuplicates finds the oldest snapshot as the original if the second of three duplicates is held", () => {
    expect(summarize(generated("a", 0), generated("b", 1, { labels: { hold: "true" } }), generated("c", 2))).toEqual([
      "b of a: b must not be deleted (held by its label)",
      "c of a: deleted",
    ]);
  });

  test("findDuplicates keeps the first snapshot of a reused key and finds the duplicate of this snapshot", () => {
    expect(summarize(generated("a", 0), generated("b", 120), generated("c", 121))).toEqual([
      "b of a: they were created more than 1 hour apart",
      "c of b: deleted",
    ]);
  });

  test("findDuplicates ignores failed snapshots and snapshots in deletion", () => {
    expect(summarize(generated("a", 0, STATUS.failed), generated("b", 1), generated("c", 2, STATUS.deleting))).toEqual(
      [],
    );
  });

  test("findDuplicates treats the snapshot with the smaller id as the original if both creation times are equal", () => {
    expect(summarize(generated("b", 1), generated("a", 1))).toEqual(["b of a: deleted"]);
  });
});
