import { asSnapshotError, REASONS, SnapshotError } from "../../shared/core/errors.ts";
import { after } from "../../shared/core/instant.ts";
import { collectCoverage } from "../../shared/coverage/collect.ts";
import type { Coverage } from "../../shared/coverage/coverage.ts";
import { createCoverageSource } from "../../shared/huaweicloud/coverage-source.ts";
import type { Invocation } from "../../shared/middleware/invocation.ts";
import type { QueryRequest, TextResponse } from "../../shared/middleware/query-request.ts";
import { finishRun } from "../../shared/middleware/run-summary.ts";
import { readDeployedPolicies } from "../../shared/snapshots/deployed-policies.ts";
import type { CoverageQuery } from "./query.ts";
import { addRunNotices, writeCoverageRecords } from "./records.ts";
import { respond } from "./respond.ts";

/**
 * How long before the deadline of the handler the last list request may end, in milliseconds. Creating the response or the
 * records of a large project takes this long on a slow processor. A list that is not finished by then counts as unreadable, so
 * the caller still receives the other parts of the report.
 */
const REPORT_RESERVE_MS = 5_000;

/**
 * Collects the coverage of the project. Responds with the report if a caller asks. Writes the records of the report if a timer
 * asks.
 *
 * @throws PartialFailureError if a timer asks and a list could not be read
 */
export async function report(
  { body: query, accept }: QueryRequest<CoverageQuery>,
  invocation: Invocation,
): Promise<TextResponse | undefined> {
  const coverage = await readCoverage(query, invocation);
  addRunNotices(coverage, query, invocation.records);
  const isRequest = invocation.trigger === "http";
  if (!isRequest) await writeCoverageRecords(coverage, query.states, invocation);
  // The counts of the run contain all resources, although not every resource has a record. If writing the records fails, the
  // counts remain those of the written records.
  invocation.records.setCounts(coverage.counts);
  if (isRequest) return respond(coverage, query, accept);
  finishRun(invocation, { targets: coverage.resources.length });
  return undefined;
}

async function readCoverage(query: CoverageQuery, invocation: Invocation): Promise<Coverage> {
  const { connection, retryBudget, variables, records } = invocation;
  const deadline = after(retryBudget.deadline, -REPORT_RESERVE_MS);
  const source = createCoverageSource(
    { ...connection, deadline },
    {
      retryBudget: { ...retryBudget, deadline },
      deployed: readDeployedPolicies(variables("DEPLOYED_POLICIES"), records.addNotice),
    },
  );
  try {
    return await collectCoverage({ ...query, now: retryBudget.time.now() }, source);
  } catch (thrown) {
    throw asCloudFault(asSnapshotError(thrown));
  }
}

/**
 * Returns an error with an HTTP status that does not blame the caller. The caller names no resource, so a response such as 404
 * to a list request is a fault of the cloud or of the configuration.
 */
function asCloudFault(error: SnapshotError): SnapshotError {
  const { httpStatus } = REASONS[error.reason];
  const isFault = httpStatus >= 500 || error.reason === "Throttled";
  return isFault ? error : new SnapshotError("CloudError", error.message, { ...error, cause: error });
}
