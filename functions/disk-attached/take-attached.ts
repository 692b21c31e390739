import type { Trace } from "../../shared/functiongraph/trace.ts";
import { readChoice } from "../../shared/functiongraph/variables.ts";
import { evsV2 } from "../../shared/huaweicloud/evs-v2.ts";
import { evsV5Snapshots } from "../../shared/huaweicloud/evs-v5.ts";
import { listVolumesOfServer, showVolume } from "../../shared/huaweicloud/evs-volumes.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { meansWith } from "../../shared/middleware/means.ts";
import { conclude } from "../../shared/middleware/summary.ts";
import { untilAttached } from "../../shared/snapshots/attachment.ts";
import { snapshot } from "../../shared/snapshots/kinds/snapshot.ts";
import { standardSnapshot } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import { makeRoomBy } from "../../shared/snapshots/make-room.ts";
import { keyOf } from "../../shared/snapshots/marker.ts";
import { targetFor } from "../../shared/snapshots/policy.ts";
import { asSnapshotError, SnapshotError } from "../../shared/snapshots/reasons.ts";
import { takeAll } from "../../shared/snapshots/take.ts";
import { readRetention } from "./read-retention.ts";

/** The traces of ECS that begin or complete an attachment (functiongraph.md 3.1). */
const ATTACHING = ["attachVolume", "attachVolumeV2", "attachVolume2"];
const POLICY = "disk-attached";
/** The kinds that one disk can have, and their clients. */
const KINDS = [
  { kind: snapshot, service: evsV2 },
  { kind: standardSnapshot, service: evsV5Snapshots },
] as const;

/**
 * One snapshot of the disk that a trace says was attached. Two traces tell of one attachment, and each may come twice: the
 * attachment's own id, which EVS gives, makes the snapshot one.
 */
export async function takeAttached(trace: Trace, invocation: Invocation): Promise<void> {
  const { records, variables, connection, patience } = invocation;
  invocation.summary.policy = POLICY;
  const name = readChoice(variables, "DISK_ATTACHED_KIND", {
    byDefault: "snapshot",
    choices: KINDS.map(({ kind }) => kind.kind),
  });
  const retention = readRetention(variables);
  const { kind, service } = KINDS.find((one) => one.kind.kind === name) as (typeof KINDS)[number];
  const begin = (resource_id?: string) =>
    records.begin({ action: "create", kind: kind.kind, resource_id, policy: POLICY });

  const ignored = whyIgnored(trace);
  if (ignored !== undefined) {
    begin(trace.volumeId)({ outcome: "skipped", detail: ignored });
    return conclude(invocation, { targets: 0 });
  }
  const { serverId } = trace;
  if (serverId === undefined) {
    throw new SnapshotError(
      "InvalidRequest",
      "resource_id: expected the id of a server in the trace; there is none, nor in its request or response.",
    );
  }
  try {
    const disks = {
      show: (id: string) => showVolume(connection, id),
      ofServer: (id: string) => listVolumesOfServer(connection, id),
    };
    const found = await untilAttached({ ...trace, serverId }, disks, patience);
    if ("skipped" in found) {
      begin(found.volumeId)({ outcome: "skipped", detail: found.skipped });
    } else {
      const { volumeId, attachmentId, attachedAt: time } = found;
      const key = keyOf("attachment", attachmentId);
      const means = meansWith(invocation, () => service(connection));
      const makeRoom = retention && makeRoomBy({ policy: POLICY, retention }, means);
      const run = { key, policy: POLICY, label: POLICY, time, projectId: connection.projectId, makeRoom };
      await takeAll([targetFor(kind, volumeId)], run, means, patience.until);
    }
  } catch (thrown) {
    begin(trace.volumeId)({ outcome: "failed", error: asSnapshotError(thrown) });
  }
  conclude(invocation, { targets: 1 });
}

function whyIgnored({ name, service, rating, code }: Trace): string | undefined {
  if (!ATTACHING.includes(name)) return `The trace ${name} does not attach a disk; ${ATTACHING.join(", ")} do.`;
  // An emulator or an older region may leave the service out; another one's trace of that name is not meant.
  if (service !== "" && service.toUpperCase() !== "ECS") return `The trace ${name} is of ${service}, not of ECS.`;
  if (rating.toLowerCase() !== "normal") return `The attachment did not succeed: the trace is rated "${rating}".`;
  if (code !== undefined && code >= 400) return `The attachment did not succeed: the trace has the code ${code}.`;
  return undefined;
}
