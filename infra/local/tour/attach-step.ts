import { completionTrace, requestTrace } from "../site/events.ts";
import { deliver, failureOf } from "./deliveries.ts";
import type { TourStep } from "./step.ts";

/** How long the attachment takes, in milliseconds. The first trace arrives before the disk is attached. */
const ATTACHING_MS = 800;

/** Attaches a disk and delivers both traces of the attachment. The first trace arrives while the disk is still attaching. */
export function attachStep(disk: string, server: string): TourStep {
  return {
    title: "CTS attachVolume x 2",
    subject: disk,
    async run(localSite) {
      const { cloud, inventory } = localSite;
      const attachment = {
        serverId: inventory.idOf(server),
        serverName: server,
        volumeId: inventory.idOf(disk),
        time: Date.now(),
      };
      cloud.attach(attachment.volumeId, attachment.serverId, { after: ATTACHING_MS });
      inventory.setAttached(disk, server);
      const requested = await deliver(localSite, "disk-attached", requestTrace(attachment));
      if (requested.outcomes.accepted !== 1 || requested.failed) return failureOf(requested);
      const completed = await deliver(localSite, "disk-attached", completionTrace(attachment));
      const isDuplicateFree = completed.outcomes.existing === 1 && completed.snapshotIds.length === 0;
      return {
        summary: `requested: accepted, ${requested.seconds.toFixed(1)} s later  completed: ${completed.summary}`,
        snapshotIds: requested.snapshotIds,
        problems: isDuplicateFree ? [] : [`the second trace: ${completed.summary}`],
      };
    },
  };
}
