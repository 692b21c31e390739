/** Provides a virtual clock, chosen random numbers, and a cloud in memory for the tests of the domain. */

import type { Time } from "../../shared/core/clock.ts";
import { type Reason, SnapshotError, type SnapshotErrorDetails } from "../../shared/core/errors.ts";
import { formatInstant, type Instant, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { type Marker, markerLabels } from "../../shared/snapshots/marker.ts";
import type { AttachedDisk, Cloud, Resource, SnapshotService } from "../../shared/snapshots/ports.ts";
import type { EndFields, ResultReporter, RunNotices, TargetFields } from "../../shared/snapshots/reporting.ts";
import type { RunContext } from "../../shared/snapshots/run-context.ts";

export const START = instant(Date.parse("2026-11-21T02:00:00Z"));
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** No scenario has more sleeps. A test with more of them waits forever. */
const MAX_SLEEPS = 20_000;

/** A clock that advances to the next timer when all code waits for a timer. */
export interface VirtualTime extends Time {
  /** The requested duration of each sleep in milliseconds, in order. */
  slept: number[];
  /** Returns the number of pending sleeps. */
  asleep(): number;
  /** Returns the seconds since the start of the test. */
  seconds(): number;
}

/** Creates a virtual clock that starts at `START`. */
export function virtualTime(random: () => number = () => 0): VirtualTime {
  let now = START;
  let moving = false;
  const sleepers: { at: number; wake: () => void }[] = [];
  const slept: number[] = [];
  // `setImmediate` calls this after all code that does not wait for the clock has run.
  const move = () => {
    sleepers.sort((a, b) => a.at - b.at);
    const first = sleepers.shift();
    moving = first !== undefined;
    if (first === undefined) return;
    now = instant(Math.max(now, first.at));
    first.wake();
    setImmediate(move);
  };
  return {
    slept,
    asleep: () => sleepers.length,
    now: () => now,
    seconds: () => (now - START) / 1000,
    random,
    sleep: (milliseconds, work) =>
      new Promise((resolve, reject) => {
        slept.push(milliseconds);
        if (!(milliseconds >= 0) || slept.length > MAX_SLEEPS) {
          reject(new Error(`The ${slept.length}th sleep, of ${milliseconds} ms.`));
          return;
        }
        const sleeper = { at: now + milliseconds, wake: resolve };
        sleepers.push(sleeper);
        const wake = () => {
          sleepers.splice(0, sleepers.length, ...sleepers.filter((one) => one !== sleeper));
          resolve();
        };
        work?.then(wake, wake);
        if (!moving) setImmediate(move);
        moving = true;
      }),
  };
}

/** Returns an error of the cloud. */
export const cloudError = (reason: Reason, details: SnapshotErrorDetails = {}): SnapshotError =>
  new SnapshotError(reason, `The cloud says ${reason}.`, details);

/** Returns the error for a lost response to a create: the cloud may have created the snapshot. */
export const lostResponse = () => cloudError("Unreachable", { ambiguous: true });

/** Returns a marker with an idempotency key derived from `key`. */
export const markerOf = (key: string, changes: Partial<Marker> = {}): Marker => ({
  policy: "nightly",
  idempotencyKey: Buffer.from(key).toString("hex").padEnd(32, "0").slice(0, 32),
  requestHash: "01234567",
  ...changes,
});

/** Returns an available snapshot of a disk that a policy created. */
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
    raw: {},
    ...changes,
  };
}

export const FAILED: Partial<FoundSnapshot> = { status: "error", state: "failed" };
export const CREATING: Partial<FoundSnapshot> = { status: "creating", state: "creating" };
export const DELETING: Partial<FoundSnapshot> = { status: "deleting", state: "deleting" };
export const STUCK_DELETING: Partial<FoundSnapshot> = { status: "error_deleting", state: "deleting" };
export const UNKNOWN: Partial<FoundSnapshot> = { status: "rollbacking", state: "unknown" };

type Call = "create" | "listFor" | "listAll" | "remove" | "resources" | "disksOf";
/** An error instead of the response, an error after the cloud has acted, or a function to call first. Undefined: a normal call. */
type Event = SnapshotError | { afterwards: SnapshotError } | (() => unknown) | undefined;

/** A cloud in memory. */
export interface MemoryCloud {
  service: Cloud;
  snapshots: Map<string, FoundSnapshot[]>;
  resources: Resource[];
  /** The disks of each server. */
  disks: Map<string, AttachedDisk[]>;
  /** The requests with their times, such as `3 s create snapshot disk`. */
  calls: string[];
  /** Returns the requests without their times. */
  requests(): string[];
  /** Sets the events of the next calls of an operation, in order. */
  at(call: Call, ...events: Event[]): void;
  /** Sets the event of all other calls of an operation. */
  always(call: Call, event: Event): void;
  add(kind: Kind, ...found: FoundSnapshot[]): void;
  of(kind: Kind): FoundSnapshot[];
  /** The milliseconds after which a list shows a new snapshot. */
  lateMs: number;
  /** The duration of a create and of a deletion in milliseconds. */
  createMs: number;
  removeMs: number;
}

