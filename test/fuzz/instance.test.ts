import { expect, onTestFinished, test } from "vitest";
import { type Fault, StoppedClock, startCloud } from "../../infra/local/cloud/index.ts";
import { startInstance } from "./instance.ts";

/** Invokes create-snapshot while the embedded cloud applies a fault to its list requests for snapshots. */
async function createUnderListFault(fault: Fault) {
  const clock = new StoppedClock("2026-11-21T02:00:00Z");
  const cloud = await startCloud({ clock });
  onTestFinished(() => cloud.close());
  const instance = startInstance("create-snapshot", clock.now(), (now) => clock.set(now));
  onTestFinished(() => instance.end());
  cloud.fault({ operation: "evs.listSnapshots" }, fault);
  const began = performance.now();
  const invoked = await instance.invoke({
    event: { snapshot: { volume_id: cloud.addVolume().id } },
    remainingMs: 60_000,
    seed: 1,
    context: {
      requestId: "r",
      timeoutSeconds: 60,
      credentials: cloud.credentials,
      userData: { EVS_ENDPOINT: cloud.url },
      projectId: cloud.projectId,
    },
  });
  return { invoked, realMs: performance.now() - began, cloudMs: clock.now() - Date.parse("2026-11-21T02:00:00Z") };
}

test("the fuzz test does not wait in real time while a function waits for a response that never arrives", async () => {
  const { invoked, realMs, cloudMs } = await createUnderListFault({ type: "hang", after: false });
  expect(invoked.error?.message).toMatch(/no response within 10000 ms/);
  expect(invoked.tookMs).toBeGreaterThan(40_000);
  expect(invoked.tookMs).toBeLessThan(60_000);
  expect(realMs).toBeLessThan(15_000);
  expect(cloudMs).toBeGreaterThan(40_000);
  expect(invoked.peakBytes).toBeGreaterThan(30 * 1024 * 1024);
});

test("the fuzz test does not skip waiting time while the embedded cloud is still sending a response", async () => {
  const { invoked } = await createUnderListFault({ type: "informational", count: 300 });
  expect(invoked.error).toBeUndefined();
  expect(invoked.tookMs).toBeLessThan(10_000);
  expect(invoked.stdout.map((line) => JSON.parse(line).outcome)).toEqual(["accepted", "done"]);
});
