import type { Resource } from "../snapshots/ports.ts";
import { allPages, collected, pageOf, resourceIn } from "./http/pagination.ts";
import { type Connection, sendOptions } from "./http/sdk-client.ts";

/** Every server of the project, with its tags. */
export const listServers = (connection: Connection, max: number): Promise<Resource[]> =>
  collected(
    (visit) =>
      allPages(
        async (offset, limit) => {
          const answer = await sendOptions(connection, "ECS", "read", {
            method: "GET",
            url: "/v1/{project_id}/cloudservers/detail",
            queryParams: { enterprise_project_id: "all_granted_eps", limit, offset },
          });
          return pageOf(answer, "servers");
        },
        (row) => visit(resourceIn(row, "servers")),
      ),
    max,
  );
