import { onTestFinished } from "vitest";
import { createSnapshot } from "../../functions/create-snapshot/handler.ts";
import { type EmbeddedCloud, startCloud } from "../../infra/local/cloud/index.ts";
import type { BareContext } from "./bare-node.ts";
import { apig, type TestEnvironment } from "./environment.ts";

export const DISK = "5aa119a8-d25b-45a7-8d1b-88e127885635";
export const create = (volume_id: string) => apig({ snapshot: { volume_id, name: "snap-001" } });

/** Starts a cloud with the real clock, for functions in a separate process. */
export async function realCloud(): Promise<EmbeddedCloud> {
  const cloud = await startCloud();
  onTestFinished(() => cloud.close());
  return cloud;
}

export const contextFor = (cloud: EmbeddedCloud, variables: Record<string, string> = {}): BareContext => ({
  getRequestID: "request-1",
  getRemainingTimeInMilliSeconds: 20_000,
  getSecurityAccessKey: cloud.credentials.ak,
  getSecuritySecretKey: cloud.credentials.sk,
  getSecurityToken: cloud.credentials.securityToken ?? "",
  getProjectID: cloud.projectId,
  variables: { EVS_ENDPOINT: cloud.url, ...variables },
});

export const secretsIn = ({ credentials }: { credentials: EmbeddedCloud["credentials"] }) => [
  credentials.ak,
  credentials.sk,
  String(credentials.securityToken),
  String(credentials.token),
  "SDK-HMAC-SHA256",
  "Signature=",
];

/** Sends one create call and returns its response. */
export async function outcomeOf(site: TestEnvironment, volumeId = site.cloud.addVolume().id) {
  const { result, output } = await site.invoke(createSnapshot, create(volumeId));
  return { status: result.statusCode, error: JSON.parse(result.body).error, output, result };
}
