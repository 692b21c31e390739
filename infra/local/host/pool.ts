import type { ContextData, Instance, RequestOutcome } from "./instance.ts";

/** The outcome of a synchronous request when every instance is busy (SOURCES.md#functiongraph-max-instances). */
export const ALL_INSTANCES_BUSY: RequestOutcome = {
  error: { errorMessage: "every instance of the function is busy", errorType: "TooManyInstances" },
};

/**
 * Creates an instance pool for one function. Runs each request on the most recently used idle instance, or on a new instance if
 * none is idle. An instance runs one request at a time (SOURCES.md#functiongraph-one-request).
 */
export function createInstancePool(start: () => Instance, maxInstances: number) {
  const idle: Instance[] = [];
  const all = new Set<Instance>();
  const waiters: (() => void)[] = [];
  let closed = false;

  const acquire = (): { instance: Instance; cold: boolean } | undefined => {
    for (let instance = idle.pop(); instance; instance = idle.pop()) {
      if (instance.alive) return { instance, cold: false };
      all.delete(instance);
    }
    if (closed || all.size >= maxInstances) return undefined;
    const instance = start();
    all.add(instance);
    return { instance, cold: true };
  };
  const release = (instance: Instance) => {
    if (instance.alive) idle.push(instance);
    else all.delete(instance);
    waiters.shift()?.();
  };

  /** Runs a request. Calls `context` after an instance has started, because the function's timeout starts then. */
  async function run(event: unknown, context: () => ContextData): Promise<{ outcome: RequestOutcome; cold: boolean }> {
    const acquired = acquire();
    if (!acquired) return { outcome: ALL_INSTANCES_BUSY, cold: false };
    try {
      return { outcome: await acquired.instance.run(event, context()), cold: acquired.cold };
    } finally {
      release(acquired.instance);
    }
  }

  const kill = async () => {
    await Promise.all([...all].map((instance) => instance.kill()));
  };

  return {
    run,
    /**
     * Runs a request. If every instance is busy, first waits until an instance is idle, as the platform does for an asynchronous
     * event.
     */
    async runWhenFree(event: unknown, context: () => ContextData): Promise<{ outcome: RequestOutcome; cold: boolean }> {
      for (;;) {
        const done = await run(event, context);
        if (done.outcome !== ALL_INSTANCES_BUSY || closed) return done;
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
    },
    kill,
    async close() {
      closed = true;
      for (const wake of waiters.splice(0)) wake();
      await kill();
    },
  };
}
