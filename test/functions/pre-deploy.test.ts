/** The gate before a deployment: from the POST to what is in the cloud, and back as often as the caller asks. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { startCloud } from "../../infra/local/cloud/index.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import {
  apig,
  createTestEnvironment,
  errorOf,
  expectWholeRecords,
  type Invocation,
  outcomes,
} from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

type Json = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: answers of many shapes
type Any = any;

const MINUTE = 60_000;
const NOBODY = "00000000-0000-4000-8000-000000000000";
const RETRY_LATER = { "retry-after": "5" };

async function createFixture(options: Parameters<typeof createTestEnvironment>[0] = {}) {
  const environment = await createTestEnvironment({ ...options });
  const call = async (event: unknown, how?: Invocation) => {
    const invoked = await environment.invoke(preDeploy, event, how);
    expectWholeRecords(invoked);
    const { statusCode, headers, body } = invoked.result ?? {};
    return { ...invoked, status: statusCode as number, headers, answer: body && JSON.parse(body) };
  };
  return {
    ...environment,
    call,
    post: (body: Json, how?: Invocation) => call(apig({ deployment_id: "release-7", ...body }), how),
    disks: (count: number, tags: Record<string, string> = {}) =>
      Array.from({ length: count }, () => environment.cloud.addVolume({ tags }).id),
    /** One of each kind, each of another resource. */
    estate: () => {
      const server = environment.cloud.addServer();
      const members = [0, 1].map(() => environment.cloud.addVolume({ serverId: server.id }).id);
      const disk = environment.cloud.addVolume();
      const archive = environment.cloud.addVolume();
      const cluster = environment.cloud.addCluster();
      const targets = [
        { kind: "snapshot", volume_ids: [disk.id] },
        { kind: "standard-snapshot", volume_ids: [archive.id] },
        { kind: "snapshot-group", server_ids: [server.id] },
        { kind: "cluster-snapshot", cluster_ids: [cluster.id] },
      ];
      return {
        targets,
        members,
        ids: [disk.id, archive.id, server.id, cluster.id] as [string, string, string, string],
      };
    },
  };
}

const snapshotOf = ({ answer }: { answer: Any }, resource: string) =>
  answer.snapshots.find((one: Any) => one.resource_id === resource);
const said = ({ answer }: { answer: Any }) => answer.snapshots.map((one: Any) => one.outcome);
const disksOf = (...ids: string[]) => ({ targets: [{ kind: "snapshot", volume_ids: ids }] });

describe("in real time", () => {
  test("20 targets at 50 ms latency: answered in under 2 s, asked for until it is ready, started once", async () => {
    const cloud = await startCloud({ latencyMs: 50, creationMs: 700 });
    const disks = Array.from({ length: 20 }, () => cloud.addVolume().id);
    const variables: Record<string, string> = { REGION: cloud.region, EVS_ENDPOINT: cloud.url };
    const handler = preDeploy({ ...nodeRuntime(), environment: {}, print: () => {} });
    let calls = 0;
    const post = async () => {
      calls += 1;
      const deadline = Date.now() + 60_000;
      const context = {
        getRequestID: () => `call-${calls}`,
        getRemainingTimeInMilliSeconds: () => deadline - Date.now(),
        getSecurityAccessKey: () => cloud.credentials.ak,
        getSecuritySecretKey: () => cloud.credentials.sk,
        getSecurityToken: () => cloud.credentials.securityToken,
        getUserData: (name: string) => variables[name],
        getProjectID: () => cloud.projectId,
      };
      const began = performance.now();
      const body = { deployment_id: "release-7", wait_seconds: 0, ...disksOf(...disks) };
      const { statusCode, body: text }: Any = await handler(apig(body) as Any, context as Any);
      return { status: statusCode, answer: JSON.parse(text), took: performance.now() - began };
    };
    const first = await post();
    expect(first.status).toBe(202);
    expect(first.took).toBeLessThan(2_000);
    expect(said(first)).toEqual(disks.map(() => "accepted"));
    expect(cloud.snapshots()).toHaveLength(20);

    let last = first;
    while (last.status === 202) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      last = await post();
      expect(last.took).toBeLessThan(2_000);
    }
    expect(last.status).toBe(200);
    expect(said(last)).toEqual(disks.map(() => "available"));
    expect(calls).toBeGreaterThan(2);
    expect(cloud.snapshots()).toHaveLength(20);
    expect(cloud.count("evs.createSnapshot")).toBe(20);
    await cloud.close();
  });
});

