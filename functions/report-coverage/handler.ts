import { compose } from "../../shared/middleware/compose.ts";
import { queryRequest } from "../../shared/middleware/query-request.ts";
import { name } from "./function.ts";
import { readQuery } from "./query.ts";
import { report } from "./report.ts";

/** Reports whether each disk and cluster has a recent, available snapshot, or why not. */
export const reportCoverage = compose({
  name,
  target: { action: "coverage" },
  trigger: queryRequest(readQuery),
  handler: report,
});

export const handler = reportCoverage();
