/** Calls create-snapshot in this process or in a separate process, for the tests of the SDK's flaws. */
import { onTestFinished } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { type EmbeddedCloud, startCloud } from "../../infra/local/cloud/index.ts";
import type { BareContext } from "./bare-node.ts";
import { apig, type TestEnvironment } from "./environment.ts";

export const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";

/** Returns the event of a request to create a snapshot of the disk. */
export const createEvent = (volume_id: string) => apig({ snapshot: { volume_id, name: "snap-001" } });

/** Starts an embedded cloud with the real clock, for functions in a separate process. */
export async function startRealTimeCloud(): Promise<EmbeddedCloud> {
  const cloud = await startCloud();
  onTestFinished(() => cloud.close());
  return cloud;
}

/** Returns the FunctionGraph context of a function that calls the embedded cloud. */
export const contextFor = (cloud: EmbeddedCloud, variables: Record<string, string> = {}): BareContext => ({
  getRequestID: "request-1",
  getRemainingTimeInMilliSeconds: 20_000,
  getSecurityAccessKey: cloud.credentials.ak,
  getSecuritySecretKey: cloud.credentials.sk,
  getSecurityToken: cloud.credentials.securityToken ?? "",
  getProjectID: cloud.projectId,
  variables: { EVS_ENDPOINT: cloud.url, ...variables },
});

/** Calls create-snapshot for one disk and returns the status, the error and the whole output. */
export async function callCreateSnapshot(environment: TestEnvironment, volumeId = environment.cloud.addVolume().id) {
  const { result, output } = await environment.invoke(createSnapshot, createEvent(volumeId));
  return { status: result.statusCode, error: JSON.parse(result.body).error, output, result };
}
