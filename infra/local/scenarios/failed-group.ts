import { timerEvent } from "../site/events.ts";
import { recordsInTopic } from "../site/records.ts";
import { checkCloud, countUsable, equal, isFailed, plural, replaceIds } from "./checks.ts";
import type { Scenario } from "./scenario.ts";

const SERVER = "database-1";
const FAILED_DISK = "database-1-data";

/** The cloud reports a snapshot group as available, although the snapshot of one of its disks has failed. */
export const failedGroup: Scenario = {
  name: "failed-group",
  summary: "A group is available, but the snapshot of a disk failed.",
  guarantee: "A group is usable only if the snapshot of each of its disks is available.",
  creationMs: 800,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    cloud.endWith(inventory.idOf(FAILED_DISK), "error");
    const event = timerEvent({
      policy: "nightly",
      targets: [{ kind: "snapshot-group", server_ids: [inventory.database] }],
    });
    const created = await environment.deliver("scheduled-snapshots", event, [SERVER]);
    await environment.waitUntilSettled();
    const [group] = environment.ownSnapshots();
    const members = cloud.snapshots().filter(({ id }) => group?.member_ids?.includes(id));
    const failed = members.filter(isFailed).length;
    const usableBefore = countUsable(environment)[SERVER] ?? 0;
    const verified = await environment.deliver("verify-snapshots", timerEvent({ lookback_minutes: 60 }), [SERVER]);
    const record = recordsInTopic(cloud).find(({ action }) => action === "verify");
    const again = await environment.deliver("scheduled-snapshots", event, [SERVER]);
    await environment.waitUntilSettled();
    const groups = environment.ownSnapshots().length;
    const usableAfter = countUsable(environment)[SERVER] ?? 0;
    return {
      faults: [
        `${failed} of ${members.length} snapshots in the group of ${SERVER} failed. The group itself is "${group?.status}" (EVS spells it so).`,
      ],
      actions: [
        `scheduled-snapshots created the group: ${created.summary}. verify-snapshots: ${verified.summary}.`,
        `The event was delivered again: ${again.summary}. ${
          groups === 2
            ? `The function created another group, because the failed group is not usable. The other group ${usableAfter === 1 ? "became available" : "is not usable"}.`
            : `There are ${plural(groups, "group")}.`
        }`,
      ],
      advice: replaceIds(
        `${record?.error?.reason}: ${record?.error?.message} ${record?.detail?.split(" Members:")[0]}`,
        environment,
      ),
      evaluate: () => ({
        conclusion: `${failed} of ${members.length} snapshots failed, so the group counts as failed`,
        checks: [
          equal("failed members", 1, failed),
          equal("usable groups before the second delivery", 0, usableBefore),
          equal("record of the group", "failed SnapshotFailed", `${record?.outcome} ${record?.error?.reason}`),
          ...checkCloud(environment, {
            resources: [SERVER],
            failed: { [SERVER]: 1 },
            outcomes: "2 accepted, 1 failed",
          }),
        ],
      }),
    };
  },
};
