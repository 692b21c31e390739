import { delivered, failureOf } from "../site/deliveries.ts";
import { completionTrace, requestTrace } from "../site/events.ts";
import type { TourStep } from "./steps.ts";

/** How long attaching takes: the first trace is there before the disk. */
const ATTACHING_MS = 800;

/** A disk is attached; both traces of it are delivered, the first while the disk is still attaching. */
export function attachStep(disk: string, server: string): TourStep {
  return {
    title: "CTS attachVolume x 2",
    about: disk,
    async run(site) {
      const { cloud, estate } = site;
      const attachment = {
        serverId: estate.idOf(server),
        serverName: server,
        volumeId: estate.idOf(disk),
        time: Date.now(),
      };
      cloud.attach(attachment.volumeId, attachment.serverId, { after: ATTACHING_MS });
      estate.attached(disk, server);
      const requested = await delivered(site, "disk-attached", requestTrace(attachment));
      if (requested.outcomes.accepted !== 1 || requested.failed) return failureOf(requested);
      const completed = await delivered(site, "disk-attached", completionTrace(attachment));
      const same = completed.outcomes.existing === 1 && completed.snapshotIds.length === 0;
      return {
        said: `requested: accepted, ${requested.seconds.toFixed(1)} s later  completed: ${completed.said}`,
        snapshotIds: requested.snapshotIds,
        problems: same ? [] : [`the second trace: ${completed.said}`],
      };
    },
  };
}
