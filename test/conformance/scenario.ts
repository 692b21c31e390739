/** Runs the conformance scenario: sends every step with one client to a new embedded cloud. */
import { isDeepStrictEqual } from "node:util";
import { type EmbeddedCloud, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import type { AccessKey, Reply, Send } from "./protocol.ts";
import { sendDirectly } from "./send-directly.ts";
import { DWS_STEPS } from "./steps/dws.ts";
import { ECS_STEPS } from "./steps/ecs.ts";
import { EVS_STEPS } from "./steps/evs.ts";
import { STANDARD_STEPS } from "./steps/standard.ts";
import type { Step } from "./steps/step.ts";

export const STEPS: readonly Step[] = [...EVS_STEPS, ...STANDARD_STEPS, ...DWS_STEPS, ...ECS_STEPS];

/** Every operation of the scenario, as pairs of a service and an operation. */
export const OPERATIONS = [...new Set(STEPS.map(operationOf))].map((name) => name.split(".") as [string, string]);

export function operationOf({ service, operation }: { service: string; operation: string }): string {
  return `${service}.${operation}`;
}

/** The result of one step. */
export interface StepResult {
  step: Step;
  /** The body of a successful response. Undefined for an error response. */
  body?: string;
  /** Why the step failed. Undefined if the client got the expected response. */
  problem?: string;
  /** Whether the client has no method for the operation. */
  unsupported: boolean;
}

/**
 * Starts an embedded cloud, sends every step, and returns the results. If the client has no method for an operation, sends the
 * request without the client, so that the later steps find the same resources.
 *
 * @param connect returns the function that sends requests to the given cloud
 */
export async function runScenario(connect: (cloud: EmbeddedCloud) => Send): Promise<StepResult[]> {
  const clock = new StoppedClock("2026-11-21T02:00:00Z");
  const cloud = await startCloud({ clock });
  try {
    const send = connect(cloud);
    const variables = createVariables(cloud);
    const results: StepResult[] = [];
    for (const step of STEPS) {
      clock.advance(step.advanceMs ?? 0);
      const { service, operation } = step;
      const request = substitute(step.request, variables) as Record<string, unknown>;
      const call = { service, operation, request, credentials: accessKey(step, cloud) };
      const first = await send(call);
      const unsupported = first.unsupported === true;
      const reply = unsupported ? await sendDirectly(cloud)(call) : first;
      const problem = problemOf(step, reply);
      for (const [name, path] of Object.entries(step.keep ?? {})) variables[name] = String(valueAt(reply, path));
      const body = (reply.status ?? 500) < 300 ? { body: reply.body ?? "" } : {};
      results.push({ step, unsupported, ...body, ...(problem === undefined ? {} : { problem }) });
    }
    return results;
  } finally {
    await cloud.close();
  }
}

/** Adds servers, disks and a cluster to the cloud, and returns the variables of the steps. */
function createVariables(cloud: EmbeddedCloud): Record<string, string> {
  const createdAt = "2026-11-01T00:00:00Z";
  const server = cloud.addServer({ name: "web", tags: { role: "web" }, createdAt });
  const idle = cloud.addServer({ name: "idle", status: "SHUTOFF" });
  const elsewhere = `${cloud.region}b`;
  cloud.addVolume({ name: "system", serverId: server.id, size: 40, createdAt });
  const shared = cloud.addVolume({ name: "shared", multiattach: true, availabilityZone: elsewhere, createdAt });
  const data = cloud.addVolume({ name: "data", serverId: server.id, tags: { team: "storage" } });
  const free = cloud.addVolume({ name: "free", tags: { team: "storage" }, metadata: { "hw:passthrough": "true" } });
  const spare = cloud.addVolume({ name: "spare" });
  const cluster = cloud.addCluster({ name: "warehouse", tags: { team: "storage" } });
  return {
    project: cloud.projectId,
    zone: `${cloud.region}a`,
    missing: "00000000-0000-4000-8000-000000000000",
    server: server.id,
    idle: idle.id,
    shared: shared.id,
    data: data.id,
    free: free.id,
    spare: spare.id,
    cluster: cluster.id,
  };
}

function accessKey({ key }: Step, { credentials }: EmbeddedCloud): AccessKey {
  const { ak, sk, securityToken } = credentials;
  if (key === "unknown") return { ak: "NOSUCHACCESSKEY12345", sk, securityToken };
  return { ak, sk: key === "wrong secret" ? "not-the-secret-key" : sk, securityToken };
}

/** Returns a copy of a request in which every `$name` is replaced by the value of the variable `name`. */
function substitute(value: unknown, variables: Record<string, string>): unknown {
  if (typeof value === "string") return value.replace(/\$(\w+)/g, (_, name: string) => variables[name] ?? "");
  if (Array.isArray(value)) return value.map((item) => substitute(item, variables));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, substitute(item, variables)]));
}

function valueAt(reply: Reply, path: string): unknown {
  const body: unknown = JSON.parse(reply.body || "{}");
  return path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], body);
}

/** Returns why a reply is not the expected one. */
function problemOf(step: Step, reply: Reply): string | undefined {
  if (reply.error !== undefined) return reply.error;
  const [actual, expected] = [reply, step].map(({ status, code }) => ({ status, code }));
  if (!isDeepStrictEqual(actual, expected)) {
    return `expected ${expected?.status} ${expected?.code ?? ""}, got ${actual?.status} ${actual?.code ?? ""}`;
  }
  if (step.rows === undefined) return undefined;
  const rows = Object.values(JSON.parse(reply.body || "{}")).find(Array.isArray)?.length;
  return rows === step.rows ? undefined : `expected ${step.rows} rows, got ${rows}`;
}
