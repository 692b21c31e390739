/** Tests `prune-snapshots` and `verify-snapshots` if a row of a list response has no id or no status. */
import { expect, test } from "vitest";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { expectSuccess, KINDS, START_MS } from "../support/common.ts";
import { timerEvent } from "../support/environment.ts";
import { createChangingFixture, findRecord } from "../support/prunes.ts";
import { LIST_OPERATIONS } from "../support/retention-seeds.ts";

type Row = Record<string, unknown>;

/** Changes that make a row of a list response unreadable. Each key is a part of a test name. */
const UNREADABLE: Record<string, (row: Row) => void> = {
  "has no status": (row) => delete row.status,
  "has the status null": (row) => Object.assign(row, { status: null }),
  "has an empty status": (row) => Object.assign(row, { status: "" }),
  "has no id": (row) => delete row.id,
  "has a number as its id": (row) => Object.assign(row, { id: 7 }),
};

const cases = KINDS.flatMap((kind) => Object.keys(UNREADABLE).map((what) => [kind, what] as const));

/** Adds an old and a new snapshot of the policy, and makes the row of a foreign snapshot unreadable. */
async function createUnreadableFixture(
  kind: (typeof KINDS)[number],
  what: string,
  changes: object = { marked: false },
) {
  const fixture = await createChangingFixture();
  const { cloud, add } = fixture;
  const old = add(kind, 3);
  const unreadable = add(kind, 2, changes);
  const newest = add(kind, 1);
  cloud.fault(
    { operation: LIST_OPERATIONS[kind] },
    {
      type: "edit",
      edit: (body) => {
        for (const rows of Object.values<Row[]>(body)) {
          if (Array.isArray(rows)) for (const row of rows) if (row.id === unreadable) UNREADABLE[what]?.(row);
        }
      },
    },
  );
  return { ...fixture, old, unreadable, newest };
}

test.each(cases)(
  "prune-snapshots deletes an old %s although the row of a snapshot of another program %s, and the run record warns about this row",
  async (kind, what) => {
    const { prune, old, newest, unreadable, remainingIds } = await createUnreadableFixture(kind, what);
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, old)).toMatchObject({ outcome: "deleted" });
    expect(findRecord(records, newest)).toMatchObject({ outcome: "kept" });
    expect(remainingIds()).toEqual([newest, unreadable].sort());
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(records.at(-1)?.detail).toContain(
      `Unreadable rows: expected an id and a status in each row of the list of ${kind}s`,
    );
  },
);

test.each(cases)(
  "prune-snapshots keeps a %s of its policy whose row in the list response %s, and does not count this snapshot as good",
  async (kind, what) => {
    const fixture = await createUnreadableFixture(kind, what, {});
    const { prune, old, unreadable, newest, remainingIds } = fixture;
    fixture.change(newest, { status: "error" });
    await prune();
    expect(remainingIds()).toEqual([newest, old, unreadable].sort());
  },
);

test.each(cases)(
  "verify-snapshots verifies a %s although the row of a snapshot of another program %s, and the run record warns about this row",
  async (kind, what) => {
    const { invoke, newest } = await createUnreadableFixture(kind, what);
    const event = timerEvent({ lookback_minutes: 10_000 }, new Date(START_MS).toISOString());
    const { records } = expectSuccess(await invoke(verifySnapshots, event));
    expect(findRecord(records, newest)).toMatchObject({ outcome: "available" });
    expect(records.at(-1)).toMatchObject({ action: "run", level: "warn" });
    expect(records.at(-1)?.detail).toContain(
      `Unreadable rows: expected an id and a status in each row of the list of ${kind}s`,
    );
  },
);

test("prune-snapshots keeps a snapshot group if the row of one of its members has no status", async () => {
  const { cloud, add, prune, remainingIds } = await createChangingFixture();
  const [old = "", newest = ""] = [2, 1].map((days) => add("snapshot-group", days));
  cloud.fault(
    { operation: "evs.listStandardSnapshots" },
    {
      type: "edit",
      edit: (body) => {
        for (const row of body.snapshots as Row[]) if (row.snapshot_group_id === old) delete row.status;
      },
    },
  );
  const { records } = expectSuccess(await prune());
  expect(findRecord(records, old)).toMatchObject({ outcome: "kept" });
  expect(remainingIds()).toEqual([newest, old].sort());
});
