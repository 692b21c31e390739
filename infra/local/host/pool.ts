import type { Answer, ContextData, Instance } from "./instance.ts";

/** The platform rejects a synchronous request for which it may start no further instance (functiongraph.md 1.8). */
export const REFUSED: Answer = {
  error: { errorMessage: "every instance of the function is busy", errorType: "TooManyInstances" },
};

/**
 * The instances of one function: a request goes to the warm one that answered last, else to a new one, up to a
 * maximum. One request at a time each, as event functions have it (functiongraph.md 1.8).
 */
export function makePool(start: () => Instance, maximum: number) {
  const warm: Instance[] = [];
  const all = new Set<Instance>();
  const turns: (() => void)[] = [];
  let closed = false;

  const take = (): { instance: Instance; cold: boolean } | undefined => {
    for (let instance = warm.pop(); instance; instance = warm.pop()) {
      if (instance.alive) return { instance, cold: false };
      all.delete(instance);
    }
    if (closed || all.size >= maximum) return undefined;
    const instance = start();
    all.add(instance);
    return { instance, cold: true };
  };
  const give = (instance: Instance) => {
    if (instance.alive) warm.push(instance);
    else all.delete(instance);
    turns.shift()?.();
  };

  /** `context` is made once an instance is there: the function's time starts then. */
  async function run(event: unknown, context: () => ContextData): Promise<{ answer: Answer; cold: boolean }> {
    const taken = take();
    if (!taken) return { answer: REFUSED, cold: false };
    try {
      return { answer: await taken.instance.run(event, context()), cold: taken.cold };
    } finally {
      give(taken.instance);
    }
  }

  return {
    run,
    /** As `run`, but waits its turn: a throttled asynchronous event is kept by the platform, not rejected. */
    async runInTurn(event: unknown, context: () => ContextData): Promise<{ answer: Answer; cold: boolean }> {
      for (;;) {
        const done = await run(event, context);
        if (done.answer !== REFUSED || closed) return done;
        await new Promise<void>((resolve) => turns.push(resolve));
      }
    },
    async close() {
      closed = true;
      for (const turn of turns.splice(0)) turn();
      await Promise.all([...all].map((instance) => instance.kill()));
    },
  };
}