describe("a deployment", () => {
  useFixedDate();

  test("starts every target, tells how far it is, and is ready when all of them are", async () => {
    const { cloud, clock, estate, post } = await createFixture();
    const { targets, ids } = estate();
    const [disk, archive, server, cluster] = ids;
    const first = await post({ targets });
    expect(first.status).toBe(202);
    expect(first.headers).toMatchObject({ ...RETRY_LATER, "x-request-id": "request-1" });
    expect(first.answer).toEqual({
      status: "pending",
      deployment_id: "release-7",
      snapshots: [
        ["snapshot", disk],
        ["standard-snapshot", archive],
        ["snapshot-group", server],
        ["cluster-snapshot", cluster],
      ].map(([kind, resource_id]) => ({
        kind,
        resource_id,
        name: expect.stringMatching(/^d-release-7-[0-9a-f]{8}$/),
        snapshot_id: expect.stringMatching(/./),
        outcome: "accepted",
        ...(kind === "cluster-snapshot" ? { detail: expect.stringContaining("cannot be restarted, scaled or") } : {}),
      })),
    });
    for (const record of first.records.slice(0, -1)) {
      expect(record).toMatchObject({
        function: "pre-deploy",
        trigger: "http",
        action: "create",
        outcome: "accepted",
        policy: "pre-deploy",
        deployment_id: "release-7",
        attempts: 1,
      });
      expect(cloud.snapshots(record.kind).map(({ id }) => id)).toContain(record.snapshot_id);
    }
    const groups = 2;
    expect(cloud.snapshots()).toHaveLength(4 + groups);

    clock.advance(4_000);
    const second = await post({ targets });
    expect(second.status).toBe(202);
    expect(said(second)).toEqual(["available", "available", "available", "existing"]);
    expect(snapshotOf(second, cluster).detail).toContain("cannot be restarted, scaled or reconfigured");
    clock.advance(4_000);
    const third = await post({ targets });
    expect(third.status).toBe(200);
    expect(third.headers).not.toHaveProperty("retry-after");
    expect(third.answer.status).toBe("ready");
    expect(said(third)).toEqual(ids.map(() => "available"));
    expect(snapshotOf(third, cluster)).not.toHaveProperty("detail");
    expect(third.answer.snapshots.map((one: Any) => one.snapshot_id)).toEqual(
      first.answer.snapshots.map((one: Any) => one.snapshot_id),
    );
    expect(outcomes(third)).toEqual([...ids.map(() => "create available"), "run done"]);
    expect(cloud.snapshots()).toHaveLength(4 + groups);
    expect(cloud.count(/\.create/)).toBe(4);
  });

  test("waits as long as it is asked to, and no longer than it takes", async () => {
    const { clock, disks, post } = await createFixture({ creationMs: 7_000 });
    const all = disksOf(...disks(3));
    const began = clock.now();
    const early = await post({ ...all, wait_seconds: 5 });
    expect(early.status).toBe(202);
    expect(clock.now() - began).toBe(5_000);
    const done = await post({ ...all, wait_seconds: 50 });
    expect(done.status).toBe(200);
    expect(clock.now() - began).toBeLessThan(10_000);
    const again = await post({ ...all, wait_seconds: 50 });
    expect(again.status).toBe(200);
    expect(clock.now() - began).toBeLessThan(10_000);
  });

  test("answers before the gateway gives up, however long it is asked to wait", async () => {
    const { clock, cloud, disks, post } = await createFixture({ timeoutSeconds: 900 });
    const [disk] = disks(1) as [string];
    cloud.endWith(disk, "stuck");
    const began = clock.now();
    expect((await post({ ...disksOf(disk), wait_seconds: 50 })).status).toBe(202);
    expect(clock.now() - began).toBeLessThanOrEqual(50_000);
  });

  test("covers what its tags select, also what came later", async () => {
    const { cloud, disks, post } = await createFixture();
    disks(2, { service: "shop" });
    const targets = [{ kind: "snapshot", tags: { service: "shop" } }];
    expect(said(await post({ targets }))).toEqual(["accepted", "accepted"]);
    disks(1, { service: "shop" });
    expect(said(await post({ targets })).sort()).toEqual(["accepted", "existing", "existing"]);
    expect(cloud.snapshots()).toHaveLength(3);
  });

  test("with nothing to protect is 404", async () => {
    const { post, requests } = await createFixture();
    const refused = await post({ targets: [{ kind: "snapshot", tags: { service: "shop" } }] });
    expect(refused.status).toBe(404);
    expect(errorOf(refused)).toMatchObject({ reason: "NotFound" });
    expect(errorOf(refused).message).toContain("targets[0]: expected to select at least one resource");
    expect(requests()).toEqual(["evs.listVolumes"]);
  });

  test("that selects more than 5,000 resources is refused, and starts nothing", { timeout: 60_000 }, async () => {
    const { post, disks, cloud } = await createFixture();
    disks(5_001, { backup: "daily" });
    const { status, answer } = await post({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect([status, answer.error.reason]).toEqual([400, "InvalidRequest"]);
    expect(answer.error.message).toMatch(/^targets: expected to select at most 5000 resources, got 5001\. /);
    expect(cloud.snapshots("snapshot")).toEqual([]);
  });

  test("whose targets cannot be looked up is an error, and starts nothing", async () => {
    const { cloud, disks, post } = await createFixture();
    const [disk] = disks(1) as [string];
    cloud.fault({ operation: "ecs.listServers" }, { type: "status", status: 403 });
    const targets = [
      { kind: "snapshot", volume_ids: [disk] },
      { kind: "snapshot-group", tags: { service: "shop" } },
    ];
    const refused = await post({ targets });
    expect(refused.status).toBe(502);
    expect(errorOf(refused)).toMatchObject({ reason: "AccessDenied" });
    expect(cloud.snapshots()).toEqual([]);
  });

  test("carries the policy that it is given, for that one to prune it", async () => {
    const { cloud, estate, post } = await createFixture();
    const { targets } = estate();
    await post({ targets, policy: "releases" });
    const marked = cloud.snapshots().filter((one) => !one.snapshot_group_id);
    expect(marked.map(({ metadata, tags }) => (metadata ?? tags)?.policy)).toEqual([
      "releases",
      "releases",
      "releases",
      undefined,
    ]);
    expect(cloud.snapshots("cluster-snapshot")[0]?.description).toContain(" policy:releases ");
    expect(cloud.snapshots("cluster-snapshot")[0]?.name).toMatch(/^d-release-7-/);
  });

  test("has a name that every kind takes, whatever its id", { timeout: 30_000 }, async () => {
    const { cloud, clock, estate, post } = await createFixture();
    const { targets, ids } = estate();
    await fc.assert(
      fc.asyncProperty(
        fc
          .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
          // biome-ignore lint/suspicious/noControlCharactersInRegex: which are refused
          .filter((id) => !/[\u0000-\u001f\u007f]/.test(id) && [...id].length <= 128),
        async (deployment_id) => {
          clock.advance(MINUTE);
          const { status, answer } = await post({ deployment_id, targets });
          expect({ status, id: answer.deployment_id }).toEqual({ status: 202, id: deployment_id });
          for (const { name } of answer.snapshots) expect(name).toMatch(/^d-[A-Za-z0-9_-]{1,36}-[0-9a-f]{8}$/);
          for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
        },
      ),
      { numRuns: 25, examples: [["r".repeat(128)], ["…"], ["-"]] },
    );
    expect(ids).toHaveLength(4);
  });
});

describe("the same POST again", () => {
  useFixedDate();

  const OPERATIONS = [
    "evs.createSnapshot",
    "evs.createStandardSnapshot",
    "evs.createSnapshotGroup",
    "dws.createSnapshot",
  ];
  const FAULTS = [
    { type: "reset", after: true },
    { type: "reset", after: false },
    { type: "status", status: 500, after: true },
    { type: "cut", after: true },
    { type: "throttle" },
    { type: "expiredToken" },
  ] as const;
  const trouble = fc.record({
    operation: fc.constantFrom(...OPERATIONS, "evs.listSnapshots", "evs.listSnapshotGroups"),
    nth: fc.integer({ min: 1, max: 3 }),
    fault: fc.constantFrom(...FAULTS),
  });

  test("whatever went wrong before: started once, and in the end ready", { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(trouble, { maxLength: 4 }), fc.integer({ min: 0, max: 3 }), async (troubles, wait) => {
        const { cloud, clock, estate, post } = await createFixture();
        const { targets, ids } = estate();
        for (const { operation, nth, fault } of troubles) cloud.fault({ operation, nth }, fault);
        const statuses: number[] = [];
        while (statuses.at(-1) !== 200) {
          statuses.push((await post({ targets, wait_seconds: wait })).status);
          clock.advance(5_000);
          expect(statuses.length).toBeLessThan(5 + 2 * troubles.length);
        }
        expect(cloud.snapshots().filter((one) => !one.snapshot_group_id)).toHaveLength(ids.length);
        await cloud.close();
      }),
      { numRuns: 25 },
    );
  });

  test("at once in one instance: started once", async () => {
    const { cloud, estate, post } = await createFixture();
    const { targets } = estate();
    const answers = await Promise.all(Array.from({ length: 4 }, () => post({ targets, wait_seconds: 40 })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(cloud.count(/\.create/)).toBe(4);
  });

  test("a second later, before any list shows what it made: started once", async () => {
    const { cloud, clock, estate, post } = await createFixture();
    cloud.listLagMs = 5_000;
    const { targets, ids } = estate();
    const outcomesOfCalls: string[][] = [];
    for (let calls = 0; calls < 4; calls += 1) {
      outcomesOfCalls.push(said(await post({ targets })));
      clock.advance(1_000);
    }
    expect(outcomesOfCalls).toEqual(
      ["accepted", "existing", "existing", "existing"].map((outcome) => ids.map(() => outcome)),
    );
    expect(cloud.count(/\.create/)).toBe(4);
    clock.advance(10_000);
    expect((await post({ targets })).status).toBe(200);
  });

  test("with other content under the same id is a conflict of that target, and changes nothing", async () => {
    const { cloud, disks, post } = await createFixture();
    const [first, second] = disks(2) as [string, string];
    await post(disksOf(first, second));
    const changed = await post({
      targets: [
        { kind: "snapshot", volume_ids: [first], description: "another" },
        { kind: "snapshot", volume_ids: [second] },
      ],
    });
    expect(changed.status).toBe(502);
    expect(snapshotOf(changed, first)).toMatchObject({ outcome: "failed", error: { reason: "Conflict" } });
    expect(snapshotOf(changed, first).error.message).toContain("or use a new key (Idempotency-Key, deployment_id).");
    expect(snapshotOf(changed, second)).toMatchObject({ outcome: "existing" });
    expect(cloud.snapshots()).toHaveLength(2);
  });

  test("is 409 once its snapshots are older than max_age_minutes, and asks for a new id", async () => {
    const { cloud, clock, disks, post } = await createFixture();
    const [first, second] = disks(2) as [string, string];
    await post(disksOf(first));
    clock.advance(1_440 * MINUTE - 1_000);
    expect((await post(disksOf(first))).status).toBe(200);
    clock.advance(2_000);
    const refused = await post(disksOf(first, second));
    expect(refused.status).toBe(409);
    expect(errorOf(refused)).toMatchObject({ reason: "Conflict", code: "Conflict" });
    expect(errorOf(refused).message).toContain("Use a new deployment_id, or raise max_age_minutes");
    expect(outcomes(refused)).toEqual(["create failed", "create failed", "run failed"]);
    expect(cloud.snapshots()).toHaveLength(1);

    expect((await post({ ...disksOf(first, second), max_age_minutes: 2_000 })).status).toBe(202);
    expect((await post({ ...disksOf(first), max_age_minutes: 60 })).status).toBe(409);
    expect((await post({ ...disksOf(first), deployment_id: "release-8" })).status).toBe(202);
    expect(cloud.snapshots()).toHaveLength(3);
  });
});

describe("a snapshot that ends in error", () => {
  useFixedDate();

  test("is 502 that names it, again and again, until retry_failed starts that one anew", async () => {
    const { cloud, clock, estate, post } = await createFixture();
    const { targets, ids } = estate();
    for (const id of ids) cloud.endWith(id, "error");
    const first = await post({ targets });
    expect(first.status).toBe(202);
    clock.advance(10_000);
    for (let calls = 0; calls < 3; calls += 1) {
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(failed.answer.status).toBe("failed");
      for (const id of ids) {
        const { snapshot_id, name } = snapshotOf(first, id);
        expect(snapshotOf(failed, id)).toMatchObject({
          outcome: "failed",
          snapshot_id,
          name,
          error: { reason: "SnapshotFailed" },
        });
        expect(snapshotOf(failed, id).error.message).toContain(snapshot_id);
        expect(snapshotOf(failed, id).error.message).toContain('"retry_failed": true');
      }
      expect(outcomes(failed)).toEqual([...ids.map(() => "create failed"), "run failed"]);
    }
    expect(cloud.count(/\.create/)).toBe(4);

    const retried = await post({ targets, retry_failed: true });
    expect(retried.status).toBe(202);
    expect(said(retried)).toEqual(ids.map(() => "accepted"));
    for (const id of ids) expect(snapshotOf(retried, id).name).not.toBe(snapshotOf(first, id).name);
    expect(said(await post({ targets, retry_failed: true }))).toEqual(ids.map(() => "existing"));
    clock.advance(10_000);
    for (const retry_failed of [false, true]) {
      const ready = await post({ targets, retry_failed });
      expect(ready.status).toBe(200);
      expect(ready.answer.snapshots).toEqual(
        retried.answer.snapshots.map(({ detail: _, ...one }: Any) => ({ ...one, outcome: "available" })),
      );
    }
    expect(cloud.count(/\.create/)).toBe(8);
  });

  test("fails the deployment while others are pending, and starts anew alone", async () => {
    const { cloud, clock, disks, post } = await createFixture();
    const [good, bad, slow] = disks(3) as [string, string, string];
    cloud.endWith(bad, "error");
    cloud.endWith(slow, "stuck");
    await post(disksOf(good, bad, slow));
    clock.advance(5_000);
    const failed = await post(disksOf(good, bad, slow));
    expect(failed.status).toBe(502);
    expect(said(failed)).toEqual(["available", "failed", "existing"]);
    const retried = await post({ ...disksOf(good, bad, slow), retry_failed: true });
    expect(said(retried)).toEqual(["available", "accepted", "existing"]);
    expect(cloud.count("evs.createSnapshot")).toBe(4);
  });

  test("is absent for a retry, however old; one that is being deleted is absent at once", async () => {
    const { cloud, clock, disks, post } = await createFixture();
    const [bad, leaving] = disks(2) as [string, string];
    cloud.endWith(bad, "error");
    cloud.endWith(leaving, "deleting");
    await post(disksOf(bad, leaving));
    clock.advance(3_000 * MINUTE);
    expect(said(await post({ ...disksOf(leaving), max_age_minutes: 10_000 }))).toEqual(["accepted"]);
    expect((await post(disksOf(bad))).status).toBe(502);
    expect(said(await post({ ...disksOf(bad), retry_failed: true }))).toEqual(["accepted"]);
    expect(cloud.count("evs.createSnapshot")).toBe(4);
  });

  test("is seen while it is waited for", async () => {
    const { cloud, clock, disks, post } = await createFixture();
    const [bad] = disks(1) as [string];
    cloud.endWith(bad, "error");
    const began = clock.now();
    const failed = await post({ ...disksOf(bad), wait_seconds: 50 });
    expect(failed.status).toBe(502);
    expect(clock.now() - began).toBeLessThan(6_000);
  });

  test("fails its group, which itself says that it is available; retry_failed takes the group anew", async () => {
    const { cloud, clock, estate, post } = await createFixture();
    const { targets, members, ids } = estate();
    const server = ids[2];
    cloud.endWith(members[1] as string, "error");
    const group = { targets: [targets[2]] };
    await post(group);
    clock.advance(10_000);
    expect(cloud.snapshots("snapshot-group")[0]?.status).toBe("avaialble");
    const failed = await post(group);
    expect(failed.status).toBe(502);
    expect(snapshotOf(failed, server)).toMatchObject({ outcome: "failed", error: { reason: "SnapshotFailed" } });

    expect(said(await post({ ...group, retry_failed: true }))).toEqual(["accepted"]);
    clock.advance(10_000);
    expect((await post(group)).status).toBe(200);
    expect(cloud.snapshots("snapshot-group")).toHaveLength(2);
  });
});

describe("a status that nobody knows", () => {
  useFixedDate();

  test.each(["rollbacking", "backing-up", "quantum"])("%s stays pending", async (status) => {
    const { cloud, clock, estate, post } = await createFixture();
    const { targets, ids } = estate();
    for (const id of ids) cloud.endWith(id, status);
    await post({ targets });
    clock.advance(30 * MINUTE);
    const pending = await post({ targets, retry_failed: true });
    expect(pending.status).toBe(202);
    expect(said(pending)).toEqual(ids.map(() => "unverified"));
    expect(cloud.count(/\.create/)).toBe(4);
  });
});

describe("a cluster", () => {
  useFixedDate();

  test.each(["GROWING", "SNAPSHOTTING", "REBOOTING"])(
    "that is busy (%s) is failed, with what to do",
    async (taskStatus) => {
      const { cloud, disks, post } = await createFixture();
      const cluster = cloud.addCluster({ taskStatus }).id;
      const [disk] = disks(1) as [string];
      const targets = [{ kind: "cluster-snapshot", cluster_ids: [cluster] }, ...disksOf(disk).targets];
      const failed = await post({ targets });
      expect(failed.status).toBe(502);
      expect(snapshotOf(failed, cluster)).toMatchObject({
        outcome: "failed",
        error: { reason: "Busy", code: "DWS.7023", status: 403 },
      });
      expect(snapshotOf(failed, cluster).error.message).toContain("wait for that to end and repeat");
      expect(snapshotOf(failed, disk)).toMatchObject({ outcome: "accepted" });

      // What to do was: wait, repeat.
      cloud.setCluster(cluster, { taskStatus: undefined });
      const repeated = await post({ targets });
      expect(repeated.status).toBe(202);
      expect(snapshotOf(repeated, cluster)).toMatchObject({ outcome: "accepted" });
    },
  );

  test("that is soon free again is waited for, within wait_seconds", async () => {
    const { cloud, post } = await createFixture({ random: () => 0.5 });
    const cluster = cloud.addCluster({ taskStatus: "REBOOTING" }).id;
    cloud.fault(
      { operation: "dws.createSnapshot", nth: 2 },
      { type: "mutatePage", mutate: (changed) => changed.setCluster(cluster, { taskStatus: undefined }) },
    );
    const targets = [{ kind: "cluster-snapshot", cluster_ids: [cluster] }];
    expect((await post({ targets, wait_seconds: 50 })).status).toBe(200);
  });
});

describe("what goes wrong meanwhile", () => {
  useFixedDate();

  test("a target that is gone is failed; the others are started", async () => {
    const { cloud, disks, post } = await createFixture();
    const [disk] = disks(1) as [string];
    const failed = await post(disksOf(NOBODY, disk));
    expect(failed.status).toBe(502);
    expect(snapshotOf(failed, NOBODY)).toMatchObject({
      outcome: "failed",
      error: { reason: "NotFound", code: "EVS.5404" },
    });
    expect(snapshotOf(failed, disk)).toMatchObject({ outcome: "accepted" });
    expect(cloud.snapshots()).toHaveLength(1);
  });

  test("an account that is throttled: pending, and the same POST goes on where this one ended", async () => {
    const { cloud, clock, disks, post } = await createFixture({ rate: { perSecond: 6 } });
    const all = disksOf(...disks(20));
    const counts: number[] = [];
    let last = await post(all);
    while (last.status !== 200) {
      expect(last.status).toBe(202);
      for (const one of last.answer.snapshots) {
        if (one.outcome === "deferred") expect(one.error).toMatchObject({ reason: "Throttled", code: "APIGW.0308" });
      }
      counts.push(cloud.snapshots().length);
      expect(counts.length).toBeLessThan(20);
      clock.advance(5_000);
      last = await post(all);
    }
    expect(counts[0]).toBeLessThan(20);
    expect(cloud.snapshots()).toHaveLength(20);
    expect(new Set(cloud.snapshots().map(({ volume_id }) => volume_id)).size).toBe(20);
  });

  test("an account that is throttled before anything is known: 429, and when to come again", async () => {
    const { cloud, disks, post } = await createFixture();
    cloud.fault({ operation: "evs.listSnapshots" }, { type: "throttle", retryAfter: 7 });
    const refused = await post(disksOf(...disks(2)));
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ "retry-after": "7" });
    expect(errorOf(refused)).toMatchObject({ reason: "Throttled", code: "APIGW.0308" });
    expect(outcomes(refused)).toEqual(["create failed", "create failed", "run failed"]);
    expect(cloud.snapshots()).toEqual([]);
  });

  test("an account that is suspended: no further call, every target that is not there says so", async () => {
    const { cloud, clock, disks, post } = await createFixture({ variables: { MAX_CONCURRENCY: "2" } });
    const [there, ...others] = disks(12) as [string, ...string[]];
    await post(disksOf(there));
    clock.advance(5_000);
    const body = JSON.stringify({ error: { code: "EVS.2145", message: "The account is suspended." } });
    cloud.fault({ operation: "evs.createSnapshot", nth: 3, times: 100 }, { type: "answer", status: 403, body });
    const failed = await post(disksOf(...others, there));
    expect(failed.status).toBe(502);
    expect(said(failed)).toEqual(["accepted", "accepted", ...others.slice(2).map(() => "failed"), "available"]);
    for (const id of others.slice(2)) {
      expect(snapshotOf(failed, id).error).toMatchObject({ reason: "AccountSuspended", code: "EVS.2145" });
    }
    expect(cloud.count("evs.createSnapshot")).toBeLessThanOrEqual(1 + 2 + 2);
  });

  test("the time of the call is up: what was not begun is pending, and the next call begins it", async () => {
    const { cloud, clock, disks, post } = await createFixture();
    const all = disksOf(...disks(10));
    const slow = cloud.fault(
      { operation: "evs.createSnapshot" },
      { type: "mutatePage", mutate: () => clock.advance(9_000) },
    );
    const first = await post(all, { variables: { MAX_CONCURRENCY: "1" } });
    expect(first.status).toBe(202);
    expect(new Set(said(first))).toEqual(new Set(["accepted", "deferred"]));
    for (const one of first.answer.snapshots) {
      if (one.outcome === "deferred") expect(one.detail).toContain("repeat it");
    }
    slow.remove();
    expect((await post({ ...all, wait_seconds: 10 })).status).toBe(200);
    expect(cloud.snapshots()).toHaveLength(10);
  });

  test("a cloud that does not answer: an answer before the gateway gives up, and the next call goes on", async () => {
    const { cloud, clock, disks, post } = await createFixture({ timeoutSeconds: 900 });
    const all = disksOf(...disks(20));
    const hanging = cloud.fault({ operation: "evs.createSnapshot" }, { type: "hang", after: true });
    const began = clock.now();
    const first = await post(all);
    expect(clock.now() - began).toBeLessThan(60_000);
    expect(first.answer.snapshots).toHaveLength(20);
    hanging.remove();
    clock.advance(MINUTE);
    expect((await post({ ...all, wait_seconds: 20 })).status).toBe(200);
    expect(cloud.snapshots()).toHaveLength(20);
  });

  test("no time for a create after the lists: pending, and the next call begins it", async () => {
    const { cloud, clock, disks, post } = await createFixture();
    const all = disksOf(...disks(3));
    cloud.fault({ operation: "evs.listSnapshots", nth: 1 }, { type: "mutatePage", mutate: () => clock.advance(500) });
    const first = await post(all, { remainingMs: 4_000 });
    expect(first.status).toBe(202);
    expect(said(first)).toEqual(["deferred", "deferred", "deferred"]);
    expect(cloud.snapshots()).toEqual([]);
    expect(said(await post(all))).toEqual(["accepted", "accepted", "accepted"]);
  });

  test("a look that fails while it is waited for changes nothing", async () => {
    const { cloud, disks, post } = await createFixture();
    const all = disksOf(...disks(2));
    cloud.fault({ operation: "evs.listSnapshots", nth: 2, times: 2 }, { type: "status", status: 403 });
    const done = await post({ ...all, wait_seconds: 20 });
    expect(done.status).toBe(200);
    expect(cloud.snapshots()).toHaveLength(2);
  });

  test("the topic: the answer is the same", async () => {
    const { cloud, disks, post } = await createFixture();
    cloud.fault({ operation: "lts.reportLogs" }, { type: "status", status: 500 });
    const { status, warnings } = await post(disksOf(...disks(2)));
    expect(status).toBe(202);
    expect(warnings).toHaveLength(1);
  });
});

