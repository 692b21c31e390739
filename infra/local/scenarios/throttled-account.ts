import { timerEvent } from "../site/events.ts";
import { checkCloud, equal } from "./checks.ts";
import { duration } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

const DISKS = ["web-1-system", "web-1-data", "database-1-system", "database-1-data", "archive"];
const THROTTLED_REQUESTS = 3;

/** The account has used up its rate limit, so the API gateway of the cloud rejects create requests with 429. */
export const throttledAccount: Scenario = {
  name: "throttled-account",
  summary: "The cloud rejects create requests of the account with 429.",
  guarantee: "A throttled function waits, lists the snapshots again and creates each snapshot once.",
  creationMs: 800,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    const fault = cloud.fault(
      { operation: "evs.createSnapshot", times: THROTTLED_REQUESTS },
      { type: "throttle", limit: 10, window: "1 second" },
    );
    const event = timerEvent({
      policy: "nightly",
      targets: [{ kind: "snapshot", volume_ids: DISKS.map(inventory.idOf) }],
    });
    const delivery = await environment.deliver("scheduled-snapshots", event, DISKS);
    const [sent, throttled] = [cloud.count("evs.createSnapshot"), cloud.count("evs.createSnapshot", 429)];
    return {
      faults: [
        `${throttled} create requests: the cloud responded with 429, as if other programs had used up the rate limit.`,
      ],
      actions: [
        `A timer started scheduled-snapshots for ${DISKS.length} disks: ${delivery.summary} after ${duration(delivery)}.`,
        `The function sent ${sent} create requests, ${sent - throttled} of them without a 429.`,
      ],
      evaluate: () => ({
        conclusion: `${throttled} throttled requests, 1 snapshot for each of ${DISKS.length} disks`,
        checks: [
          equal("throttled create requests", THROTTLED_REQUESTS, fault.hits),
          equal("other create requests", DISKS.length, sent - throttled),
          ...checkCloud(environment, { resources: DISKS, outcomes: `${DISKS.length} accepted` }),
        ],
      }),
    };
  },
};
