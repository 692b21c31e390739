import { describe, expect, test } from "vitest";
import type { GateOptions } from "../../../../shared/snapshots/create/deployment-gate.ts";
import { createTarget, type Target } from "../../../../shared/snapshots/policy.ts";
import type { AttachedDisk } from "../../../../shared/snapshots/ports.ts";
import { cloudError, createFixture, group, HOUR_MS, STATUS, snapshotOf, startPlus } from "../../../support/domain.ts";
import { callGate, callGateWith, changeFromSecond, snapshotCreatedFor } from "../../../support/pass-gate.ts";

describe("passGate with groups", () => {
  const SERVER = createTarget(group, "server-1");
  const membersOf = (...disks: string[]) => disks.map((disk) => snapshotOf(`of-${disk}`, disk));
  /** Calls `passGate` for a server that has the given disks and a snapshot group. The group contains one member per disk id. */
  async function callForServer(
    members: string[],
    disks: AttachedDisk[],
    options: Partial<GateOptions> = {},
    age = HOUR_MS,
  ) {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", disks);
    fixture.cloud.add(
      group,
      snapshotCreatedFor(SERVER, "g", { created: startPlus(-age), members: membersOf(...members) }),
    );
    return { ...(await callGate(fixture, [SERVER], options)), fixture };
  }
  const LONG_AGO = startPlus(-2 * HOUR_MS);

  test("passGate reports a group as available if the group contains each disk that the server had when the group was created", async () => {
    const { outcomes, fixture } = await callForServer(
      ["a", "b"],
      [{ id: "A", attachedAt: LONG_AGO }, { id: "b" }, { id: "c", attachedAt: startPlus(-HOUR_MS + 1) }],
    );
    expect(outcomes).toEqual(["g available"]);
    expect(fixture.cloud.requests()).toEqual(["listAll snapshot-group", "disksOf server-1"]);
  });

  test("passGate reports a group as failed and names the missing disks if the group does not contain every disk of the server", async () => {
    const { progress } = await callForServer(["b"], [{ id: "a", attachedAt: LONG_AGO }, { id: "b" }, { id: "c" }]);
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
    expect((await callForServer(["b"], [{ id: "a" }], { retryFailed: true })).outcomes).toEqual(["made-1 accepted"]);
  });

  test("passGate does not report a group with a missing member as failed before the group is 6 s old", async () => {
    const young = await callForServer(["a"], [{ id: "a" }, { id: "b" }], {}, 5_999);
    expect(young.progress).toMatchObject([
      { outcome: "existing", detail: expect.stringContaining("the member for disk b is missing") },
    ]);
    expect((await callForServer(["a"], [{ id: "a" }, { id: "b" }], {}, 6_000)).outcomes).toEqual(["g failed"]);
  });

  test("passGate waits 6 s for a missing member of a group that it has just created, even if EVS lists an older creation time", async () => {
    const waitFor = async (milliseconds: number) => {
      const fixture = createFixture();
      fixture.cloud.disks.set("server-1", [{ id: "a" }, { id: "b" }]);
      changeFromSecond(
        fixture,
        1,
        { ...STATUS.available, created: startPlus(-60_000), members: membersOf("a") },
        group,
      );
      const { outcomes } = await callGate(fixture, [SERVER], { waitUntil: startPlus(milliseconds) });
      return [...outcomes, fixture.time.seconds()];
    };
    expect(await waitFor(4_000)).toEqual(["made-1 accepted", 4]);
    expect(await waitFor(20_000)).toEqual(["made-1 failed", 6]);
  });

  test("passGate reports a group as unverified if the server had no disk when the group was created", async () => {
    for (const disks of [[], [{ id: "a", attachedAt: startPlus(-60_000) }]]) {
      const { progress } = await callForServer(["a"], disks);
      expect(progress).toMatchObject([{ outcome: "unverified", detail: expect.stringContaining("EVS lists no disk") }]);
    }
  });

  test("passGate compares the members of a group of individual disks with the requested disks, without listing a server's disks", async () => {
    const disks: Target = { kind: group, resource: "a,b", options: { volume_ids: ["a", "B"] } };
    for (const [members, outcomes] of [
      [["a", "b"], ["g available"]],
      [["a"], ["g failed"]],
    ] as const) {
      const found = snapshotCreatedFor(disks, "g", {
        resource: undefined,
        members: membersOf(...members),
        created: startPlus(-HOUR_MS),
      });
      const called = await callGateWith([found], [disks], {}, group);
      expect(called.outcomes).toEqual(outcomes);
      expect(called.requests).toEqual(["listAll snapshot-group"]);
    }
  });

  test("passGate lists the server's disks only if the group is no longer creating, and fails if this list request fails", async () => {
    const fixture = createFixture();
    fixture.cloud.add(group, snapshotCreatedFor(SERVER, "g", { members: membersOf("a") }));
    fixture.cloud.onNextCalls("disksOf", cloudError("AccessDenied"));
    expect((await callGate(fixture, [SERVER])).error).toMatchObject({ reason: "AccessDenied" });
    const creating = await callGateWith([snapshotCreatedFor(SERVER, "g", STATUS.creating)], [SERVER], {}, group);
    expect(creating.requests).toEqual(["listAll snapshot-group"]);
  });

  test("passGate keeps a complete group of server-1 that it lists again after 10 s, and creates no second group", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    fixture.cloud.disks.set("server-1", [{ id: "a" }]);
    fixture.cloud.add(group, snapshotCreatedFor(SERVER, "g", { created: LONG_AGO, members: membersOf("a") }));
    const { outcomes } = await callGate(fixture, [createTarget(group, "server-2"), SERVER]);
    expect(outcomes).toEqual(["made-1 accepted", "g available"]);
    expect(fixture.cloud.calls).toContain("10 s listAll snapshot-group");
    expect(fixture.cloud.snapshotsOf(group).map(({ id }) => id)).toEqual(["g", "made-1"]);
  });

  test("passGate with retryFailed replaces a group without a member for disk b, even if the newest page lists the group as available after 10 s", async () => {
    const fixture = createFixture({ concurrency: 1, createMs: 10_000 });
    fixture.cloud.disks.set("server-1", [{ id: "a" }, { id: "b" }]);
    fixture.cloud.add(group, snapshotCreatedFor(SERVER, "g", { created: LONG_AGO, members: membersOf("a") }));
    const targets = [createTarget(group, "server-2"), SERVER];
    const { outcomes } = await callGate(fixture, targets, { retryFailed: true });
    expect(outcomes).toEqual(["made-1 accepted", "made-2 accepted"]);
  });

  test("passGate lists the server's disks again 2 s after a failed disk list request", async () => {
    const fixture = createFixture();
    fixture.cloud.disks.set("server-1", [{ id: "a" }]);
    fixture.cloud.onNextCalls("disksOf", cloudError("AccessDenied"));
    changeFromSecond(fixture, 1, { ...STATUS.available, members: membersOf("a") }, group);
    expect((await callGate(fixture, [SERVER], { waitUntil: startPlus(20_000) })).outcomes).toEqual([
      "made-1 available",
    ]);
    expect(fixture.time.seconds()).toBe(4);
  });
});
