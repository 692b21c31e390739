/** Creates rows of list responses and an in-memory source, for tests of the coverage report. */
import { SnapshotError } from "../../shared/core/errors.ts";
import { formatInstant, instant } from "../../shared/core/instant.ts";
import type { JsonObject } from "../../shared/core/json.ts";
import { type CoverageOptions, collectCoverage } from "../../shared/coverage/collect.ts";
import type { Coverage, ResourceType } from "../../shared/coverage/coverage.ts";
import type { CoverageSource, CoveredKind, ListedResource } from "../../shared/coverage/source.ts";
import { readSnapshot } from "../../shared/huaweicloud/http/read-rows.ts";
import { KINDS } from "../../shared/snapshots/kinds/kinds.generated.ts";
import { markerLabels } from "../../shared/snapshots/marker.ts";

/** The time of the reports in these tests. */
export const NOW = instant(Date.parse("2026-11-28T02:00:00Z"));

export const hoursAgo = (hours: number): string => formatInstant(instant(NOW - hours * 3_600_000));

/** A row of the list of one kind of snapshots. */
export interface Row {
  kind: CoveredKind;
  raw: JsonObject;
}

let count = 0;
const nextId = () => `s${++count}`;

/** Returns a legacy snapshot of `disk-1`, created `hours` before the report. */
export const legacy = (hours: number, changes: JsonObject = {}): Row => ({
  kind: "snapshot",
  raw: {
    id: nextId(),
    name: "by-hand",
    status: "available",
    volume_id: "disk-1",
    created_at: hoursAgo(hours),
    ...changes,
  },
});

/** Returns a standard snapshot of `disk-1`. */
export const standard = (hours: number, changes: JsonObject = {}): Row => ({
  ...legacy(hours, changes),
  kind: "standard-snapshot",
});

/** Returns a snapshot group without its members. */
export const group = (id: string, changes: JsonObject = {}): Row => ({
  kind: "snapshot-group",
  raw: { id, name: `group-${id}`, status: "available", created_at: hoursAgo(1), server_id: "server-1", ...changes },
});

/** Returns a member of the snapshot group `groupId`, for `disk-1`. */
export const member = (groupId: string, hours: number, changes: JsonObject = {}): Row =>
  standard(hours, { snapshot_group_id: groupId, ...changes });

/** Returns a snapshot of `cluster-1`. */
export const ofCluster = (hours: number, changes: JsonObject = {}): Row => ({
  kind: "cluster-snapshot",
  raw: {
    id: nextId(),
    name: "by-hand",
    status: "AVAILABLE",
    type: "MANUAL",
    cluster_id: "cluster-1",
    started: hoursAgo(hours),
    ...changes,
  },
});

/** Changes for a row: the labels of a snapshot that a policy of this project created. */
export const byPolicy = (policy: string): JsonObject => {
  const labels = markerLabels({ policy, idempotencyKey: "0".repeat(32), requestHash: "01234567" });
  return { metadata: labels, tags: labels };
};

export const disk = (id = "disk-1", changes: Partial<ListedResource> = {}): ListedResource => ({
  id,
  name: `name of ${id}`,
  sizeGb: 10,
  serverIds: [],
  tags: {},
  ...changes,
});

/** An in-memory project. */
export interface Project {
  resources: Record<ResourceType, ListedResource[]>;
  rows: Row[];
  /** The errors of lists. A list with an error still contains its first `after` rows; default 0. */
  errors?: Partial<Record<CoveredKind | ResourceType, { error: Error; after?: number }>>;
  /** The number of rows in the lists of resources that have no valid id. */
  unreadable?: number;
  /** The kinds that nothing in the deployment uses. */
  unused?: CoveredKind[];
}

/** Returns a source that lists an in-memory project, and the names of the lists that were read. */
export function createSource({ resources, rows, errors = {}, unreadable = 0, unused = [] }: Project): CoverageSource & {
  lists: string[];
} {
  const lists: string[] = [];
  async function visitAll<Item>(list: CoveredKind | ResourceType, items: readonly Item[], visit: (item: Item) => void) {
    lists.push(list);
    const failure = errors[list];
    for (const item of failure === undefined ? items : items.slice(0, failure.after ?? 0)) visit(item);
    if (failure !== undefined) throw failure.error;
  }
  return {
    lists,
    projectId: "project-1",
    async listResources(type, visit) {
      await visitAll(type, resources[type], visit);
      return unreadable;
    },
    listSnapshots: (kind, visit) =>
      visitAll(
        kind,
        rows.filter((row) => row.kind === kind).map(({ raw }) => readSnapshot(raw, KINDS[kind], true)),
        visit,
      ),
    isUnused: (kind) => unused.includes(kind),
  };
}

/** Collects the report of an in-memory project with `disk-1` and `cluster-1`, unless `project` has others. */
export function reportOf(project: Partial<Project>, options: Partial<CoverageOptions> = {}): Promise<Coverage> {
  const resources = { volume: [disk()], cluster: [disk("cluster-1")] };
  return collectCoverage(
    { now: NOW, maxAgeHours: 26, types: ["volume", "cluster"], tags: [], excludeTags: [], ...options },
    createSource({ resources, rows: [], ...project }),
  );
}

/** A project with five disks, each in another state, two clusters, and an orphaned snapshot of a disk. */
export const SAMPLE_PROJECT: Project = {
  resources: {
    volume: ["young", "old", "failing", "never", "excluded"].map((id) =>
      disk(id, { tags: id === "excluded" ? { backup: "none" } : {} }),
    ),
    cluster: [disk("cluster-1"), disk("cluster-2")],
  },
  rows: [
    legacy(2, { volume_id: "young" }),
    legacy(53, { volume_id: "old" }),
    legacy(5, { volume_id: "failing", status: "error" }),
    legacy(400, { volume_id: "gone", id: "orphan" }),
    ofCluster(2),
  ],
};
/** The options of a report that excludes the disk `excluded` of `SAMPLE_PROJECT`. */
export const EXCLUDING = { excludeTags: [{ key: "backup", value: "none" }] };

/** The states of the disks in `SAMPLE_PROJECT`. */
export const DISK_STATES = [
  "excluded excluded",
  "failing failing",
  "never unprotected",
  "old stale",
  "young protected",
];
/** The states of the clusters in `SAMPLE_PROJECT`. */
export const CLUSTER_STATES = ["cluster-1 protected", "cluster-2 unprotected"];

/** Returns a line for each resource of a report, such as `never unprotected`. */
export const statesIn = ({ resources }: Coverage): string[] => resources.map(({ id, state }) => `${id} ${state}`);

/** Returns the error of a list request without the necessary permission. */
export const denied = () => new SnapshotError("AccessDenied", "GET /list: 403. The agency lacks a permission.");

/** Returns the error of a list request that the endpoint does not offer. */
export const unsupported = () => new SnapshotError("Unsupported", "GET /list: 404 APIGW.0101.");
