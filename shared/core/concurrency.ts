/**
 * Calls `work` once for each item, in the order of the items, and resolves after all calls have finished.
 *
 * @param limit the maximum number of calls that run at the same time
 * @param work an async function that must not reject
 */
export async function forEachConcurrent<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let nextIndex = 0;
  const worker = async () => {
    while (nextIndex < items.length) await work(items[nextIndex++] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}

/**
 * Limits how many pieces of work run at the same time, because each needs a slot. A piece of work can release its slot while it
 * waits, so another one can start.
 */
export interface Slots {
  /** Waits for a free slot. Callers get slots in the order of their calls. */
  acquire(): Promise<void>;
  /** Acquires a slot if one is free. Returns false if no slot is free. */
  tryAcquire(): boolean;
  release(): void;
}

/** Creates `count` slots. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  const tryAcquire = () => {
    if (free === 0) return false;
    free -= 1;
    return true;
  };
  return {
    tryAcquire,
    async acquire() {
      if (!tryAcquire()) await new Promise<void>((resolve) => waiting.push(resolve));
    },
    release() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
