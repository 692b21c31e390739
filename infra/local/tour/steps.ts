import type { LocalSite } from "../site/site.ts";
import { attachStep } from "./attach-step.ts";
import { createStep } from "./create-step.ts";
import { gateStep } from "./gate-step.ts";
import { timerStep } from "./timer-step.ts";

/** What a step had to say for itself, and which snapshots it is answerable for. */
export interface StepResult {
  /** The rest of its line: the answer, the outcome, the id. */
  said: string;
  snapshotIds: string[];
  /** What was not as it should be; empty: all was well. */
  problems: string[];
}

/** One stop of the tour. A further trigger is one more entry in `tourSteps`. */
export interface TourStep {
  /** What is called, e.g. `POST /create-snapshot`. */
  title: string;
  /** What it is about, by name. */
  about: string;
  /** Begins when every snapshot before it has come to its end: a cluster takes one at a time. */
  settled?: boolean;
  run(site: LocalSite): Promise<StepResult>;
}

export function tourSteps({ estate }: LocalSite): TourStep[] {
  return [
    createStep("create-snapshot", "web-1-data", {
      snapshot: {
        volume_id: estate.webData,
        name: "web-1-data-before-update",
        description: "before the update of web-1",
        force: true,
      },
    }),
    createStep("create-standard-snapshot", "archive", {
      snapshot: { volume_id: estate.archive, name: "archive-quarterly", description: "end of the quarter" },
    }),
    createStep("create-snapshot-group", "database-1", {
      snapshot_group: { server_id: estate.database, name: "database-1-all-disks" },
    }),
    createStep("create-cluster-snapshot", "warehouse", {
      snapshot: { name: "warehouse-month-end", cluster_id: estate.warehouse, description: "end of the month" },
    }),
    timerStep({
      policy: "nightly",
      time_zone: "Europe/Berlin",
      targets: [
        { kind: "snapshot", tags: { backup: "daily" }, exclude_tags: { tier: "cold" } },
        { kind: "standard-snapshot", volume_ids: [estate.archive] },
        { kind: "snapshot-group", tags: { role: "web" } },
        { kind: "cluster-snapshot", tags: { backup: "*" } },
      ],
      retention: { keep_last: 3, keep_daily: 3, keep_weekly: 3 },
    }),
    attachStep("archive", "database-1"),
    gateStep("release-7", [
      { kind: "snapshot", volume_ids: [estate.webData] },
      { kind: "snapshot-group", tags: { role: "database" } },
      { kind: "cluster-snapshot", cluster_ids: [estate.warehouse] },
    ]),
  ];
}
