/** Tests how `pre-deploy` deletes old snapshots of a disk that has 7 snapshots, the maximum. */
import { describe, expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { apig, createTestEnvironment } from "../support/environment.ts";
import { addSnapshot, idsOf } from "../support/full-disks.ts";

describe("a disk with 7 snapshots, the maximum", () => {
  const body = (volumeId: string, changes = {}) => ({
    deployment_id: "release-42",
    targets: [{ kind: "snapshot", volume_ids: [volumeId] }],
    make_room: true,
    retention: { keep_last: 2 },
    ...changes,
  });
  const parseResponse = (result: { statusCode: number; body: string }) => ({
    status: result.statusCode,
    ...JSON.parse(result.body),
  });

  test("pre-deploy with make_room deletes the oldest snapshot that no retention rule keeps, and creates the new snapshot in the next call", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment({ deletionMs: 10_000 });
    const disk = cloud.addVolume();
    for (let days = 1; days <= 4; days += 1) addSnapshot(cloud, disk.id, days, { policy: "pre-deploy" });
    for (let days = 1; days <= 3; days += 1) addSnapshot(cloud, disk.id, days, { policy: "nightly" });
    const first = await invoke(preDeploy, apig(body(disk.id)));
    expect(parseResponse(first.result)).toMatchObject({
      status: "pending",
      snapshots: [{ outcome: "deferred", error: { reason: "DeadlineExceeded" } }],
    });
    expect(first.records.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      "prune deleted",
      "create deferred",
      "run done",
    ]);
    clock.advance(10_000);
    const second = await invoke(preDeploy, apig(body(disk.id, { wait_seconds: 20 })));
    expect(parseResponse(second.result)).toMatchObject({ status: "ready" });
    const left = cloud.snapshots("snapshot").map(({ metadata }) => metadata?.policy);
    expect(left.sort()).toEqual([...Array(3).fill("nightly"), ...Array(4).fill("pre-deploy")]);
  });

  test('pre-deploy responds 400 to make_room for the policy "nightly", because pre-deploy does not know the field "hold" of this policy', async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const { result, records } = await invoke(preDeploy, apig(body(disk.id, { policy: "nightly" })));
    expect(parseResponse(result)).toMatchObject({ status: 400, error: { reason: "InvalidRequest" } });
    expect(parseResponse(result).error.message).toMatch(/^make_room: expected the policy pre-deploy, got "nightly": /);
    expect(records[0]).toMatchObject({ action: "create", outcome: "rejected", policy: "nightly" });
    expect(requests()).toEqual([]);
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
    // The function accepts make_room for the policy `pre-deploy`.
    const own = await invoke(preDeploy, apig(body(cloud.addVolume().id, { policy: "pre-deploy" })));
    expect(own.result.statusCode).toBe(202);
  });

  test("pre-deploy responds 400 and advises to omit make_room if a request has make_room but no retention", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    const { result } = await invoke(preDeploy, apig(body(disk.id, { retention: undefined })));
    expect(parseResponse(result)).toMatchObject({ status: 400, error: { reason: "InvalidRequest" } });
    expect(parseResponse(result).error.message).toMatch(
      /^make_room: expected a retention with at least one keep_ rule.* omit make_room\.$/,
    );
    expect(requests()).toEqual([]);
  });
});
