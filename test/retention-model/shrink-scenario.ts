/** Makes a scenario smaller, so a person can understand why it breaks a promise. */
import type { Scenario } from "./scenario.ts";

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

const SIMPLE: Partial<Scenario> = {
  creates: "open",
  concurrency: 1,
  timeLimitMs: 900_000,
  listMs: 10,
  listLagMs: 0,
  deleteMs: 10,
  removalMs: 0,
  removesMembers: false,
};

/** Returns simpler variants of a scenario. */
function* variantsOf(scenario: Scenario): Generator<Scenario> {
  const { policy, rows } = scenario;
  for (const fewer of shorter(rows)) yield { ...scenario, rows: fewer };
  for (const changes of shorter(scenario.changes)) yield { ...scenario, changes };
  for (const deleteFaults of shorter(scenario.deleteFaults)) yield { ...scenario, deleteFaults };
  for (const listFaults of shorter(scenario.listFaults)) yield { ...scenario, listFaults };
  for (const hold of shorter(policy.hold ?? [])) yield { ...scenario, policy: { ...policy, hold } };
  for (const fewer of withoutField(policy))
    if (fewer.policy !== undefined) yield { ...scenario, policy: { ...fewer, policy: fewer.policy } };
  for (const retention of withoutField(policy.retention ?? {}))
    if (Object.keys(retention).some((rule) => rule !== "min_keep"))
      yield { ...scenario, policy: { ...policy, retention } };
  for (const [name, value] of Object.entries(SIMPLE))
    if (scenario[name as keyof Scenario] !== value) yield { ...scenario, [name]: value };
  for (const [index, row] of rows.entries()) {
    for (const raw of withoutField(row.raw)) {
      // Without these fields, the row would break another promise.
      if (raw.id === undefined || raw.status === undefined || raw.type !== row.raw.type) continue;
      yield { ...scenario, rows: rows.with(index, { ...row, raw: { ...raw, id: raw.id } }) };
    }
  }
}

/**
 * Returns the smallest scenario found that still fails.
 *
 * @param fails returns whether a scenario fails in the same way as the original
 */
export async function shrinkScenario(
  scenario: Scenario,
  fails: (variant: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  for (const variant of variantsOf(scenario)) if (await fails(variant)) return shrinkScenario(variant, fails);
  return scenario;
}
