import { forEachConcurrent } from "../../shared/core/concurrency.ts";
import { asSnapshotError, SnapshotError } from "../../shared/core/errors.ts";
import { retryRead } from "../../shared/core/retry.ts";
import { isEcs, type Trace } from "../../shared/functiongraph/read-trace.ts";
import { readChoice } from "../../shared/functiongraph/variables.ts";
import { evsV2 } from "../../shared/huaweicloud/evs-v2.ts";
import { evsV5Snapshots } from "../../shared/huaweicloud/evs-v5.ts";
import { listVolumesOfServer, showVolume } from "../../shared/huaweicloud/evs-volumes.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import type { TraceRequest } from "../../shared/middleware/trace-event.ts";
import { type Attached, NEAR_MS, untilAttached } from "../../shared/snapshots/create/attachment.ts";
import { attachmentKey, type Moment, rememberKey, underOneKey } from "../../shared/snapshots/create/attachment-key.ts";
import { createAll } from "../../shared/snapshots/create/create-all.ts";
import { snapshot } from "../../shared/snapshots/kinds/snapshot.ts";
import { standardSnapshot } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import { targetFor } from "../../shared/snapshots/policy.ts";
import type { EndFields } from "../../shared/snapshots/reporting.ts";
import { makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { readRetention } from "./read-retention.ts";

/** The traces of an attachment: *ECS User Guide, "Key Operations Supported by CTS" (ecs_03_1101)*. */
const ATTACHING = ["attachVolume", "attachVolumeV2", "attachVolume2"];
const POLICY = "disk-attached";
/** The kinds of snapshots of a single disk, and their clients. */
const KINDS = [
  { kind: snapshot, service: evsV2 },
  { kind: standardSnapshot, service: evsV5Snapshots },
] as const;

/**
 * Creates one snapshot for each attachment that the traces report, and writes one record for it. Two traces report each
 * attachment (SOURCES.md#cts-two-records), and both can be delivered several times. `attachmentKey` identifies the attachment.
 *
 * @throws InvalidRequest if there is one event and it names no server; PartialFailureError if a target failed
 */
export async function snapshotAttachedDisks({ body: traces }: TraceRequest, invocation: Invocation): Promise<void> {
  const { records, variables, connection, retryBudget, runtime } = invocation;
  invocation.summary.policy = POLICY;
  const name = readChoice(variables, "DISK_ATTACHED_KIND", {
    defaultValue: "snapshot",
    choices: KINDS.map(({ kind }) => kind.name),
  });
  const retention = readRetention(variables);
  const { kind, service: serviceOf } = KINDS.find((one) => one.kind.name === name) ?? KINDS[0];
  const service = serviceOf(connection);
  const { concurrency } = createRunContext(invocation, () => service);
  const now = () => retryBudget.time.now();
  const disks = {
    show: (id: string) => showVolume(connection, id),
    ofServer: (id: string) => listVolumesOfServer(connection, id),
  };
  const recordedTargets = new Set<string>();
  /** Returns false for the second event of a batch that reports the same attachment, because the target has its record. */
  const isNew = (volumeId: string | undefined, identity: string): boolean => {
    const target = `${volumeId} ${identity}`;
    if (recordedTargets.has(target)) return false;
    recordedTargets.add(target);
    return true;
  };
  const writeRecord = (resource_id: string | undefined, end: EndFields) =>
    records.openRecord({ action: "create", kind: kind.name, resource_id, policy: POLICY })(end);

  const createFor = async (attached: Attached, serverId: string, moment: Moment) => {
    const { volumeId, attachedAt: time = moment.time } = attached;
    const identity = rememberKey(attachmentKey(attached, serverId, moment), runtime.inFlight, now());
    if (!isNew(volumeId, identity.key)) return;
    const runContext = createRunContext(invocation, () => underOneKey(service, identity));
    const makeRoom = retention && makeRoomBy({ policy: POLICY, retention }, runContext);
    const run = {
      idempotencyKey: identity.key,
      policy: POLICY,
      label: POLICY,
      time,
      projectId: connection.projectId,
      makeRoom,
    };
    await createAll([targetFor(kind, volumeId)], run, runContext, retryBudget.deadline);
  };

  const processTrace = async (trace: Trace | SnapshotError) => {
    if (trace instanceof SnapshotError) return writeRecord(undefined, { outcome: "rejected", error: trace });
    const { serverId, volumeId, time, stage } = trace;
    const ignored = whyIgnored(trace);
    if (ignored !== undefined) return writeRecord(volumeId, { outcome: "skipped", detail: ignored });
    if (serverId === undefined) {
      const error = noServer();
      if (traces.length === 1) throw error;
      return writeRecord(volumeId, { outcome: "rejected", error });
    }
    const moment = time === undefined ? { time: now() } : { time, stage };
    const hasSnapshot = async (attached: Attached) => {
      const { keys } = attachmentKey(attached, serverId, moment);
      const found = await retryRead(() => service.listFor(targetFor(kind, attached.volumeId).options), retryBudget);
      const since = Math.min(moment.time, now()) - NEAR_MS;
      return found.some(({ marker, created = 0 }) => marker && keys.has(marker.idempotencyKey) && created >= since);
    };
    try {
      const found = await untilAttached({ serverId, volumeId, time, stage }, disks, retryBudget, hasSnapshot);
      if ("skipped" in found) {
        if (isNew(found.volumeId, serverId)) writeRecord(found.volumeId, { outcome: "skipped", detail: found.skipped });
        return;
      }
      await forEachConcurrent(found, concurrency, (attached) => createFor(attached, serverId, moment));
    } catch (thrown) {
      // A skipped attachment of the same disk must not hide the failure of another one.
      if (isNew(volumeId, `failed ${serverId}`))
        writeRecord(volumeId, { outcome: "failed", error: asSnapshotError(thrown) });
    }
  };
  // Process all events concurrently, so a disk that is not attached yet delays no other disk.
  await Promise.all(traces.map(processTrace));
  finishRun(invocation, { targets: recordedTargets.size });
}

const noServer = () =>
  new SnapshotError(
    "InvalidRequest",
    "resource_id: expected the id of a server in the trace; there is none, nor in its request or response.",
  );

function whyIgnored({ name, service, rating, code, failure }: Trace): string | undefined {
  if (name !== "" && !ATTACHING.includes(name)) {
    return `The trace ${name} does not attach a disk; ${ATTACHING.join(", ")} do.`;
  }
  // An emulator or an older region may omit the service. A trace of another service is ignored whatever its name.
  if (service !== "" && !isEcs(service)) return `The trace ${name || "(no name)"} is of ${service}, not of ECS.`;
  if (rating.toLowerCase() !== "normal") return `The attachment did not succeed: the trace is rated "${rating}".`;
  if (code !== undefined && code >= 400) return `The attachment did not succeed: the trace has the code ${code}.`;
  return failure === undefined ? undefined : `The attachment did not succeed: its job ended with "${failure}".`;
}
