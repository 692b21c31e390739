import type { SnapshotView } from "../cloud/index.ts";
import { timerEvent } from "../site/events.ts";
import {
  createdAt,
  findRequestedSnapshots,
  markerOf,
  normalizeStatus,
  resourceIdOf,
} from "../site/sample-inventory.ts";
import { deliver } from "./deliveries.ts";
import { check, countOf, type TourStep } from "./step.ts";

const LOOKBACK_MINUTES = 1_440;

/**
 * Returns the step that runs verify-snapshots for the last day. The function must report each snapshot of this project with the
 * status that the embedded cloud shows, and must report no other snapshot.
 */
export function createVerifyStep(): TourStep {
  return {
    title: "verify-snapshots for the last day",
    waitsForSnapshots: true,
    async run(localSite) {
      const { cloud, inventory } = localSite;
      const event = {
        ...timerEvent({ policy: "verify" }),
        user_event: JSON.stringify({ lookback_minutes: LOOKBACK_MINUTES }),
      };
      const since = Date.parse(event.time) - LOOKBACK_MINUTES * 60_000;
      const { failed, summary, records } = await deliver(localSite, "verify-snapshots", event);
      const found = records.filter(({ action }) => action === "verify");
      check(
        !failed && found.length > 0,
        "a record for each snapshot of the last day",
        `${summary}; ${countOf(found.length, "record")}`,
      );
      const recent = findRequestedSnapshots(cloud).filter(
        (snapshot) => markerOf(snapshot) !== undefined && createdAt(snapshot) >= since,
      );
      const outcomes = new Map(found.map(({ snapshot_id, outcome }) => [snapshot_id, outcome]));
      const wrong = recent.filter((snapshot) => outcomes.get(snapshot.id) !== expectedOutcome(snapshot));
      check(
        wrong.length === 0 && outcomes.size === recent.length,
        `the status of each of the ${countOf(recent.length, "snapshot")} of the last day`,
        `${countOf(outcomes.size, "record")}; the records of ${countOf(wrong.length, "snapshot")} are missing or have a wrong status`,
      );
      const bad = recent.filter((snapshot) => expectedOutcome(snapshot) !== "available");
      const names = bad.map(
        (snapshot) => `${inventory.nameOf(resourceIdOf(snapshot))}, policy ${markerOf(snapshot)?.policy}`,
      );
      const available = recent.length - bad.length;
      const listed = bad.length === 0 ? "" : ` (${names.join("; ")})`;
      return {
        sentence: `verify-snapshots: checked the ${countOf(recent.length, "snapshot")} of the last day. ${available} are available, and it reported the ${bad.length} that failed${listed}.`,
        guarantee: {
          name: "Reported",
          how: `verify-snapshots reported each of the ${recent.length} snapshots with its status in the cloud.`,
        },
      };
    },
  };
}

const expectedOutcome = ({ status }: SnapshotView): string =>
  ["error", "unavailable"].includes(normalizeStatus(status)) ? "failed" : normalizeStatus(status);
