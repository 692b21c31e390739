export interface StoredItem {
  id: string;
  /** The creation time in epoch milliseconds. */
  createdAt: number;
  /** Orders items that have the same creation time. */
  sequence: number;
}

/** Stores items by id and in the order of their age, because sorting for every page of a list response would be too slow. */
export class TimeOrderedStore<T extends StoredItem> {
  readonly #byId = new Map<string, T>();
  /** The items, oldest first if `#isSorted` is true. */
  readonly #byAge: T[] = [];
  #isSorted = true;

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  /** Returns the items that have one of these ids, oldest first. Ignores unknown ids. */
  getAll(ids: readonly string[]): T[] {
    return [...new Set(ids)].flatMap((id) => this.#byId.get(id) ?? []).sort(byAge);
  }

  /** Returns all items, oldest first. The caller must not change the array. */
  get oldestFirst(): readonly T[] {
    if (!this.#isSorted) this.#byAge.sort(byAge);
    this.#isSorted = true;
    return this.#byAge;
  }

  add(item: T): void {
    if (this.#byId.has(item.id)) throw new Error(`There is already an item with the id ${item.id}.`);
    const last = this.#byAge.at(-1);
    // Usually a new item is the newest item. If a test adds an item that is older than the last item, the next read sorts the
    // items.
    if (last && byAge(last, item) > 0) this.#isSorted = false;
    this.#byId.set(item.id, item);
    this.#byAge.push(item);
  }

  remove(id: string): T | undefined {
    const item = this.#byId.get(id);
    if (!item) return undefined;
    const rows = this.oldestFirst;
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = rows[middle];
      if (other && byAge(other, item) < 0) low = middle + 1;
      else high = middle;
    }
    this.#byId.delete(id);
    this.#byAge.splice(low, 1);
    return item;
  }
}

/** Compares two items by age, for `Array.sort`: the older item comes first. */
export function byAge(a: StoredItem, b: StoredItem): number {
  return a.createdAt - b.createdAt || a.sequence - b.sequence;
}

/** Stores several items for each key, such as the snapshots of each disk. */
export class MultiMap<T> {
  readonly #groups = new Map<string, Set<T>>();

  of(key: string): T[] {
    return [...(this.#groups.get(key) ?? [])];
  }

  /** Returns how many items a key has. Unlike `of`, takes the same time for every number of items. */
  count(key: string): number {
    return this.#groups.get(key)?.size ?? 0;
  }

  add(key: string, item: T): void {
    const group = this.#groups.get(key);
    if (group) group.add(item);
    else this.#groups.set(key, new Set([item]));
  }

  remove(key: string, item: T): void {
    const group = this.#groups.get(key);
    if (group?.delete(item) && group.size === 0) this.#groups.delete(key);
  }
}

/** Stores snapshots by id, by age and by the id of the resource that they belong to. */
export class SnapshotStore<T extends StoredItem & { resourceId: string }> extends TimeOrderedStore<T> {
  readonly #byResource = new MultiMap<T>();

  /** Returns the snapshots of a resource, oldest first. */
  of(resourceId: string): T[] {
    return this.#byResource.of(resourceId).sort(byAge);
  }

  /** Returns how many snapshots a resource has. */
  countOf(resourceId: string): number {
    return this.#byResource.count(resourceId);
  }

  override add(snapshot: T): void {
    super.add(snapshot);
    this.#byResource.add(snapshot.resourceId, snapshot);
  }

  override remove(id: string): T | undefined {
    const snapshot = super.remove(id);
    if (snapshot) this.#byResource.remove(snapshot.resourceId, snapshot);
    return snapshot;
  }
}
