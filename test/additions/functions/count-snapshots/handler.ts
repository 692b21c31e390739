import { createCloud } from "../../shared/huaweicloud/services.ts";
import { compose } from "../../shared/middleware/compose.ts";
import { createRunContext } from "../../shared/middleware/create-run-context.ts";
import { httpRequest } from "../../shared/middleware/http-request.ts";
import { listByKind } from "../../shared/snapshots/list-by-kind.ts";
import { name } from "./function.ts";
import { query } from "./schema.generated.js";

/** Returns the number of snapshots of each kind. */
export const countSnapshots = compose({
  name,
  target: { action: "verify" },
  trigger: httpRequest,
  schema: () => query,
  handler: async ({ body: { prefix } }, invocation) => {
    const runContext = createRunContext(invocation, createCloud(invocation.connection));
    const counts: Record<string, number> = {};
    await listByKind(
      { action: "verify" },
      runContext,
      (found) => (found.name.startsWith(prefix) ? found : undefined),
      (kind, found) => {
        counts[kind.name] = found.length;
      },
    );
    return { status: 200, body: counts };
  },
});

export const handler = countSnapshots();
