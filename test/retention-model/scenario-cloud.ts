/** The cloud of the retention model. It executes the requests of one run, and writes down every version of every row. */
import { type Reason, SnapshotError, type SnapshotErrorDetails } from "../../shared/core/errors.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import type { FoundSnapshot, Kind } from "../../shared/snapshots/kinds/kind.ts";
import { addMembers } from "../../shared/snapshots/kinds/snapshot-group.ts";
import { standardSnapshotKind } from "../../shared/snapshots/kinds/standard-snapshot.ts";
import type { SnapshotService } from "../../shared/snapshots/ports.ts";
import type { Simulation } from "../model/simulation.ts";
import type { ChangeRequest, History, ListRequest, Row } from "./history.ts";
import { type Change, type DeleteFault, type ListFault, MAX_PER_DISK, type Scenario } from "./scenario.ts";

/** How long a run waits for a response, in milliseconds. */
const TIMEOUT_MS = 30_000;
/** The maximum time after which the cloud still executes a delete request, in milliseconds. */
const MAX_LATE_MS = 45_000;

const cloudError = (reason: Reason, details: SnapshotErrorDetails = {}) =>
  new SnapshotError(reason, `The cloud rejected the request with ${reason}.`, { status: 400, ...details });

/** For each fault with which the service rejects a delete request and deletes nothing: the error that the client throws. */
const REJECTIONS: Record<string, () => SnapshotError> = {
  busy: () => cloudError("Busy", { status: 409 }),
  throttled: () => cloudError("Throttled", { status: 429, retryAfterMs: 1_000 }),
  denied: () => cloudError("AccessDenied", { status: 403 }),
  unavailable: () => cloudError("CloudError", { status: 503, ambiguous: true }),
  notFound: () => cloudError("NotFound", { status: 404 }),
};

/** The part of a history that the cloud writes. */
export type CloudHistory = Pick<History, "rows" | "lists" | "deletes" | "creates">;

export interface ScenarioCloud extends CloudHistory {
  serviceFor(kind: Kind): SnapshotService;
}

