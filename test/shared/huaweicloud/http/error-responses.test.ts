import { describe, expect, test } from "vitest";
import { createClusterSnapshot } from "../../../../functions/create-cluster-snapshot/handler.ts";
import { createSnapshot } from "../../../../functions/create-snapshot/handler.ts";
import { createSnapshotGroup } from "../../../../functions/create-snapshot-group/handler.ts";
import { createStandardSnapshot } from "../../../../functions/create-standard-snapshot/handler.ts";
import { REASONS } from "../../../../shared/core/errors.ts";
import { apig, createTestEnvironment } from "../../../support/environment.ts";

test.each(["", " ", "{", '{"error":{"code":"EVS.1', "<html><h1>502 Bad Gateway</h1></html>", "upstream timeout"])(
  "create-snapshot derives the reason from the status if the error body %j is not JSON",
  async (body) => {
    const { cloud, invoke } = await createTestEnvironment();
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "answer", status: 502, body });
    cloud.fault({ operation: "evs.createSnapshot", nth: 2 }, { type: "answer", status: 403, body });
    const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    // The 502 is ambiguous, so the function sends a second create request. The 403 is not ambiguous, so the function gives up.
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({
      code: "AccessDenied",
      reason: "AccessDenied",
      message: expect.stringContaining("403 without a code: no readable message."),
    });
  },
);

test.each(["current", "classic"] as const)(
  "create-snapshot with EVS_LIMITS=%s advises to set force if the disk is in use",
  async (limits) => {
    const { cloud, invoke } = await createTestEnvironment({ evsLimits: limits, variables: { EVS_LIMITS: limits } });
    const disk = cloud.addVolume({ serverId: cloud.addServer().id }).id;
    const { result, records } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk, force: false } }));
    // The HTTP response and the record contain the same error message, which consists of the message of EVS and the advice.
    expect(JSON.parse(result.body).error.message).toBe(records[0].error.message);
    expect(records[0].error.message).toMatch(
      /in-use\. Must be in Available state\. The disk is attached.*"force": true/,
    );
    expect(records[0].error.message).not.toContain(REASONS.InvalidRequest.advice);

    cloud.setVolumeStatus(disk, "error");
    const other = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk, force: true } }));
    expect(other.records[0].error.message).toContain(REASONS.InvalidRequest.advice);
  },
);

describe("a success response with an error in its body", () => {
  const body = JSON.stringify({ error: { code: "EVS.5400", message: "must specify a valid status" } });

  test("create-standard-snapshot sends a second create request if the first returns 202 with an error in its body", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    const disk = cloud.addVolume();
    cloud.fault({ operation: "evs.createStandardSnapshot", nth: 1 }, { type: "answer", status: 202, body });
    const { result } = await invoke(createStandardSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result).toMatchObject({ statusCode: 202, headers: { "x-snapshot-outcome": "accepted" } });
    expect(requests().filter((operation) => operation === "evs.createStandardSnapshot")).toHaveLength(2);
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-standard-snapshot creates nothing if the list request returns 200 with an error in its body", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const list = JSON.stringify({ count: 0, snapshots: [], error: { code: "EVS.5500", message: "internal" } });
    cloud.fault({ operation: "evs.listStandardSnapshots" }, { type: "answer", status: 200, body: list });
    const { result } = await invoke(createStandardSnapshot, apig({ snapshot: { volume_id: cloud.addVolume().id } }));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "EVS.5500", reason: "CloudError" });
    expect(cloud.count("evs.createStandardSnapshot")).toBe(0);
  });
});

describe("throttled create requests", () => {
  test("create-snapshot returns 429 with a Retry-After header if EVS asks for a wait of 90 s", async () => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    const date = new Date(clock.now() + 90_000).toUTCString();
    cloud.fault(
      { operation: "evs.createSnapshot" },
      {
        type: "status",
        status: 429,
        body: { error_code: "APIGW.0308", error_msg: "slow" },
        headers: { "retry-after": date },
      },
    );
    const { result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result.statusCode).toBe(429);
    expect(result.headers["retry-after"]).toBe("90");
    expect(JSON.parse(result.body).error).toMatchObject({
      code: "APIGW.0308",
      message: expect.stringContaining(": 429 APIGW.0308: slow. "),
      reason: "Throttled",
    });
    expect(cloud.count("evs.createSnapshot")).toBe(1);
  });

  test.each<[what: string, fault: { retryAfter?: number; window?: "1 second" }, from: number]>([
    ["at least 4 s if the 429 has a Retry-After header of 4 s", { retryAfter: 4 }, 4_000],
    ["at least 1 s if the 429 names a limit of calls per second", { window: "1 second" }, 1_000],
  ])("create-snapshot repeats a throttled create request after %s", async (_what, fault, from) => {
    const { cloud, clock, invoke } = await createTestEnvironment();
    const disk = cloud.addVolume();
    cloud.fault({ operation: "evs.createSnapshot", nth: 1 }, { type: "throttle", ...fault });
    const before = clock.now();
    const { result, records } = await invoke(createSnapshot, apig({ snapshot: { volume_id: disk.id } }));
    expect(result.statusCode).toBe(202);
    expect(records[0]).toMatchObject({ outcome: "accepted", attempts: 2 });
    expect(clock.now() - before).toBeGreaterThanOrEqual(from);
    expect(clock.now() - before).toBeLessThanOrEqual(from + 1_000);
  });
});

