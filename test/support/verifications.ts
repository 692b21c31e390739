/** Creates test environments for `verify-snapshots`. */
import { verifySnapshots } from "../../functions/verify-snapshots/handler.ts";
import type { EmbeddedCloud } from "../../infra/local/cloud/index.ts";
import { type Kind, MINUTE_MS, START_MS } from "./common.ts";
import { createTestEnvironment, START, type TestEnvironmentOptions, timerEvent } from "./environment.ts";
import { addResources, type Seed, seedSnapshot as seedAt } from "./retention-seeds.ts";

/** Creates a test environment with one resource for each kind of snapshot. */
export async function createFixture(options: TestEnvironmentOptions = {}) {
  const environment = await createTestEnvironment(options);
  const verify = (body: object = {}, time = START) => environment.invoke(verifySnapshots, timerEvent(body, time));
  return { ...environment, ...addResources(environment.cloud, START_MS - MINUTE_MS), verify };
}

/** Adds a snapshot that was created `minutes` minutes before the clock starts. */
export const seedSnapshot = (
  cloud: EmbeddedCloud,
  kind: Kind,
  resource: string,
  { minutes, ...one }: Omit<Seed, "at"> & { minutes: number },
) => seedAt(cloud, kind, resource, { ...one, at: START_MS - minutes * MINUTE_MS });
