/**
 * What the domain is given in its tests: a clock that moves only when everybody sleeps, chance that is chosen, and a cloud
 * that is a list of snapshots.
 */

import type { Time } from "../../shared/core/clock.ts";
import { type Reason, SnapshotError, type SnapshotErrorDetails } from "../../shared/core/errors.ts";
import { formatInstant, type Instant, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.ts";
import { type Marker, markerLabels } from "../../shared/snapshots/marker.ts";
import type { AttachedDisk, Cloud, Resource, SnapshotService } from "../../shared/snapshots/ports.ts";
import type { EndFields, ResultReporter, RunNotices, TargetFields } from "../../shared/snapshots/reporting.ts";
import type { RunContext } from "../../shared/snapshots/run-context.ts";

export const START = instant(Date.parse("2026-11-21T02:00:00Z"));
export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** More sleeps than any story has: somebody waits without end. */
const MOST_SLEEPS = 20_000;

export interface VirtualTime extends Time {
  /** How long each sleep was to last, in order. */
  slept: number[];
  /** How many are asleep. */
  asleep(): number;
  /** Seconds since the start. */
  seconds(): number;
}

export function virtualTime(random: () => number = () => 0): VirtualTime {
  let now = START;
  let moving = false;
  const sleepers: { at: number; wake: () => void }[] = [];
  const slept: number[] = [];
  // All that does not wait for the clock has happened by the time this is called.
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
        if (!(milliseconds >= 0) || slept.length > MOST_SLEEPS) {
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

/** An error of the cloud. */
export const refusal = (reason: Reason, details: SnapshotErrorDetails = {}): SnapshotError =>
  new SnapshotError(reason, `The cloud says ${reason}.`, details);

/** A create whose answer was lost: it may have been made. */
export const lost = () => refusal("Unreachable", { ambiguous: true });

export const markerOf = (key: string, changes: Partial<Marker> = {}): Marker => ({
  policy: "nightly",
  idempotencyKey: Buffer.from(key).toString("hex").padEnd(32, "0").slice(0, 32),
  requestHash: "01234567",
  ...changes,
});

/** A good snapshot that a policy made of a disk. */
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
/** What happens instead of an answer, or around it; undefined: nothing out of the ordinary. */
type Event = SnapshotError | { afterwards: SnapshotError } | (() => unknown) | undefined;

export interface MemoryCloud {
  service: Cloud;
  snapshots: Map<string, FoundSnapshot[]>;
  resources: Resource[];
  /** The disks of each server. */
  disks: Map<string, AttachedDisk[]>;
  /** `3 s create snapshot disk`: what was asked of the cloud, and when. */
  calls: string[];
  /** What was asked, without the time. */
  asked(): string[];
  /** Arranges what happens at the next calls of that name, in order; the last one again and again, where that is asked for. */
  at(call: Call, ...events: Event[]): void;
  always(call: Call, event: Event): void;
  add(kind: Kind, ...found: FoundSnapshot[]): void;
  of(kind: Kind): FoundSnapshot[];
  /** How late a list shows what was made. */
  lateMs: number;
  /** How long a create and a removal take. */
  createMs: number;
  removeMs: number;
}

/** A cloud that is a list of snapshots. What it makes is `creating` until a test says otherwise. */
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
    asked: () => cloud.calls.map((call) => call.replace(/^\S+ s /, "")),
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
          if (!cloud.of(kind).some((one) => one.id === id)) throw refusal("NotFound", { status: 404 });
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

/** What a use case works with, and what comes of it. */
export interface DomainFixture {
  time: VirtualTime;
  cloud: MemoryCloud;
  means: RunContext;
  /** What was remarked on the run, and what was announced before it was deleted. */
  remarks: string[];
  announced: string[];
  /** One for each target, in the order of their ends. */
  records: RecordOf[];
  /** `made-1 accepted: detail`, in short. */
  told(): string[];
  /** Records that were begun and not ended, or ended twice. */
  untidy(): number;
}

export function stage({ seconds = 60, random = (): number => 0, concurrency = 2 } = {}): DomainFixture {
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
  const remarks: string[] = [];
  const announced: string[] = [];
  const telling: RunNotices = {
    addNotice: (detail) => void remarks.push(detail),
    announceDeletions: (deletions) =>
      void announced.push(deletions.map(({ snapshot_id, rule }) => `${snapshot_id}: ${rule}`).join("; ")),
  };
  return {
    time,
    cloud,
    records,
    remarks,
    announced,
    means: { cloud: cloud.service, retryBudget, report, inFlight: new Map(), concurrency, ...telling },
    told: () =>
      records.map(({ resource_id, snapshot_id, outcome, rule, detail, error }) =>
        [`${snapshot_id ?? resource_id} ${outcome}`, rule, detail, error?.reason]
          .filter((part) => part !== undefined)
          .join(": "),
      ),
    untidy: () => [...open.values()].filter((ends) => ends !== 1).length,
  };
}

export const { snapshot, "standard-snapshot": standard, "snapshot-group": group, "cluster-snapshot": cluster } = KINDS;
export type { JsonObject };
