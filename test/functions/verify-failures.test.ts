/** Tests `verify-snapshots` when list requests fail. */
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { expectSuccess, KINDS } from "../support/common.ts";
import { START, timerEvent } from "../support/environment.ts";
import { createFixture, seedSnapshot } from "../support/verifications.ts";

/** Options for a test environment in which the functions do not know which policies are deployed. */
const UNKNOWN = { variables: { DEPLOYED_POLICIES: undefined } };

describe("a list request that fails", () => {
  test("if EVS rejects the request that lists standard snapshots, verify-snapshots verifies legacy and cluster snapshots and then fails", async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    for (const kind of KINDS) seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "status", status: 403, body: {} });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ available: 2, failed: 2 });
    expect(records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      {
        action: "verify",
        kind: "standard-snapshot",
        detail: "The snapshots of this kind could not be listed.",
        error: { reason: "AccessDenied" },
      },
      // Members of a group are standard snapshots, so the function cannot check a group if it cannot list standard snapshots.
      { action: "verify", kind: "snapshot-group", error: { reason: "AccessDenied" } },
      { action: "run", outcome: "failed" },
    ]);
  });

  test("if the deployed kinds are unknown, verify-snapshots succeeds but warns in its run record about kinds of snapshots that the region does not offer", async () => {
    const { cloud, resourceIds, verify } = await createFixture({ withoutStandardSnapshots: true, ...UNKNOWN });
    seedSnapshot(cloud, "snapshot", resourceIds.snapshot, { minutes: 10 });
    seedSnapshot(cloud, "cluster-snapshot", resourceIds["cluster-snapshot"], { minutes: 10 });
    const { result, records } = expectSuccess(await verify());
    expect(result.outcomes).toEqual({ available: 2 });
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(records.at(-1).detail).toContain(
      "standard-snapshot, snapshot-group: the endpoint does not offer these snapshots (404 APIGW.0101), so they were not listed. If the region offers them, correct the variable *_ENDPOINT.",
    );
  });

  test("if the deployed kinds are unknown and DWS responds that the API does not exist, verify-snapshots and prune-snapshots warn about cluster snapshots", async () => {
    const { cloud, invoke, resourceIds, verify } = await createFixture(UNKNOWN);
    seedSnapshot(cloud, "cluster-snapshot", resourceIds["cluster-snapshot"], { minutes: 60, status: "error" });
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body });
    const prune = () => invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    for (const { records } of [await verify(), await prune()]) {
      expect(records.at(-1)).toMatchObject({
        level: "warn",
        detail: expect.stringContaining("cluster-snapshot: the endpoint does not offer"),
      });
    }
  });

  test("verify-snapshots sends no more requests after EVS reports that the account is frozen", async () => {
    const { cloud, verify } = await createFixture();
    const body = { error: { code: "EVS.2144", message: "account frozen" } };
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403, body });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(records.slice(0, 4).map((one) => one.error.reason)).toEqual(Array(4).fill("AccountSuspended"));
    expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toHaveLength(1);
  });

  test("verify-snapshots repeats a list request that is throttled, gets a 503 response, loses its connection or gets a truncated response", async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    for (const kind of KINDS) seedSnapshot(cloud, kind, resourceIds[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "throttle" });
    cloud.fault({ operation: "evs.listStandardSnapshots", nth: 1 }, { type: "status", status: 503 });
    cloud.fault({ operation: "evs.listSnapshotGroups", nth: 1 }, { type: "reset", after: false });
    cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "cut", after: false });
    const { result } = expectSuccess(await verify());
    expect(result.outcomes).toEqual({ available: 4 });
  });

  test("verify-snapshots reports Throttled for each kind and fails if its list requests are throttled until its deadline", async () => {
    const { cloud, resourceIds, verify } = await createFixture();
    seedSnapshot(cloud, "snapshot", resourceIds.snapshot, { minutes: 10 });
    cloud.fault({ operation: /\.list/ }, { type: "throttle", window: "1 minute" });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(new Set(records.slice(0, 4).map((one) => one.error.reason))).toEqual(new Set(["Throttled"]));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed" });
  });
});
