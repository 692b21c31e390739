/** Tests that an invocation returns before its deadline and writes its records, even if an API call never returns. */
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
import { createFixture, replaceCreateResponses, SNAPSHOT } from "../support/creates.ts";
import {
  apig,
  createTestEnvironment,
  expectWholeRecords,
  nightly,
  START,
  type TestEnvironment,
  timerEvent,
} from "../support/environment.ts";

const NEVER = new Promise<never>(() => {});

/** Lets the first API calls return. Later calls to EVS, DWS and ECS never return. */
function blockCallsAfter({ runtime }: TestEnvironment, returningCalls: number) {
  const { transport } = runtime;
  let calls = 0;
  runtime.transport = (request) => {
    if (request.url.pathname.includes("/lts/")) return transport(request);
    calls += 1;
    return calls > returningCalls ? NEVER : transport(request);
  };
}

describe.each([
  ["no API call returns", 0],
  ["only the first API call returns", 1],
  ["only the first two API calls return", 2],
  ["only the first three API calls return", 3],
] as const)("%s", (condition, returningCalls) => {
  test.each([
    "create-snapshot",
    "scheduled-snapshots",
    "disk-attached",
    "pre-deploy",
    "verify-snapshots",
    "prune-snapshots",
  ])(
    `if ${condition}, %s returns before its deadline and writes a record for each target and for the run`,
    async (name) => {
      const environment = await createTestEnvironment();
      blockCallsAfter(environment, returningCalls);
      const server = environment.cloud.addServer();
      const disks = environment.addDisks(20, { serverId: server.id });
      const targets = [{ kind: "snapshot", volume_ids: disks }];
      const policy = { policy: "nightly", targets, retention: { keep_last: 1 } };
      const [factory, event, targetCount] = {
        "create-snapshot": [createSnapshot, apig({ snapshot: { volume_id: disks[0], force: true } }), 1],
        "scheduled-snapshots": [scheduledSnapshots, timerEvent(policy), 20],
        "disk-attached": [diskAttached, createRequestTrace(server.id, String(disks[0])), 1],
        "pre-deploy": [preDeploy, apig({ deployment_id: "web-1", targets }), 20],
        "verify-snapshots": [verifySnapshots, timerEvent({}), 0],
        "prune-snapshots": [pruneSnapshots, timerEvent(policy), 0],
      }[name] as [typeof createSnapshot, unknown, number];
      const invoked = await environment.invoke(factory, event);
      expect(environment.elapsedMs()).toBeLessThan(60_000);
      expectWholeRecords(invoked);
      const targetRecords = invoked.records.filter(({ action, resource_id }) => action === "create" && resource_id);
      expect(new Set(targetRecords.map(({ resource_id }) => resource_id)).size).toBe(targetCount);
      expect(targetRecords).toHaveLength(targetCount);
      const created = environment.cloud.snapshots().map(({ id }) => id);
      for (const { outcome, snapshot_id } of invoked.records)
        if (outcome === "accepted") expect(created).toContain(snapshot_id);
      expect(environment.deliveredRecords()).toHaveLength(invoked.records.length);
    },
  );
});

test("create-snapshot fails with OutcomeUnknown if EVS creates the snapshot but the create response never arrives", async () => {
  const fixture = await createFixture(SNAPSHOT);
  replaceCreateResponses(fixture, 1, async (send) => {
    await send();
    return NEVER;
  });
  const invoked = await fixture.post({ force: true });
  expect(fixture.snapshots()).toHaveLength(1);
  expectWholeRecords(invoked);
  expect(invoked.records[0]).toMatchObject({ outcome: "failed", attempts: 1, error: { reason: "OutcomeUnknown" } });
});

test("if a handler never returns, a function built with compose fails before its deadline and writes failed records for the unfinished target and the run", async () => {
  const environment = await createTestEnvironment();
  const neverReturning = compose({
    name: "scheduled-snapshots",
    target: { action: "create" },
    trigger: timerReader,
    handler: (_request, { records }) => {
      records.openRecord({ action: "create", kind: "snapshot", resource_id: "disk-1" });
      return NEVER;
    },
  });
  const { error, records } = await environment.invoke(neverReturning, timerEvent({}));
  expect(environment.elapsedMs()).toBeLessThan(60_000);
  expect(error?.message).toMatch(/^The work did not finish in time\. The invocation ran out of time/);
  // The message is also meant for HTTP callers, who cannot change the timeout.
  expect(error?.message).toContain("ask the operator of these functions to raise the timeout");
  expect(records.map(({ action, outcome, error }) => [action, outcome, error.reason])).toEqual([
    ["create", "failed", "DeadlineExceeded"],
    ["run", "failed", "DeadlineExceeded"],
  ]);
  expect(environment.deliveredRecords()).toHaveLength(2);
});

