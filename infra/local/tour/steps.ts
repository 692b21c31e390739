import type { Kind } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { LocalSite } from "../site/local-site.ts";
import { attachStep } from "./attach-step.ts";
import { createStep } from "./create-step.ts";
import { gateStep } from "./gate-step.ts";
import type { TourStep } from "./step.ts";
import { timerStep } from "./timer-step.ts";

/** The sample resource that the tour snapshots, for each kind of snapshot. Default: the first resource that the kind can use. */
const RESOURCES: Record<string, string> = {
  snapshot: "web-1-data",
  "standard-snapshot": "web-1-system",
  "snapshot-group": "database-1",
};

/** How the tour's policy selects resources, for each kind of snapshot. Default: by the tag `backup`. */
const SELECTIONS: Record<string, object> = {
  snapshot: { tags: { backup: "daily" }, exclude_tags: { tier: "cold" } },
  "standard-snapshot": { tags: { tier: "cold" } },
  "snapshot-group": { tags: { role: "web" } },
};

/** Returns the steps of the tour in order. The first steps create a snapshot of each kind. */
export function tourSteps({ inventory }: LocalSite): TourStep[] {
  const kinds = Object.values<Kind>(KINDS).map((kind) => {
    const { idField, name } = resourceFor(kind);
    return { kind, idField, name, id: inventory.idOf(name) };
  });

  function resourceFor({ name, target }: Kind) {
    const usable = inventory.resources.filter(({ idField }) => idField === target.idOption);
    const resource = usable.find((one) => one.name === RESOURCES[name]) ?? usable[0];
    if (resource === undefined) throw new Error(`The sample inventory has no resource for the kind ${name}.`);
    return resource;
  }

  return [
    ...kinds.map(({ kind, idField, name, id }) => createStep(kind, name, { [idField]: id, name: `${name}-by-hand` })),
    timerStep({
      policy: "nightly",
      time_zone: "Europe/Berlin",
      targets: kinds.map(({ kind }) => ({ kind: kind.name, ...(SELECTIONS[kind.name] ?? { tags: { backup: "*" } }) })),
      retention: { keep_last: 3, keep_daily: 3, keep_weekly: 3 },
    }),
    attachStep("archive", "database-1"),
    gateStep(
      "release-7",
      kinds.map(({ kind, id }) => ({ kind: kind.name, [kind.target.idsField]: [id] })),
    ),
  ];
}
