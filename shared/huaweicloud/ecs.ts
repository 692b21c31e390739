import type { Resource } from "../snapshots/ports.ts";
import { collectItems, parsePage, visitNumberedPages } from "./http/pagination.ts";
import { readResource } from "./http/read-rows.ts";
import { type Connection, sendOptions } from "./http/sdk-client.ts";

/**
 * Lists every ECS server of the project with its tags (SOURCES.md#ecs-list-pages).
 *
 * @param max the maximum number of servers that fit into memory
 * @throws SnapshotError BadResponse if the project has more than `max` servers
 */
export const listServers = (connection: Connection, max: number): Promise<Resource[]> =>
  collectItems(
    (visit) =>
      visitNumberedPages(
        async (offset, limit) => {
          const response = await sendOptions(connection, "ECS", "read", {
            method: "GET",
            url: "/v1/{project_id}/cloudservers/detail",
            queryParams: { enterprise_project_id: "all_granted_eps", limit, offset },
          });
          return parsePage(response, "servers");
        },
        (row) => visit(readResource(row, "servers")),
      ),
    max,
  );

/** The API calls in this file, each with the IAM actions that the call requires (infra/README.md, "Rights"). */
export const calls = {
  "ecs.listServers": ["ecs:cloudServers:list"],
};
