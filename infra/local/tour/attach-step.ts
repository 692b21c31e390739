import { completionTrace, requestTrace } from "../site/events.ts";
import { createFailureResult, deliver } from "./deliveries.ts";
import type { TourStep } from "./step.ts";

/** How long the disk has the status `attaching`, in milliseconds. The step delivers the first CTS trace during this time. */
const ATTACHING_MS = 800;

/**
 * Returns the step that attaches a disk, and delivers the two CTS traces of the attachment to disk-attached. The first trace
 * must create a snapshot, although the disk is still `attaching`. The second trace must create no further snapshot.
 */
export function createAttachStep(disk: string, server: string): TourStep {
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
      if (requested.outcomes.accepted !== 1 || requested.failed) return createFailureResult(requested);
      const completed = await deliver(localSite, "disk-attached", completionTrace(attachment));
      const isDuplicateFree = completed.outcomes.existing === 1 && completed.snapshotIds.length === 0;
      return {
        summary: `first trace: 1 accepted after ${requested.seconds.toFixed(1)} s  second trace: ${completed.summary}`,
        snapshotIds: requested.snapshotIds,
        problems: isDuplicateFree
          ? []
          : [`second trace: expected 1 existing and no new snapshot, got ${completed.summary}`],
      };
    },
  };
}
