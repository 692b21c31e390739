/** Tests which snapshots `prune-snapshots` neither counts nor deletes, whatever the retention says. */
import { describe, expect, test } from "vitest";
import { changeRowsOf, type RowChange } from "../support/changed-rows.ts";
import { KINDS, type Kind } from "../support/common.ts";
import type { Json } from "../support/environment.ts";
import { KIND_FACTS } from "../support/kinds.ts";
import { createFixture, findRecord, keepLast } from "../support/prunes.ts";
import type { Seed } from "../support/retention-seeds.ts";

/** Creates a test environment whose list responses a test can change. */
async function createChangedFixture() {
  const fixture = await createFixture();
  return { ...fixture, changeRows: changeRowsOf(fixture.runtime) };
}

const timeFieldOf = (kind: Kind) => (kind === "cluster-snapshot" ? "started" : "created_at");

/** Returns a change that sets a field in the row with the given id. The value `undefined` removes the field. */
const setField =
  (id: string, field: string, value: unknown): RowChange =>
  (row) =>
    row.id === id ? { ...row, [field]: value } : row;

describe("a hold whose spelling differs from the name of the snapshot", () => {
  test.each<[how: string, seed: Partial<Seed>, hold: string[]]>([
    ["its name with a space at the end, which the policy omits", { name: "before-audit " }, ["before-audit"]],
    ["its name, to which the policy adds a tab character", { name: "before-audit" }, ["before-audit\t"]],
    ["its composed name, which the policy spells with combining characters", { name: "relev\u00e9" }, ["releve\u0301"]],
    ["its name with combining characters, which the policy composes", { name: "releve\u0301" }, ["RELEV\u00c9"]],
    ["its name in full-width letters, which the policy spells in ASCII", { name: "ｂｅｆｏｒｅ" }, ["Before"]],
    ["a label whose key is HOLD in full-width letters", { labels: { ＨＯＬＤ: "true" } }, []],
    ["a label whose key is hold between spaces", { labels: { " hold\u00a0": "until 2027" } }, []],
    ["a description that begins with hold in full-width letters", { description: "ｈｏｌｄ: audit" }, []],
  ])("prune-snapshots keeps a snapshot that is held by %s", async (_how, seed, hold) => {
    const { prune, addOld, remainingIds } = await createFixture();
    const held = addOld("snapshot", 9, seed);
    const [old, newest] = [addOld("snapshot", 5), addOld("snapshot", 1)];
    const { records } = await prune(keepLast(1, { hold }));
    expect(findRecord(records, held)).toMatchObject({ outcome: "held", rule: expect.stringMatching(/^held by/) });
    expect(findRecord(records, old)).toMatchObject({ outcome: "deleted" });
    expect(remainingIds()).toEqual([held, newest].sort());
    expect(records.at(-1)).toMatchObject({ action: "run", level: "info" });
  });

  test('prune-snapshots keeps a snapshot group if the policy field "hold" contains a member name in upper case and with a space at the end', async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    const group = addOld("snapshot-group", 9);
    const newest = addOld("snapshot-group", 1);
    const member = cloud.snapshots("standard-snapshot").find((one) => one.snapshot_group_id === group);
    const { records } = await prune(keepLast(1, { hold: [`${member?.name.toUpperCase()} `] }));
    expect(findRecord(records, group)).toMatchObject({ outcome: "held", rule: expect.stringContaining("its member") });
    expect(remainingIds()).toEqual([group, newest].sort());
    expect(records.at(-1)).toMatchObject({ action: "run", level: "info" });
  });

  test('if an entry of the policy field "hold" matches no snapshot, prune-snapshots lists up to three similar snapshot names, the most similar first', async () => {
    const { prune, addOld } = await createFixture();
    for (const name of ["before-big-upgrade", "before-audit-2", "before-audits", "after-backup", "before-audit"])
      addOld("snapshot", 2, { name });
    addOld("cluster-snapshot", 3, { name: "unrelated" });
    const { records } = await prune(keepLast(9, { hold: ["befor-audit", "unrelated", "qqqq"] }));
    expect(records.at(-1)).toMatchObject({
      action: "run",
      outcome: "done",
      level: "warn",
      detail:
        'hold: expected ids or names of existing snapshots, got "befor-audit", "qqqq". Correct or remove them.' +
        ' Similar to "befor-audit": "before-audit", "before-audits", "before-audit-2".',
    });
  });
});

