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
