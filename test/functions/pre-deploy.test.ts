/** Tests how `pre-deploy` creates the snapshots of a deployment and responds to repeated requests. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listWithoutMembers, MINUTE_MS } from "../support/common.ts";
import { createFixture, diskTargets, outcomesOf, snapshotOf } from "../support/deployments.ts";
import { type Any, errorOf, outcomes } from "../support/environment.ts";
import { useFixedDate } from "../support/fixed-date.ts";

useFixedDate();

describe("the requests of one deployment", () => {
  test("pre-deploy creates a snapshot of each kind, and responds 202 until all snapshots are available and 200 afterwards", async () => {
    const { cloud, clock, addResources, post } = await createFixture();
    const { targets, ids, members } = addResources();
    const [disk, archive, server, cluster] = ids;
    const first = await post({ targets });
    expect(first.status).toBe(202);
    expect(first.headers).toMatchObject({ "retry-after": "5", "x-request-id": "request-1" });
    expect(first.body).toEqual({
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
    expect(cloud.snapshots()).toHaveLength(4 + members.length);

    clock.advance(4_000);
    const second = await post({ targets });
    expect(second.status).toBe(202);
    expect(outcomesOf(second)).toEqual(["available", "available", "available", "existing"]);
    expect(snapshotOf(second, cluster).detail).toContain("cannot be restarted, scaled or reconfigured");
    clock.advance(4_000);
    const third = await post({ targets });
    expect(third.status).toBe(200);
    expect(third.headers).not.toHaveProperty("retry-after");
    expect(third.body.status).toBe("ready");
    expect(outcomesOf(third)).toEqual(ids.map(() => "available"));
    expect(snapshotOf(third, cluster)).not.toHaveProperty("detail");
    expect(third.body.snapshots.map((one: Any) => one.snapshot_id)).toEqual(
      first.body.snapshots.map((one: Any) => one.snapshot_id),
    );
    expect(outcomes(third)).toEqual([...ids.map(() => "create available"), "run done"]);
    expect(cloud.snapshots()).toHaveLength(4 + members.length);
    expect(cloud.count(/\.create/)).toBe(4);
  });

  test("pre-deploy waits at most wait_seconds and responds as soon as all snapshots are available", async () => {
    const { clock, addDisks, post } = await createFixture({ creationMs: 7_000 });
    const request = diskTargets(...addDisks(3));
    const began = clock.now();
    const early = await post({ ...request, wait_seconds: 5 });
    expect(early.status).toBe(202);
    expect(clock.now() - began).toBe(5_000);
    const done = await post({ ...request, wait_seconds: 50 });
    expect(done.status).toBe(200);
    expect(clock.now() - began).toBeLessThan(10_000);
    const again = await post({ ...request, wait_seconds: 50 });
    expect(again.status).toBe(200);
    expect(clock.now() - began).toBeLessThan(10_000);
  });

  test("pre-deploy responds 202 within 50 s if wait_seconds is 50 and a snapshot never becomes available", async () => {
    const { clock, cloud, addDisks, post } = await createFixture({ timeoutSeconds: 900 });
    const [disk] = addDisks(1) as [string];
    cloud.endWith(disk, "stuck");
    const began = clock.now();
    expect((await post({ ...diskTargets(disk), wait_seconds: 50 })).status).toBe(202);
    expect(clock.now() - began).toBeLessThanOrEqual(50_000);
  });

  test("pre-deploy creates a snapshot of a disk with the selected tag that was added between two calls for a deployment", async () => {
    const { cloud, addDisks, post } = await createFixture();
    addDisks(2, { service: "shop" });
    const targets = [{ kind: "snapshot", tags: { service: "shop" } }];
    expect(outcomesOf(await post({ targets }))).toEqual(["accepted", "accepted"]);
    addDisks(1, { service: "shop" });
    expect(outcomesOf(await post({ targets })).sort()).toEqual(["accepted", "existing", "existing"]);
    expect(cloud.snapshots()).toHaveLength(3);
  });

  test("pre-deploy responds 404 if no resource has the tags in its targets", async () => {
    const { post, requests } = await createFixture();
    const refused = await post({ targets: [{ kind: "snapshot", tags: { service: "shop" } }] });
    expect(refused.status).toBe(404);
    expect(errorOf(refused)).toMatchObject({ reason: "NotFound" });
    expect(errorOf(refused).message).toContain("targets[0]: expected to select at least one resource");
    expect(requests()).toEqual(["evs.listVolumes"]);
  });

  test("pre-deploy responds 400 and creates nothing if its targets select more than 5,000 resources", {
    timeout: 60_000,
  }, async () => {
    const { post, addDisks, cloud } = await createFixture();
    addDisks(5_001, { backup: "daily" });
    const { status, body } = await post({ targets: [{ kind: "snapshot", tags: { backup: "daily" } }] });
    expect([status, body.error.reason]).toEqual([400, "InvalidRequest"]);
    expect(body.error.message).toMatch(/^targets: expected to select at most 5000 resources, got 5001\. /);
    expect(cloud.snapshots("snapshot")).toEqual([]);
  });

  test("pre-deploy responds 502 and creates nothing if ECS rejects the request that lists the servers", async () => {
    const { cloud, addDisks, post } = await createFixture();
    const [disk] = addDisks(1) as [string];
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

  test("pre-deploy stores the policy in the request in the marker of each snapshot", async () => {
    const { cloud, addResources, post } = await createFixture();
    const { targets } = addResources();
    await post({ targets, policy: "releases" }, { variables: { PRE_DEPLOY_POLICIES: "releases" } });
    const snapshots = listWithoutMembers(cloud);
    expect(snapshots.map(({ metadata, tags }) => (metadata ?? tags)?.policy)).toEqual([
      "releases",
      "releases",
      "releases",
      undefined,
    ]);
    expect(cloud.snapshots("cluster-snapshot")[0]?.description).toContain(" policy:releases ");
    expect(cloud.snapshots("cluster-snapshot")[0]?.name).toMatch(/^d-release-7-/);
  });

  test("pre-deploy derives a snapshot name that EVS and DWS accept from any deployment_id", {
    timeout: 30_000,
  }, async () => {
    const { cloud, clock, addResources, post } = await createFixture();
    const { targets, ids } = addResources();
    await fc.assert(
      fc.asyncProperty(
        fc
          .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
          // biome-ignore lint/suspicious/noControlCharactersInRegex: the function rejects control characters
          .filter((id) => !/[\u0000-\u001f\u007f]/.test(id) && [...id].length <= 128),
        async (deployment_id) => {
          clock.advance(MINUTE_MS);
          const { status, body } = await post({ deployment_id, targets });
          expect({ status, id: body.deployment_id }).toEqual({ status: 202, id: deployment_id });
          for (const { name } of body.snapshots) expect(name).toMatch(/^d-[A-Za-z0-9_-]{1,36}-[0-9a-f]{8}$/);
          for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
        },
      ),
      { numRuns: 25, examples: [["r".repeat(128)], ["…"], ["-"]] },
    );
    expect(ids).toHaveLength(4);
  });
});

describe("a repeated POST request", () => {
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
  const failure = fc.record({
    operation: fc.constantFrom(...OPERATIONS, "evs.listSnapshots", "evs.listSnapshotGroups"),
    nth: fc.integer({ min: 1, max: 3 }),
    fault: fc.constantFrom(...FAULTS),
  });

  test("pre-deploy creates each snapshot exactly once in repeated calls although random requests to EVS and DWS fail", {
    timeout: 60_000,
  }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(failure, { maxLength: 4 }), fc.integer({ min: 0, max: 3 }), async (failures, wait) => {
        const { cloud, clock, addResources, post } = await createFixture();
        const { targets, ids } = addResources();
        for (const { operation, nth, fault } of failures) cloud.fault({ operation, nth }, fault);
        const statuses: number[] = [];
        while (statuses.at(-1) !== 200) {
          statuses.push((await post({ targets, wait_seconds: wait })).status);
          clock.advance(5_000);
          expect(statuses.length).toBeLessThan(5 + 2 * failures.length);
        }
        expect(listWithoutMembers(cloud)).toHaveLength(ids.length);
        await cloud.close();
      }),
      { numRuns: 25 },
    );
  });

  test("pre-deploy creates each snapshot once if one instance receives four simultaneous calls for a deployment", async () => {
    const { cloud, addResources, post } = await createFixture();
    const { targets } = addResources();
    const responses = await Promise.all(Array.from({ length: 4 }, () => post({ targets, wait_seconds: 40 })));
    expect(responses.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect(cloud.count(/\.create/)).toBe(4);
  });

  test("pre-deploy creates each snapshot once if four calls for a deployment arrive before EVS and DWS list the snapshots", async () => {
    const { cloud, clock, addResources, post } = await createFixture();
    cloud.listLagMs = 5_000;
    const { targets, ids } = addResources();
    const outcomesOfCalls: string[][] = [];
    for (let calls = 0; calls < 4; calls += 1) {
      outcomesOfCalls.push(outcomesOf(await post({ targets })));
      clock.advance(1_000);
    }
    expect(outcomesOfCalls).toEqual(
      ["accepted", "existing", "existing", "existing"].map((outcome) => ids.map(() => outcome)),
    );
    expect(cloud.count(/\.create/)).toBe(4);
    clock.advance(10_000);
    expect((await post({ targets })).status).toBe(200);
  });

  test("pre-deploy reports Conflict for a target whose description differs from an earlier call with the same deployment_id", async () => {
    const { cloud, addDisks, post } = await createFixture();
    const [first, second] = addDisks(2) as [string, string];
    await post(diskTargets(first, second));
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

  test("pre-deploy responds 409 and asks for a new deployment_id if a snapshot of the deployment is older than max_age_minutes", async () => {
    const { cloud, clock, addDisks, post } = await createFixture();
    const [first, second] = addDisks(2) as [string, string];
    await post(diskTargets(first));
    clock.advance(1_440 * MINUTE_MS - 1_000);
    expect((await post(diskTargets(first))).status).toBe(200);
    clock.advance(2_000);
    const refused = await post(diskTargets(first, second));
    expect(refused.status).toBe(409);
    expect(errorOf(refused)).toMatchObject({ reason: "Conflict", code: "Conflict" });
    expect(errorOf(refused).message).toContain("Use a new deployment_id, or raise max_age_minutes");
    expect(outcomes(refused)).toEqual(["create failed", "create failed", "run failed"]);
    expect(cloud.snapshots()).toHaveLength(1);

    expect((await post({ ...diskTargets(first, second), max_age_minutes: 2_000 })).status).toBe(202);
    expect((await post({ ...diskTargets(first), max_age_minutes: 60 })).status).toBe(409);
    expect((await post({ ...diskTargets(first), deployment_id: "release-8" })).status).toBe(202);
    expect(cloud.snapshots()).toHaveLength(3);
  });
});
