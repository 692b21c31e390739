import type { LocalSite } from "../site/local-site.ts";
import { attachStep } from "./attach-step.ts";
import { createStep } from "./create-step.ts";
import { gateStep } from "./gate-step.ts";
import type { TourStep } from "./step.ts";
import { timerStep } from "./timer-step.ts";

/** Returns the steps of the tour, in their order. */
export function tourSteps({ inventory }: LocalSite): TourStep[] {
  return [
    createStep("create-snapshot", "web-1-data", {
      snapshot: {
        volume_id: inventory.webData,
        name: "web-1-data-before-update",
        description: "before the update of web-1",
        force: true,
      },
    }),
    createStep("create-standard-snapshot", "archive", {
      snapshot: { volume_id: inventory.archive, name: "archive-quarterly", description: "end of the quarter" },
    }),
    createStep("create-snapshot-group", "database-1", {
      snapshot_group: { server_id: inventory.database, name: "database-1-all-disks" },
    }),
    createStep("create-cluster-snapshot", "warehouse", {
      snapshot: { name: "warehouse-month-end", cluster_id: inventory.warehouse, description: "end of the month" },
    }),
    timerStep({
      policy: "nightly",
      time_zone: "Europe/Berlin",
      targets: [
        { kind: "snapshot", tags: { backup: "daily" }, exclude_tags: { tier: "cold" } },
        { kind: "standard-snapshot", volume_ids: [inventory.archive] },
        { kind: "snapshot-group", tags: { role: "web" } },
        { kind: "cluster-snapshot", tags: { backup: "*" } },
      ],
      retention: { keep_last: 3, keep_daily: 3, keep_weekly: 3 },
    }),
    attachStep("archive", "database-1"),
    gateStep("release-7", [
      { kind: "snapshot", volume_ids: [inventory.webData] },
      { kind: "snapshot-group", tags: { role: "database" } },
      { kind: "cluster-snapshot", cluster_ids: [inventory.warehouse] },
    ]),
  ];
}