/** Creates a cloud in memory. New snapshots remain in the status `creating` until a test changes it. */
export function memoryCloud(time: Time): MemoryCloud {
  const events = new Map<Call, Event[]>();
  const constant = new Map<Call, Event>();
  const born = new Map<string, Instant>();
  let count = 0;
  const cloud: MemoryCloud = {
    snapshots: new Map(),
    resources: [],
    disks: new Map(),
    calls: [],
    lateMs: 0,
    createMs: 0,
    removeMs: 0,
    requests: () => cloud.calls.map((call) => call.replace(/^\S+ s /, "")),
    at: (call, ...next) => void events.set(call, [...(events.get(call) ?? []), ...next]),
    always: (call, event) => void constant.set(call, event),
    add: (kind, ...found) => void cloud.snapshots.set(kind.name, [...cloud.of(kind), ...found]),
    of: (kind) => cloud.snapshots.get(kind.name) ?? [],
    service: (kind) => serviceOf(kind),
  };

  async function happens<T>(call: Call, about: string, work: () => T | Promise<T>): Promise<T> {
    cloud.calls.push(`${(time.now() - START) / 1000} s ${call} ${about}`);
    const planned = events.get(call);
    const event = planned && planned.length > 0 ? planned.shift() : constant.get(call);
    if (event instanceof SnapshotError) throw event;
    if (typeof event === "function") await event();
    const value = await work();
    if (typeof event === "object") throw event.afterwards;
    return value;
  }

  const serviceOf = (kind: Kind): SnapshotService => {
    const shown = () =>
      cloud.of(kind).filter(({ id }) => time.now() - (born.get(id) ?? Number.NEGATIVE_INFINITY) >= cloud.lateMs);
    return {
      create: (options) =>
        happens("create", `${kind.name} ${kind.resourceOf(options)}`, async () => {
          const id = `made-${++count}`;
          const at = formatInstant(time.now());
          const made = kind.read({ ...options, id, status: "creating", created_at: at, started: at }) as FoundSnapshot;
          born.set(id, time.now());
          cloud.add(kind, made);
          if (cloud.createMs > 0) await time.sleep(cloud.createMs);
          return { snapshotId: id, jobId: `job-${id}`, status: kind.acceptedStatus, body: `{"id":"${id}"}` };
        }),
      listFor: (options) =>
        happens("listFor", `${kind.name} ${kind.resourceOf(options)}`, () =>
          shown().filter(
            ({ resource }) => kind.uniqueNames || resource === undefined || resource === kind.resourceOf(options),
          ),
        ),
      listAll: async (visit) => (await happens("listAll", kind.name, shown)).forEach(visit),
      remove: (id) =>
        happens("remove", `${kind.name} ${id}`, async () => {
          if (!cloud.of(kind).some((one) => one.id === id)) throw cloudError("NotFound", { status: 404 });
          const gone = () =>
            void cloud.snapshots.set(
              kind.name,
              cloud.of(kind).filter((one) => one.id !== id),
            );
          if (cloud.removeMs === 0) return gone();
          const going = cloud.of(kind).map((one) => (one.id === id ? { ...one, ...DELETING } : one));
          cloud.snapshots.set(kind.name, going);
          void time.sleep(cloud.removeMs).then(gone);
        }),
      resources: () => happens("resources", kind.name, () => cloud.resources),
      ...(kind.hasMembers && {
        disksOf: (serverId: string) => happens("disksOf", serverId, () => cloud.disks.get(serverId) ?? []),
      }),
    };
  };
  return cloud;
}

export type RecordOf = TargetFields & EndFields;

/** The run context of a use case, and everything that the use case reports. */
export interface DomainFixture {
  time: VirtualTime;
  cloud: MemoryCloud;
  runContext: RunContext;
  /** The notices on the run, and the deletions that were announced. */
  notices: string[];
  announced: string[];
  /** The completed records, in the order of their completion. */
  records: RecordOf[];
  /** Returns the records in short, such as `made-1 accepted: detail`. */
  outcomes(): string[];
  /** Returns the number of records that were not completed exactly once. */
  unbalancedRecords(): number;
}

/** Creates a cloud, a clock and a run context. The deadline is `seconds` after the start. */
export function createFixture({ seconds = 60, random = (): number => 0, concurrency = 2 } = {}): DomainFixture {
  const time = virtualTime(random);
  const cloud = memoryCloud(time);
  const records: RecordOf[] = [];
  const open = new Map<object, number>();
  const report: ResultReporter = (target) => {
    open.set(target, 0);
    return (end) => {
      open.set(target, (open.get(target) ?? 0) + 1);
      const given = Object.entries({ ...target, ...end }).filter(([, value]) => value !== undefined);
      records.push(Object.fromEntries(given) as unknown as RecordOf);
    };
  };
  const retryBudget = { time, deadline: instant(START + seconds * 1000) };
  const notices: string[] = [];
  const announced: string[] = [];
  const runNotices: RunNotices = {
    addNotice: (detail) => void notices.push(detail),
    announceDeletions: (deletions) =>
      void announced.push(deletions.map(({ snapshot_id, rule }) => `${snapshot_id}: ${rule}`).join("; ")),
  };
  return {
    time,
    cloud,
    records,
    notices,
    announced,
    runContext: { cloud: cloud.service, retryBudget, report, inFlight: new Map(), concurrency, ...runNotices },
    outcomes: () =>
      records.map(({ resource_id, snapshot_id, outcome, rule, detail, error }) =>
        [`${snapshot_id ?? resource_id} ${outcome}`, rule, detail, error?.reason]
          .filter((part) => part !== undefined)
          .join(": "),
      ),
    unbalancedRecords: () => [...open.values()].filter((ends) => ends !== 1).length,
  };
}

export const { snapshot, "standard-snapshot": standard, "snapshot-group": group, "cluster-snapshot": cluster } = KINDS;
export type { JsonObject };
