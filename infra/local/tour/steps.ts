import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { LocalSite } from "../site/local-site.ts";
import { createAttachStep } from "./attach-step.ts";
import { createRepeatedRequestStep } from "./create-step.ts";
import { createGateStep } from "./gate-step.ts";
import { createPruneStep } from "./prune-step.ts";
import type { TourStep } from "./step.ts";
import { createTimerStep } from "./timer-step.ts";
import { createVerifyStep } from "./verify-step.ts";

/**
 * The name of the sample resource of which the tour creates a snapshot, by kind of snapshot. If a kind has no entry, the tour
 * uses the first sample resource of the right type.
 */
const RESOURCE_NAME_BY_KIND: Record<string, string> = {
  snapshot: "web-1-data",
  "standard-snapshot": "web-1-system",
  "snapshot-group": "database-1",
};

/**
 * The fields of the tour's policy that select resources, by kind of snapshot. If a kind has no entry, the policy selects all
 * resources with the tag `backup`.
 */
const SELECTION_BY_KIND: Record<string, object> = {
  snapshot: { tags: { backup: "daily" }, exclude_tags: { tier: "cold" } },
  "standard-snapshot": { tags: { tier: "cold" } },
  "snapshot-group": { tags: { role: "web" } },
};

/** Returns the steps of the tour in order. The first steps create a snapshot of each kind. */
export function createTourSteps({ inventory }: LocalSite): TourStep[] {
  const kinds = Object.values<Kind>(KINDS).map((kind) => {
    const { type, name, id } = resourceFor(kind);
    return { kind, type, name, id };
  });
  const policy = {
    policy: "nightly",
    time_zone: "Europe/Berlin",
    targets: kinds.map(({ kind }) => ({
      kind: kind.name,
      ...(SELECTION_BY_KIND[kind.name] ?? { tags: { backup: "*" } }),
    })),
    retention: { keep_last: 3, keep_daily: 7, keep_weekly: 4 },
  };

  function resourceFor({ name, target }: Kind) {
    const usable = inventory.resources.filter(({ idField }) => idField === target.idOption);
    const resource = usable.find((one) => one.name === RESOURCE_NAME_BY_KIND[name]) ?? usable[0];
    if (resource === undefined) throw new Error(`The sample inventory has no resource for the kind ${name}.`);
    return resource;
  }

  return [
    ...kinds.map(({ kind, type, name, id }) =>
      createRepeatedRequestStep(kind, type, name, { [kind.target.idOption]: id, name: `${name}-by-hand` }),
    ),
    createTimerStep(policy),
    createAttachStep("archive", "database-1"),
    createGateStep(
      "release-7",
      kinds.map(({ kind, id }) => ({ kind: kind.name, [kind.target.idsField]: [id] })),
    ),
    createVerifyStep(),
    createPruneStep(policy, ["archive", "invoices"]),
  ];
}
