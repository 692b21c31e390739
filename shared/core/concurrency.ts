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

/** Limits how many pieces of work run at the same time. A piece of work can release its slot while it waits. */
export interface Slots {
  /** Waits for a free slot. Callers get slots in the order of their calls. */
  acquire(): Promise<void>;
  release(): void;
}

/** Creates `count` slots. */
export function createSlots(count: number): Slots {
  let free = count;
  const waiting: (() => void)[] = [];
  return {
    async acquire() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    release() {
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    },
  };
}
