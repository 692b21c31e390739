import { timerEvent } from "../site/events.ts";
import { checkCloud, equal } from "./checks.ts";
import { duration } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

/** How long lists omit a new snapshot, in milliseconds. Neither of the two processes can see the snapshots of the other. */
const LIST_DELAY_MS = 4000;
const TARGETS = ["archive", "database-1", "warehouse"];

/** The platform delivers one timer event twice at the same moment, and a third time later. */
export const redelivery: Scenario = {
  name: "redelivery",
  summary: "An event is delivered twice at the same moment, then again.",
  guarantee:
    "While the cloud creates or lists the first snapshot, a second delivery creates no second snapshot. Legacy snapshots: see the scenario late-list.",
  creationMs: 5000,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    cloud.listLagMs = LIST_DELAY_MS;
    const event = timerEvent({
      policy: "nightly",
      targets: [
        { kind: "standard-snapshot", volume_ids: [inventory.archive] },
        { kind: "snapshot-group", server_ids: [inventory.database] },
        { kind: "cluster-snapshot", cluster_ids: [inventory.idOf("warehouse")] },
      ],
    });
    const deliver = () => environment.deliver("scheduled-snapshots", event, TARGETS);
    const [one, two] = await Promise.all([deliver(), deliver()]);
    const sent = cloud.count(/\.create/);
    const rejected = [400, 403, 409].reduce((sum, status) => sum + cloud.count(/\.create/, status), 0);
    const later = await deliver();
    const requests = new Set(environment.deliveries.map(({ requestId }) => requestId)).size;
    return {
      faults: [
        `The event was delivered to two processes at the same moment, and again ${duration(one.seconds > two.seconds ? one : two)} later.`,
        `Lists omitted each new snapshot for ${LIST_DELAY_MS / 1000} s, so neither process saw the snapshots of the other.`,
      ],
      actions: [
        `The two processes sent ${sent} create requests. The cloud rejected ${rejected}, because the resource was busy.`,
        `One process: ${one.summary} after ${duration(one)}. The other process: ${two.summary} after ${duration(two)}.`,
        `The third delivery: ${later.summary} after ${duration(later)}.`,
      ],
      evaluate: () => ({
        conclusion: `${requests} deliveries of one event, 1 snapshot for each of ${TARGETS.length} resources`,
        checks: [
          equal("deliveries", 3, requests),
          equal("rejected create requests", TARGETS.length, rejected),
          ...checkCloud(environment, { resources: TARGETS, outcomes: "3 accepted, 6 existing" }),
        ],
      }),
    };
  },
};
