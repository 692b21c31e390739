import { delivered, failureOf } from "../site/deliveries.ts";
import { timerEvent } from "../site/events.ts";
import type { TourStep } from "./steps.ts";

/** A timer fires with a policy; the platform may deliver an event twice, so it does. */
export function timerStep(policy: { policy: string; targets: object[]; [field: string]: unknown }): TourStep {
  return {
    title: `TIMER ${policy.policy}`,
    about: `${policy.targets.length} kinds`,
    settled: true,
    async run(site) {
      const event = timerEvent(policy);
      const first = await delivered(site, "scheduled-snapshots", event);
      const { accepted } = first.outcomes;
      if (accepted === undefined || first.failed) return failureOf(first);
      const again = await delivered(site, "scheduled-snapshots", event);
      const same = again.outcomes.existing === accepted && again.snapshotIds.length === 0;
      return {
        said: `${accepted} accepted  delivered again: ${again.said}`,
        snapshotIds: first.snapshotIds,
        problems: same ? [] : [`delivered again: ${again.said}`],
      };
    },
  };
}
