/** Makes a failing scenario smaller, so a person can understand it. */
import type { Scenario } from "./scenario.ts";

/** Returns simpler variants of a scenario. */
function* variantsOf(scenario: Scenario): Generator<Scenario> {
  const { deliveries, targets } = scenario;
  for (const [index] of deliveries.entries())
    if (deliveries.length > 1) yield { ...scenario, deliveries: deliveries.filter((_, other) => other !== index) };
  for (const count of [Math.ceil(targets / 2), targets - 1]) if (count < targets) yield { ...scenario, targets: count };
  const simple: Partial<Scenario> = {
    shardSize: 500,
    invokeMs: 100,
    listMs: 100,
    listLagMs: 0,
    order: "newest",
    otherSnapshots: 0,
    createMs: 100,
    createsPerSecond: 0,
    faultRate: 0,
    busyTargets: 0,
    killAtCall: [],
  };
  for (const [name, value] of Object.entries(simple))
    if (JSON.stringify(scenario[name as keyof Scenario]) !== JSON.stringify(value))
      yield { ...scenario, [name]: value };
  for (const fault of scenario.faults)
    if (scenario.faults.length > 1) yield { ...scenario, faults: scenario.faults.filter((other) => other !== fault) };
  if (deliveries.some(({ skewMs }) => skewMs !== 0))
    yield { ...scenario, deliveries: deliveries.map((delivery) => ({ ...delivery, skewMs: 0 })) };
}

/**
 * Returns the smallest scenario found that still fails.
 *
 * @param fails returns whether a scenario fails in the same way as the original
 */
export async function shrink(scenario: Scenario, fails: (variant: Scenario) => Promise<boolean>): Promise<Scenario> {
  for (const variant of variantsOf(scenario)) if (await fails(variant)) return shrink(variant, fails);
  return scenario;
}