describe("a call that is refused", () => {
  useFixedDate();

  const target = { kind: "snapshot", volume_ids: [NOBODY] };

  test.each<[what: string, body: Json, ...messages: string[]]>([
    ["no deployment_id", { deployment_id: undefined, targets: [target] }, "deployment_id: required, but missing."],
    ["an empty one", { deployment_id: "", targets: [target] }, "deployment_id: expected at least 1 character, got"],
    [
      "one of 129 characters",
      { deployment_id: "d".repeat(129), targets: [target] },
      "expected at most 128 characters, got 129.",
    ],
    [
      "one with a line break",
      { deployment_id: "a\nb", targets: [target] },
      "deployment_id: expected a string without control",
    ],
    [
      "one that is a number",
      { deployment_id: 7, targets: [target] },
      "deployment_id: expected a string, got the number 7.",
    ],
    ["no targets", {}, "targets: required, but missing."],
    ["an empty list of them", { targets: [] }, "targets: expected at least 1 item, got 0."],
    [
      "a target of neither ids nor tags",
      { targets: [{ kind: "snapshot" }] },
      "targets[0]: expected volume_ids or tags",
    ],
    [
      "a kind that nobody knows",
      { targets: [{ kind: "disk", volume_ids: [NOBODY] }] },
      'targets[0].kind: expected "snapshot"',
    ],
    [
      "waits that nobody can wait",
      { targets: [target], wait_seconds: 51, max_age_minutes: 0, retry_failed: "yes" },
      "wait_seconds: expected at most 50, got 51.",
      "max_age_minutes: expected at least 1, got 0.",
      'retry_failed: expected true or false, got "yes".',
    ],
    ["a negative wait", { targets: [target], wait_seconds: -1 }, "wait_seconds: expected at least 0, got -1."],
    [
      "half a second",
      { targets: [target], wait_seconds: 0.5 },
      "wait_seconds: expected an integer, got the number 0.5.",
    ],
    ["a policy that no name may be", { targets: [target], policy: "7" }, "policy: expected a letter followed by"],
    ["a field that nobody knows", { targets: [target], force: true }, "force: unknown field. Allowed: "],
  ])("for %s: 400, every fault with its path, nothing reaches the cloud", async (_what, body, ...messages) => {
    const { cloud, post, requests } = await createFixture();
    const refused = await post(body);
    expect(refused.status).toBe(400);
    expect(errorOf(refused)).toMatchObject({
      code: "InvalidRequest",
      reason: "InvalidRequest",
      request_id: "request-1",
    });
    for (const message of messages) expect(errorOf(refused).message).toContain(message);
    expect(outcomes(refused)).toEqual(["create rejected", "run failed"]);
    expect(requests()).toEqual([]);
    expect(cloud.logs.map(({ line }) => line)).toEqual(refused.records);
  });

  test.each<[what: string, event: Json, message: string, status: number]>([
    ["for another method", apig("{}", {}, { httpMethod: "GET" }), "Expected the method POST", 405],
    ["for a body that was cut off", apig('{"deployment_id":"rel'), "Expected a JSON body", 400],
    ["for a body that is no object", apig("[]"), "body: expected an object, got an empty array.", 400],
    ["for no body", apig("", {}, { body: "" }), "Expected a JSON body, got none.", 400],
  ])("%s", async (_what, event, message, status) => {
    const { call, requests } = await createFixture();
    const refused = await call(event);
    expect(refused.status).toBe(status);
    expect(errorOf(refused).message).toContain(message);
    expect(outcomes(refused)).toEqual(["create rejected", "run failed"]);
    expect(requests()).toEqual([]);
  });

  test.each<[what: string, event: unknown, trigger: string]>([
    ["its body without the gateway", { deployment_id: "release-7", targets: [target] }, "direct"],
    ["a timer's event", { trigger_type: "TIMER", time: "2026-11-21T02:00:00Z", user_event: "{}" }, "timer"],
    ["a trace", { cts: { trace_name: "attachVolume" } }, "cts"],
    ["a CloudEvent", { specversion: "1.0", data: {} }, "eventgrid"],
    ["nothing", undefined, "direct"],
    ["a list", [], "direct"],
  ])("as no HTTP request (%s): the invocation fails", async (_what, event, trigger) => {
    const { call, requests } = await createFixture();
    const { error, records } = await call(event);
    expect(error?.message).toMatch(/^Expected an HTTP request from the API gateway, got /);
    expect(records.map((one) => `${one.trigger} ${one.action} ${one.outcome}`)).toEqual([
      `${trigger} create rejected`,
      `${trigger} run failed`,
    ]);
    expect(requests()).toEqual([]);
  });
});
