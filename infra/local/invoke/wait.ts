/** Waits until snapshots have ended: until each one is available or has failed. Lists them with the clients of the functions. */

import type { Time } from "../../../shared/core/clock.ts";
import { asSnapshotError, REASONS } from "../../../shared/core/errors.ts";
import { after } from "../../../shared/core/instant.ts";
import { readCredentials } from "../../../shared/huaweicloud/http/credentials.ts";
import { endpointOf } from "../../../shared/huaweicloud/http/endpoints.ts";
import { createRateLimiter } from "../../../shared/huaweicloud/http/rate-limiter.ts";
import type { Connection } from "../../../shared/huaweicloud/http/sdk-client.ts";
import { createCloud } from "../../../shared/huaweicloud/services.ts";
import { nodeRuntime, type Runtime } from "../../../shared/middleware/runtime.ts";
import type { FoundSnapshot } from "../../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../../shared/snapshots/kinds/kinds.generated.ts";
import type { Cloud } from "../../../shared/snapshots/ports.ts";
import type { ResultRecord } from "../site/records.ts";

/** A snapshot in a result record. */
export interface RecordedSnapshot {
  kind: keyof typeof KINDS;
  id: string;
  resourceId: string;
}

/** What became of a snapshot while the command waited for it. */
export interface WaitedSnapshot extends RecordedSnapshot {
  /** `creating` if the snapshot had not ended when the wait ended. `missing` if no list contained the snapshot. */
  state: FoundSnapshot["state"] | "missing";
}

export interface WaitResult {
  snapshots: WaitedSnapshot[];
  seconds: number;
  /** Why the wait ended before every snapshot was available or had failed. */
  problem?: string;
}

/** The maximum wait. A snapshot of a large disk or cluster takes longer, but nobody watches a terminal for hours. */
export const MAX_WAIT_MS = 30 * 60_000;
/** After this time, a snapshot that no list contains counts as missing. A list shows a new snapshot up to 5 s late. */
const MISSING_AFTER_MS = 60_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 15_000;
const DELAY_FACTOR = 1.3;
/** The timeout of one list request. */
const TIMEOUT_MS = 10_000;

/** Returns the snapshots that the create records name, each once. Omits failed snapshots. */
export function createdSnapshots(records: readonly ResultRecord[]): RecordedSnapshot[] {
  const found = new Map<string, RecordedSnapshot>();
  for (const { action, outcome, kind, resource_id: resourceId = "", snapshot_id: id } of records) {
    if (action !== "create" || outcome === "failed" || id === undefined || !isKind(kind)) continue;
    found.set(id, { kind, id, resourceId });
  }
  return [...found.values()];
}

const isKind = (name: string | undefined): name is keyof typeof KINDS =>
  name !== undefined && Object.hasOwn(KINDS, name);

/** Returns clients that call the endpoints in `settings` with the access key in `credentials`, for at most the maximum wait. */
export function connect(
  settings: Record<string, string>,
  credentials: Record<string, string>,
  { time, transport }: Pick<Runtime, "time" | "transport"> = nodeRuntime(),
): Cloud {
  const connection: Connection = {
    transport,
    credentials: readCredentials(
      { securityAccessKey: "", securitySecretKey: "", securityToken: "", token: "" },
      credentials,
    ),
    projectId: settings.PROJECT_ID ?? "",
    endpoint: (service) => endpointOf(service, (name) => settings[name]),
    timeoutMs: TIMEOUT_MS,
    now: () => time.now(),
    sleep: time.sleep,
    limiter: createRateLimiter(time),
    deadline: after(time.now(), MAX_WAIT_MS + TIMEOUT_MS),
  };
  return createCloud(connection);
}

/**
 * Waits until each snapshot is available, has failed or is missing, but at most `MAX_WAIT_MS`. If a list request fails, lists
 * again later, except after an error that a repetition cannot remedy, such as a missing permission.
 *
 * @param onPoll is called after each round of list requests
 */
export async function waitForSnapshots(
  created: readonly RecordedSnapshot[],
  cloud: Cloud,
  { time, onPoll = () => {} }: { time: Time; onPoll?: (snapshots: readonly WaitedSnapshot[], seconds: number) => void },
): Promise<WaitResult> {
  const startedAt = time.now();
  const snapshots = created.map((snapshot): WaitedSnapshot => ({ ...snapshot, state: "creating" }));
  const elapsedMs = () => time.now() - startedAt;
  const result = (problem?: string): WaitResult => ({
    snapshots,
    seconds: elapsedMs() / 1000,
    ...(problem === undefined ? {} : { problem }),
  });
  let listError: string | undefined;
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(MAX_DELAY_MS, delayMs * DELAY_FACTOR)) {
    listError = undefined;
    for (const snapshot of snapshots.filter(isPending)) {
      try {
        snapshot.state = await readState(snapshot, cloud, elapsedMs());
      } catch (thrown) {
        const { reason, message } = asSnapshotError(thrown);
        listError = `The list of snapshots cannot be read: ${message}`;
        if (REASONS[reason].retryClass === "never") return result(listError);
      }
    }
    onPoll(snapshots, elapsedMs() / 1000);
    if (!snapshots.some(isPending)) return result();
    if (elapsedMs() + delayMs > MAX_WAIT_MS) return result(listError ?? TOO_LONG);
    await time.sleep(delayMs);
  }
}

const TOO_LONG = `The maximum wait of ${MAX_WAIT_MS / 60_000} minutes is over. The snapshots can still become available: run verify-snapshots later.`;

const isPending = ({ state }: WaitedSnapshot): boolean => state === "creating" || state === "unknown";

async function readState(
  { kind, id, resourceId, state }: WaitedSnapshot,
  cloud: Cloud,
  elapsedMs: number,
): Promise<WaitedSnapshot["state"]> {
  const definition = KINDS[kind];
  // Only a list without a filter contains a snapshot group of individual disks.
  const options = "hasMembers" in definition ? {} : { [definition.target.idOption]: resourceId };
  const found = (await cloud(definition).listFor(options)).find((listed) => listed.id === id);
  if (found !== undefined) return found.state;
  return elapsedMs < MISSING_AFTER_MS ? state : "missing";
}