describe.each(KINDS)("the creation time of a %s", (kind) => {
  test.each([
    ["in the year 1", "0001-01-01T00:00:00Z", "its creation time is before 2015"],
    ["in 1969", "1969-12-31T23:59:59Z", "its creation time is before 2015"],
    ["in 1970", "1970-01-01T00:00:00.000000", "its creation time is before 2015"],
    ["in the last second of 2014", "2014-12-31T23:59:59Z", "its creation time is before 2015"],
    ["two years in the future", "2028-11-21T02:00:00Z", "its creation time is in the future"],
    ["not a date", "yesterday", "its creation time is unknown"],
    ["null", null, "its creation time is unknown"],
  ])(
    `prune-snapshots holds a ${kind} whose creation time is %s, and keeps the newest of the other ${kind}s`,
    async (_what, time, rule) => {
      const { prune, addOld, remainingIds, changeRows } = await createChangedFixture();
      const [undated, old, newest] = [addOld(kind, 1), addOld(kind, 3), addOld(kind, 2)];
      changeRows(KIND_FACTS[kind].rowsField, setField(undated, timeFieldOf(kind), time));
      const { records } = await prune(keepLast(1));
      expect(findRecord(records, undated)).toMatchObject({ outcome: "held", rule });
      expect(findRecord(records, newest)).toMatchObject({ outcome: "kept", rule: "keep_last" });
      expect(findRecord(records, old)).toMatchObject({ outcome: "deleted" });
      expect(remainingIds()).toEqual([undated, newest].sort());
    },
  );

  test(`prune-snapshots deletes no ${kind} if all creation times are 1970`, async () => {
    const { prune, addOld, remainingIds, changeRows } = await createChangedFixture();
    const ids = [3, 2, 1].map((days) => addOld(kind, days));
    changeRows(KIND_FACTS[kind].rowsField, (row) => ({ ...row, [timeFieldOf(kind)]: "1970-01-01T00:00:00Z" }));
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ held: 3 });
    expect(remainingIds()).toEqual(ids.sort());
  });
});

test.each(["autobk_snapshot_x", "AUTOBK_SNAPSHOT_X", "manualbk_snapshot_vbs_1", "ManualBK_Snapshot_csbs_1"])(
  "prune-snapshots neither counts nor deletes a snapshot with the name %s, because backups create snapshots with such names",
  async (name) => {
    for (const kind of KINDS) {
      const { prune, addOld, remainingIds } = await createFixture();
      const [old, newest, backup] = [addOld(kind, 3), addOld(kind, 2), addOld(kind, 1, { name })];
      const { records } = await prune(keepLast(1));
      expect(findRecord(records, backup), kind).toMatchObject({ outcome: "held", rule: "created by a backup" });
      expect(findRecord(records, newest), kind).toMatchObject({ outcome: "kept" });
      expect(findRecord(records, old), kind).toMatchObject({ outcome: "deleted" });
      expect(remainingIds(), kind).toEqual([newest, backup].sort());
    }
  },
);

describe("the type of a snapshot", () => {
  test.each<[what: string, type: unknown, rule: string]>([
    ["AUTOMATED", "AUTOMATED", "its type is AUTOMATED"],
    ["AUTO", "AUTO", "an automated snapshot"],
    ["INCREMENTAL", "INCREMENTAL", "its type is INCREMENTAL"],
    ["an empty string", "", "its type is "],
    ["null", null, "its type is unknown"],
    ["absent", undefined, "its type is unknown"],
    ["a number", 1, "its type is unknown"],
    ["an object that cannot be converted into a string", { toString: 1 }, "its type is unknown"],
  ])("prune-snapshots neither counts nor deletes a cluster snapshot whose type is %s", async (_what, type, rule) => {
    const { prune, addOld, remainingIds, changeRows } = await createChangedFixture();
    const kind = "cluster-snapshot";
    const [old, newest, foreign] = [addOld(kind, 3), addOld(kind, 2), addOld(kind, 1)];
    changeRows("snapshots", setField(foreign, "type", type));
    const { records } = await prune(keepLast(1));
    expect(findRecord(records, foreign)).toMatchObject({ outcome: "held", rule });
    expect(findRecord(records, newest)).toMatchObject({ outcome: "kept" });
    expect(remainingIds()).toEqual([newest, foreign].sort());
    expect(findRecord(records, old)).toMatchObject({ outcome: "deleted" });
  });

  test.each(["MANUAL", "manual", "Manual"])(
    "prune-snapshots deletes an old cluster snapshot of the type %s",
    async (type) => {
      const { prune, addOld, remainingIds, changeRows } = await createChangedFixture();
      addOld("cluster-snapshot", 3);
      const newest = addOld("cluster-snapshot", 1);
      changeRows("snapshots", (row) => ({ ...row, type }));
      await prune(keepLast(1));
      expect(remainingIds()).toEqual([newest]);
    },
  );

  test("prune-snapshots keeps a standard snapshot with an unknown snapshot_type, and deletes an old standard snapshot without a snapshot_type", async () => {
    const { prune, addOld, remainingIds, changeRows } = await createChangedFixture();
    const kind = "standard-snapshot";
    const [, foreign, newest] = [addOld(kind, 3), addOld(kind, 2), addOld(kind, 1)];
    changeRows("snapshots", ({ snapshot_type: _, ...row }: Json) =>
      row.id === foreign ? { ...row, snapshot_type: "system" } : row,
    );
    const { records } = await prune(keepLast(1));
    expect(findRecord(records, foreign)).toMatchObject({ outcome: "held", rule: "its type is system" });
    expect(remainingIds()).toEqual([foreign, newest].sort());
  });
});
