/**
 * Things by id and by age. A list is asked for page by page while an estate of tens of thousands grows and shrinks, so
 * the order by age is kept as things come and go, never made anew for a page.
 */
export interface Stored {
  id: string;
  /** Epoch milliseconds. */
  createdAt: number;
  /** Order of arrival, for what has the same age. */
  sequence: number;
}

export class TimeOrderedStore<T extends Stored> {
  readonly #byId = new Map<string, T>();
  /** Oldest first, unless `#sorted` is false. */
  #byAge: T[] = [];
  #sorted = true;

  get size(): number {
    return this.#byId.size;
  }

  get(id: string): T | undefined {
    return this.#byId.get(id);
  }

  /** Those of the ids that there are, oldest first. */
  some(ids: readonly string[]): T[] {
    return [...new Set(ids)].flatMap((id) => this.#byId.get(id) ?? []).sort(byAge);
  }

  /** Oldest first; not to be changed. */
  get oldestFirst(): readonly T[] {
    if (!this.#sorted) this.#byAge.sort(byAge);
    this.#sorted = true;
    return this.#byAge;
  }

  add(item: T): void {
    if (this.#byId.has(item.id)) throw new Error(`There is already one with the id ${item.id}.`);
    const last = this.#byAge.at(-1);
    // New ones come last; only what is seeded with an age of its own has to be put in its place, once for all of it.
    if (last && byAge(last, item) > 0) this.#sorted = false;
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

export function byAge(a: Stored, b: Stored): number {
  return a.createdAt - b.createdAt || a.sequence - b.sequence;
}

/** Several things under one key, e.g. the snapshots of a disk. */
export class Groups<T> {
  readonly #groups = new Map<string, Set<T>>();

  of(key: string): T[] {
    return [...(this.#groups.get(key) ?? [])];
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
