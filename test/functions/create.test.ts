import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { apig, openSite } from "../harness.ts";

describe("create-snapshot", () => {
  test("a lost reply makes one snapshot", async () => {
    const { cloud, clock, invoke } = await openSite();
    const disk = cloud.addVolume();
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "reset", after: true });
    const before = clock.now();
    const { result, records } = await invoke(
      createSnapshot,
      apig({ snapshot: { volume_id: disk.id, name: "snap-001" } }),
    );
    expect(result.statusCode).toBe(202);
    expect(result.headers["x-snapshot-outcome"]).toBe("accepted");
    expect(cloud.snapshots()).toHaveLength(1);
    expect(records.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["create", "accepted"],
      ["run", "done"],
    ]);
    expect(cloud.logs.map(({ line }) => line)).toEqual(records);
    expect(clock.now() - before).toBe(1_000);
  });
});
