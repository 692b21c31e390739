import type { SnapshotView } from "../cloud/index.ts";
import { timerEvent } from "../site/events.ts";
import type { LocalSite } from "../site/local-site.ts";
import type { ResultRecord } from "../site/records.ts";
import { findRequestedSnapshots, markerOf, normalizeStatus, resourceIdOf } from "../site/sample-inventory.ts";
import { deliver } from "./deliveries.ts";
import { drawRetention } from "./retention-view.ts";
import { check, countOf, type TourStep } from "./step.ts";

interface PrunePolicy {
  policy: string;
  retention: Record<string, number>;
  [field: string]: unknown;
}

/**
 * Returns the step that runs prune-snapshots for a policy. The snapshots that are missing afterwards must be exactly those for
 * which the function wrote a record with the outcome `deleted`. The newest available snapshot of each resource, the held snapshots
 * and the snapshots of other policies, people and services must remain.
 *
 * @param disks the names of the disks whose snapshots the step draws as a timeline
 */
export function createPruneStep(policy: PrunePolicy, disks: readonly string[]): TourStep {
  return {
    title: `prune-snapshots with the retention of ${policy.policy}`,
    // Prune-snapshots waits 6 seconds before it confirms its deletions, because lists of the real cloud can be late.
    startsEarly: true,
    async run(localSite) {
      const before = listRemaining(localSite);
      const { failed, summary, records } = await deliver(localSite, "prune-snapshots", timerEvent(policy));
      const recordOf = new Map(
        records.filter(({ action }) => action === "prune").map((record) => [record.snapshot_id ?? "", record]),
      );
      check(
        !failed && recordOf.size > 0,
        "a record for each snapshot of the policy",
        `${summary}; ${countOf(recordOf.size, "record")}`,
      );

      const remaining = new Set(listRemaining(localSite).map(({ id }) => id));
      const deleted = before.filter(({ id }) => !remaining.has(id));
      const ofPolicy = before.filter((snapshot) => markerOf(snapshot)?.policy === policy.policy);
      const isRecorded = ofPolicy.filter(
        ({ id }) => (recordOf.get(id)?.outcome === "deleted") === !remaining.has(id) && recordOf.has(id),
      );
      check(
        isRecorded.length === ofPolicy.length && recordOf.size === ofPolicy.length,
        `a record with the right outcome for each of the ${ofPolicy.length} snapshots`,
        `${recordOf.size} records, ${isRecorded.length} of them right`,
      );
      const strangers = deleted.filter((snapshot) => !ofPolicy.includes(snapshot));
      const others = before.length - ofPolicy.length;
      check(strangers.length === 0, `all ${others} snapshots of others to remain`, `${strangers.length} deleted`);
      const newest = newestAvailableByResource(ofPolicy);
      const lost = newest.filter(({ id }) => !remaining.has(id));
      check(lost.length === 0, "the newest available snapshot of each resource to remain", `${lost.length} deleted`);

      const originals = originalIds([...recordOf.values()]);
      const lostOriginals = originals.filter((id) => !remaining.has(id));
      check(lostOriginals.length === 0, "the original of each duplicate to remain", `${lostOriginals.length} deleted`);

      const rules = Object.entries(policy.retention).map(([rule, count]) => `${rule} ${count}`);
      const held = [...recordOf.values()].filter(({ outcome }) => outcome === "held").length;
      const kept = ofPolicy.length - deleted.length;
      const details = drawRetention(
        disks.map((name) => ({
          name,
          snapshots: ofPolicy.filter((snapshot) => resourceIdOf(snapshot) === localSite.inventory.idOf(name)),
        })),
        recordOf,
      );
      const resources = new Set(ofPolicy.map(resourceIdOf)).size;
      const drawn =
        details.length === 0 ? "" : ` ${details.length - 1} of its ${countOf(resources, "resource")}, old to new:`;
      return {
        sentence: `prune-snapshots: ${rules.join(", ")} kept ${kept} of the ${ofPolicy.length} snapshots of the policy ${policy.policy} and deleted the other ${deleted.length}.${drawn}`,
        details,
        guarantee: {
          name: "Retention",
          how: `prune-snapshots kept the newest available snapshot of each of ${newest.length} resources, ${countOf(held, "snapshot")} on hold, and all ${others} snapshots created by other policies, by people and by backups. It deleted the ${countOf(originals.length, "duplicate")} in the sample data and kept ${originals.length === 1 ? "its original" : "their originals"}.`,
        },
      };
    },
  };
}

/** Returns the snapshots that exist and are not being deleted. Omits members of groups. */
const listRemaining = ({ cloud }: LocalSite): SnapshotView[] =>
  findRequestedSnapshots(cloud).filter(({ status }) => normalizeStatus(status) !== "deleting");

/** Returns the newest available snapshot of each resource and kind. */
function newestAvailableByResource(snapshots: readonly SnapshotView[]): SnapshotView[] {
  const newest = new Map<string, SnapshotView>();
  // The embedded cloud lists the snapshots of each kind with the oldest first.
  for (const snapshot of snapshots) {
    if (normalizeStatus(snapshot.status) === "available")
      newest.set(`${snapshot.kind} ${resourceIdOf(snapshot)}`, snapshot);
  }
  return [...newest.values()];
}

/** Returns the ids of the older snapshots whose younger duplicates were deleted. */
const originalIds = (records: readonly ResultRecord[]): string[] =>
  records.flatMap(({ outcome, rule }) => (outcome === "deleted" ? (/^twin of (\S+)/.exec(rule ?? "")?.[1] ?? []) : []));
