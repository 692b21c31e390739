/** Tests how `disk-attached` deletes old snapshots of a disk that has 7 snapshots, the maximum. */
import { describe, expect, test } from "vitest";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { expectSuccess, START_MS } from "../support/common.ts";
import { createTestEnvironment } from "../support/environment.ts";
import { addSnapshot, idsOf } from "../support/full-disks.ts";

describe("a disk with 7 snapshots, the maximum", () => {
  const createAttachedFixture = async (DISK_ATTACHED_RETENTION?: string, more: Record<string, string> = {}) => {
    const environment = await createTestEnvironment({ variables: { DISK_ATTACHED_RETENTION, ...more } });
    const { cloud, invoke } = environment;
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id, attachedAt: START_MS });
    const earlier = [6, 5, 4, 3, 2, 1].map((days) => addSnapshot(cloud, disk.id, days, { policy: "disk-attached" }));
    const foreign = addSnapshot(cloud, disk.id, 9, { policy: "nightly" });
    return {
      ...environment,
      disk,
      earlier,
      foreign,
      deliver: () => invoke(diskAttached, createRequestTrace(server.id, disk.id)),
    };
  };

  test("disk-attached deletes the oldest snapshot that no rule of DISK_ATTACHED_RETENTION keeps, and creates a snapshot of the attached disk", async () => {
    const { cloud, deliver, disk, earlier, foreign } = await createAttachedFixture('{"keep_last":2}');
    const { records, result } = expectSuccess(await deliver());
    expect(result.outcomes).toEqual({ deleted: 1, accepted: 1 });
    const deleted = records.filter(({ action }) => action === "prune");
    expect(deleted.map(({ snapshot_id }) => snapshot_id)).toEqual([earlier[0]]);
    for (const one of deleted) expect(one).toMatchObject({ policy: "disk-attached", resource_id: disk.id });
    const made = records.find(({ action }) => action === "create")?.snapshot_id;
    // The snapshot `foreign` belongs to the policy `nightly`, so the function does not delete it.
    expect(idsOf(cloud, disk.id)).toEqual([foreign, ...earlier.slice(1), made]);

    const again = await deliver();
    expect(again.result.outcomes).toEqual({ existing: 1 });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("disk-attached reports QuotaExceeded and deletes nothing if the disk already has 7 snapshots and DISK_ATTACHED_RETENTION is not set", async () => {
    const { cloud, deliver, disk } = await createAttachedFixture();
    const { records } = await deliver();
    expect(records[0]).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(records[0].error.message).toContain("to keep fewer (see infra/README.md)");
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test("disk-attached reports QuotaExceeded if DISK_ATTACHED_RETENTION keeps 6 of a disk's 7 snapshots and the other snapshot has another policy", async () => {
    const { cloud, deliver, disk } = await createAttachedFixture('{"keep_last":6}');
    const { records } = await deliver();
    expect(records[0]).toMatchObject({ action: "create", outcome: "failed", error: { reason: "QuotaExceeded" } });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });

  test.each([
    [
      "a string that is not JSON",
      "keep_last=3",
      /^DISK_ATTACHED_RETENTION: expected the retention .*"keep_last":3.*, got "keep_last=3"\.$/,
    ],
    [
      "a number",
      "3",
      /^DISK_ATTACHED_RETENTION: expected an object, got the number 3\. Expected the retention .*"keep_last":3/,
    ],
    [
      "an object with an unknown rule",
      '{"keep_dialy":7}',
      /^DISK_ATTACHED_RETENTION\.keep_dialy: unknown field. Allowed:/,
    ],
    [
      "an object with a string as the value of a rule",
      '{"keep_last":"3"}',
      /^DISK_ATTACHED_RETENTION\.keep_last: expected an integer/,
    ],
    ["an object without rules", "{}", /with at least one rule above 0, got "\{\}"\.$/],
    ["an object in which only min_keep is above 0", '{"keep_last":0,"min_keep":1}', /with at least one rule above 0/],
  ])(
    "disk-attached reports Misconfigured and sends no request if DISK_ATTACHED_RETENTION is %s",
    async (_what, value, message) => {
      const { deliver, requests } = await createAttachedFixture(value);
      const { error, records } = await deliver();
      expect(error).toMatchObject({ reason: "Misconfigured", message: expect.stringMatching(message) });
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", policy: "disk-attached" });
      expect(requests()).toEqual([]);
    },
  );

  test("disk-attached creates a standard snapshot of a disk with 7 legacy snapshots and deletes no legacy snapshot", async () => {
    const { cloud, deliver, disk } = await createAttachedFixture('{"keep_last":2}', {
      DISK_ATTACHED_KIND: "standard-snapshot",
    });
    const { result } = await deliver();
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(idsOf(cloud, disk.id)).toHaveLength(7);
  });
});
