import { describe, expect, test } from "vitest";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { openSite, timerEvent } from "../harness.ts";

const DAY_MS = 86_400_000;

describe("a policy over four kinds, for ten nights", () => {
  test("verify finds each snapshot available, prune keeps the newest three", async () => {
    const { cloud, clock, invoke } = await openSite();
    const server = cloud.addServer({ tags: { backup: "daily" } });
    cloud.addVolume({ serverId: server.id, tags: { backup: "daily" } });
    cloud.addCluster({ tags: { backup: "daily" } });
    const policy = {
      policy: "nightly",
      time_zone: "Europe/Berlin",
      targets: ["snapshot", "standard-snapshot", "snapshot-group", "cluster-snapshot"].map((kind) => ({
        kind,
        tags: { backup: "daily" },
      })),
      retention: { keep_last: 3 },
    };
    for (let night = 0; night < 10; night += 1) {
      const time = new Date(clock.now()).toISOString();
      const taken = await invoke(scheduledSnapshots, timerEvent(policy, time));
      expect(taken.error).toBeUndefined();
      expect(taken.result.outcomes).toEqual({ accepted: 4 });
      clock.advance(3_600_000);
      const verified = await invoke(
        verifySnapshots,
        timerEvent({ lookback_minutes: 90 }, new Date(clock.now()).toISOString()),
      );
      expect(verified.result).toMatchObject({ targets: 4, outcomes: { available: 4 } });
      const pruned = await invoke(pruneSnapshots, timerEvent(policy, new Date(clock.now()).toISOString()));
      expect(pruned.error).toBeUndefined();
      expect(pruned.result.outcomes).toEqual(night < 3 ? { kept: 4 * (night + 1) } : { kept: 12, deleted: 4 });
      clock.advance(DAY_MS - 3_600_000);
    }
    const left = cloud.snapshots().filter(({ snapshot_group_id }) => !snapshot_group_id);
    expect(left).toHaveLength(12);
  });
});
