import { isObject, type JsonObject, readStringField } from "../core/json.ts";
import { type RetryBudget, retryRead } from "../core/retry.ts";
import type { ResourceType } from "../coverage/coverage.ts";
import type { CoverageSource, CoveredKind, ListedResource } from "../coverage/source.ts";
import type { DeployedPolicies } from "../snapshots/deployed-policies.ts";
import { readClusterSnapshot } from "../snapshots/kinds/cluster-snapshot.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { readLegacySnapshot } from "../snapshots/kinds/snapshot.ts";
import { readSnapshotGroup } from "../snapshots/kinds/snapshot-group.ts";
import { readStandardSnapshot } from "../snapshots/kinds/standard-snapshot.ts";
import { visitDwsRows } from "./dws.ts";
import { requestSnapshotPages } from "./evs-v2.ts";
import { requestV5Pages } from "./evs-v5.ts";
import { requestVolumePages } from "./evs-volumes.ts";
import { PageTooLarge } from "./http/api-response.ts";
import { isId } from "./http/ids.ts";
import { incompleteListError, type Page, type RequestPage, visitAllRows } from "./http/pagination.ts";
import { readResource, readSnapshot } from "./http/read-rows.ts";
import type { Connection } from "./http/sdk-client.ts";

/** The functions that read a row of each list of snapshots. The bundle does not need the other parts of the kinds. */
const READERS = {
  snapshot: readLegacySnapshot,
  "standard-snapshot": readStandardSnapshot,
  "snapshot-group": readSnapshotGroup,
  "cluster-snapshot": readClusterSnapshot,
};

type Visit<Item> = (item: Item) => void;

/**
 * Returns the lists of disks, clusters and snapshots for a coverage report. Each list is read once, unless its count changes, and
 * rows are not kept in memory. A failed page request is repeated.
 *
 * @param deployed the deployed policies, or undefined if they are unknown
 */
export function createCoverageSource(
  connection: Connection,
  { retryBudget, deployed }: { retryBudget: RetryBudget; deployed: DeployedPolicies },
): CoverageSource {
  const pages = (requestPage: RequestPage) => (visit: Visit<JsonObject>) =>
    visitPages(retryPages(requestPage, retryBudget), visit);
  const clusterRows = (rowsOf: "clusters" | "snapshots") => (visit: Visit<JsonObject>) => {
    const visitRow = visitRowsWithoutIdOnce(visit);
    return retryRead(() => visitDwsRows(connection, rowsOf, visitRow), retryBudget);
  };
  const rowsOf: Record<CoveredKind | ResourceType, (visit: Visit<JsonObject>) => Promise<void>> = {
    volume: pages(requestVolumePages(connection)),
    cluster: clusterRows("clusters"),
    snapshot: pages(requestSnapshotPages(connection)),
    "standard-snapshot": pages(requestV5Pages(connection, "snapshots")),
    "snapshot-group": pages(requestV5Pages(connection, "snapshot_groups")),
    "cluster-snapshot": clusterRows("snapshots"),
  };
  return {
    projectId: connection.projectId,
    async listResources(type, visit) {
      let unreadable = 0;
      await rowsOf[type]((row) => {
        const resource = readListedResource(row);
        if (resource === undefined) unreadable += 1;
        else visit(resource);
      });
      return unreadable;
    },
    listSnapshots: (kind, visit) =>
      rowsOf[kind]((row) => visit(withValidResource(readSnapshot(row, { name: kind, read: READERS[kind] }, true)))),
    isUnused: (kind) => deployed !== undefined && ![...deployed.values()].some(({ kinds }) => kinds.includes(kind)),
  };
}

/** Returns a snapshot whose field `resource` is a valid id or undefined. */
function withValidResource(found: FoundSnapshot): FoundSnapshot {
  const resource = found.resource?.trim() ?? "";
  return { ...found, resource: isId(resource) ? resource : undefined };
}

/** Returns undefined if the row has no valid id. */
function readListedResource(row: JsonObject): ListedResource | undefined {
  const id = readStringField(row, "id");
  if (id === undefined || !isId(id)) return undefined;
  const attachments = Array.isArray(row.attachments) ? row.attachments.filter(isObject) : [];
  return {
    ...readResource(row, "resources"),
    hasOtherTags: !areTagsReadable(row.tags),
    name: readStringField(row, "name") ?? "",
    ...(typeof row.size === "number" && { sizeGb: row.size }),
    serverIds: attachments.flatMap((attachment) => readStringField(attachment, "server_id") ?? []).filter(isId),
  };
}

/** Returns whether tags have one of the formats that `toStringMap` reads. A resource without tags has an empty array or object. */
const areTagsReadable = (tags: unknown): boolean =>
  Array.isArray(tags)
    ? tags.every((tag) => typeof tag === "string" || (isObject(tag) && [tag.key, tag.value].every(isText)))
    : isObject(tags) && Object.values(tags).every((value) => typeof value !== "object");

const isText = (value: unknown): boolean => typeof value === "string";

/** How often a list is read if its count changes while it is read. */
const MAX_READINGS = 2;

/**
 * Returns a function that passes on each row with a valid id, because the status of a row can change before it is listed again.
 * Passes on every other row once.
 */
function visitRowsWithoutIdOnce(visit: Visit<JsonObject>): Visit<JsonObject> {
  const visited = new Set<string>();
  return (row) => {
    if (!isId(readStringField(row, "id") ?? "")) {
      const content = JSON.stringify(row);
      if (visited.has(content)) return;
      visited.add(content);
    }
    visit(row);
  };
}

/**
 * Reads a list with pages, and visits the rows of each page.
 *
 * If the count of rows changes between two pages, `visitAllRows` accepts a list that lacks a few rows. A report must not lack any
 * row, so this function reads such a list again, unless it contains as many rows as one of the counts.
 *
 * @throws SnapshotError BadResponse if the list lacks rows again
 */
async function visitPages(requestPage: RequestPage, visit: Visit<JsonObject>): Promise<void> {
  const visitRow = visitRowsWithoutIdOnce(visit);
  for (let reading = 1; ; reading += 1) {
    let rows = 0;
    let least = Number.POSITIVE_INFINITY;
    const requestCounted: RequestPage = async (offset, limit) => {
      const page = await requestPage(offset, limit);
      page.rows.forEach(visitRow);
      const total = Number(page.total);
      if (total > 0) least = Math.min(least, total);
      return page;
    };
    await visitAllRows(requestCounted, () => {
      rows += 1;
    });
    if (rows >= least || least === Number.POSITIVE_INFINITY) return;
    if (reading === MAX_READINGS) throw incompleteListError(rows, `the service counts ${least}`);
  }
}

/** Repeats a page request that fails. A page that does not fit into memory is not repeated, because `visitAllRows` halves it. */
const retryPages =
  (requestPage: RequestPage, retryBudget: RetryBudget): RequestPage =>
  async (offset, limit) => {
    const page = await retryRead<Page | PageTooLarge>(async () => {
      try {
        return await requestPage(offset, limit);
      } catch (thrown) {
        if (thrown instanceof PageTooLarge) return thrown;
        throw thrown;
      }
    }, retryBudget);
    if (page instanceof PageTooLarge) throw page;
    return page;
  };
