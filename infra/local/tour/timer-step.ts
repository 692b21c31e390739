import { timerEvent } from "../site/events.ts";
import { createFailureResult, deliver } from "./deliveries.ts";
import type { TourStep } from "./step.ts";

/**
 * Returns the step that delivers the same timer event twice, because the platform may deliver an event twice. The second
 * delivery must create no snapshot.
 */
export function createTimerStep(policy: { policy: string; targets: object[]; [field: string]: unknown }): TourStep {
  return {
    title: `TIMER ${policy.policy}`,
    subject: `${policy.targets.length} kinds`,
    waitsForSnapshots: true,
    async run(localSite) {
      const event = timerEvent(policy);
      const first = await deliver(localSite, "scheduled-snapshots", event);
      const { accepted } = first.outcomes;
      if (accepted === undefined || first.failed) return createFailureResult(first);
      const again = await deliver(localSite, "scheduled-snapshots", event);
      const isDuplicateFree = again.outcomes.existing === accepted && again.snapshotIds.length === 0;
      return {
        summary: `${accepted} accepted  delivered again: ${again.summary}`,
        snapshotIds: first.snapshotIds,
        problems: isDuplicateFree
          ? []
          : [`delivered again: expected ${accepted} existing and no new snapshot, got ${again.summary}`],
      };
    },
  };
}
