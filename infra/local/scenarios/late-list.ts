import { setTimeout as sleep } from "node:timers/promises";
import { timerEvent } from "../site/events.ts";
import { recordsInTopic } from "../site/records.ts";
import { atLeast, checkCloud, countDuplicates, equal, plural } from "./checks.ts";
import { duration } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

const DISKS = ["web-1-data", "archive"];
const LIST_DELAY_MS = 2500;
/** How old the scenario makes the snapshots. prune-snapshots deletes a duplicate only if it is at least 1 hour old. */
const AGE_MS = 2 * 3_600_000;

/**
 * Two deliveries create duplicates, because lists omit the new snapshots. This is the documented exception to the rule that an
 * event creates each snapshot once.
 */
export const lateList: Scenario = {
  name: "late-list",
  summary: "Lists omit new snapshots, so an event creates duplicates.",
  guarantee:
    "If two deliveries duplicate a legacy snapshot, verify-snapshots reports the duplicate and prune-snapshots deletes it.",
  creationMs: 800,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    cloud.listLagMs = LIST_DELAY_MS;
    const policy = { policy: "nightly", targets: [{ kind: "snapshot", volume_ids: DISKS.map(inventory.idOf) }] };
    const event = timerEvent(policy);
    const deliver = () => environment.deliver("scheduled-snapshots", event, DISKS);
    const [one, two] = await Promise.all([deliver(), deliver()]);
    const duplicates = countDuplicates(environment);
    await sleep(LIST_DELAY_MS);

    const diskOf = ({ volume_id = "" }: { volume_id?: string }) => inventory.nameOf(volume_id);
    const allDisks = environment.ownSnapshots().map(diskOf);
    const verified = await environment.deliver("verify-snapshots", timerEvent({ lookback_minutes: 60 }), allDisks);
    const reported = recordsInTopic(cloud).filter(
      ({ action, detail = "" }) => action === "verify" && /duplicate/i.test(detail),
    ).length;

    for (const { id, created_at = "" } of environment.ownSnapshots()) {
      cloud.setSnapshotCreatedAt(id, new Date(Date.parse(`${created_at}Z`) - AGE_MS).toISOString().slice(0, -1));
    }
    const pruned = await environment.deliver("prune-snapshots", timerEvent(policy), DISKS);
    return {
      faults: [
        `Lists omitted each new snapshot for ${LIST_DELAY_MS / 1000} s, and the event was delivered to two processes at once.`,
        `Before prune-snapshots ran, the creation times were set back by ${AGE_MS / 3_600_000} hours.`,
      ],
      actions: [
        `The two deliveries: ${one.summary} and ${two.summary}. The cloud then had ${plural(duplicates, "snapshot")} too many.`,
        `verify-snapshots: ${verified.summary}; its records name ${plural(reported, "duplicate")}.`,
        `prune-snapshots: ${pruned.summary} after ${duration(pruned)}.`,
      ],
      evaluate: () => ({
        conclusion: `${plural(duplicates, "duplicate")}, each reported and deleted; 1 snapshot per disk`,
        checks: [
          atLeast("created duplicates", 1, duplicates),
          equal("reported duplicates", duplicates, reported),
          ...checkCloud(environment, { resources: DISKS, outcomes: "4 accepted, 4 available, 2 deleted" }),
        ],
      }),
    };
  },
};