/** Creates the cloud of a scenario. No request is answered with success after `deadline`. */
export function createScenarioCloud(
  scenario: Scenario,
  simulation: Simulation,
  random: () => number,
  deadline: number,
): ScenarioCloud {
  const { changes, listFaults, listMs, listLagMs } = scenario;
  const rows = new Map<string, Row>();
  for (const { kind, raw, isAbsent } of scenario.rows)
    rows.set(raw.id, { kind, id: raw.id, versions: [{ from: -Infinity, raw: isAbsent ? undefined : raw }] });
  const history: CloudHistory = { rows: [...rows.values()], lists: [], deletes: [], creates: [] };
  const { lists, deletes, creates } = history;
  const deleteTries = new Map<string, number>();
  const answered = { list: 0, delete: 0 };

  const current = (id: string | undefined) => rows.get(id ?? "")?.versions.at(-1)?.raw;
  const setRow = (id: string, raw: JsonObject | undefined) => {
    const versions = rows.get(id)?.versions;
    if (versions?.at(-1)?.from === simulation.now()) versions.pop();
    versions?.push({ from: simulation.now(), raw });
  };
  const applyChange = ({ id, set }: Change) => {
    const added = scenario.rows.find(({ raw, isAbsent }) => raw.id === id && isAbsent)?.raw;
    if (set === undefined) setRow(id, undefined);
    else if (current(id) !== undefined || added !== undefined) setRow(id, { ...added, ...current(id), ...set });
  };
  const countAnswer = (type: "list" | "delete") => {
    answered[type] += 1;
    for (const change of changes) if (change.after === type && change.count === answered[type]) applyChange(change);
  };
  for (const change of changes)
    if (change.after === "ms") void simulation.sleep(change.count).then(() => applyChange(change));

  /** Sleeps for the duration of a call. Throws DeadlineExceeded if the call would end after the deadline. */
  const sleepBefore = async (milliseconds: number) => {
    const remaining = deadline - simulation.now();
    await simulation.sleep(Math.max(0, Math.min(milliseconds, remaining)));
    if (milliseconds > remaining) throw cloudError("DeadlineExceeded", { status: undefined, ambiguous: true });
  };

  /** Returns the rows of a kind that exist at a time, with the members of groups, as the clients return them. */
  const rowsAt = (kind: Kind, time: number, omitted: ReadonlySet<string>): FoundSnapshot[] => {
    const rawRows = (name: string) =>
      history.rows.flatMap((row) => {
        const raw = row.kind === name && row.versions.findLast(({ from }) => from <= time)?.raw;
        return raw && !omitted.has(row.id) ? [raw] : [];
      });
    const found = rawRows(kind.name).map((raw) => readRow(kind, raw));
    if (!kind.hasMembers) return found;
    const members = rawRows("standard-snapshot").map((raw) => readRow(standardSnapshotKind, raw));
    return found.map((group) =>
      addMembers(
        group,
        members.filter(({ raw }) => raw.snapshot_group_id === group.id),
      ),
    );
  };

  const list = async (
    kind: Kind,
    filter: Pick<ListRequest, "resource" | "membersOf"> = {},
  ): Promise<FoundSnapshot[]> => {
    answered.list += 1;
    const nth = answered.list;
    const fault: ListFault | undefined = listFaults.find((one) => one.nth === nth);
    const sentAt = simulation.now();
    const readAfter = random() * listMs;
    await sleepBefore(readAfter);
    const omitted = new Set(fault?.type === "omits" ? fault.ids : []);
    const found = rowsAt(kind, simulation.now() - random() * listLagMs, omitted);
    for (const change of changes) if (change.after === "list" && change.count === nth) applyChange(change);
    await sleepBefore(listMs - readAfter);
    if (fault?.type === "throttled") throw cloudError("Throttled", { status: 429, retryAfterMs: 1_000 });
    if (fault?.type === "unreachable") throw cloudError("Unreachable", { status: undefined });
    if (fault?.type === "unsupported") throw cloudError("Unsupported", { status: 404 });
    lists.push({ kind: kind.name, ...filter, sentAt, answeredAt: simulation.now(), omitted });
    const { resource, membersOf } = filter;
    if (membersOf !== undefined) return [...(found.find(({ id }) => id === membersOf)?.members ?? [])];
    return found.filter((snapshot) => resource === undefined || snapshot.resource === resource.toLowerCase());
  };

  /** Deletes a snapshot as EVS and DWS do: EVS sets the status `deleting` first. */
  const execute = (kind: Kind, id: string, ending?: string) => {
    const raw = current(id);
    if (raw === undefined) throw cloudError("NotFound", { status: 404 });
    if (!/^(avaialble|available|error|unavailable)$/i.test(String(raw.status)))
      throw cloudError("Busy", { status: 400 });
    const members = kind.hasMembers && scenario.removesMembers ? membersOf(id) : [];
    const isImmediate = kind.uniqueNames || scenario.removalMs === 0;
    const end = () => {
      for (const one of [id, ...members]) {
        const left = current(one);
        if (left !== undefined) setRow(one, ending === undefined ? undefined : { ...left, status: ending });
      }
    };
    if (isImmediate) return end();
    setRow(id, { ...raw, status: "deleting" });
    void simulation.sleep(scenario.removalMs).then(end);
  };
  const membersOf = (groupId: string) =>
    history.rows.map(({ id }) => id).filter((id) => current(id)?.snapshot_group_id === groupId);

  const faultOf = (id: string): DeleteFault | undefined => {
    const tries = (deleteTries.get(id) ?? 0) + 1;
    deleteTries.set(id, tries);
    return scenario.deleteFaults.find((fault) => fault.id === id && tries <= fault.times);
  };

  const remove = async (kind: Kind, id: string): Promise<void> => {
    const fault = faultOf(id);
    const rejection = REJECTIONS[fault?.type ?? ""];
    if (fault?.type === "late") {
      const executeLate = () => current(id) !== undefined && execute(kind, id);
      void simulation
        .sleep(random() * MAX_LATE_MS)
        .then(executeLate)
        .catch(() => {});
    }
    if (fault?.type === "late" || fault?.type === "hangs") {
      await sleepBefore(TIMEOUT_MS);
      throw cloudError("Unreachable", { status: undefined, ambiguous: true });
    }
    const executeAfter = random() * scenario.deleteMs;
    await sleepBefore(executeAfter);
    if (rejection !== undefined) throw rejection();
    if (fault?.type === "other") {
      if (current(fault.other) !== undefined) setRow(String(fault.other), undefined);
    } else if (fault?.type !== "acknowledged") {
      execute(kind, id, fault?.type === "endsInError" ? "error_deleting" : undefined);
    }
    await sleepBefore(scenario.deleteMs - executeAfter);
    if (fault?.type === "lost") throw cloudError("CloudError", { status: 504, ambiguous: true });
  };

  const create = async (kind: Kind, options: JsonObject): Promise<string> => {
    const resource = kind.resourceOf(options);
    await sleepBefore(scenario.deleteMs);
    if (scenario.creates === "unsupported") throw cloudError("Unsupported");
    const ofDisk = rowsAt(kind, simulation.now(), new Set()).filter((found) => found.resource === resource);
    // Snapshots that backups created do not count (SOURCES.md#evs-legacy-per-disk-limit).
    const counted = ofDisk.filter(({ name }) => !/^(auto|manual)bk_snapshot_/i.test(name));
    if (counted.length >= MAX_PER_DISK) throw cloudError("QuotaExceeded", { status: 413 });
    const id = `created-${creates.length}`;
    const raw = { ...options, id, status: "available", created_at: new Date(simulation.now()).toISOString() };
    const row = {
      kind: kind.name,
      id,
      versions: [
        { from: -Infinity, raw: undefined },
        { from: simulation.now(), raw },
      ],
    };
    rows.set(id, row);
    history.rows.push(row);
    return id;
  };

  /** Executes a request that changes the cloud, and adds it to the history. */
  const track = async <T>(requests: ChangeRequest[], kind: Kind, id: string, work: () => Promise<T>): Promise<T> => {
    const request: ChangeRequest = { kind: kind.name, id, sentAt: simulation.now(), answeredAt: Infinity };
    requests.push(request);
    try {
      return await work();
    } catch (thrown) {
      const { reason, ambiguous } = thrown as SnapshotError;
      Object.assign(request, { reason, isAmbiguous: ambiguous || reason === "DeadlineExceeded" });
      throw thrown;
    } finally {
      request.answeredAt = simulation.now();
      if (requests === deletes) countAnswer("delete");
    }
  };

  return {
    ...history,
    serviceFor: (kind) => ({
      async create(options, beforeSend) {
        await beforeSend?.();
        const id = await track(creates, kind, "", () => create(kind, options));
        return { snapshotId: id, status: kind.acceptedStatus, body: "{}" };
      },
      listFor: (options) => list(kind, { resource: filterOf(kind, options) }),
      listAll: async (visit) => (await list(kind)).forEach(visit),
      ...(kind.hasMembers && { membersOf: (id: string) => list(kind, { membersOf: id }) }),
      remove: (id) => track(deletes, kind, id, () => remove(kind, id)),
      resources: () => Promise.reject(new Error("The retention model selects no resources.")),
    }),
  };
}

const readRows = new WeakMap<JsonObject, FoundSnapshot>();

/** Reads a row as the clients do: a row without a status has an unknown status. Remembers rows, because this saves time. */
function readRow(kind: Kind, raw: JsonObject): FoundSnapshot {
  const readable = raw.status ? raw : { ...raw, status: "unreadable" };
  const found = readRows.get(raw) ?? (kind.read(readable) as FoundSnapshot);
  readRows.set(raw, found);
  return found;
}

/** Returns the resource to which the response of `listFor` is limited. Undefined: the response contains all resources. */
function filterOf(kind: Kind, options: JsonObject): string | undefined {
  const id = kind.uniqueNames ? undefined : (options.volume_id ?? options.server_id);
  return typeof id === "string" ? id : undefined;
}
