import { describe, expect, test } from "vitest";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { openSite, START, timerEvent } from "../harness.ts";

describe("scheduled-snapshots", () => {
  test("a policy over 1,000 disks, 20 servers and 3 clusters: exactly one snapshot each", {
    timeout: 60_000,
  }, async () => {
    const { cloud, invoke, requests } = await openSite({ timeoutSeconds: 900 });
    const servers = Array.from({ length: 20 }, () => cloud.addServer({ tags: { backup: "daily" } }));
    for (let index = 0; index < 1_000; index += 1) {
      cloud.addVolume({ tags: { backup: "daily" }, serverId: servers[index % 20]?.id });
    }
    for (let index = 0; index < 3; index += 1) cloud.addCluster({ tags: { backup: "daily" } });
    const policy = {
      policy: "nightly",
      targets: [
        { kind: "snapshot", tags: { backup: "daily" } },
        { kind: "snapshot-group", tags: { backup: "daily" } },
        { kind: "cluster-snapshot", tags: { backup: "*" } },
      ],
    };
    const { result, error, records } = await invoke(scheduledSnapshots, timerEvent(policy, START), {
      variables: { SHARD_SIZE: "2000" },
    });
    expect(error).toBeUndefined();
    expect(result).toEqual({
      function: "scheduled-snapshots",
      policy: "nightly",
      targets: 1_023,
      outcomes: { accepted: 1_023 },
      deferred_to: [],
      topic: "delivered",
    });
    expect(cloud.snapshots("snapshot")).toHaveLength(1_000);
    expect(records).toHaveLength(1_024);
    expect(cloud.logs).toHaveLength(1_024);
    console.log(requests().length);
  });
});
