/** Tests which rejected create requests make `scheduled-snapshots` delete an old snapshot of a full disk. */
import { describe, expect, test } from "vitest";
import { expectSuccess } from "../support/common.ts";
import { addSnapshot, createFixture, idsOf } from "../support/full-disks.ts";

describe("a disk with 7 snapshots, the maximum, and a create request that EVS rejects", () => {
  test.each([
    ["an unsupported operation", 400, { error: { code: "EVS.5405", message: "not supported" } }],
    ["missing rights", 403, { error: { code: "EVS.0003", message: "Policy doesn't allow this." } }],
    ["an unknown disk", 404, { error: { code: "EVS.5404", message: "Volume could not be found." } }],
    ["an API that does not exist", 404, { error_code: "APIGW.0101", error_msg: "The API does not exist." }],
  ])(
    "scheduled-snapshots with make_room deletes nothing if the create request is rejected because of %s",
    async (_what, status, body) => {
      const { cloud, schedule, disk } = await createFixture();
      for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
      cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", status, body });
      const { records } = await schedule();
      expect(records.at(-2)).toMatchObject({ action: "create", outcome: "failed" });
      expect(idsOf(cloud, disk.id)).toHaveLength(7);
    },
  );

  test("scheduled-snapshots with make_room deletes nothing if the create request is rejected because of the status of the disk", async () => {
    const { cloud, schedule, disk } = await createFixture();
    for (let days = 1; days <= 7; days += 1) addSnapshot(cloud, disk.id, days);
    const body = { error: { code: "EVS.5400", message: "Volume status must be available or in-use." } };
    cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", status: 400, body });
    const { records } = await schedule();
    expect(records.at(-2)).toMatchObject({ outcome: "failed", error: { reason: "InvalidRequest" } });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("scheduled-snapshots with make_room deletes at most one snapshot for a create request if the quota stays exhausted", async () => {
    const { cloud, schedule, disk } = await createFixture({ legacyPerVolume: 20 });
    for (let days = 1; days <= 12; days += 1) addSnapshot(cloud, disk.id, days);
    const body = { error: { code: "EVS.5413", message: "Quota exceeded." } };
    cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", status: 413, body });
    const { records } = await schedule();
    expect(records.at(-2)).toMatchObject({ outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(idsOf(cloud, disk.id).length).toBeGreaterThanOrEqual(11);
  });

  test("if other snapshots disappear after EVS rejected a create request, scheduled-snapshots with make_room creates the snapshot without any deletion", async () => {
    const { cloud, runtime, schedule, disk } = await createFixture();
    const old = [7, 6, 5, 4, 3, 2, 1].map((days) => addSnapshot(cloud, disk.id, days));
    const { transport } = runtime;
    runtime.transport = async (request) => {
      const response = await transport(request);
      if (request.method === "POST") for (const id of old.splice(0, 4)) cloud.removeSnapshot(id);
      return response;
    };
    const { result } = expectSuccess(await schedule());
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(cloud.count("evs.createSnapshot", 413)).toBe(1);
    expect(cloud.count("evs.deleteSnapshot")).toBe(0);
  });

  test("scheduled-snapshots with make_room deletes nothing if the quota of the project is used up and the disk has 6 snapshots", async () => {
    const { cloud, schedule, disk } = await createFixture();
    for (let days = 1; days <= 6; days += 1) addSnapshot(cloud, disk.id, days);
    const body = { error: { code: "EVS.5413", message: "Quota exceeded." } };
    cloud.fault({ operation: "evs.createSnapshot" }, { type: "status", status: 413, body });
    const { records } = await schedule();
    expect(records.at(-2)).toMatchObject({ outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(idsOf(cloud, disk.id)).toHaveLength(6);
  });
});
