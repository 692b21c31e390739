import { expect, onTestFinished, test } from "vitest";
import { startHost } from "../../../../infra/local/host/index.ts";
import { writeBundles } from "../../../support/bundles.ts";

test("the host kills the instances of a function on request, and starts a new instance for the next request", async () => {
  const wait =
    "exports.handler = (event) => new Promise((resolve) => setTimeout(() => resolve(process.pid), event.ms));";
  const bundles = writeBundles({ wait });
  onTestFinished(() => bundles.remove());
  const host = await startHost({
    dist: bundles.dist,
    userData: {},
    credentials: {},
    projectId: "p".repeat(32),
    timeoutSeconds: 60,
  });
  onTestFinished(() => host.close());

  const first = await host.invoke("wait", { ms: 0 });
  const busy = host.invoke("wait", { ms: 50_000 });
  await host.kill("wait");
  expect(await busy).toMatchObject({ cold: false, error: { errorType: "RuntimeExited" } });
  const second = await host.invoke("wait", { ms: 0 });
  expect(second).toMatchObject({ cold: true, result: expect.any(Number) });
  expect(second.result).not.toBe(first.result);
});
