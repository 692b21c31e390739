/** Tests `pre-deploy` when members of a snapshot group are missing or cannot be checked. */
import { describe, expect, test } from "vitest";
import { MINUTE_MS } from "../support/common.ts";
import {
  createFixture,
  errorsOf,
  firstSnapshot,
  outcomesOf,
  type RowChange,
  removeFields,
} from "../support/deployments.ts";
import { errorOf, type Json, type TestEnvironmentOptions } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("a snapshot group for a server with three disks", () => {
  const createGroupFixture = async (options: TestEnvironmentOptions = {}) => {
    const fixture = await createFixture(options);
    const { id, disks = [], targets } = fixture.addResource("snapshot-group");
    const memberOf = (disk: string | undefined) =>
      fixture.cloud.snapshots("standard-snapshot").find(({ volume_id }) => volume_id === disk)?.id ?? "";
    return { ...fixture, server: id, disks: disks as [string, string, string], targets, memberOf };
  };

  /** Creates a snapshot group with three available members. */
  const createFinishedGroup = async () => {
    const fixture = await createGroupFixture();
    await fixture.post({ targets: fixture.targets });
    fixture.clock.advance(10_000);
    return fixture;
  };

  test("pre-deploy responds 502 if a snapshot group lacks the member for one disk, and creates a new group if retry_failed is true", async () => {
    const { cloud, clock, disks, server, targets, post, memberOf } = await createFinishedGroup();
    cloud.removeSnapshot(memberOf(disks[1]));
    for (const wait_seconds of [0, 10]) {
      const failed = await post({ targets, wait_seconds });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)).toMatchObject([{ reason: "SnapshotFailed" }]);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${disks[1]} is missing`);
      expect(errorsOf(failed)[0].message).toContain(server);
      expect(failed.records[0].error.message).toBe(errorsOf(failed)[0].message);
    }
    expect(outcomesOf(await post({ targets, retry_failed: true }))).toEqual(["accepted"]);
    clock.advance(10_000);
    expect((await post({ targets })).status).toBe(200);
    expect(cloud.count("evs.createSnapshotGroup")).toBe(2);
  });

  test("pre-deploy repeats the create request for a new snapshot group after a 503 response instead of accepting the old group, which lacks a member", async () => {
    const { cloud, clock, post, addResource } = await createFixture();
    const { targets, disks = [] } = addResource("snapshot-group");
    expect((await post({ targets, wait_seconds: 20 })).status).toBe(200);
    const old = firstSnapshot(cloud, "snapshot-group");
    cloud.removeMember(old.id, String(disks[1]));
    clock.advance(MINUTE_MS);
    cloud.fault({ operation: "evs.createSnapshotGroup", nth: 1 }, { type: "status", status: 503 });
    const retried = await post({ targets, wait_seconds: 40, retry_failed: true });
    expect(retried.status).toBe(200);
    expect(retried.body.snapshots[0].snapshot_id).not.toBe(old.id);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(2);
  });

  test("pre-deploy names all three disks of a server in its error if the snapshot group of the server has no members", async () => {
    const { cloud, disks, targets, post, memberOf } = await createFinishedGroup();
    for (const disk of disks) cloud.removeSnapshot(memberOf(disk));
    const failed = await post({ targets });
    expect(failed.status).toBe(502);
    for (const disk of disks) expect(errorsOf(failed)[0].message).toContain(disk);
  });

  test("pre-deploy waits for a group member that EVS lists 5 s after the snapshot group", async () => {
    const { clock, disks, targets, post, changeRows } = await createGroupFixture({ creationMs: 1_000 });
    await post({ targets });
    const created = clock.now();
    const late: RowChange = (row) => (row.volume_id === disks[2] && clock.now() - created < 5_000 ? undefined : row);
    changeRows("snapshots", late);
    clock.advance(2_000);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(outcomesOf(pending)).toEqual(["existing"]);
    expect((await post({ targets, wait_seconds: 10 })).status).toBe(200);
  });

  test("pre-deploy stops waiting and responds 502 within 10 s if EVS never lists a group member and wait_seconds is 50", async () => {
    const { clock, disks, targets, post, changeRows } = await createGroupFixture({ creationMs: 1_000 });
    const began = clock.now();
    changeRows("snapshots", (row) => (row.volume_id === disks[2] ? undefined : row));
    const failed = await post({ targets, wait_seconds: 50 });
    expect(failed.status).toBe(502);
    expect(clock.now() - began).toBeLessThan(10_000);
  });

  test("pre-deploy responds 200 although a snapshot group has no member for a disk that was attached after the group was created", async () => {
    const { cloud, server, targets, post } = await createFinishedGroup();
    cloud.addVolume({ serverId: server });
    expect((await post({ targets })).status).toBe(200);
  });

  test.each([undefined, null, "", "recently", "2029-11-21T02:00:00", "1970-01-01T00:00:00"])(
    'pre-deploy responds 502 if a snapshot group has no member for a disk whose field "attached_at" in the EVS response is %j',
    async (attached_at) => {
      const { cloud, server, targets, post, changeRows } = await createFinishedGroup();
      const late = cloud.addVolume({ serverId: server }).id;
      changeRows("volumes", (row) => ({
        ...row,
        attachments: (row.attachments as Json[]).map((one) => ({ ...one, attached_at })),
      }));
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${late} is missing`);
    },
  );

  test("pre-deploy responds 502 if a snapshot group has no member for a shared disk that was attached to the server before the group was created, and 200 if the disk was attached later", async () => {
    for (const attachLater of [true, false]) {
      const { cloud, clock, server, targets, post, changeRows } = await createGroupFixture();
      const other = cloud.addServer().id;
      const shared = cloud.addVolume({ multiattach: true, serverId: attachLater ? other : undefined }).id;
      if (!attachLater) cloud.attach(shared, server);
      clock.advance(MINUTE_MS);
      await post({ targets });
      clock.advance(MINUTE_MS);
      cloud.attach(shared, attachLater ? server : other);
      expect((await post({ targets })).status).toBe(200);
      changeRows("snapshots", (row) => (row.volume_id === shared ? undefined : row));
      expect((await post({ targets })).status).toBe(attachLater ? 200 : 502);
    }
  });

  test("pre-deploy responds 202 if no disk that EVS lists is attached to the server of the snapshot group", async () => {
    const { targets, post, changeRows } = await createFinishedGroup();
    changeRows("volumes", (row) => ({ ...row, attachments: [{ server_id: "another" }] }));
    // EVS lists no disk of the server, so the function cannot check the members of the group.
    expect((await post({ targets })).status).toBe(202);
  });

  test('pre-deploy responds 502 if a snapshot group has no member for a newly attached disk and EVS omits the field "attachments" of the disk', async () => {
    const { cloud, server, targets, post, changeRows } = await createFinishedGroup();
    cloud.addVolume({ serverId: server });
    changeRows("volumes", removeFields("attachments"));
    expect((await post({ targets })).status).toBe(502);
  });

  test("pre-deploy responds 502 if a group member has no volume_id or the volume_id of a different disk", async () => {
    for (const volume_id of [undefined, null, "", "00000000-0000-4000-8000-000000000000"]) {
      const { disks, targets, post, changeRows } = await createFinishedGroup();
      changeRows("snapshots", (row) => (row.volume_id === disks[0] ? { ...row, volume_id } : row));
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${disks[0]} is missing`);
    }
  });

  test("pre-deploy responds 502 while EVS rejects the request that lists the disks of a snapshot group, and 200 afterwards", async () => {
    const { cloud, targets, post } = await createFinishedGroup();
    const denied = cloud.fault({ operation: "evs.listVolumes" }, { type: "status", status: 403 });
    const refused = await post({ targets, wait_seconds: 10 });
    expect(refused.status).toBe(502);
    expect(errorOf(refused)).toMatchObject({ reason: "AccessDenied" });
    denied.remove();
    expect((await post({ targets })).status).toBe(200);
    expect(cloud.count("evs.createSnapshotGroup")).toBe(1);
  });

  test('pre-deploy responds 202 with the outcome "unverified" if EVS lists no disk for the server of a snapshot group', async () => {
    const { cloud, server, targets, post, changeRows } = await createFinishedGroup();
    changeRows("volumes", () => undefined);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(outcomesOf(pending)).toEqual(["unverified"]);
    expect(pending.body.snapshots[0]).toMatchObject({
      resource_id: server,
      detail: expect.stringContaining("EVS lists no disk that the server had at the group's creation"),
    });
    expect(cloud.count("evs.createSnapshotGroup")).toBe(1);
  });
});
