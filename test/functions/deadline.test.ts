/** Tests that an invocation ends before its deadline and writes its records, even if a call never settles. */
import { afterEach, describe, expect, test, vi } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { diskAttached } from "../../functions/disk-attached/handler.ts";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import { scheduledSnapshots } from "../../functions/scheduled-snapshots/handler.ts";
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { GatewayResponse } from "../../shared/functiongraph/read-http.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { timerEvent as timerReader } from "../../shared/middleware/timer-event.ts";
import { createRequestTrace } from "../support/attachments.ts";
import { apig, createTestEnvironment, expectWholeRecords, START, timerEvent } from "../support/environment.ts";

/** Creates a test environment whose calls after the first ones never settle. Calls to the logging topic settle as usual. */
async function createSilentEnvironment(first: number) {
  const environment = await createTestEnvironment();
  const { transport } = environment.runtime;
  let calls = 0;
  environment.runtime.transport = (request) => {
    if (request.url.pathname.includes("/lts/")) return transport(request);
    calls += 1;
    return calls > first ? new Promise(() => {}) : transport(request);
  };
  return environment;
}

describe.each([0, 1, 2, 3])("calls after the first %i that never settle", (first) => {
  test.each([
    "create-snapshot",
    "scheduled-snapshots",
    "disk-attached",
    "pre-deploy",
    "verify-snapshots",
    "prune-snapshots",
  ])(
    `%s ends before its deadline with one record for each target and one for the run if calls after number ${first} never settle`,
    async (name) => {
      const environment = await createSilentEnvironment(first);
      const server = environment.cloud.addServer();
      const disks = Array.from({ length: 20 }, () => environment.cloud.addVolume({ serverId: server.id }).id);
      const targets = [{ kind: "snapshot", volume_ids: disks }];
      const policy = { policy: "nightly", targets, retention: { keep_last: 1 } };
      const [factory, event, count] = {
        "create-snapshot": [createSnapshot, apig({ snapshot: { volume_id: disks[0], force: true } }), 1],
        "scheduled-snapshots": [scheduledSnapshots, timerEvent(policy), 20],
        "disk-attached": [diskAttached, createRequestTrace(server.id, String(disks[0])), 1],
        "pre-deploy": [preDeploy, apig({ deployment_id: "web-1", targets }), 20],
        "verify-snapshots": [verifySnapshots, timerEvent({}), 0],
        "prune-snapshots": [pruneSnapshots, timerEvent(policy), 0],
      }[name] as [typeof createSnapshot, unknown, number];
      const invoked = await environment.invoke(factory, event);
      expect(environment.clock.now()).toBeLessThan(Date.parse(START) + 60_000);
      expectWholeRecords(invoked);
      const ofTargets = invoked.records.filter(({ action, resource_id }) => action === "create" && resource_id);
      expect(new Set(ofTargets.map(({ resource_id }) => resource_id)).size).toBe(count);
      expect(ofTargets).toHaveLength(count);
      const made = environment.cloud.snapshots().map(({ id }) => id);
      for (const { outcome, snapshot_id } of invoked.records)
        if (outcome === "accepted") expect(made).toContain(snapshot_id);
      expect(environment.cloud.logs).toHaveLength(invoked.records.length);
    },
  );
});

test("create-snapshot reports OutcomeUnknown if the create itself never settles", async () => {
  const environment = await createTestEnvironment();
  const { transport } = environment.runtime;
  environment.runtime.transport = async (request) => {
    const answer = await transport(request);
    return /cloudsnapshots$/.test(request.url.pathname) ? new Promise(() => {}) : answer;
  };
  const body = { snapshot: { volume_id: environment.cloud.addVolume().id, force: true } };
  const invoked = await environment.invoke(createSnapshot, apig(body));
  expect(environment.cloud.snapshots()).toHaveLength(1);
  expectWholeRecords(invoked);
  expect(invoked.records[0]).toMatchObject({ outcome: "failed", attempts: 1, error: { reason: "OutcomeUnknown" } });
});

