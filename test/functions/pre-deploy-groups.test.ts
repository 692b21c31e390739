/** Tests `pre-deploy` when members of a snapshot group are missing or cannot be checked. */
import { describe, expect, test } from "vitest";
import { MINUTE_MS } from "../support/common.ts";
import { createFixture, errorsOf, firstSnapshot, outcomesOf, type RowChange, without } from "../support/deployments.ts";
import { errorOf, type Json, type TestEnvironmentOptions } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("a group of a server with three disks", () => {
  const open = async (options: TestEnvironmentOptions = {}) => {
    const fixture = await createFixture(options);
    const { id, disks = [], targets } = fixture.addResource("snapshot-group");
    const memberOf = (disk: string | undefined) =>
      fixture.cloud.snapshots("standard-snapshot").find(({ volume_id }) => volume_id === disk)?.id ?? "";
    return { ...fixture, server: id, disks: disks as [string, string, string], targets, memberOf };
  };

  test("pre-deploy fails if a group has no member for one disk, until retry_failed creates another group", async () => {
    const { cloud, clock, disks, server, targets, post, memberOf } = await open();
    await post({ targets });
    clock.advance(10_000);
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

  test("pre-deploy repeats a create that failed instead of accepting the incomplete group", async () => {
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

  test("pre-deploy names every disk without a member if a group has no members", async () => {
    const { cloud, clock, disks, targets, post, memberOf } = await open();
    await post({ targets });
    clock.advance(10_000);
    for (const disk of disks) cloud.removeSnapshot(memberOf(disk));
    const failed = await post({ targets });
    expect(failed.status).toBe(502);
    for (const disk of disks) expect(errorsOf(failed)[0].message).toContain(disk);
  });

  test("pre-deploy waits for a group member that the list shows late", async () => {
    const { clock, disks, targets, post, changeRows } = await open({ creationMs: 1_000 });
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

  test("pre-deploy stops waiting and fails if the list does not show a group member within 6 s", async () => {
    const { clock, disks, targets, post, changeRows } = await open({ creationMs: 1_000 });
    const began = clock.now();
    changeRows("snapshots", (row) => (row.volume_id === disks[2] ? undefined : row));
    const failed = await post({ targets, wait_seconds: 50 });
    expect(failed.status).toBe(502);
    expect(clock.now() - began).toBeLessThan(10_000);
  });

  test("pre-deploy needs no group member for a disk that was attached after the group was created", async () => {
    const { cloud, clock, server, targets, post } = await open();
    await post({ targets });
    clock.advance(10_000);
    cloud.addVolume({ serverId: server });
    expect((await post({ targets })).status).toBe(200);
  });

  test.each([undefined, null, "", "recently", "2029-11-21T02:00:00", "1970-01-01T00:00:00"])(
    "pre-deploy needs a group member for a disk whose attached_at is %j",
    async (attached_at) => {
      const { cloud, clock, server, targets, post, changeRows } = await open();
      await post({ targets });
      clock.advance(10_000);
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

  test("pre-deploy ignores the attachment of a shared disk to a server other than that of the group", async () => {
    for (const later of [true, false]) {
      const { cloud, clock, server, targets, post, changeRows } = await open();
      const other = cloud.addServer().id;
      const shared = cloud.addVolume({ multiattach: true, serverId: later ? other : undefined }).id;
      if (!later) cloud.attach(shared, server);
      clock.advance(MINUTE_MS);
      await post({ targets });
      clock.advance(MINUTE_MS);
      cloud.attach(shared, later ? server : other);
      expect((await post({ targets })).status).toBe(200);
      changeRows("snapshots", (row) => (row.volume_id === shared ? undefined : row));
      expect((await post({ targets })).status).toBe(later ? 200 : 502);
    }
  });

  test("pre-deploy needs no group member for a disk that is attached to other servers only", async () => {
    const { clock, targets, post, changeRows } = await open();
    await post({ targets });
    clock.advance(10_000);
    changeRows("volumes", (row) => ({ ...row, attachments: [{ server_id: "another" }] }));
    // No disk of the server remains that the function could compare with the members.
    expect((await post({ targets })).status).toBe(202);
  });

  test("pre-deploy needs a group member for a disk of the server that lists no attachments", async () => {
    const { cloud, clock, server, targets, post, changeRows } = await open();
    await post({ targets });
    clock.advance(10_000);
    cloud.addVolume({ serverId: server });
    changeRows("volumes", without("attachments"));
    expect((await post({ targets })).status).toBe(502);
  });

  test("pre-deploy ignores a group member without a volume_id or of another disk", async () => {
    for (const volume_id of [undefined, null, "", "00000000-0000-4000-8000-000000000000"]) {
      const { clock, disks, targets, post, changeRows } = await open();
      await post({ targets });
      clock.advance(10_000);
      changeRows("snapshots", (row) => (row.volume_id === disks[0] ? { ...row, volume_id } : row));
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(errorsOf(failed)[0].message).toContain(`the member for disk ${disks[0]} is missing`);
    }
  });

  test("pre-deploy is not ready if the disks of a group's server cannot be read, and is ready once they can", async () => {
    const { cloud, clock, targets, post } = await open();
    await post({ targets });
    clock.advance(10_000);
    const denied = cloud.fault({ operation: "evs.listVolumes" }, { type: "status", status: 403 });
    const refused = await post({ targets, wait_seconds: 10 });
    expect(refused.status).toBe(502);
    expect(errorOf(refused)).toMatchObject({ reason: "AccessDenied" });
    denied.remove();
    expect((await post({ targets })).status).toBe(200);
    expect(cloud.count("evs.createSnapshotGroup")).toBe(1);
  });

  test("pre-deploy is not ready if the list shows no disk of a group's server", async () => {
    const { cloud, clock, server, targets, post, changeRows } = await open();
    await post({ targets });
    clock.advance(10_000);
    changeRows("volumes", () => undefined);
    const pending = await post({ targets });
    expect(pending.status).toBe(202);
    expect(outcomesOf(pending)).toEqual(["unverified"]);
    expect(pending.body.snapshots[0]).toMatchObject({
      resource_id: server,
      detail: expect.stringContaining("the list of disks shows none that its server had by then"),
    });
    expect(cloud.count("evs.createSnapshotGroup")).toBe(1);
  });
});
