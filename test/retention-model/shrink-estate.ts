/** Makes an estate smaller, so a person can understand why it breaks a promise. */
import type { Estate } from "./estate.ts";

/** Returns variants of an array without half, a quarter, ... and one of its items. */
function* shorter<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let size = Math.ceil(items.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < items.length; from += size)
      yield items.filter((_, index) => index < from || index >= from + size);
  }
}

/** Returns variants of an object without one of its fields. */
function* withoutField<Fields extends object>(fields: Fields): Generator<Partial<Fields>> {
  for (const name of Object.keys(fields)) {
    const { [name as keyof Fields]: _, ...others } = fields;
    yield others as Partial<Fields>;
  }
}

const SIMPLE: Partial<Estate> = {
  creates: "open",
  concurrency: 1,
  timeLimitMs: 900_000,
  listMs: 10,
  listLagMs: 0,
  deleteMs: 10,
  removalMs: 0,
  removesMembers: false,
};

/** Returns simpler variants of an estate. */
function* variantsOf(estate: Estate): Generator<Estate> {
  const { policy, rows } = estate;
  for (const fewer of shorter(rows)) yield { ...estate, rows: fewer };
  for (const changes of shorter(estate.changes)) yield { ...estate, changes };
  for (const deleteFaults of shorter(estate.deleteFaults)) yield { ...estate, deleteFaults };
  for (const listFaults of shorter(estate.listFaults)) yield { ...estate, listFaults };
  for (const hold of shorter(policy.hold ?? [])) yield { ...estate, policy: { ...policy, hold } };
  for (const fewer of withoutField(policy))
    if (fewer.policy !== undefined) yield { ...estate, policy: { ...fewer, policy: fewer.policy } };
  for (const retention of withoutField(policy.retention ?? {}))
    if (Object.keys(retention).some((rule) => rule !== "min_keep"))
      yield { ...estate, policy: { ...policy, retention } };
  for (const [name, value] of Object.entries(SIMPLE))
    if (estate[name as keyof Estate] !== value) yield { ...estate, [name]: value };
  for (const [index, row] of rows.entries()) {
    for (const raw of withoutField(row.raw)) {
      // Without these fields, the row would break another promise.
      if (raw.id === undefined || raw.status === undefined || raw.type !== row.raw.type) continue;
      yield { ...estate, rows: rows.with(index, { ...row, raw: { ...raw, id: raw.id } }) };
    }
  }
}

/**
 * Returns the smallest estate found that still fails.
 *
 * @param fails returns whether an estate fails in the same way as the original
 */
export async function shrinkEstate(estate: Estate, fails: (variant: Estate) => Promise<boolean>): Promise<Estate> {
  for (const variant of variantsOf(estate)) if (await fails(variant)) return shrinkEstate(variant, fails);
  return estate;
}
