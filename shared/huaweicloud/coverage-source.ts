import { isObject, type JsonObject, readStringField } from "../core/json.ts";
import { type RetryBudget, retryRead } from "../core/retry.ts";
import type { ResourceType } from "../coverage/coverage.ts";
import type { CoverageSource, CoveredKind, ListedResource } from "../coverage/source.ts";
import type { DeployedPolicies } from "../snapshots/deployed-policies.ts";
import type { FoundSnapshot } from "../snapshots/kinds/kind.ts";
import { KINDS } from "../snapshots/kinds/kinds.generated.ts";
import { visitClusterRows, visitClusterSnapshots } from "./dws.ts";
import { requestSnapshotPages } from "./evs-v2.ts";
import { requestV5Pages } from "./evs-v5.ts";
import { requestVolumePages } from "./evs-volumes.ts";
import { PageTooLarge } from "./http/api-response.ts";
import { isId } from "./http/ids.ts";
import { type Page, type RequestPage, visitAllRows } from "./http/pagination.ts";
import { readResource, readSnapshot } from "./http/read-rows.ts";
import type { Connection } from "./http/sdk-client.ts";

type Visit<Item> = (item: Item) => void;

/**
 * Returns the lists of disks, clusters and snapshots for a coverage report. Each list is read once, and rows are not kept in
 * memory. A failed page request is repeated, but a row is never visited twice.
 *
 * @param deployed the deployed policies, or undefined if they are unknown
 */
export function createCoverageSource(
  connection: Connection,
  { retryBudget, deployed }: { retryBudget: RetryBudget; deployed: DeployedPolicies },
): CoverageSource {
  const pages = (requestPage: RequestPage, visit: Visit<JsonObject>) =>
    visitAllRows(retryPages(requestPage, retryBudget), visit);
  const evsSnapshots =
    (name: CoveredKind, requestPage: RequestPage) =>
    (visit: Visit<FoundSnapshot>): Promise<void> =>
      pages(requestPage, (row) => visit(readSnapshot(row, KINDS[name], true)));
  const snapshotLists: Record<CoveredKind, (visit: Visit<FoundSnapshot>) => Promise<void>> = {
    snapshot: evsSnapshots("snapshot", requestSnapshotPages(connection)),
    "standard-snapshot": evsSnapshots("standard-snapshot", requestV5Pages(connection, "snapshots")),
    "snapshot-group": evsSnapshots("snapshot-group", requestV5Pages(connection, "snapshot_groups")),
    "cluster-snapshot": (visit) =>
      retryUntilVisited((visitOne) => visitClusterSnapshots(connection, visitOne, true), visit, retryBudget),
  };
  const resourceLists: Record<ResourceType, (visit: Visit<JsonObject>) => Promise<void>> = {
    volume: (visit) => pages(requestVolumePages(connection), visit),
    cluster: (visit) => retryUntilVisited((visitOne) => visitClusterRows(connection, visitOne), visit, retryBudget),
  };
  return {
    projectId: connection.projectId,
    async listResources(type, visit) {
      let unreadable = 0;
      await resourceLists[type]((row) => {
        const resource = readListedResource(row);
        if (resource === undefined) unreadable += 1;
        else visit(resource);
      });
      return unreadable;
    },
    listSnapshots: (kind, visit) => snapshotLists[kind](visit),
    isUnused: (kind) => deployed !== undefined && ![...deployed.values()].some(({ kinds }) => kinds.includes(kind)),
  };
}

/** Returns undefined if the row has no valid id. */
function readListedResource(row: JsonObject): ListedResource | undefined {
  const id = readStringField(row, "id");
  if (id === undefined || !isId(id)) return undefined;
  const attachments = Array.isArray(row.attachments) ? row.attachments.filter(isObject) : [];
  return {
    ...readResource(row, "resources"),
    name: readStringField(row, "name") ?? "",
    ...(typeof row.size === "number" && { sizeGb: row.size }),
    serverIds: attachments.flatMap((attachment) => readStringField(attachment, "server_id") ?? []).filter(isId),
  };
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

/** Reads a list without pages. Repeats the request only if no row was visited, so no row is visited twice. */
async function retryUntilVisited<Row>(
  list: (visit: Visit<Row>) => Promise<void>,
  visit: Visit<Row>,
  retryBudget: RetryBudget,
): Promise<void> {
  const failure = await retryRead(async () => {
    let isVisited = false;
    try {
      await list((row) => {
        isVisited = true;
        visit(row);
      });
      return undefined;
    } catch (thrown) {
      if (!isVisited) throw thrown;
      return { thrown };
    }
  }, retryBudget);
  if (failure !== undefined) throw failure.thrown;
}
