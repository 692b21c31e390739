/**
 * Calls `work` for each item and waits for all calls. Calls start in the order of the items.
 *
 * @param limit the maximum number of calls that run at the same time
 * @param work must not reject
 */
export async function forEachConcurrent<Item>(
  items: readonly Item[],
  limit: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++] as Item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
}
