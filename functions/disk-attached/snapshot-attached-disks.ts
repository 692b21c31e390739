import { forEachConcurrent } from "../../shared/core/concurrency.ts";
import { asSnapshotError, SnapshotError } from "../../shared/core/errors.ts";
import { retryRead } from "../../shared/core/retry.ts";
import { isEcs, type Trace } from "../../shared/functiongraph/read-trace.ts";
import { readChoice } from "../../shared/functiongraph/variables.ts";
import { createEvsV2Client } from "../../shared/huaweicloud/evs-v2.ts";
import { createEvsV5SnapshotClient } from "../../shared/huaweicloud/evs-v5.ts";
import { listVolumesOfServer, showVolume } from "../../shared/huaweicloud/evs-volumes.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import type { TraceRequest } from "../../shared/middleware/trace-event.ts";
import {
  type DiskAttachment,
  MAX_EVENT_DISTANCE_MS,
  waitUntilAttached,
} from "../../shared/snapshots/create/attachment.ts";
import {
  attachmentKey,
  type EventMoment,
  rememberKey,
  unifyAttachmentKeys,
} from "../../shared/snapshots/create/attachment-key.ts";
import { createAll } from "../../shared/snapshots/create/create-all.ts";
import { snapshotKind } from "../../shared/snapshots/kinds/snapshot.ts";
import { standardSnapshotKind } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import { createTarget } from "../../shared/snapshots/policy.ts";
import type { EndFields } from "../../shared/snapshots/reporting.ts";
import { makeRoomBy } from "../../shared/snapshots/retention/make-room.ts";
import { readRetention } from "./read-retention.ts";

/**
 * The names of the CTS traces that report the attachment of a disk to a server: *ECS User Guide, "Key Operations Supported
 * by CTS" (ecs_03_1101)*.
 */
const ATTACH_TRACES = ["attachVolume", "attachVolumeV2", "attachVolume2"];
const POLICY = "disk-attached";
/** The kinds of snapshots that DISK_ATTACHED_KIND can select, each with the function that returns its client. */
const KINDS = [
  { kind: snapshotKind, service: createEvsV2Client },
  { kind: standardSnapshotKind, service: createEvsV5SnapshotClient },
] as const;

/**
 * Creates one snapshot for each attachment of a disk that the traces report. Writes one result record for each attachment.
 * CTS sends two traces about every attachment (SOURCES.md#cts-two-records) and can deliver each trace several times. To
 * detect that several traces report the same attachment, the function uses the idempotency key from `attachmentKey`.
 *
 * @throws SnapshotError InvalidRequest if there is only one event and the event names no server
 * @throws PartialFailureError if a target failed
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
  /**
   * Returns true if no earlier event of the batch reported the same attachment. Only the first event that reports an
   * attachment gets a result record.
   */
  const isFirstReport = (volumeId: string | undefined, identity: string): boolean => {
    const target = `${volumeId} ${identity}`;
    if (recordedTargets.has(target)) return false;
    recordedTargets.add(target);
    return true;
  };
  const writeRecord = (resource_id: string | undefined, end: EndFields) =>
    records.openRecord({ action: "create", kind: kind.name, resource_id, policy: POLICY })(end);

  const createFor = async (attached: DiskAttachment, serverId: string, moment: EventMoment) => {
    const { volumeId, attachedAt: time = moment.time } = attached;
    const identity = rememberKey(attachmentKey(attached, serverId, moment), runtime.inFlight, now());
    if (!isFirstReport(volumeId, identity.key)) return;
    const runContext = createRunContext(invocation, () => unifyAttachmentKeys(service, identity));
    const makeRoom = retention && makeRoomBy({ policy: POLICY, retention }, runContext);
    const run = {
      idempotencyKey: identity.key,
      policy: POLICY,
      label: POLICY,
      time,
      projectId: connection.projectId,
      makeRoom,
    };
    await createAll([createTarget(kind, volumeId)], run, runContext, { cutoff: retryBudget.deadline });
  };

  const processTrace = async (trace: Trace | SnapshotError) => {
    if (trace instanceof SnapshotError) return writeRecord(undefined, { outcome: "rejected", error: trace });
    const { serverId, volumeId, time, stage } = trace;
    const reason = ignoreReason(trace);
    if (reason !== undefined) return writeRecord(volumeId, { outcome: "skipped", detail: reason });
    if (serverId === undefined) {
      const error = missingServerError();
      if (traces.length === 1) throw error;
      return writeRecord(volumeId, { outcome: "rejected", error });
    }
    const moment = time === undefined ? { time: now() } : { time, stage };
    const hasSnapshot = async (attached: DiskAttachment) => {
      const { keys } = attachmentKey(attached, serverId, moment);
      const found = await retryRead(() => service.listFor(createTarget(kind, attached.volumeId).options), retryBudget);
      const since = Math.min(moment.time, now()) - MAX_EVENT_DISTANCE_MS;
      return found.some(({ marker, created = 0 }) => marker && keys.has(marker.idempotencyKey) && created >= since);
    };
    try {
      const found = await waitUntilAttached({ serverId, volumeId, time, stage }, disks, retryBudget, hasSnapshot);
      if ("skipped" in found) {
        if (isFirstReport(found.volumeId, serverId))
          writeRecord(found.volumeId, { outcome: "skipped", detail: found.skipped });
        return;
      }
      await forEachConcurrent(found, concurrency, (attached) => createFor(attached, serverId, moment));
    } catch (thrown) {
      // Two events can report the same disk. If this event fails, write a record of the failure, even if the other event
      // already wrote a record that the disk is skipped.
      if (isFirstReport(volumeId, `failed ${serverId}`))
        writeRecord(volumeId, { outcome: "failed", error: asSnapshotError(thrown) });
    }
  };
  // Process all events concurrently, so waiting for one disk to be attached does not delay other disks.
  await Promise.all(traces.map(processTrace));
  finishRun(invocation, { targets: recordedTargets.size });
}

const missingServerError = () =>
  new SnapshotError(
    "InvalidRequest",
    "resource_id: expected the id of a server in the trace, its request or its response, but found none.",
  );

/**
 * Returns why disk-attached ignores a trace. Returns undefined if the trace reports that a disk was attached to an ECS
 * server.
 */
function ignoreReason({ name, service, rating, code, failure }: Trace): string | undefined {
  if (name !== "" && !ATTACH_TRACES.includes(name)) {
    return `The trace ${name} does not report an attached disk. Only ${ATTACH_TRACES.join(", ")} do.`;
  }
  // Do not ignore a trace that names no service, because the traces of an emulator or an older region may name none.
  if (service !== "" && !isEcs(service)) return `The trace ${name || "(no name)"} is from ${service}, not from ECS.`;
  if (rating.toLowerCase() !== "normal") return `The attachment failed: the trace has the rating "${rating}".`;
  if (code !== undefined && code >= 400) return `The attachment failed: the trace has the status code ${code}.`;
  return failure === undefined ? undefined : `The attachment failed: its job reports "${failure}".`;
}
