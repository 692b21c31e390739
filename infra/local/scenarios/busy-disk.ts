import { checkCloud, equal, plural } from "./checks.ts";
import { duration } from "./environment.ts";
import type { Scenario } from "./scenario.ts";

/** How long the other tool still needs after EVS has rejected a create request of the function, in milliseconds. */
const BUSY_MS = 1000;

/** Another tool is creating a snapshot of the same disk, and EVS allows one creation at a time. */
export const busyDisk: Scenario = {
  name: "busy-disk",
  summary: "Another tool is creating a snapshot of the same disk.",
  guarantee: "A function waits for a busy disk while its caller waits, and then creates the snapshot once.",
  creationMs: 3000,
  async run(environment) {
    const { cloud, inventory } = environment.site;
    const { id } = environment.addForeignSnapshot({
      kind: "standard-snapshot",
      volumeId: inventory.archive,
      name: "by-another-tool",
      status: "creating",
    });
    const finish = () => cloud.setSnapshotStatus(id, "available");
    const operation = "evs.createStandardSnapshot";
    cloud.fault({ operation, nth: 1 }, { type: "mutatePage", mutate: () => void setTimeout(finish, BUSY_MS) });
    const body = { snapshot: { volume_id: inventory.archive, name: "before-update" } };
    const delivery = await environment.post("create-standard-snapshot", body, ["archive"], {
      "idempotency-key": "update-7",
    });
    const statuses = cloud.requests.flatMap((request) => (request.operation === operation ? request.status : []));
    const rejected = statuses.filter((status) => status === 409).length;
    return {
      faults: [
        `Another tool is creating a snapshot of the disk archive. EVS rejected ${plural(rejected, "create request")} of the function with 409. The other snapshot became available ${BUSY_MS / 1000} s later.`,
      ],
      actions: [
        `POST /create-standard-snapshot: the function waited, listed the snapshots and repeated the create request: ${delivery.summary} after ${duration(delivery)}.`,
      ],
      evaluate: () => ({
        conclusion: `waited ${duration(delivery)} for a busy disk, then created 1 snapshot`,
        checks: [
          equal("responses of the cloud to the create requests", "409, 202", statuses.join(", ")),
          equal("response of the function", "202 accepted", delivery.summary),
          ...checkCloud(environment, { resources: ["archive"], outcomes: "1 accepted" }),
        ],
      }),
    };
  },
};