test.each([
  ["no delivery", 0],
  ["only the first delivery", 1],
] as const)(
  "scheduled-snapshots writes 601 records to stdout before its deadline if LTS responds to %s of records",
  async (_deliveries, acceptedDeliveries) => {
    const environment = await createTestEnvironment({ variables: { SHARD_SIZE: "1000" } });
    const { transport } = environment.runtime;
    let deliveries = 0;
    environment.runtime.transport = (request) => {
      if (request.url.pathname.includes("/lts/")) deliveries += 1;
      return request.url.pathname.includes("/lts/") && deliveries > acceptedDeliveries ? NEVER : transport(request);
    };
    const event = nightly({ volume_ids: environment.addDisks(600) });
    const { records, result, warnings, error } = await environment.invoke(scheduledSnapshots, event, {
      remainingMs: 10_000,
    });
    expect(environment.elapsedMs()).toBeLessThan(10_000);
    expect(records).toHaveLength(601);
    expect(error).toBeUndefined();
    expect(result).toMatchObject({ topic: "failed", outcomes: { accepted: 600 } });
    // One delivery to LTS contains at most 500 records.
    expect(warnings.join()).toContain(`did not accept ${601 - 500 * acceptedDeliveries} of 601 records`);
  },
);

describe("the clock of an invocation", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  test.each([
    ["back", -3_600_000],
    ["forward", 3_600_000],
  ] as const)(
    "the clock of an invocation changes by less than 1 s when the clock of the machine is set %s by an hour",
    (_direction, changeMs) => {
      vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
      const time = nodeRuntime().time.anchored?.();
      const before = time?.now() ?? 0;
      const elapsed = nodeRuntime().time.elapsed?.() ?? Number.NaN;
      vi.setSystemTime(Date.parse(START) + changeMs);
      expect(Math.abs((time?.now() ?? 0) - before)).toBeLessThan(1_000);
      // An invocation that starts after the clock change must read the same elapsed time.
      expect(Math.abs((nodeRuntime().time.anchored?.().elapsed?.() ?? Number.NaN) - elapsed)).toBeLessThan(1_000);
    },
  );

  test("the clock of an invocation starts at the current time of the machine", () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date(START) });
    const { time } = nodeRuntime();
    vi.setSystemTime(new Date("2027-01-01T00:00:00Z"));
    expect(Math.abs((time.anchored?.().now() ?? 0) - Date.parse("2027-01-01T00:00:00Z"))).toBeLessThan(1_000);
  });

  test.each([
    ["35 days", 3e9],
    ["31,688 years", 1e15],
    ["infinity", Number.POSITIVE_INFINITY],
  ] as const)(
    "sleep with a duration of %s does not end within 30 ms, but ends when the promise in its second argument resolves",
    async (_duration, milliseconds) => {
      let finish = () => {};
      const work = new Promise<void>((resolve) => {
        finish = resolve;
      });
      let isAwake = false;
      const sleeping = nodeRuntime()
        .time.sleep(milliseconds, work)
        .then(() => {
          isAwake = true;
        });
      await new Promise((resolve) => setTimeout(resolve, 30));
      expect(isAwake).toBe(false);
      finish();
      await sleeping;
    },
  );

  test("create-snapshot returns within its remaining time of 900 ms although the clock of the machine is set back by an hour", async () => {
    const { addDisks, cloud } = await createTestEnvironment();
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
    const startedAt = performance.now();
    const context = {
      getRequestID: () => "r-1",
      getRemainingTimeInMilliSeconds: () => 900,
      getSecurityAccessKey: () => cloud.credentials.ak,
      getSecuritySecretKey: () => cloud.credentials.sk,
      getProjectID: () => cloud.projectId,
      getUserData: (name: string) => (name === "EVS_ENDPOINT" ? "http://127.0.0.1:1" : undefined),
    };
    const result = await handler(apig({ snapshot: { volume_id: addDisks(1)[0] } }), context);
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect((result as GatewayResponse).statusCode).toBeGreaterThanOrEqual(500);
    expect(lines.map((line) => JSON.parse(line).action)).toEqual(["create", "run"]);
  });
});
