/**
 * Starts the embedded cloud: EVS, DWS, ECS, LTS ingestion and asynchronous invocations of FunctionGraph, in memory, over HTTP
 * on the loopback interface. The embedded cloud shares no code with the functions, because the tests would not notice a mistake
 * in shared code. The table "Fidelity" in test/infra/local/README.md lists the behavior of the embedded cloud with its sources.
 */
import type { AddressInfo } from "node:net";
import { wallClock } from "./clock.ts";
import { behaviorFrom } from "./cloud-behavior.ts";
import type { CloudState } from "./cloud-state.ts";
import type { CloudOptions, EmbeddedCloud } from "./embedded-cloud.ts";
import { type Credentials, Keyring } from "./gateway/authentication.ts";
import { Faults } from "./gateway/faults.ts";
import { RequestCounter, type RequestView } from "./gateway/requests.ts";
import { createCloudServer } from "./gateway/server.ts";
import { createThrottle } from "./gateway/throttle.ts";
import { Inventory } from "./inventory.ts";
import type { Kind } from "./records.ts";
import { createResources } from "./resources.ts";
import { addMember, removeMember } from "./services/evs-group-members.ts";
import { SERVICES, SNAPSHOT_KINDS } from "./services/services.generated.ts";
import {
  seedSnapshot,
  setSnapshotCreatedAt,
  setSnapshotLabels,
  setSnapshotStatus,
  viewOf,
  viewsOf,
} from "./services/snapshots.ts";

/** The names of the services of the embedded cloud, such as `evs`. */
export const SERVICE_NAMES: readonly string[] = SERVICES.map(({ name }) => name);
export { type CloudClock, ScaledClock, StoppedClock, wallClock } from "./clock.ts";
export type { CloudBehavior } from "./cloud-behavior.ts";
export type { Invocation, LogEntry } from "./cloud-state.ts";
export type { Attachment, CloudOptions, Cluster, EmbeddedCloud, Fault, Server, Volume } from "./embedded-cloud.ts";
export type { Credentials } from "./gateway/authentication.ts";
export type { FaultHandle, FaultMatch } from "./gateway/faults.ts";
export type { RequestView } from "./gateway/requests.ts";
export type { RateLimit } from "./gateway/throttle.ts";
export type { Kind } from "./records.ts";
export type { SeededSnapshot, SnapshotView } from "./snapshot-kind.ts";

const DEFAULT_CREDENTIALS: Credentials = {
  ak: "EMBEDDEDCLOUDACCESS1",
  sk: "embedded-cloud-secret-key-not-a-real-one",
  securityToken: "embedded-cloud-security-token",
  token: "embedded-cloud-user-token",
};

/**
 * Starts an embedded cloud and returns the object that controls it.
 *
 * @example
 * const clock = new StoppedClock("2026-11-21T02:00:00Z");
 * const cloud = await startCloud({ clock, rate: { perSecond: 20 } });
 */
export async function startCloud(options: CloudOptions = {}): Promise<EmbeddedCloud> {
  const {
    port = 0,
    projectId = "0123456789abcdef0123456789abcdef",
    region = "eu-west-101",
    credentials = DEFAULT_CREDENTIALS,
    clock = wallClock,
    latencyMs = 0,
    creationMs = {},
    deletionMs = 1000,
    rate,
    keepRequests = true,
    onInvokeAsync,
  } = options;

  const lag = { ms: 0 };
  const timing = { creationMs: creationMsByKind(creationMs), deletionMs, listLagMs: () => lag.ms };
  const inventory = new Inventory(clock, timing, propertyByKind("statuses"));
  const running = new Set<Promise<void>>();
  const failures: unknown[] = [];
  const cloudState: CloudState = {
    projectId,
    region,
    clock,
    inventory,
    behavior: behaviorFrom(options),
    logs: [],
    lostLogs: [],
    invocations: [],
    invoke(invocation) {
      const run = (async () => onInvokeAsync?.(structuredClone(invocation)))()
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(run));
      running.add(run);
    },
  };
  const keyring = new Keyring(projectId);
  keyring.add(credentials);
  const faults = new Faults<EmbeddedCloud>();
  const requests: RequestView[] = [];
  const refusedSignatures: string[] = [];
  const requestCounter = new RequestCounter();
  const server = createCloudServer<EmbeddedCloud>({
    services: SERVICES,
    cloudState,
    keyring,
    faults,
    throttle: createThrottle(rate, clock),
    latencyMs: typeof latencyMs === "function" ? latencyMs : () => latencyMs,
    requests,
    keepRequests,
    requestCounter,
    refusedSignatures,
    facade: () => cloud,
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });

  const cloud: EmbeddedCloud = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    services: SERVICE_NAMES,
    otherResources: SERVICES.flatMap(({ resource }) => resource ?? []),
    projectId,
    region,
    credentials,
    clock,
    addCredentials: (added) => keyring.add(added),
    expireCredentials: (akOrToken) => keyring.expire(akOrToken),

    ...createResources(cloudState),
    addSnapshot: (seeded) => seedSnapshot(seeded, cloudState),
    removeSnapshot(snapshotId) {
      for (const store of Object.values(inventory.snapshots)) store.remove(snapshotId);
    },
    setSnapshotStatus: (snapshotId, status) => setSnapshotStatus(snapshotId, status, cloudState),
    setSnapshotLabels: (snapshotId, labels) => setSnapshotLabels(snapshotId, labels, cloudState),
    setSnapshotCreatedAt: (snapshotId, text) => setSnapshotCreatedAt(snapshotId, text, cloudState),
    addMember: (groupId, volumeId) => viewOf(addMember(groupId, volumeId, cloudState), cloudState),
    removeMember: (groupId, volumeId) => removeMember(groupId, volumeId, cloudState),
    snapshots(kind) {
      inventory.removeDeleted();
      return viewsOf(kind, cloudState);
    },

    logs: cloudState.logs,
    lostLogs: cloudState.lostLogs,
    invocations: cloudState.invocations,
    requests,
    count: (operation, status) => requestCounter.count(operation, status),
    refusedSignatures,

    fault: (match, fault) => faults.arm(match, fault),
    clearFaults: () => faults.clear(),
    endWith: (resourceId, ending) => inventory.endWith(resourceId, ending),
    get listLagMs() {
      return lag.ms;
    },
    set listLagMs(ms) {
      lag.ms = ms;
    },
    async idle() {
      // The embedded cloud starts an asynchronous invocation only after it has sent the 202 response. Wait for one turn of the
      // event loop, so each invocation whose 202 response is still being sent can start.
      do {
        await new Promise((resolve) => setImmediate(resolve));
        await Promise.all(running);
      } while (running.size > 0);
      if (failures.length > 0) throw failures.shift();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return cloud;
}

/** Maps the name of each kind of snapshot to the value that the property `property` has for this kind. */
const propertyByKind = <Property extends "statuses" | "creationMs">(property: Property) =>
  Object.fromEntries(Object.values(SNAPSHOT_KINDS).map((kind) => [kind.name, kind[property]])) as Record<
    Kind,
    (typeof SNAPSHOT_KINDS)[Kind][Property]
  >;

function creationMsByKind(creationMs: number | Partial<Record<Kind, number>>): Record<Kind, number> {
  const times = propertyByKind("creationMs");
  if (typeof creationMs === "object") return { ...times, ...creationMs };
  return Object.fromEntries(Object.keys(times).map((kind) => [kind, creationMs])) as Record<Kind, number>;
}
