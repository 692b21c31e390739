/** Tests `verify-snapshots` when list requests fail. */
import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { KINDS } from "../support/common.ts";
import { START, timerEvent } from "../support/environment.ts";
import { createFixture, seed } from "../support/verifications.ts";

describe("a list that cannot be read", () => {
  test("verify-snapshots verifies the other kinds, writes a failed record and fails if it cannot list one kind", async () => {
    const { cloud, of, verify } = await createFixture();
    for (const kind of KINDS) seed(cloud, kind, of[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "status", status: 403, body: {} });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ available: 2, failed: 2 });
    expect(records.filter(({ outcome }) => outcome === "failed")).toMatchObject([
      {
        action: "verify",
        kind: "standard-snapshot",
        detail: "These snapshots could not be listed.",
        error: { reason: "AccessDenied" },
      },
      // The function cannot assess a group without its members.
      { action: "verify", kind: "snapshot-group", error: { reason: "AccessDenied" } },
      { action: "run", outcome: "failed" },
    ]);
  });

  test("verify-snapshots warns in the record of its run about kinds that the region does not have", async () => {
    const { cloud, of, verify } = await createFixture({ withoutStandardSnapshots: true });
    seed(cloud, "snapshot", of.snapshot, { minutes: 10 });
    seed(cloud, "cluster-snapshot", of["cluster-snapshot"], { minutes: 10 });
    const { error, result, records } = await verify();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ available: 2 });
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "done", level: "warn" });
    expect(records.at(-1).detail).toBe(
      "standard-snapshot, snapshot-group: not offered at this endpoint (404 APIGW.0101), so not looked at. Where the cloud has them, correct *_ENDPOINT.",
    );
  });

  test("verify-snapshots and prune-snapshots warn about a kind whose endpoint belongs to another service", async () => {
    const { cloud, invoke, of, verify } = await createFixture();
    seed(cloud, "cluster-snapshot", of["cluster-snapshot"], { minutes: 60, status: "error" });
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ operation: "dws.listSnapshots" }, { type: "answer", status: 404, body });
    const prune = () => invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }, START));
    for (const { records } of [await verify(), await prune()]) {
      expect(records.at(-1)).toMatchObject({ level: "warn", detail: expect.stringMatching(/^cluster-snapshot: not/) });
    }
  });

  test("verify-snapshots stops its calls if the account is frozen", async () => {
    const { cloud, verify } = await createFixture();
    const body = { error: { code: "EVS.2144", message: "account frozen" } };
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "status", status: 403, body });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(records.slice(0, 4).map((one) => one.error.reason)).toEqual(Array(4).fill("AccountSuspended"));
    expect(cloud.requests.filter(({ operation }) => operation !== "lts.reportLogs")).toHaveLength(1);
  });

  test("verify-snapshots repeats lists that are throttled, respond 503, are reset or are truncated", async () => {
    const { cloud, of, verify } = await createFixture();
    for (const kind of KINDS) seed(cloud, kind, of[kind], { minutes: 10 });
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "throttle" });
    cloud.fault({ operation: "evs.listStandardSnapshots", nth: 1 }, { type: "status", status: 503 });
    cloud.fault({ operation: "evs.listSnapshotGroups", nth: 1 }, { type: "reset", after: false });
    cloud.fault({ operation: "dws.listSnapshots", nth: 1 }, { type: "cut", after: false });
    const { error, result } = await verify();
    expect(error).toBeUndefined();
    expect(result.outcomes).toEqual({ available: 4 });
  });

  test("verify-snapshots writes failed records and fails if its lists stay throttled until its deadline", async () => {
    const { cloud, of, verify } = await createFixture();
    seed(cloud, "snapshot", of.snapshot, { minutes: 10 });
    cloud.fault({ operation: /\.list/ }, { type: "throttle", window: "1 minute" });
    const { error, records } = await verify();
    expect(JSON.parse(error?.message ?? "").outcomes).toEqual({ failed: 4 });
    expect(new Set(records.slice(0, 4).map((one) => one.error.reason))).toEqual(new Set(["Throttled"]));
    expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed" });
  });
});
