import { timerEvent } from "../site/events.ts";
import { deliver } from "./deliveries.ts";
import { check, countOf, type TourStep } from "./step.ts";

/**
 * Returns the step that delivers the same timer event twice, because the platform may deliver an event twice. The second
 * delivery must create no snapshot.
 */
export function createTimerStep(policy: { policy: string; targets: object[]; [field: string]: unknown }): TourStep {
  return {
    title: `the timer of the policy ${policy.policy}, delivered twice`,
    waitsForSnapshots: true,
    async run(localSite) {
      const event = timerEvent(policy);
      const first = await deliver(localSite, "scheduled-snapshots", event);
      const { snapshotIds } = first;
      const { accepted = 0 } = first.outcomes;
      const isCreated = !first.failed && accepted > 0 && accepted === snapshotIds.length;
      check(isCreated, "a new snapshot for every accepted target", first.summary, snapshotIds);
      const again = await deliver(localSite, "scheduled-snapshots", event);
      const isDuplicateFree = again.outcomes.existing === accepted && again.snapshotIds.length === 0;
      check(
        isDuplicateFree,
        `${accepted} existing and no new snapshot from the second delivery`,
        `${again.summary} and ${countOf(again.snapshotIds.length, "new snapshot")}`,
        [...snapshotIds, ...again.snapshotIds],
      );
      return {
        sentence: `scheduled-snapshots: the timer of the policy ${policy.policy} created ${countOf(accepted, "snapshot")}. The same event, delivered again, created none.`,
        snapshotIds,
        repeats: 1,
      };
    },
  };
}
