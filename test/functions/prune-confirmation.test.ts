/** Tests what `prune-snapshots` reports about a deletion after EVS or DWS accepted or rejected the delete request. */
import { describe, expect, test } from "vitest";
import { expectSuccess, KINDS } from "../support/common.ts";
import { createChangingFixture, findRecord } from "../support/prunes.ts";
import { busyResponse, DELETE_OPERATIONS, LIST_OPERATIONS } from "../support/retention-seeds.ts";

describe.each(KINDS)("deletions of a %s", (kind) => {
  test(`prune-snapshots reports a ${kind} as unverified if its delete request was accepted but is never carried out`, async () => {
    const { cloud, add, prune, remainingIds } = await createChangingFixture();
    const [old = "", newest = ""] = [2, 1].map((days) => add(kind, days));
    cloud.fault({ operation: DELETE_OPERATIONS[kind] }, { type: "acknowledge" });
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, old)).toMatchObject({ outcome: "unverified", level: "warn" });
    expect(findRecord(records, old)?.detail).toMatch(
      /^The delete request was accepted, but the snapshot is still listed/,
    );
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(remainingIds()).toEqual([newest, old].sort());
  });

  test(`prune-snapshots lists the ${kind}s again 6 s or more after its last delete request, before it reports the ${kind}s as deleted`, async () => {
    const { cloud, add, prune } = await createChangingFixture();
    const old = [3, 2].map((days) => add(kind, days));
    add(kind, 1);
    const { records } = expectSuccess(await prune());
    for (const id of old) expect(findRecord(records, id)).toMatchObject({ outcome: "deleted" });
    const times = (operation: string) =>
      cloud.requests.filter((one) => one.operation === operation).map(({ time }) => time);
    const deletedAt = times(DELETE_OPERATIONS[kind]).at(-1) ?? 0;
    const after = times(LIST_OPERATIONS[kind]).filter((time) => time > deletedAt);
    expect(after[0]).toBeGreaterThanOrEqual(deletedAt + 6_000);
  });

  test(`prune-snapshots reports a ${kind} as failed if its delete request gets a 404 response and the ${kind} is still listed 6 s later`, async () => {
    const { cloud, add, prune, remainingIds } = await createChangingFixture();
    const [old = "", newest = ""] = [2, 1].map((days) => add(kind, days));
    const body = { error: { code: "EVS.5404", message: "Volume vol-1 could not be found." } };
    cloud.fault({ operation: DELETE_OPERATIONS[kind] }, { type: "status", status: 404, body });
    const { error, records } = await prune();
    expect(error).toBeDefined();
    expect(findRecord(records, old)).toMatchObject({ outcome: "failed", error: { status: 404 } });
    expect(remainingIds()).toEqual([newest, old].sort());
  });

  test(`prune-snapshots reports a ${kind} as unverified if its delete request was accepted and the next list request fails`, async () => {
    const { cloud, add, prune, afterDeletion } = await createChangingFixture();
    const old = add(kind, 2);
    add(kind, 1);
    afterDeletion.set(1, () =>
      cloud.fault({ operation: LIST_OPERATIONS[kind] }, { type: "status", status: 403, body: {} }),
    );
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, old)).toMatchObject({ outcome: "unverified" });
    expect(findRecord(records, old)?.detail).toMatch(/accepted.*could not be listed/);
  });
});

test.each(KINDS)(
  "prune-snapshots reports a %s as unverified if the list response after an accepted deletion contains only a snapshot of another policy",
  async (kind) => {
    const { cloud, add, prune, afterDeletion, remainingIds } = await createChangingFixture();
    const [old, newest, foreign] = [add(kind, 3), add(kind, 1), add(kind, 2, { policy: "weekly" })];
    cloud.fault({ operation: DELETE_OPERATIONS[kind] }, { type: "acknowledge" });
    const edit = (body: Record<string, { id: string }[]>) => {
      for (const [name, rows] of Object.entries(body))
        if (Array.isArray(rows)) body[name] = rows.filter(({ id }) => id === foreign);
    };
    const operation = kind === "snapshot-group" ? "evs.listSnapshotGroups" : LIST_OPERATIONS[kind];
    afterDeletion.set(1, () => cloud.fault({ operation }, { type: "edit", edit }));
    const { records } = expectSuccess(await prune());
    expect(findRecord(records, old)).toMatchObject({ outcome: "unverified" });
    expect(remainingIds()).toEqual([old, newest, foreign].sort());
  },
);

test("prune-snapshots reports a busy snapshot as failed if only one list response omits the snapshot", async () => {
  const { cloud, add, prune, afterDeletion, remainingIds } = await createChangingFixture();
  const [old, newest] = [add("snapshot", 2), add("snapshot", 1)];
  cloud.fault({ operation: "evs.deleteSnapshot" }, busyResponse("snapshot"));
  const edit = (body: { snapshots: { id: string }[] }) => {
    body.snapshots = body.snapshots.filter(({ id }) => id !== old);
  };
  // The list consists of two pages.
  afterDeletion.set(1, () => cloud.fault({ operation: "evs.listSnapshots", times: 2 }, { type: "edit", edit }));
  const { records } = await prune();
  expect(findRecord(records, old)).toMatchObject({ outcome: "failed", error: { reason: "Busy" } });
  expect(remainingIds()).toEqual([old, newest].sort());
});

test("prune-snapshots reports the service's Busy error if a delete request is rejected as busy until the deadline", async () => {
  const { cloud, add, prune } = await createChangingFixture({ timeoutSeconds: 40 });
  const old = add("snapshot", 2);
  add("snapshot", 1);
  cloud.fault({ operation: "evs.deleteSnapshot" }, busyResponse("snapshot"));
  const { error, records } = await prune();
  expect(error).toBeDefined();
  expect(findRecord(records, old)).toMatchObject({ outcome: "failed", error: { reason: "Busy", code: "EVS.1047" } });
});
