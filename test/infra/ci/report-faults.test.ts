/** Runs the built report client with wrong options, and with broken or hostile responses. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HOSTILE_NAMES, makeReport } from "../../support/coverage-reports.ts";
import { APP_CODE, buildClient, gateIn, runCommand } from "../../support/gate-client.ts";
import { FINE, reportIn, serveReports } from "../../support/report-client.ts";

const folder = buildClient();
const { hurried } = gateIn(folder);
const runReport = reportIn(folder);

describe.concurrent("the report client with a wrong call or a broken response", () => {
  test.for([
    ["an unknown state in --fail-on", "--fail-on unprotectd", '--fail-on: expected excluded, .*got "unprotectd"'],
    ["an unknown format in --write", "--write pdf", '--write: expected html, json, csv, got "pdf"'],
    ["an empty value", "--tags ''", "--tags: expected a value, got an empty string"],
    ["an unknown option", "--verbose", "Unknown option '--verbose'"],
    ["--help beside other options", "--help --write csv", "Unknown option '--help'"],
  ] as const)(
    "with %s, the report client exits with 2, sends no request and prints its usage",
    async ([, options, message], context) => {
      const { url, paths } = await serveReports(context, FINE);
      const { code, output } = await runReport(url, options);
      expect(output).toMatch(new RegExp(`^snapshot-report: ${message}`));
      expect(output).toContain("--fail-on <states>");
      expect(paths).toEqual([]);
      expect(code).toBe(2);
    },
  );

  test("the report client exits with 2 if --url or the credentials are missing, and with 0 for --help alone", async () => {
    const missing = await runCommand(folder(), "node .ci/snapshot-report.cjs", {});
    expect(missing.output).toMatch(/^snapshot-report: Expected the option --url, but it is missing\./);
    expect(missing.code).toBe(2);
    const anonymous = await runReport("https://gate.example.com/report-coverage", "", {});
    expect(anonymous.output).toContain("Expected SNAPSHOT_GATE_APP_CODE");
    expect(anonymous.code).toBe(2);
    expect((await runCommand(folder(), "node .ci/snapshot-report.cjs --help", {})).code).toBe(0);
  });

  const error = (reason: string) => JSON.stringify({ error: { reason, message: "A message of the function." } });
  test.for([
    [400, error("InvalidRequest"), "400 InvalidRequest: A message of the function.", 2],
    [401, '{"error_msg":"Incorrect app code","error_code":"APIG.0303"}', "401 APIG.0303: .* Check the credentials", 2],
    [404, '{"error_msg":"No API","error_code":"APIG.0101"}', "404 APIG.0101: .* check --url", 2],
    [502, error("AccessDenied"), "502 AccessDenied: A message of the function.", 3],
    [200, "<html>Please log in</html>", 'not a report of report-coverage: "<html>Please log in', 3],
    [200, "{}", 'no valid "counts"', 3],
  ] as const)(
    "after the response %i %s, the report client sends no other request and exits with the documented code",
    async ([status, body, message, code], context) => {
      const { url, paths } = await serveReports(context, FINE, () => ({ status, body }));
      const result = await runReport(url, "--fail-on unprotected");
      expect(result.output).toMatch(new RegExp(`^snapshot-report: the report could not be read: .*${message}`));
      expect(paths).toHaveLength(1);
      expect(result.code).toBe(code);
    },
  );

  test.for([
    ["without a count", (body: object) => ({ ...body, counts: { ...FINE.counts, failing: undefined } }), "failing"],
    ["with a negative count", (body: object) => ({ ...body, counts: { ...FINE.counts, stale: -1 } }), "stale"],
    ["without `complete`", (body: object) => ({ ...body, complete: undefined }), "complete"],
    ["with an unknown state", (body: object) => ({ ...body, resources: [{ id: "a", state: "fine" }] }), "resources"],
    ["of another page", (body: object) => ({ ...body, page: 2 }), "page"],
  ] as const)("the report client does not trust a report %s, and exits with 3", async ([, change, field], context) => {
    const { url } = await serveReports(context, FINE, ({ body, ...rest }) => ({
      ...rest,
      body: JSON.stringify(change(JSON.parse(body))),
    }));
    const { code, output } = await runReport(url, "--fail-on unprotected");
    expect(output).toContain(`no valid "${field}"`);
    expect(code).toBe(3);
  });

  test("the report client writes no HTML or CSV file if the response is not a report", async (context) => {
    for (const format of ["html", "csv"]) {
      const { url } = await serveReports(context, FINE, (response) =>
        response.headers["content-type"] === "application/json"
          ? response
          : { ...response, body: "<html>Log in</html>" },
      );
      const { code, output } = await runReport(url, `--write ${format} --folder out/login`);
      expect(output).toContain(`not a report of report-coverage in ${format}`);
      expect(code).toBe(3);
    }
    expect(existsSync(join(folder(), "out", "login"))).toBe(false);
  });

  test("the report client repeats a request after a gateway timeout or a lost connection, and exits with 3 if three attempts fail", async (context) => {
    const responses = [504, undefined, 200];
    const lost = await serveReports(context, FINE, (response) => {
      const status = responses.shift();
      return status === undefined ? undefined : { ...response, status };
    });
    const variables = hurried("report-lost");
    expect((await runReport(lost.url, "", variables)).code).toBe(0);
    expect(lost.paths).toHaveLength(3);
    const slow = await serveReports(context, FINE, () => ({
      status: 504,
      body: '{"error_code":"APIG.0201","error_msg":"Backend timeout."}',
    }));
    const { code, output } = await runReport(slow.url, "", variables);
    expect(output).toContain("504 APIG.0201: Backend timeout. The client tried 3 times.");
    expect(code).toBe(3);
  });

  test("the report client escapes pipeline commands and control characters in names, and prints no credential", async (context) => {
    const names = [...HOSTILE_NAMES, "::error::first", "##[warning]second", APP_CODE];
    const { url } = await serveReports(context, makeReport({ resources: 42, names, shares: { stale: 1 } }));
    const { output } = await runReport(url);
    expect(output).toContain("::error::first");
    expect(output).not.toMatch(/^\s*(::|##\[)/m);
    expect(output).not.toContain("##[");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: expects that the output has none
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
    expect(output).not.toContain(APP_CODE);
  });
});