describe("DWS failures with the status 200", () => {
  const BODY = { snapshot: { name: "snapshot-3", cluster_id: "" } };
  const failure = (code: string, message: string) => ({
    type: "answer" as const,
    status: 200,
    body: JSON.stringify({ error_code: code, error_msg: message }),
  });

  test("create-cluster-snapshot tries again if DWS returns 200 with the code DWS.7023 for a busy cluster", async () => {
    const { cloud, invoke } = await createTestEnvironment({ random: () => 0.1 });
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot", nth: 1 }, failure("DWS.7023", "Cluster status is not allowed"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, headers: { "x-snapshot-outcome": "accepted" } });
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-cluster-snapshot returns 404 if DWS returns 200 with the code DWS.0047 for an unknown cluster", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot" }, failure("DWS.0047", "no such cluster"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result.statusCode).toBe(404);
    expect(JSON.parse(result.body).error).toMatchObject({
      code: "DWS.0047",
      message: expect.stringContaining(": 200 DWS.0047: no such cluster. "),
      reason: "NotFound",
    });
  });

  test("create-cluster-snapshot lists the snapshots before it tries again if DWS returns 200 with an unknown error code", async () => {
    const { cloud, invoke, requests } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.createSnapshot", nth: 1 }, failure("DWS.9999", "system error"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, headers: { "x-snapshot-outcome": "accepted" } });
    const sent = requests();
    expect(sent.slice(0, 3)).toEqual(["dws.listSnapshots", "dws.createSnapshot", "dws.listSnapshots"]);
    expect(sent.at(-1)).toBe("dws.createSnapshot");
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("create-cluster-snapshot creates nothing if the list request returns 200 with an error code", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    cloud.fault({ operation: "dws.listSnapshots" }, failure("DWS.9999", "system error"));
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result.statusCode).toBe(502);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "DWS.9999", reason: "CloudError" });
    expect(cloud.count("dws.createSnapshot")).toBe(0);
  });

  test("create-cluster-snapshot treats a response with the code DWS.0000 as success", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    BODY.snapshot.cluster_id = cloud.addCluster().id;
    const body = '{"error_code":"DWS.0000","error_msg":null,"snapshot":{"id":"2a4d0f86-67cd-408a-8b66-017454fb7793"}}';
    cloud.fault({ operation: "dws.createSnapshot" }, { type: "answer", status: 200, body });
    const { result } = await invoke(createClusterSnapshot, apig(BODY));
    expect(result).toMatchObject({ statusCode: 200, body });
  });
});

describe("the record of an error response", () => {
  test("create-snapshot writes the reason, code, message, status and request id of an EVS error into the record", async () => {
    const { cloud, invoke } = await createTestEnvironment();
    const id = "5aa119a8-d25b-45a7-8d1b-88e127885635";
    const { records, result } = await invoke(createSnapshot, apig({ snapshot: { volume_id: id } }));
    expect(result.statusCode).toBe(404);
    const rejected = cloud.requests.find(({ operation }) => operation === "evs.createSnapshot");
    expect(records[0]).toMatchObject({
      outcome: "failed",
      resource_id: id,
      error: { reason: "NotFound", code: "EVS.5404", status: 404, request_id: rejected?.requestId },
    });
    expect(records[0].error.message).toContain(`POST /v2/${cloud.projectId}/cloudsnapshots: 404 EVS.5404: `);
  });

  test("create-standard-snapshot and create-snapshot-group return Unsupported and advise to use another kind of snapshot if the region has no standard snapshots", async () => {
    const { invoke, cloud } = await createTestEnvironment({ withoutStandardSnapshots: true });
    const disk = cloud.addVolume();
    for (const [factory, body] of [
      [createStandardSnapshot, { snapshot: { volume_id: disk.id } }],
      [createSnapshotGroup, { snapshot_group: { volume_ids: [disk.id] } }],
    ] as const) {
      const { result, records } = await invoke(factory, apig(body));
      expect(result.statusCode).toBe(400);
      expect(JSON.parse(result.body).error).toMatchObject({ code: "APIGW.0101", reason: "Unsupported" });
      expect(records[0].error.message).toContain("Use standard-snapshot instead of snapshot, or vice versa");
    }
  });

  test("create-snapshot with EVS_LIMITS=classic reads an error body in the OpenStack format", async () => {
    const { invoke } = await createTestEnvironment({ evsLimits: "classic", variables: { EVS_LIMITS: "classic" } });
    const { result } = await invoke(
      createSnapshot,
      apig({ snapshot: { volume_id: "5aa119a8-d25b-45a7-8d1b-88e127885635" } }),
    );
    expect(result.statusCode).toBe(404);
    expect(JSON.parse(result.body).error).toMatchObject({ code: "itemNotFound", reason: "NotFound" });
  });
});
