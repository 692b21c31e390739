import { timerEvent } from "../site/events.ts";
import { checkCloud, equal } from "./checks.ts";
import { duration } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

const TARGETS = ["web-1-data", "archive", "database-1", "warehouse"];

/** The cloud carries out every create request, but the response to the first request for each kind is lost. */
export const lostReply: Scenario = {
  name: "lost-reply",
  summary: "The cloud creates a snapshot, but its response is lost.",
  guarantee: "A function that loses a response finds the snapshot instead of creating a second one.",
  creationMs: 1500,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    const operations = [
      "evs.createSnapshot",
      "evs.createStandardSnapshot",
      "evs.createSnapshotGroup",
      "dws.createSnapshot",
    ];
    const faults = operations.map((operation) => cloud.fault({ operation, nth: 1 }, { type: "reset", after: true }));
    const event = timerEvent({
      policy: "nightly",
      targets: [
        { kind: "snapshot", volume_ids: [inventory.webData] },
        { kind: "standard-snapshot", volume_ids: [inventory.archive] },
        { kind: "snapshot-group", server_ids: [inventory.database] },
        { kind: "cluster-snapshot", cluster_ids: [inventory.idOf("warehouse")] },
      ],
    });
    const first = await environment.deliver("scheduled-snapshots", event, TARGETS);
    const sent = cloud.count(/\.create/);
    const again = await environment.deliver("scheduled-snapshots", event, TARGETS);
    const lost = faults.reduce((sum, { hits }) => sum + hits, 0);
    return {
      faults: [
        `${lost} of ${sent} create requests: the cloud created the snapshot, then reset the connection instead of responding.`,
      ],
      actions: [
        `scheduled-snapshots sent ${sent} create requests and found the snapshots in a list: ${first.summary} after ${duration(first)}.`,
        `The same event was delivered again: ${again.summary} after ${duration(again)}.`,
      ],
      evaluate: () => ({
        conclusion: `${lost} lost responses, 1 snapshot for each of ${TARGETS.length} resources`,
        checks: [
          equal("lost responses", TARGETS.length, lost),
          equal("create requests", TARGETS.length, sent),
          ...checkCloud(environment, { resources: TARGETS, outcomes: "4 accepted, 4 existing" }),
        ],
      }),
    };
  },
};
