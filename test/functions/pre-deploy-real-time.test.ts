/** Tests how fast `pre-deploy` responds, in real time instead of simulated time. */
import { describe, expect, test } from "vitest";
import { preDeploy } from "../../functions/pre-deploy/handler.ts";
import { startCloud } from "../../infra/local/cloud/index.ts";
import { nodeRuntime } from "../../shared/middleware/runtime.ts";
import { diskTargets, outcomesOf } from "../support/deployments.ts";
import { type Any, apig } from "../support/environment.ts";

describe("pre-deploy in real time", () => {
  test("pre-deploy responds within 2 s to each call for 20 disks if each EVS response takes 50 ms, and creates each snapshot once", async () => {
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
      const body = { deployment_id: "release-7", wait_seconds: 0, ...diskTargets(...disks) };
      const { statusCode, body: text }: Any = await handler(apig(body) as Any, context as Any);
      return { status: statusCode, body: JSON.parse(text), took: performance.now() - began };
    };
    const first = await post();
    expect(first.status).toBe(202);
    expect(first.took).toBeLessThan(2_000);
    expect(outcomesOf(first)).toEqual(disks.map(() => "accepted"));
    expect(cloud.snapshots()).toHaveLength(20);

    let last = first;
    while (last.status === 202) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      last = await post();
      expect(last.took).toBeLessThan(2_000);
    }
    expect(last.status).toBe(200);
    expect(outcomesOf(last)).toEqual(disks.map(() => "available"));
    expect(calls).toBeGreaterThan(2);
    expect(cloud.snapshots()).toHaveLength(20);
    expect(cloud.count("evs.createSnapshot")).toBe(20);
    await cloud.close();
  });
});
