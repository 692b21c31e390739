import type { Resource } from "../snapshots/ports.ts";
import { allPages, collected, pageOf, resourceIn } from "./http/pagination.ts";
import { type Connection, sendOptions } from "./http/sdk-client.ts";

/**
 * Lists every server of the project with its tags (SOURCES.md#ecs-list-pages).
 *
 * @throws SnapshotError BadResponse if there are more than `max`
 */
export const listServers = (connection: Connection, max: number): Promise<Resource[]> =>
  collected(
    (visit) =>
      allPages(
        async (offset, limit) => {
          const response = await sendOptions(connection, "ECS", "read", {
            method: "GET",
            url: "/v1/{project_id}/cloudservers/detail",
            queryParams: { enterprise_project_id: "all_granted_eps", limit, offset },
          });
          return pageOf(response, "servers");
        },
        (row) => visit(resourceIn(row, "servers")),
      ),
    max,
  );

/** The calls that this client sends, each with the IAM actions that it requires (infra/README.md, "Rights"). */
export const calls = {
  "ecs.listServers": ["ecs:cloudServers:list"],
};
