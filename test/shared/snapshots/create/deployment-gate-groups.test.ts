import { describe, expect, test } from "vitest";
import type { GateOptions } from "../../../../shared/snapshots/create/deployment-gate.ts";
import { type Target, targetFor } from "../../../../shared/snapshots/policy.ts";
import type { AttachedDisk } from "../../../../shared/snapshots/ports.ts";
import { CREATING, cloudError, createFixture, group, HOUR_MS, snapshotOf } from "../../../support/domain.ts";
import { AVAILABLE, becomes, call, gate, moment, snapshotCreatedFor } from "../../../support/gate.ts";

describe("passGate with groups", () => {
  const SERVER = targetFor(group, "server-1");
  const membersOf = (...disks: string[]) => disks.map((disk) => snapshotOf(`of-${disk}`, disk));
  /** Calls the gate for a group with the given members, of a server with the given disks. The group is an hour old by default. */
  async function whole(members: string[], disks: AttachedDisk[], options: Partial<GateOptions> = {}, since = -HOUR_MS) {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", disks);
    fixture.cloud.add(
      group,
      snapshotCreatedFor(SERVER, "g", { created: moment(since), members: membersOf(...members) }),
    );
    return { ...(await call(fixture, [SERVER], options)), fixture };
  }
  const LONG_AGO = moment(-2 * HOUR_MS);

  test("passGate reports a group as available if it has a member for each disk of its server", async () => {
    const { short, fixture } = await whole(
      ["a", "b"],
      [{ id: "A", attachedAt: LONG_AGO }, { id: "b" }, { id: "c", attachedAt: moment(-HOUR_MS + 1) }],
    );
    expect(short).toEqual(["g available"]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot-group", "disksOf server-1"]);
  });

  test("passGate reports a group as failed if members are missing, and names the disks without a member", async () => {
    const { progress } = await whole(["b"], [{ id: "a", attachedAt: LONG_AGO }, { id: "b" }, { id: "c" }]);
    expect(progress).toMatchObject([
      {
        outcome: "failed",
        snapshot_id: "g",
        error: {
          reason: "SnapshotFailed",
          message:
            'Expected the snapshot-group g to become available; its status is "available", but the member for disk a is missing, the member for disk c is missing. Check server-1, then repeat the call with "retry_failed": true.',
        },
      },
    ]);
    expect((await whole(["b"], [{ id: "a" }], { retryFailed: true })).short).toEqual(["made-1 accepted"]);
  });

  test("passGate waits for a missing group member for 6 s after the group was created", async () => {
    const late = await whole(["a"], [{ id: "a" }, { id: "b" }], {}, -5_999);
    expect(late.progress).toMatchObject([
      { outcome: "existing", detail: expect.stringContaining("the member for disk b is missing") },
    ]);
    expect((await whole(["a"], [{ id: "a" }, { id: "b" }], {}, -6_000)).short).toEqual(["g failed"]);
  });

  test("passGate waits for a missing group member for 6 s after its own create if the cloud's clock is behind", async () => {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", [{ id: "a" }, { id: "b" }]);
    becomes(fixture, 1, { ...AVAILABLE, created: moment(-60_000), members: membersOf("a") }, group);
    expect((await call(fixture, [SERVER], { waitUntil: moment(4_000) })).short).toEqual(["made-1 accepted"]);
    const longer = createFixture();
    longer.cloud.disks.set("server-1", [{ id: "a" }, { id: "b" }]);
    becomes(longer, 1, { ...AVAILABLE, created: moment(-60_000), members: membersOf("a") }, group);
    expect((await call(longer, [SERVER], { waitUntil: moment(20_000) })).short).toEqual(["made-1 failed"]);
    expect(longer.time.seconds()).toBe(6);
  });

  test("passGate does not report a group as available if no disk was attached when the group was created", async () => {
    for (const disks of [[], [{ id: "a", attachedAt: moment(-60_000) }]]) {
      const { progress } = await whole(["a"], disks);
      expect(progress).toMatchObject([
        { outcome: "unverified", detail: expect.stringContaining("the list of disks shows none") },
      ]);
    }
  });

  test("passGate compares a group of individual disks with the disks in the request and lists no disks of a server", async () => {
    const named: Target = { kind: group, resource: "a,b", options: { volume_ids: ["a", "B"] } };
    for (const [members, short] of [
      [["a", "b"], ["g available"]],
      [["a"], ["g failed"]],
    ] as const) {
      const found = snapshotCreatedFor(named, "g", {
        resource: undefined,
        members: membersOf(...members),
        created: moment(-HOUR_MS),
      });
      const done = await gate([found], [named], {}, group);
      expect(done.short).toEqual(short);
      expect(done.asked).toEqual(["listAll snapshot-group"]);
    }
  });

  test("passGate rejects if the disks of a group's server cannot be listed, and lists none while the group is being created", async () => {
    const fixture = createFixture();
    fixture.cloud.add(group, snapshotCreatedFor(SERVER, "g", { members: membersOf("a") }));
    fixture.cloud.at("disksOf", cloudError("AccessDenied"));
    expect((await call(fixture, [SERVER])).error).toMatchObject({ reason: "AccessDenied" });
    const young = await gate([snapshotCreatedFor(SERVER, "g", CREATING)], [SERVER], {}, group);
    expect(young.asked).toEqual(["listAll snapshot-group"]);
  });

  test("passGate lists the disks of a group's server again at the next poll after a failure", async () => {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", [{ id: "a" }]);
    fixture.cloud.at("disksOf", cloudError("AccessDenied"));
    becomes(fixture, 1, { ...AVAILABLE, members: membersOf("a") }, group);
    expect((await call(fixture, [SERVER], { waitUntil: moment(20_000) })).short).toEqual(["made-1 available"]);
    expect(fixture.time.seconds()).toBe(4);
  });
});
