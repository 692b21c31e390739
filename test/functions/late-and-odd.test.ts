/** What a cloud does that behaves as documented, and not as one would like: what broke the promise once. */
import { describe, expect, test } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../functions/create-snapshot-group/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import { keyOf } from "../../shared/snapshots/marker.ts";
import { apig, openSite, START, timerEvent } from "../harness.ts";

describe("a list that shows a new snapshot 5 s late", () => {
  test("the same Idempotency-Key 2 s later is the same snapshot", async () => {
    const { cloud, clock, invoke } = await openSite();
    cloud.listLagMs = 5_000;
    const event = apig({ snapshot: { volume_id: cloud.addVolume().id, name: "snap-001" } }, { "idempotency-key": "k" });
    const first = await invoke(createSnapshot, event);
    clock.advance(2_000);
    const second = await invoke(createSnapshot, event);
    expect(second.result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(JSON.parse(second.result.body).snapshot.id).toBe(JSON.parse(first.result.body).snapshot.id);
    const other = apig(
      { snapshot: { volume_id: JSON.parse(first.result.body).snapshot.volume_id } },
      { "idempotency-key": "k" },
    );
    expect((await invoke(createSnapshot, other)).result.statusCode).toBe(409);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("a gate that is asked every second takes one", async () => {
    const { cloud, clock, invoke } = await openSite();
    cloud.listLagMs = 5_000;
    const body = { deployment_id: "release-7", targets: [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }] };
    for (let second = 0; second < 5; second += 1) {
      expect((await invoke(preDeploy, apig(body))).result.statusCode).toBe(202);
      clock.advance(1_000);
    }
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("a timer's event that comes again after 1.5 s takes none", async () => {
    const { cloud, clock, invoke } = await openSite();
    cloud.listLagMs = 5_000;
    const event = timerEvent({
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: [cloud.addVolume().id] }],
    });
    await invoke(scheduledSnapshots, event);
    clock.advance(1_500);
    expect((await invoke(scheduledSnapshots, event)).result.outcomes).toEqual({ existing: 1 });
    expect(cloud.snapshots()).toHaveLength(1);
  });
});

describe("lists", () => {
  test("a disk is found by its tag though others come and go between the pages", async () => {
    const { cloud, invoke } = await openSite();
    const tagged = cloud.addVolume({ tags: { backup: "daily" }, createdAt: "2020-01-01T00:00:00Z" });
    const others = Array.from({ length: 2_300 }, () => cloud.addVolume());
    let next = 0;
    cloud.fault(
      { operation: "evs.listVolumes" },
      {
        type: "mutatePage",
        mutate: () => {
          cloud.addVolume();
          const gone = others[next++];
          if (gone) cloud.removeVolume(gone.id);
        },
      },
    );
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", tags: { backup: "daily" } }] };
    const { records, result } = await invoke(scheduledSnapshots, timerEvent(policy));
    expect(records[0].error).toBeUndefined();
    expect(result.outcomes).toEqual({ accepted: 1 });
    expect(cloud.snapshots("snapshot").map(({ volume_id }) => volume_id)).toEqual([tagged.id]);
  });

  test.each([
    ["dws.listClusters", "cluster-snapshot", { clusters: [], count: 3 }],
    ["ecs.listServers", "snapshot-group", { servers: [], count: 3 }],
    ["evs.listVolumes", "snapshot", { volumes: [], count: 3 }],
  ])("%s that counts more than it gives is no empty list", async (operation, kind, body) => {
    const { cloud, invoke } = await openSite();
    cloud.fault({ operation }, { type: "answer", status: 200, body: JSON.stringify(body) });
    const policy = { policy: "nightly", targets: [{ kind, tags: { backup: "daily" } }] };
    const { error, records } = await invoke(scheduledSnapshots, timerEvent(policy));
    expect(error?.name).toBe("TargetsFailed");
    expect(records[0]).toMatchObject({ outcome: "failed", kind, error: { reason: "BadResponse" } });
  });

  test("an address with no API at all is no cloud without snapshots", async () => {
    const { cloud, invoke } = await openSite();
    const body = JSON.stringify({ error_code: "APIGW.0101", error_msg: "The API does not exist." });
    cloud.fault({ method: "GET" }, { type: "answer", status: 404, body });
    for (const [factory, event] of [
      [verifySnapshots, {}],
      [pruneSnapshots, { policy: "nightly", retention: { keep_last: 1 } }],
    ] as const) {
      const { error, records } = await invoke(factory, timerEvent(event));
      expect(error?.reason).toBe("Unsupported");
      expect(records.at(-1)).toMatchObject({ action: "run", outcome: "failed", error: { code: "APIGW.0101" } });
    }
  });
});

describe("what carries our labels and is not ours", () => {
  const labels = (key: string) => ({ "managed-by": "snapshot-functions", policy: "nightly", key, content: "00000000" });
  const key = keyOf("schedule", "nightly", "0");

  test.each([true, null, 1, "yes"])("hold: %j holds", async (hold) => {
    const { cloud, invoke } = await openSite();
    const disk = cloud.addVolume();
    const at = (createdAt: string, metadata: object) =>
      cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, status: "available", createdAt, metadata } as never);
    const held = at("2026-01-01T00:00:00Z", { ...labels(key), hold });
    at("2026-11-01T00:00:00Z", labels(keyOf("schedule", "nightly", "1")));
    const { result } = await invoke(pruneSnapshots, timerEvent({ policy: "nightly", retention: { keep_last: 1 } }));
    expect(result.outcomes).toEqual({ kept: 1, held: 1 });
    expect(cloud.snapshots().map(({ id }) => id)).toContain(held.id);
  });

  test("a proxy's page does not say that a snapshot is gone", async () => {
    const { cloud, invoke } = await openSite();
    const disk = cloud.addVolume();
    for (const [month, one] of ["01", "02"].entries()) {
      const metadata = labels(keyOf("schedule", "nightly", String(month)));
      const createdAt = `2026-${one}-01T00:00:00Z`;
      cloud.addSnapshot({ kind: "snapshot", volumeId: disk.id, status: "available", createdAt, metadata } as never);
    }
    cloud.fault({ method: "DELETE" }, { type: "answer", status: 404, body: "<html>not here</html>" });
    const { error, records } = await invoke(
      pruneSnapshots,
      timerEvent({ policy: "nightly", retention: { keep_last: 1 } }),
    );
    expect(error?.name).toBe("TargetsFailed");
    expect(records.map(({ outcome }) => outcome)).toEqual(["kept", "failed", "failed"]);
  });

  test("a snapshot that failed after the lookback is still reported", async () => {
    const { cloud, clock, invoke } = await openSite({ creationMs: 26 * 3_600_000 });
    const disk = cloud.addVolume();
    cloud.endWith(disk.id, "error");
    await invoke(
      scheduledSnapshots,
      timerEvent({ policy: "nightly", targets: [{ kind: "snapshot", volume_ids: [disk.id] }] }),
    );
    clock.advance(26.5 * 3_600_000);
    const { records } = await invoke(verifySnapshots, timerEvent({}, new Date(clock.now()).toISOString()));
    expect(records[0]).toMatchObject({ action: "verify", outcome: "failed", error: { reason: "SnapshotFailed" } });
  });
});

