import { completionTrace, requestTrace } from "../site/events.ts";
import { deliver } from "./deliveries.ts";
import { check, countOf, type TourStep } from "./step.ts";

/** How long the disk has the status `attaching`, in milliseconds. The step delivers the first CTS trace during this time. */
const ATTACHING_MS = 800;

/**
 * Returns the step that attaches a disk, and delivers the two CTS traces of the attachment to disk-attached. The first trace
 * must create a snapshot, although the disk is still `attaching`. The second trace must create no further snapshot.
 */
export function createAttachStep(disk: string, server: string): TourStep {
  return {
    title: `the two audit events of attaching ${disk} to ${server}`,
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
      const { snapshotIds } = requested;
      const isCreated = requested.outcomes.accepted === 1 && snapshotIds.length === 1 && !requested.failed;
      check(isCreated, "1 accepted from the first event", requested.summary, snapshotIds);
      const completed = await deliver(localSite, "disk-attached", completionTrace(attachment));
      check(
        completed.outcomes.existing === 1 && completed.snapshotIds.length === 0,
        "1 existing and no new snapshot from the second event",
        `${completed.summary} and ${countOf(completed.snapshotIds.length, "new snapshot")}`,
        [...snapshotIds, ...completed.snapshotIds],
      );
      return {
        sentence: `disk-attached: 2 audit events of one attachment, ${disk} to ${server}, created 1 snapshot.`,
        snapshotIds,
        repeats: 1,
      };
    },
  };
}
