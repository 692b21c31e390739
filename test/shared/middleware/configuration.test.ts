/** Tests the timeouts that a function's configuration and trigger determine. */
import { expect, test } from "vitest";
import { createSnapshot } from "../../../functions/create-snapshot/handler.ts";
import { diskAttached } from "../../../functions/disk-attached/handler.ts";
import { scheduledSnapshots } from "../../../functions/scheduled-snapshots/handler.ts";
import { cloudEvent, createRequestTrace } from "../../support/attachments.ts";
import { apig, createTestEnvironment, nightly } from "../../support/environment.ts";

/** Invokes a function that creates a snapshot of a disk. Returns the timeouts of its create and list requests. */
async function timeoutsOf(trigger: "timer" | "cts" | "eventgrid" | "http" | "direct", variables = {}) {
  const environment = await createTestEnvironment({ timeoutSeconds: 900, variables });
  const { cloud, invoke, runtime } = environment;
  const serverId = cloud.addServer().id;
  const diskId = cloud.addVolume({ serverId }).id;
  const timeouts = new Map<string, number>();
  const { transport } = runtime;
  runtime.transport = (request) => {
    if (request.url.pathname.includes("snapshots")) timeouts.set(request.method, request.timeoutMs);
    return transport(request);
  };
  const body = { snapshot: { volume_id: diskId, force: true } };
  const trace = createRequestTrace(serverId, diskId);
  const invocations = {
    timer: () => invoke(scheduledSnapshots, nightly({ volume_ids: [diskId] })),
    cts: () => invoke(diskAttached, trace),
    eventgrid: () => invoke(diskAttached, cloudEvent(trace.cts)),
    http: () => invoke(createSnapshot, apig(body)),
    direct: () => invoke(createSnapshot, body),
  };
  const { records } = await invocations[trigger]();
  expect(records.at(-1)).toMatchObject({ trigger, outcomes: { accepted: 1 } });
  return { create: timeouts.get("POST"), list: timeouts.get("GET") };
}

test.each(["timer", "cts", "eventgrid"] as const)(
  "configureInvocation limits a create request to 30 s and a list request to 10 s if the trigger is %s, because no caller waits",
  async (trigger) => {
    expect(await timeoutsOf(trigger)).toEqual({ create: 30_000, list: 10_000 });
  },
);

test.each(["http", "direct"] as const)(
  "configureInvocation limits create and list requests to 10 s if the trigger is %s, because a caller waits",
  async (trigger) => {
    expect(await timeoutsOf(trigger)).toEqual({ create: 10_000, list: 10_000 });
  },
);

test.each(["timer", "http"] as const)(
  "configureInvocation limits create and list requests to HTTP_TIMEOUT_MS if the variable is set and the trigger is %s",
  async (trigger) => {
    expect(await timeoutsOf(trigger, { HTTP_TIMEOUT_MS: "4000" })).toEqual({ create: 4_000, list: 4_000 });
  },
);
