import { compose } from "../../shared/middleware/compose.ts";
import { queryRequest } from "../../shared/middleware/query-request.ts";
import { name } from "./function.ts";
import { readQuery } from "./query.ts";
import { report } from "./report.ts";

/** Reports which disks and clusters have a good and recent snapshot, and why the other resources have none. */
export const reportCoverage = compose({
  name,
  target: { action: "coverage" },
  trigger: queryRequest(readQuery),
  handler: report,
});

export const handler = reportCoverage();
