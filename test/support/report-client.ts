/** Serves coverage reports to the built report client, as report-coverage does. */
import type { TestContext } from "vitest";
import { readQuery } from "../../functions/report-coverage/query.ts";
import { respond } from "../../functions/report-coverage/respond.ts";
import type { Coverage } from "../../shared/coverage/coverage.ts";
import { makeReport } from "./coverage-reports.ts";
import { APP_CODE, runCommand, startServer } from "./gate-client.ts";

/** A report in which every resource is protected. */
export const FINE = makeReport({ resources: 60, shares: {} });

/** Returns a function that runs the report client in a folder. */
export const reportIn =
  (folder: () => string) =>
  (url: string, options = "", variables: Record<string, string> = { SNAPSHOT_GATE_APP_CODE: APP_CODE }) =>
    runCommand(folder(), `node .ci/snapshot-report.cjs ${options}`, { SNAPSHOT_REPORT_URL: url, ...variables });

type Changed = (response: { status: number; headers: Record<string, string>; body: string }) => object | undefined;

/**
 * Starts a server that sends reports as report-coverage does.
 *
 * @param reportAt returns the report that the request with this number, from 1, gets
 * @param change changes a response, or returns undefined to close the connection
 */
export async function serveReports(
  context: TestContext,
  reportAt: Coverage | ((request: number) => Coverage),
  change: Changed = (response) => response,
) {
  const paths: string[] = [];
  const { url, requests } = await startServer(context, (_body, _headers, path) => {
    paths.push(path);
    const parameters = Object.fromEntries(new URL(path, "http://gateway").searchParams);
    const report = typeof reportAt === "function" ? reportAt(paths.length) : reportAt;
    const { body, headers } = respond(report, readQuery(parameters, "http"), "");
    return change({ status: 200, headers: { ...headers }, body }) as { status: number; body: string } | undefined;
  });
  return { url: url.replace("pre-deploy", "report-coverage"), paths, requests };
}
