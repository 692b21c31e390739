/** The cloud of the model. It shares no state with the processes and remembers everything that the judge needs. */
import { type Reason, SnapshotError, type SnapshotErrorDetails } from "../../shared/core/errors.ts";
import { formatInstant, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import type { RateLimiter } from "../../shared/huaweicloud/http/rate-limiter.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import type { SnapshotService } from "../../shared/snapshots/ports.ts";
import type { CreateFault, Scenario } from "./scenario.ts";
import { NEVER, type SimulatedProcess, type Simulation } from "./simulation.ts";

/** A snapshot that a process created. */
export interface CreatedRow {
  found: FoundSnapshot;
  resource: string;
  process: number;
  /** When the process sent the create request. */
  sentAt: number;
  committedAt: number;
  /** When list responses start to show the snapshot. */
  visibleAt: number;
}

/** A list request of a process that was answered. */
export interface ListRequest {
  process: number;
  sentAt: number;
  answeredAt: number;
  /** Undefined if the list contains the snapshots of all resources. */
  resource?: string;
  /** The resources of which the response showed a live snapshot of the run. */
  shown: Set<string>;
}

export interface ModelCloud {
  rows: CreatedRow[];
  lists: ListRequest[];
  createRequests(): number;
  /** Returns the client of a process. No create request is in progress after `deadline`, in the time of the cloud. */
  serviceFor(
    kind: Kind,
    number: number,
    process: SimulatedProcess,
    limiter: RateLimiter,
    deadline: number,
  ): SnapshotService;
}

/** How long a process waits for the response to a create request, in milliseconds. */
const CREATE_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 10_000;
/** The time before the deadline in which no create request is in progress, in milliseconds. */
const LIST_RESERVE_MS = 1_500;
/** The maximum time after which the cloud still executes a create request, in milliseconds. */
const MAX_LATE_MS = 45_000;

const cloudError = (reason: Reason, details: SnapshotErrorDetails = {}) =>
  new SnapshotError(reason, `The cloud rejected the request with ${reason}.`, { status: 400, ...details });

/** Creates the cloud of a scenario. */
export function createModelCloud(
  scenario: Scenario,
  simulation: Simulation,
  random: () => number,
  countCall: (process: number) => Promise<void>,
): ModelCloud {
  const rows: CreatedRow[] = [];
  const lists: ListRequest[] = [];
  const names = new Set<string>();
  const recentCreates: number[] = [];
  const others = createOthers(scenario, simulation.now());
  let requests = 0;

  const isThrottled = () => {
    const { createsPerSecond } = scenario;
    if (createsPerSecond === 0) return false;
    while (recentCreates.length > 0 && (recentCreates[0] as number) <= simulation.now() - 1_000) recentCreates.shift();
    recentCreates.push(simulation.now());
    return recentCreates.length > createsPerSecond;
  };

  const commit = (kind: Kind, options: JsonObject, process: number, sentAt: number): CreatedRow => {
    const committedAt = simulation.now();
    const at = formatInstant(instant(committedAt));
    const id = `${String(rows.length + 1).padStart(8, "0")}-0000-4000-8000-000000000000`;
    const found = kind.read({ ...options, id, status: "available", created_at: at, started: at }) as FoundSnapshot;
    const row = {
      found,
      resource: kind.resourceOf(options),
      process,
      sentAt,
      committedAt,
      visibleAt: committedAt + random() * scenario.listLagMs,
    };
    names.add(found.name.toLowerCase());
    rows.push(row);
    return row;
  };

  const listed = (resource?: string): FoundSnapshot[] => {
    const now = simulation.now();
    const visible = rows.filter((row) => row.visibleAt <= now && (resource === undefined || row.resource === resource));
    const found = [...(resource === undefined ? others : []), ...visible.map((row) => row.found)];
    if (scenario.order === "newest") return found.reverse();
    return scenario.order === "oldest"
      ? found
      : found
          .map((row) => [random(), row] as const)
          .sort(([a], [b]) => a - b)
          .map(([, row]) => row);
  };

  return {
    rows,
    lists,
    createRequests: () => requests,
    serviceFor(kind, number, process, limiter, deadline) {
      /** Sends a list request. Its response shows the cloud at a random moment between the request and the response. */
      const list = async (resource?: string): Promise<FoundSnapshot[]> => {
        await countCall(number);
        const sentAt = simulation.now();
        if (sentAt + scenario.listMs > deadline) {
          await simulation.sleep(Math.max(0, deadline - sentAt));
          throw cloudError("DeadlineExceeded", { status: undefined });
        }
        const readAfter = random() * scenario.listMs;
        await simulation.sleep(readAfter);
        const found = listed(resource);
        await simulation.sleep(scenario.listMs - readAfter);
        if (process.isKilled()) return NEVER;
        if (scenario.faults.includes("refused") && random() < scenario.faultRate / 2)
          throw cloudError("Throttled", { status: 429, retryAfterMs: 1_000 });
        const shown = new Set(found.filter(({ marker }) => marker).map((snapshot) => String(snapshot.resource)));
        lists.push({ process: number, sentAt, answeredAt: simulation.now(), resource, shown });
        return found;
      };
      return {
        async create(options, beforeSend) {
          const limit = deadline - LIST_RESERVE_MS;
          const skew = process.time.now() - simulation.now();
          await limiter.acquire("create", instant(limit + skew));
          await beforeSend?.();
          await countCall(number);
          const remaining = limit - simulation.now();
          if (remaining <= 0) throw cloudError("DeadlineExceeded", { status: undefined, requestSent: false });
          const timeoutMs = Math.min(CREATE_TIMEOUT_MS, remaining);
          requests += 1;
          const sentAt = simulation.now();
          const resource = kind.resourceOf(options);
          const fault = pickFault(scenario, resource, random);
          if (fault === "unconnected") {
            await simulation.sleep(Math.min(CONNECT_TIMEOUT_MS, timeoutMs));
            throw cloudError("Unreachable", { status: undefined, requestSent: false });
          }
          if (fault === "late") {
            void simulation.sleep(random() * MAX_LATE_MS).then(() => commit(kind, options, number, sentAt));
            await simulation.sleep(timeoutMs);
            if (process.isKilled()) return NEVER;
            throw cloudError("Unreachable", { status: undefined, ambiguous: true });
          }
          const commitAfter = random() * scenario.createMs;
          await simulation.sleep(commitAfter);
          if (isThrottled()) {
            limiter.onThrottled("create", `limit:${scenario.createsPerSecond},time:1 second`);
            throw cloudError("Throttled", { status: 429, retryAfterMs: 1_000 });
          }
          if (fault === "busy") throw cloudError("Busy");
          if (fault === "refused") throw cloudError("QuotaExceeded", { status: 413 });
          if (kind.uniqueNames && names.has(String(options.name).toLowerCase())) throw cloudError("InvalidRequest");
          const { found } = commit(kind, options, number, sentAt);
          await simulation.sleep(scenario.createMs - commitAfter);
          if (process.isKilled()) return NEVER;
          limiter.onSuccess("create");
          if (fault === "lost") throw cloudError("CloudError", { status: 504, ambiguous: true });
          return { snapshotId: found.id, status: kind.acceptedStatus, body: "{}" };
        },
        listFor: (options) => list(kind.uniqueNames ? undefined : kind.resourceOf(options)),
        listAll: async (visit) => (await list()).forEach(visit),
        ...(kind.uniqueNames
          ? {}
          : {
              async listNewest(visit: (found: FoundSnapshot) => boolean) {
                const found = await list();
                for (let from = 0; from < found.length; from += 200) {
                  let isKnown = false;
                  for (const snapshot of found.slice(from, from + 200)) isKnown = visit(snapshot) || isKnown;
                  if (isKnown) return true;
                }
                return false;
              },
            }),
        remove: () => Promise.reject(new Error("The model deletes no snapshots.")),
        resources: () => Promise.reject(new Error("The model selects targets by id.")),
      };
    },
  };
}

/** Returns what goes wrong with a create request for a resource. */
function pickFault({ busyTargets, faultRate, faults }: Scenario, resource: string, random: () => number): CreateFault {
  if (Number(resource.slice(-4)) < busyTargets) return "busy";
  if (random() >= faultRate || faults.length === 0) return "none";
  return faults[Math.floor(random() * faults.length)] as CreateFault;
}

/** Returns snapshots that other programs created before the run, oldest first. */
const createOthers = ({ otherSnapshots }: Scenario, now: number): FoundSnapshot[] =>
  Array.from({ length: otherSnapshots }, (_, index) => ({
    id: `other-${index}`,
    name: `other-${index}`,
    resource: `other-disk-${index}`,
    status: "available",
    state: "available",
    created: instant(now - (otherSnapshots - index) * 60_000),
    labels: {},
    raw: {},
  }));
