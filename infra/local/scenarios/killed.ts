import { setTimeout as sleep } from "node:timers/promises";
import { timerEvent } from "../site/events.ts";
import { recordsInTopic } from "../site/records.ts";
import { checkCloud, equal, plural } from "./checks.ts";
import { duration } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

/** The time between the end of the process and the second delivery, in milliseconds. */
const REDELIVERY_MS = 500;
const DISKS = ["web-1-data", "database-1-data", "archive"];

/** The process of a function is killed after the cloud created a snapshot, and the platform delivers the event again. */
export const killed: Scenario = {
  name: "killed",
  summary: "A process is killed before it receives a create response.",
  guarantee: "After a process was killed, the next delivery finds its snapshots and creates only the missing ones.",
  creationMs: 800,
  async run(environment) {
    const { cloud, host, inventory } = environment.site;
    const kill = cloud.fault(
      { operation: "evs.createSnapshot", nth: 1 },
      { type: "mutatePage", mutate: () => void host.kill("scheduled-snapshots") },
    );
    // The requests that the process has sent in the meantime do not reach the cloud.
    const lost = cloud.fault({ operation: "evs.createSnapshot", nth: 2, times: 2 }, { type: "reset", after: false });
    const event = timerEvent({
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: DISKS.map(inventory.idOf) }],
    });
    const first = await environment.deliver("scheduled-snapshots", event, []);
    await sleep(REDELIVERY_MS);
    lost.remove();
    const before = environment.ownSnapshots().length;
    const records = recordsInTopic(cloud).length;
    const again = await environment.deliver("scheduled-snapshots", event, DISKS);
    const after = environment.ownSnapshots().length;
    return {
      faults: [
        `The process was killed ${plural(kill.hits, "time")}: after its first create request created a snapshot, and before the response.`,
        ...(lost.hits === 0
          ? []
          : [`${plural(lost.hits, "other create request")} of the process did not reach the cloud.`]),
      ],
      actions: [
        `The first delivery: ${first.summary}. It left ${plural(before, "snapshot")} and ${plural(records, "result record")}.`,
        `${REDELIVERY_MS / 1000} s later, the event was delivered to a new process: ${again.summary} after ${duration(again)}.`,
      ],
      evaluate: () => ({
        conclusion: `process killed after ${before} of ${after} snapshots; each of ${DISKS.length} disks has 1`,
        checks: [
          equal("killed processes", 1, kill.hits),
          equal("snapshots that the killed process left", 1, before),
          ...checkCloud(environment, {
            resources: DISKS,
            outcomes: `${DISKS.length - 1} accepted, 1 existing`,
          }),
        ],
      }),
    };
  },
};
