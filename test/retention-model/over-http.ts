/** Applies the policy of a scenario over HTTP: with the function prune-snapshots, on the embedded cloud. */
import { pruneSnapshots } from "../../functions/prune-snapshots/handler.ts";
import type { EmbeddedCloud, Fault, RequestView, SeededSnapshot, SnapshotView } from "../../infra/local/cloud/index.ts";
import { type Any, START, type TestEnvironment, timerEvent } from "../support/environment.ts";
import { KIND_FACTS, KINDS, type Kind } from "../support/kinds.ts";
import type { History, Row } from "./history.ts";
import type { Scenario, ScenarioRow } from "./scenario.ts";

/** The faults of delete requests that the embedded cloud can inject, by the names that scenarios use. */
const FAULTS: Record<string, Fault> = {
  busy: {
    type: "status",
    status: 400,
    body: { error: { code: "EVS.1047", message: "snapshot status must be available" } },
  },
  throttled: { type: "throttle" },
  denied: { type: "status", status: 403 },
  unavailable: { type: "status", status: 503 },
  lost: { type: "reset", after: true },
  acknowledged: { type: "acknowledge" },
};

/** Adds the rows of a scenario to the embedded cloud, which gives the members of groups other ids. Omits rows without a resource. */
function addRows(cloud: EmbeddedCloud, rows: readonly ScenarioRow[]): void {
  for (const { kind, raw } of rows) {
    const fields: Any = raw;
    const { labelsField, seedField, idField } = KIND_FACTS[kind];
    if (!raw[idField]) continue;
    if (raw.snapshot_group_id) {
      if (cloud.snapshots("snapshot-group").some(({ id }) => id === raw.snapshot_group_id)) addMember(cloud, fields);
      continue;
    }
    const { id, name, status, description } = fields;
    cloud.addSnapshot({
      ...{ kind, id, name, status: status ?? undefined, description, volumeIds: [], [seedField]: raw[idField] },
      ...(labelsField && { [labelsField]: raw[labelsField] }),
      ...(fields.snapshot_type && { snapshotType: fields.snapshot_type }),
      ...(fields.type && { type: fields.type }),
    } as SeededSnapshot);
    cloud.setSnapshotCreatedAt(id, fields.created_at ?? fields.started ?? undefined);
  }
}

function addMember(cloud: EmbeddedCloud, { volume_id, snapshot_group_id, status, tags }: Any): void {
  if (cloud.volume(volume_id) === undefined) cloud.addVolume({ id: volume_id });
  const { id } = cloud.addMember(snapshot_group_id, volume_id);
  cloud.setSnapshotStatus(id, status ?? "available");
  cloud.setSnapshotLabels(id, tags);
}

/** Adds the snapshots of a scenario to the embedded cloud, instead of all others. The clock of the environment then shows `START`. */
export function loadScenario({ rows, start }: Scenario, { cloud, clock }: TestEnvironment): void {
  for (const { id } of cloud.snapshots()) cloud.removeSnapshot(id);
  clock.set(START);
  const shift = clock.now() - Date.parse(start);
  addRows(
    cloud,
    rows.map((row) => ({ ...row, raw: { ...row.raw, ...shiftedTimes(row.raw, shift) } })),
  );
}

