/** Runs the steps of a function in one instance against an embedded cloud. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { startCloud } from "../../infra/local/cloud/index.ts";
import type { FunctionDefinition } from "../../shared/middleware/definition.ts";
import { TOPIC, userDataFor } from "../support/user-data.ts";
import { CASES, type FunctionCase } from "./cases.ts";
import { LARGE_CASES, withoutResponses } from "./extreme-cases.ts";
import { startForwarder } from "./forwarder.ts";
import { type Figures, type Instance, type Invoked, startInstance } from "./instance.ts";
import type { NodeRuntime } from "./node-runtimes.ts";
import { checkInvocation, readLog } from "./responses.ts";
import { findSkippedChecks } from "./skipped-checks.ts";

const DIST = join(import.meta.dirname, "..", "..", "dist");

/** The time limit in the runs that must be short. FunctionGraph allows 3 s and more. */
export const SHORT_LIMIT_SECONDS = 4;

/** How an instance differs from a normal one. */
export interface Limits {
  timeoutSeconds?: number;
}

export interface FunctionRun {
  name: string;
  node: string;
  limit: string;
  /** The checks that this machine does not support. */
  skippedChecks: string[];
  /** The number of invocations. */
  invocations: number;
  /** The figures of the last invocation. */
  figures: Figures;
  /** The duration of the first invocation, which includes loading, and of the longest one, in milliseconds. */
  firstMs: number;
  longestMs: number;
}

/**
 * Runs steps in one instance. Between two steps, the instance is frozen and all its connections are closed.
 *
 * @throws Error that names the function, the version of Node.js and the step, if a step fails
 */
export async function runSteps(
  { name, timeoutSeconds, memoryMb }: FunctionDefinition,
  runtime: NodeRuntime,
  createSteps: FunctionCase,
  limits: Limits = {},
): Promise<FunctionRun> {
  const cloud = await startCloud({ topics: [TOPIC], creationMs: 300, deletionMs: 100 });
  const invoked: Invoked[] = [];
  let title = "the start";
  let forwarder: Awaited<ReturnType<typeof startForwarder>> | undefined;
  let instance: Instance | undefined;
  try {
    forwarder = await startForwarder(cloud.url);
    const steps = createSteps(cloud);
    const bundle = join(DIST, name, "index.js");
    const userData = { ...userDataFor({ ...cloud, url: forwarder.url }), DEPLOYED_POLICIES: "{}" };
    const settings = { name, bundle, timeoutSeconds, memoryMb, projectId: cloud.projectId, userData, ...limits };
    instance = startInstance(settings, runtime);
    for (const step of steps) {
      title = step.title;
      const alreadyDelivered = cloud.logs.length;
      const one = await instance.invoke(step.event, cloud.credentials);
      instance.freeze();
      forwarder.dropConnections();
      invoked.push(one);
      assert.equal(one.lost, undefined);
      assert.ok(one.tookMs <= settings.timeoutSeconds * 1000, `the invocation took ${one.tookMs} ms`);
      checkInvocation(one);
      const delivered = cloud.logs.slice(alreadyDelivered).map(({ line }) => line);
      step.check({ invoked: one, cloud, records: readLog(one, step.isTopicLost ? undefined : delivered) });
      assert.deepEqual(cloud.refusedSignatures, []);
    }
    title = "the end of the instance";
    assert.deepEqual(await instance.end(), [], "the function changed no file");
    const figures = invoked.at(-1)?.figures as Figures;
    return {
      name,
      node: runtime.version,
      limit: instance.limit,
      skippedChecks: findSkippedChecks(instance, figures),
      invocations: invoked.length,
      figures,
      firstMs: invoked[0]?.tookMs ?? 0,
      longestMs: Math.max(...invoked.map(({ tookMs }) => tookMs)),
    };
  } catch (error) {
    const output = JSON.stringify(invoked.at(-1))?.slice(0, 2_000);
    throw new Error(`${name}, Node.js ${runtime.version}, ${title}: ${(error as Error).message}\n${output}`, {
      cause: error,
    });
  } finally {
    await instance?.end();
    forwarder?.close();
    await cloud.close();
  }
}

/**
 * Runs a function while no request gets a response, until shortly before its time limit.
 *
 * @param timeoutSeconds the time limit. Default: the time limit in the definition of the function
 */
export const runUntilTimeLimit = (
  definition: FunctionDefinition,
  runtime: NodeRuntime,
  timeoutSeconds = definition.timeoutSeconds,
): Promise<FunctionRun> =>
  runSteps(definition, runtime, withoutResponses(CASES[definition.name] as FunctionCase), { timeoutSeconds });

/** Runs a function with lists that use much memory, or returns undefined if the function has no such case. */
export function runLarge(definition: FunctionDefinition, runtime: NodeRuntime): Promise<FunctionRun> | undefined {
  const createSteps = LARGE_CASES[definition.name];
  return createSteps && runSteps(definition, runtime, createSteps);
}

/** Runs one event of each trigger of a function, and repeats one of them. */
export const runFunction = (definition: FunctionDefinition, runtime: NodeRuntime): Promise<FunctionRun> =>
  runSteps(definition, runtime, CASES[definition.name] as FunctionCase);
