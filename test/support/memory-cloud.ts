/** An in-memory cloud and snapshots for unit tests. */
import type { Time } from "../../shared/core/clock.ts";
import { type Reason, SnapshotError, type SnapshotErrorDetails } from "../../shared/core/errors.ts";
import { formatInstant, type Instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { hashRequest, type Marker, markerLabels } from "../../shared/snapshots/marker.ts";
import type { AttachedDisk, Cloud, Resource, SnapshotService } from "../../shared/snapshots/ports.ts";
import { START } from "./virtual-clock.ts";

export const { snapshot, "standard-snapshot": standard, "snapshot-group": group, "cluster-snapshot": cluster } = KINDS;

/** Returns the error that is thrown if a cloud service rejects a request. */
export const cloudError = (reason: Reason, details: SnapshotErrorDetails = {}): SnapshotError =>
  new SnapshotError(reason, `The service rejected the request with ${reason}.`, details);

/** Returns the error that a create request causes if its response is lost. The snapshot may exist. */
export const lostResponse = () => cloudError("Unreachable", { ambiguous: true });

/** Returns a snapshot marker of the policy `nightly`. The idempotency key is derived from `key`. */
export const markerOf = (key: string, changes: Partial<Marker> = {}): Marker => ({
  policy: "nightly",
  idempotencyKey: Buffer.from(key).toString("hex").padEnd(32, "0").slice(0, 32),
  requestHash: "01234567",
  ...changes,
});

/** Returns an available snapshot of `resource` with the marker of the policy `nightly`. DWS reports its type as MANUAL. */
export function snapshotOf(id: string, resource: string, changes: Partial<FoundSnapshot> = {}): FoundSnapshot {
  const marker = markerOf(id);
  return {
    id,
    name: `nightly-${id}`,
    resource,
    status: "available",
    state: "available",
    created: START,
    labels: "marker" in changes ? {} : markerLabels(marker),
    marker,
    raw: { type: "MANUAL" },
    ...changes,
  };
}

/** Returns a snapshot whose marker has the given policy and idempotency key, and matches the kind and the options. */
export function createdSnapshot(
  { policy, idempotencyKey }: Pick<Marker, "policy" | "idempotencyKey">,
  { kind, options }: { kind: Kind; options: JsonObject },
  id: string,
  changes: Partial<FoundSnapshot> = {},
): FoundSnapshot {
  const marker = { policy, idempotencyKey, requestHash: hashRequest(kind.name, options) };
  return snapshotOf(id, kind.resourceOf(options), { marker, labels: markerLabels(marker), ...changes });
}

/** Changes for `snapshotOf`: a status that EVS returns, and the state that the functions derive from this status. */
export const STATUS: Record<
  "available" | "failed" | "creating" | "deleting" | "stuckDeleting" | "unknown",
  Partial<FoundSnapshot>
> = {
  available: { status: "available", state: "available" },
  failed: { status: "error", state: "failed" },
  creating: { status: "creating", state: "creating" },
  deleting: { status: "deleting", state: "deleting" },
  stuckDeleting: { status: "error_deleting", state: "deleting" },
  unknown: { status: "rollbacking", state: "unknown" },
};

type Operation = "create" | "listFor" | "listAll" | "listNewest" | "remove" | "resources" | "disksOf";
/**
 * What happens when an operation is called:
 * - a `SnapshotError`: the call fails and changes nothing
 * - an error in `afterwards`: the call takes effect and then fails
 * - a function: the cloud runs the function before it executes the call
 * - undefined: the call succeeds
 */
export type PlannedEvent = SnapshotError | { afterwards: SnapshotError } | (() => unknown) | undefined;

/** The number of snapshots in a page of `listNewest`. */
const PAGE_ROWS = 200;

/** An in-memory cloud that replaces EVS and DWS in unit tests. */
export interface MemoryCloud {
  service: Cloud;
  snapshots: Map<string, FoundSnapshot[]>;
  resources: Resource[];
  /** Maps a server id to the disks that are attached to the server. */
  disks: Map<string, AttachedDisk[]>;
  /** All requests with their times, such as `3 s create snapshot disk-1`. */
  calls: string[];
  /** Returns all requests without their times, such as `create snapshot disk-1`. */
  requests(): string[];
  /** Plans what happens in the next calls of an operation. The first event applies to the next call. */
  onNextCalls(operation: Operation, ...events: PlannedEvent[]): void;
  /** Plans what happens in every call of an operation for which `onNextCalls` plans no event. */
  onEveryCall(operation: Operation, event: PlannedEvent): void;
  add(kind: Kind, ...found: FoundSnapshot[]): void;
  snapshotsOf(kind: Kind): FoundSnapshot[];
  /** True if list responses contain the snapshots that were added last at their start. Default: at their end. */
  newestFirst: boolean;
  /** The number of milliseconds before a list response contains a new snapshot. */
  listDelayMs: number;
  /** The number of milliseconds that a create request takes. */
  createMs: number;
  /** The number of milliseconds that a deletion takes. Until then, the snapshot has the status `deleting`. */
  removeMs: number;
}

/** Creates an in-memory cloud. New snapshots have the status `creating` until a test changes their status. */
export function createMemoryCloud(time: Time): MemoryCloud {
  const nextEvents = new Map<Operation, PlannedEvent[]>();
  const defaultEvents = new Map<Operation, PlannedEvent>();
  const createdAt = new Map<string, Instant>();
  let count = 0;
  const cloud: MemoryCloud = {
    snapshots: new Map(),
    resources: [],
    disks: new Map(),
    calls: [],
    newestFirst: false,
    listDelayMs: 0,
    createMs: 0,
    removeMs: 0,
    requests: () => cloud.calls.map((call) => call.replace(/^\S+ s /, "")),
    onNextCalls: (operation, ...events) =>
      void nextEvents.set(operation, [...(nextEvents.get(operation) ?? []), ...events]),
    onEveryCall: (operation, event) => void defaultEvents.set(operation, event),
    add: (kind, ...found) => void cloud.snapshots.set(kind.name, [...cloud.snapshotsOf(kind), ...found]),
    snapshotsOf: (kind) => cloud.snapshots.get(kind.name) ?? [],
    service: (kind) => serviceOf(kind),
  };

  async function perform<T>(operation: Operation, subject: string, work: () => T | Promise<T>): Promise<T> {
    cloud.calls.push(`${(time.now() - START) / 1000} s ${operation} ${subject}`);
    const planned = nextEvents.get(operation);
    const event = planned && planned.length > 0 ? planned.shift() : defaultEvents.get(operation);
    if (event instanceof SnapshotError) throw event;
    if (typeof event === "function") await event();
    const value = await work();
    if (typeof event === "object") throw event.afterwards;
    return value;
  }

  const serviceOf = (kind: Kind): SnapshotService => {
    const listed = () => {
      const rows = cloud
        .snapshotsOf(kind)
        .filter(({ id }) => time.now() - (createdAt.get(id) ?? -Infinity) >= cloud.listDelayMs);
      return cloud.newestFirst ? rows.reverse() : rows;
    };
    return {
      create: async (options, beforeSend) => {
        await beforeSend?.();
        return perform("create", `${kind.name} ${kind.resourceOf(options)}`, async () => {
          const id = `made-${++count}`;
          const at = formatInstant(time.now());
          const created = kind.read({
            ...options,
            id,
            status: "creating",
            type: "MANUAL",
            created_at: at,
            started: at,
          }) as FoundSnapshot;
          createdAt.set(id, time.now());
          cloud.add(kind, created);
          if (cloud.createMs > 0) await time.sleep(cloud.createMs);
          return { snapshotId: id, jobId: `job-${id}`, status: kind.acceptedStatus, body: `{"id":"${id}"}` };
        });
      },
      listFor: (options) =>
        perform("listFor", `${kind.name} ${kind.resourceOf(options)}`, () =>
          listed().filter(
            ({ resource }) => kind.uniqueNames || resource === undefined || resource === kind.resourceOf(options),
          ),
        ),
      listAll: async (visit) => (await perform("listAll", kind.name, listed)).forEach(visit),
      ...(!kind.uniqueNames && {
        listNewest: async (visit: (found: FoundSnapshot) => boolean) => {
          // The newest page lists groups without their members.
          for (let offset = 0; ; offset += PAGE_ROWS) {
            const page = (await perform("listNewest", kind.name, listed)).slice(offset, offset + PAGE_ROWS);
            const isKnown = page.map((found) => visit(withoutMembers(found))).includes(true);
            if (page.length === 0 || isKnown) return isKnown;
          }
        },
      }),
      remove: (id) =>
        perform("remove", `${kind.name} ${id}`, async () => {
          if (!cloud.snapshotsOf(kind).some((found) => found.id === id)) throw cloudError("NotFound", { status: 404 });
          const remove = () =>
            void cloud.snapshots.set(
              kind.name,
              cloud.snapshotsOf(kind).filter((found) => found.id !== id),
            );
          if (cloud.removeMs === 0) return remove();
          changeSnapshot(cloud, kind, id, STATUS.deleting);
          void time.sleep(cloud.removeMs).then(remove);
        }),
      resources: () => perform("resources", kind.name, () => cloud.resources),
      ...(kind.hasMembers && {
        disksOf: (serverId: string) => perform("disksOf", serverId, () => cloud.disks.get(serverId) ?? []),
      }),
    };
  };
  return cloud;
}

const withoutMembers = ({ members: _, ...found }: FoundSnapshot): FoundSnapshot => found;

/** Changes one snapshot of the cloud, as a user or the service would. */
export const changeSnapshot = (cloud: MemoryCloud, kind: Kind, id: string, changes: Partial<FoundSnapshot>): void =>
  changeSnapshots(cloud, kind, (found) => (found.id === id ? { ...found, ...changes } : found));

/** Replaces each snapshot of the cloud by the result of `change`. */
export const changeSnapshots = (
  cloud: MemoryCloud,
  kind: Kind,
  change: (found: FoundSnapshot) => FoundSnapshot,
): void => void cloud.snapshots.set(kind.name, cloud.snapshotsOf(kind).map(change));