/** Applies the policy of a loaded scenario once. */
export async function applyOverHttp(scenario: Scenario, environment: TestEnvironment): Promise<History> {
  const { cloud, clock } = environment;
  clock.set(START);
  const start = clock.now();
  cloud.clearFaults();
  cloud.requests.length = 0;
  for (const { id, type, times } of scenario.deleteFaults) {
    const fault = FAULTS[type];
    if (fault !== undefined) cloud.fault({ method: "DELETE", path: new RegExp(`/${id}$`), times }, fault);
  }
  const before = cloud.snapshots();
  const { records, warnings, error } = await environment.invoke(pruneSnapshots, timerEvent(scenario.policy, START));
  clock.advance(3_600_000);
  const left = new Set(cloud.snapshots().map(({ id }) => id));
  const deletes = readDeletes(cloud);
  const removedAt = ({ id, snapshot_group_id }: SnapshotView) =>
    (deletes.findLast((request) => request.id === id || request.id === snapshot_group_id)?.sentAt ?? start) +
    STEP_MS / 2;
  const rows = before.map(
    (raw): Row => ({
      kind: raw.kind,
      id: raw.id,
      versions: [
        { from: Number.NEGATIVE_INFINITY, raw: { ...raw } },
        ...(left.has(raw.id) ? [] : [{ from: removedAt(raw), raw: undefined }]),
      ],
    }),
  );
  const announced = warnings.flatMap((line) =>
    (JSON.parse(line).plan ?? []).map((deletion: Any) => deletion.snapshot_id),
  );
  const hasFailed = records.some(({ outcome }) => outcome === "failed");
  return {
    policy: scenario.policy,
    mode: "prune",
    isCalm: scenario.deleteFaults.length === 0,
    start,
    deadline: start + 900_000,
    listLagMs: 0,
    rows,
    lists: readLists(cloud),
    deletes,
    creates: [],
    announcements: [{ at: start, ids: announced }],
    records: records
      .filter(({ action }) => action === "prune")
      .map((record) => ({ ...record, at: Date.parse(record.time) + AFTER_REQUESTS_MS, id: record.snapshot_id })),
    end: error === undefined || hasFailed ? { type: "done" } : { type: "threw", message: error.message },
  };
}

/** The clock stands still while requests are sent, so each request is this much later in the history, in milliseconds. */
const STEP_MS = 0.002;
/** A time by which all requests of one moment were sent, in milliseconds. */
const AFTER_REQUESTS_MS = 0.9;

const timeOf = ({ time }: RequestView, index: number): number => time + index * STEP_MS;

/** Returns the creation times of a row, shifted by some milliseconds. Times that cannot be read remain unchanged. */
function shiftedTimes(raw: ScenarioRow["raw"], shift: number): object {
  const field = "started" in raw ? "started" : "created_at";
  const text = String(raw[field] ?? "");
  const time = /^20[12]\d-/.test(text)
    ? Date.parse(text.endsWith("Z") || text.includes("+") ? text : `${text.replace(" ", "T")}Z`)
    : NaN;
  return Number.isNaN(time) ? {} : { [field]: new Date(time + shift).toISOString().replace("Z", "") };
}

const kindOf = (operation: string | undefined, call: "list" | "delete"): Kind | undefined =>
  KINDS.find((kind) => KIND_FACTS[kind][call] === operation);

const readLists = ({ requests }: EmbeddedCloud): History["lists"] =>
  requests.flatMap((request, index): History["lists"] => {
    const { operation, status, query } = request;
    const kind = kindOf(operation, "list");
    if (kind === undefined || status !== 200) return [];
    const time = timeOf(request, index);
    const list = { kind, sentAt: time, answeredAt: time, omitted: new Set<string>() };
    const { volume_id, server_id, snapshot_group_id: group } = query;
    if (group !== undefined) return [{ ...list, kind: "snapshot-group", membersOf: String(group) }];
    const resource = volume_id ?? server_id;
    return [resource === undefined ? list : { ...list, resource: String(resource) }];
  });

const REASONS: Record<number, string> = { 403: "AccessDenied", 404: "NotFound", 429: "Throttled", 503: "CloudError" };

const readDeletes = ({ requests }: EmbeddedCloud): History["deletes"] =>
  requests.flatMap((received, index) => {
    const { operation, status, path } = received;
    const kind = kindOf(operation, "delete");
    if (kind === undefined) return [];
    const time = timeOf(received, index);
    const request = {
      kind,
      id: path.split("/").at(-1) ?? "",
      sentAt: time,
      answeredAt: received.time + AFTER_REQUESTS_MS,
    };
    if (status === undefined) return [{ ...request, reason: "Unreachable", isAmbiguous: true }];
    return [status < 300 ? request : { ...request, reason: REASONS[status] ?? "Busy", isAmbiguous: status >= 500 }];
  });
