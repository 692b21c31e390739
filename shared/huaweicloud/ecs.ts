import type { Resource } from "../snapshots/ports.ts";
import { type Connection, sendOptions } from "./client.ts";
import { allPages, collected, pageOf, resourceIn } from "./paging.ts";

/** The most that the list gives at once; 25 by default (cloud-apis.md 7). */
const PAGE = 1_000;

/** Every server of the project, with its tags. */
export const listServers = (connection: Connection): Promise<Resource[]> =>
  collected((visit) =>
    allPages(
      async (offset) => {
        const answer = await sendOptions(connection, "ECS", "read", {
          method: "GET",
          url: "/v1/{project_id}/cloudservers/detail",
          queryParams: { enterprise_project_id: "all_granted_eps", limit: PAGE, offset },
        });
        return pageOf(answer, "servers");
      },
      (row) => visit(resourceIn(row, "servers")),
    ),
  );