test("compose ends a handler that never settles before the deadline with records for its open targets", async () => {
  const environment = await createTestEnvironment();
  const endless = compose({
    name: "scheduled-snapshots",
    target: { action: "create" },
    trigger: timerReader,
    handler: (_request, { records }) => {
      records.openRecord({ action: "create", kind: "snapshot", resource_id: "disk-1" });
      return new Promise(() => {});
    },
  });
  const { error, records } = await environment.invoke(endless, timerEvent({}));
  expect(environment.clock.now()).toBeLessThan(Date.parse(START) + 60_000);
  expect(error?.message).toMatch(/^Something did not end by itself\. The invocation's time ran out/);
  // An HTTP caller reads the same message and cannot change the timeout.
  expect(error?.message).toContain("ask the operator of these functions to raise their timeout");
  expect(records.map(({ action, outcome, error }) => [action, outcome, error.reason])).toEqual([
    ["create", "failed", "DeadlineExceeded"],
    ["run", "failed", "DeadlineExceeded"],
  ]);
  expect(environment.cloud.logs).toHaveLength(2);
});

test.each([0, 1])(
  "scheduled-snapshots writes every record to stdout before its deadline if the logging topic never responds after %i reports",
  async (first) => {
    const environment = await createTestEnvironment({ variables: { SHARD_SIZE: "1000" } });
    const { transport } = environment.runtime;
    let reports = 0;
    environment.runtime.transport = (request) => {
      if (request.url.pathname.includes("/lts/")) reports += 1;
      return request.url.pathname.includes("/lts/") && reports > first ? new Promise(() => {}) : transport(request);
    };
    const disks = Array.from({ length: 600 }, () => environment.cloud.addVolume().id);
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", volume_ids: disks }] };
    const { records, result, warnings, error } = await environment.invoke(scheduledSnapshots, timerEvent(policy), {
      remainingMs: 10_000,
    });
    expect(environment.clock.now()).toBeLessThan(Date.parse(START) + 10_000);
    expect(records).toHaveLength(601);
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ topic: "failed", outcomes: { accepted: 600 } });
    expect(warnings.join()).toContain(`did not take ${601 - 500 * first} of 601 records`);
  },
);

describe("the clock of an invocation", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([-3_600_000, 3_600_000])(
    "the clock of an invocation does not jump when the machine's clock steps by %i ms",
    (step) => {
      vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
      const time = nodeRuntime().time.anchored?.();
      const before = time?.now() ?? 0;
      const elapsed = nodeRuntime().time.elapsed?.() ?? Number.NaN;
      vi.setSystemTime(Date.parse(START) + step);
      expect(Math.abs((time?.now() ?? 0) - before)).toBeLessThan(1_000);
      // The elapsed time does not depend on the time of day at which an invocation starts.
      expect(Math.abs((nodeRuntime().time.anchored?.().elapsed?.() ?? Number.NaN) - elapsed)).toBeLessThan(1_000);
    },
  );

  test("the clock of each invocation starts at the machine's time", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
    const { time } = nodeRuntime();
    vi.setSystemTime(new Date("2027-01-01T00:00:00Z"));
    expect(Math.abs((time.anchored?.().now() ?? 0) - Date.parse("2027-01-01T00:00:00Z"))).toBeLessThan(1_000);
  });

  test.each([3e9, 1e15, Number.POSITIVE_INFINITY])(
    "the clock of an invocation does not end a wait of %d ms at once",
    async (milliseconds) => {
      let finish = () => {};
      const work = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let ended = false;
      const sleeping = nodeRuntime()
        .time.sleep(milliseconds, work)
        .then(() => {
          ended = true;
        });
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(ended).toBe(false);
      finish();
      await sleeping;
    },
  );

  test("create-snapshot ends before its deadline although the machine's clock steps back an hour", async () => {
    const environment = await createTestEnvironment();
    const lines: string[] = [];
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
    const handler = createSnapshot({
      ...nodeRuntime(),
      environment: {},
      print: (line) => void lines.push(line),
      transport: async () => {
        vi.setSystemTime(Date.parse(START) - 3_600_000);
        return { status: 503, headers: {}, text: "{}" };
      },
    });
    const began = performance.now();
    const context = {
      getRequestID: () => "r-1",
      getRemainingTimeInMilliSeconds: () => 900,
      getSecurityAccessKey: () => environment.cloud.credentials.ak,
      getSecuritySecretKey: () => environment.cloud.credentials.sk,
      getProjectID: () => environment.cloud.projectId,
      getUserData: (name: string) => (name === "EVS_ENDPOINT" ? "http://127.0.0.1:1" : undefined),
    };
    const result = await handler(apig({ snapshot: { volume_id: environment.cloud.addVolume().id } }), context);
    expect(performance.now() - began).toBeLessThan(900);
    expect((result as GatewayResponse).statusCode).toBeGreaterThanOrEqual(500);
    expect(lines.map((line) => JSON.parse(line).action)).toEqual(["create", "run"]);
  });
});
