/** Tests how `prune-snapshots` handles the responses to its delete requests. */
import { describe, expect, test } from "vitest";
import { expectSuccess, KINDS, SEQUENTIAL, START_MS } from "../support/common.ts";
import type { Json } from "../support/environment.ts";
import { createFixture, keepLast, removeAfterList, summarizeRecord } from "../support/prunes.ts";
import { busyResponse, DELETE_OPERATIONS } from "../support/retention-seeds.ts";

/** Expects that three snapshots are recorded as deleted. Two of them no longer existed when their delete requests arrived. */
function expectTwoMissingSnapshots(records: Json[], ids: string[]): void {
  expect(records.slice(1, -1).map(summarizeRecord)).toEqual([
    `${ids[2]} deleted: kept by no rule`,
    `${ids[1]} deleted: kept by no rule (Already deleted.)`,
    `${ids[0]} deleted: kept by no rule (Already deleted.)`,
  ]);
}

describe.each(KINDS)("a deletion of a %s", (kind) => {
  test(`prune-snapshots reports a ${kind} as deleted if the delete response says that the snapshot does not exist`, async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => addOld(kind, days));
    removeAfterList(cloud, ids.slice(0, 2));
    const { records } = expectSuccess(await prune(keepLast(1)));
    expectTwoMissingSnapshots(records, ids);
    // If the snapshot does not exist, EVS responds 404 EVS.5404, and DWS responds 400 DWS.0001.
    expect(cloud.count(DELETE_OPERATIONS[kind], kind === "cluster-snapshot" ? 400 : 404)).toBe(2);
    expect(remainingIds()).toEqual([ids[3]]);
  });

  test.each([
    ["the cluster does not exist (DWS.0015)", 403, { error_code: "DWS.0015", error_msg: "Cluster does not exist." }],
    [
      "the cluster does not exist (DWS.3027)",
      404,
      { error_code: "DWS.3027", error_msg: "The cluster does not exist." },
    ],
    ["the route does not exist", 404, { code: 404, message: "no route and no API found with those values" }],
    ["the API does not exist", 404, { error_code: "APIGW.0101", error_msg: "absent" }],
  ])(`prune-snapshots reports a ${kind} as failed if the delete response says that %s`, async (_what, status, body) => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    const ids = [3, 2, 1].map((days) => addOld(kind, days));
    cloud.fault({ operation: DELETE_OPERATIONS[kind] }, { type: "answer", status, body: JSON.stringify(body) });
    const { records } = await prune(keepLast(1));
    expect(records.map(({ outcome }) => outcome)).toEqual(["kept", "failed", "failed", "failed"]);
    expect(records[1].error.message).toContain(Object.values(body).at(-1));
    expect(remainingIds()).toEqual(ids.sort());
  });

  test(`prune-snapshots reports a ${kind} as deleted if the delete response is an ambiguous 404 and the next list response omits the snapshot`, async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => addOld(kind, days));
    removeAfterList(cloud, ids.slice(0, 2));
    const body = JSON.stringify({ code: 404, message: "no such thing" });
    for (const id of ids.slice(0, 2)) {
      cloud.fault({ operation: DELETE_OPERATIONS[kind], resource: id }, { type: "answer", status: 404, body });
    }
    const { records } = expectSuccess(await prune(keepLast(1)));
    expectTwoMissingSnapshots(records, ids);
    expect(remainingIds()).toEqual([ids[3]]);
  });

  test(`prune-snapshots reports a ${kind} as failed if the delete response has the HTTP status 202 but contains an error`, async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture({ timeoutSeconds: 900 });
    const ids = [2, 1].map((days) => addOld(kind, days));
    const body = JSON.stringify({ error: { code: "EVS.1047", message: "snapshot status must be available" } });
    cloud.fault({ operation: DELETE_OPERATIONS[kind] }, { type: "answer", status: 202, body });
    const { records } = await prune(keepLast(1));
    expect(records[1]).toMatchObject({ outcome: "failed", snapshot_id: ids[0], error: { code: "EVS.1047" } });
    expect(remainingIds()).toEqual(ids.sort());
  });

  test(`prune-snapshots reports a ${kind} as deleted without waiting if the delete response is lost and the deletion takes 10 minutes`, async () => {
    const { cloud, clock, prune, addOld, remainingIds } = await createFixture({ deletionMs: 600_000 });
    const ids = [2, 1].map((days) => addOld(kind, days));
    cloud.fault({ operation: DELETE_OPERATIONS[kind], nth: 1 }, { type: "reset", after: true });
    const { records } = expectSuccess(await prune(keepLast(1)));
    expect(records.slice(0, -1).map((one) => [one.snapshot_id, one.outcome])).toEqual([
      [ids[1], "kept"],
      [ids[0], "deleted"],
    ]);
    // The function checks that the snapshot is being deleted or gone, and does not wait until the deletion is complete.
    expect(clock.now() - START_MS).toBeLessThan(15_000);
    expect(remainingIds()).toEqual([ids[1]]);
  });

  test(`prune-snapshots writes exactly one record for a ${kind} if the delete response is lost, truncated or never sent`, async () => {
    for (const type of ["reset", "cut", "hang"] as const) {
      const { cloud, prune, addOld, remainingIds } = await createFixture();
      const ids = [3, 2, 1].map((days) => addOld(kind, days));
      cloud.fault({ operation: DELETE_OPERATIONS[kind], times: 1 }, { type, after: true });
      const { error, records } = await prune(keepLast(1));
      expect(error, type).toBeUndefined();
      expect(records.map(({ outcome }) => outcome).sort(), type).toEqual(["deleted", "deleted", "done", "kept"]);
      expect(remainingIds(), type).toEqual([ids[2]]);
    }
  });

  test(`prune-snapshots deletes all other snapshots before it retries the deletion of a busy ${kind}`, async () => {
    const { cloud, prune, addOld, remainingIds, deletedIds } = await createFixture(SEQUENTIAL);
    const ids = [5, 4, 3, 2, 1].map((days) => addOld(kind, days));
    cloud.fault({ operation: DELETE_OPERATIONS[kind], resource: ids[3], times: 2 }, busyResponse(kind));
    const { result } = expectSuccess(await prune(keepLast(1)));
    expect(result.outcomes).toEqual({ kept: 1, deleted: 4 });
    expect(deletedIds()).toEqual([ids[3], ids[2], ids[1], ids[0], ids[3], ids[3]]);
    expect(remainingIds()).toEqual([ids[4]]);
  });

  test(`prune-snapshots reports Busy for a ${kind} that remains busy, and deletes the ${kind} in a later run when it is no longer busy`, async () => {
    const { cloud, clock, prune, addOld, remainingIds } = await createFixture({ timeoutSeconds: 900 });
    const ids = [4, 3, 2, 1].map((days) => addOld(kind, days));
    const busy =
      kind === "cluster-snapshot"
        ? { status: 500, body: { error_code: "DWS.9999", error_msg: "DWS.7023" } }
        : { status: 400, body: { error: { code: "EVS.2043", message: "snapshot not available or backing-up" } } };
    const stuck = cloud.fault({ operation: DELETE_OPERATIONS[kind], resource: ids[1] }, { type: "status", ...busy });
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, deleted: 2, failed: 1 });
    expect(records.find(({ outcome }) => outcome === "failed")).toMatchObject({
      snapshot_id: ids[1],
      rule: "kept by no rule",
      error: { reason: "Busy" },
    });
    // The function stops retrying long before its deadline of 900 s.
    expect(clock.now() - START_MS).toBeLessThan(300_000);
    stuck.remove();
    expect((await prune(keepLast(1))).result.outcomes).toEqual({ kept: 1, deleted: 1 });
    expect(remainingIds()).toEqual([ids[3]]);
  });

  test(`prune-snapshots deletes the remaining ${kind}s if the service rejects the deletion of two ${kind}s`, async () => {
    const { cloud, prune, addOld, remainingIds } = await createFixture();
    const ids = [4, 3, 2, 1].map((days) => addOld(kind, days));
    const refuse = (id: string | undefined, status: number) =>
      cloud.fault(
        { operation: DELETE_OPERATIONS[kind], resource: id },
        { type: "status", status, body: { message: "in use" } },
      );
    refuse(ids[0], 409);
    refuse(ids[2], 403);
    const { error, records } = await prune(keepLast(1));
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ kept: 1, deleted: 1, failed: 2 });
    const reasons = Object.fromEntries(records.map((one) => [one.snapshot_id, one.error?.reason]));
    expect([reasons[ids[0] ?? ""], reasons[ids[2] ?? ""]]).toEqual(["Conflict", "AccessDenied"]);
    expect(remainingIds()).toEqual([ids[0], ids[2], ids[3]].sort());
  });
});