describe("odd input", () => {
  test("a group whose list entry names no server is found again", async () => {
    const { cloud, clock, invoke } = await openSite();
    const disks = [cloud.addVolume().id, cloud.addVolume().id];
    const post = (ids: string[]) =>
      invoke(createSnapshotGroup, apig({ snapshot_group: { volume_ids: ids } }, { "idempotency-key": "k" }));
    await post(disks);
    clock.advance(60_000);
    expect((await post([...disks].reverse())).result.headers["x-snapshot-outcome"]).toBe("existing");
    expect(cloud.snapshots("snapshot-group")).toHaveLength(1);
  });

  test("a body as deep as it likes is refused, not a crash", async () => {
    const { invoke, requests } = await openSite();
    const { result, records } = await invoke(createSnapshot, apig(`{"x":${"[".repeat(20_000)}${"]".repeat(20_000)}}`));
    expect(result.statusCode).toBe(400);
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(requests()).toEqual([]);
  });

  test("a success that repeats the token is answered without it", async () => {
    const { cloud, invoke } = await openSite();
    const snapshot = { id: "ffa9bc5e-1172-4021-acaf-cdcd78a9584d", description: cloud.credentials.securityToken };
    cloud.fault(
      { operation: "evs.createSnapshot" },
      { type: "answer", status: 202, body: JSON.stringify({ snapshot }) },
    );
    const { output } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    expect(output).toContain(snapshot.id);
    expect(output).not.toContain(cloud.credentials.securityToken);
  });

  test("a disk that is found attached when the time is over has its record, and the event comes again", async () => {
    const { cloud, clock, invoke } = await openSite();
    const server = cloud.addServer();
    const disk = cloud.addVolume({ serverId: server.id });
    cloud.fault({ operation: "evs.showVolume" }, { type: "mutatePage", mutate: () => clock.advance(60_000) });
    const trace = {
      time: Date.parse(START),
      service_type: "ECS",
      trace_name: "attachVolume",
      resource_id: server.id,
      trace_rating: "normal",
      request: { volumeAttachment: { volumeId: disk.id } },
    };
    const { error, records } = await invoke(diskAttached, { cts: trace });
    expect(error?.name).toBe("TargetsFailed");
    expect(records.map(({ action, outcome }) => [action, outcome])).toEqual([
      ["create", "failed"],
      ["run", "failed"],
    ]);
  });
});

test.each([scheduledSnapshots, diskAttached, verifySnapshots, pruneSnapshots])(
  "a gateway's event fails a function that answers no gateway",
  async (factory) => {
    const { invoke, requests } = await openSite();
    const { error, result, records } = await invoke(factory, apig({ policy: "nightly" }));
    expect(result).toBeUndefined();
    expect(error?.message).toMatch(/^Expected a.* got an event of the trigger "http"/);
    expect(records.map(({ outcome }) => outcome)).toEqual(["rejected", "failed"]);
    expect(requests()).toEqual([]);
  },
);
