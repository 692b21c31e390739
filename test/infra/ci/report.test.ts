/** Runs the built report client in a shell, as a CI pipeline or a person does. */
import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startCloud } from "../../../infra/local/cloud/index.ts";
import { startGateway, startHost } from "../../../infra/local/host/index.ts";
import { makeReport } from "../../support/coverage-reports.ts";
import { buildClient, ROOT } from "../../support/gate-client.ts";
import { FINE, reportIn, serveReports } from "../../support/report-client.ts";
import { endpointsAt } from "../../support/user-data.ts";

const folder = buildClient();
const runReport = reportIn(folder);

const MIXED = makeReport({ resources: 60, orphans: 3 });
const FAULTS = ["The list of snapshot groups could not be read completely."];
const linesWith = (output: string, word: string) => output.split("\n").filter((line) => line.includes(word));

describe.concurrent("the report client", () => {
  test("the report client prints the verdict, then the counts, and then the resources that are not protected, worst state first", async (context) => {
    const { url } = await serveReports(context, MIXED);
    const { code, output } = await runReport(url);
    expect(output).toMatch(/^snapshot-report: \d+ of 58 resources are not protected/);
    expect(linesWith(output, "orphaned")[0]).toMatch(
      /^ {2}\d+ unprotected, .* \d+ protected, 2 excluded, 3 orphaned; at 2026-11-28/,
    );
    const { unprotected, failing, stale, unknown } = MIXED.counts;
    const states = output
      .split("\n")
      .flatMap((line) => /^ {2}(unprotected|failing|stale|unknown) /.exec(line)?.[1] ?? []);
    expect(states).toEqual([
      ...Array(unprotected).fill("unprotected"),
      ...Array(failing).fill("failing"),
      ...Array(stale).fill("stale"),
      ...Array(unknown).fill("unknown"),
    ]);
    for (const { id, state } of MIXED.resources)
      expect([id, output.includes(id)]).toEqual([id, state !== "protected" && state !== "excluded"]);
    expect(code).toBe(0);
  });

  test("the report client exits with 1 and names the state if a resource has a state in --fail-on, and otherwise exits with 0", async (context) => {
    const mixed = await serveReports(context, MIXED);
    const found = await runReport(mixed.url, "--fail-on failing,orphaned");
    expect(found.output).toMatch(/\nfailed: --fail-on failing,orphaned found failing, orphaned\n$/);
    expect(found.code).toBe(1);
    const fine = await serveReports(context, FINE);
    const passed = await runReport(fine.url, "--fail-on unprotected,failing,stale,unknown,orphaned");
    expect(passed.output).toMatch(/^snapshot-report: All 60 resources are protected\n/);
    expect(passed.code).toBe(0);
  });

  test("the report client exits with 1 if a resource has a state in --fail-on, even if --states lists only other states", async (context) => {
    const { url } = await serveReports(context, MIXED);
    expect((await runReport(url, "--states stale --fail-on unprotected")).code).toBe(1);
  });

  test("if a report is incomplete, the report client prints this, and exits with 3 if --fail-on is set", async (context) => {
    const { url } = await serveReports(context, { ...FINE, complete: false, faults: FAULTS });
    const shown = await runReport(url);
    expect(shown.output).toContain("60 resources are protected, but the report is incomplete");
    expect(shown.output).toContain(`  - ${FAULTS[0]}`);
    expect(shown.code).toBe(0);
    const failed = await runReport(url, "--fail-on unprotected");
    expect(failed.output).toContain("failed: the report is incomplete, so it cannot rule out unprotected");
    expect(failed.code).toBe(3);
  });

  test("the report client writes a file with all pages for each format in --write, and the CSV file has one line of headings and one line of faults", async (context) => {
    const large = { ...makeReport({ resources: 1_234 }), complete: false, faults: FAULTS };
    const { url } = await serveReports(context, large);
    const { code, output } = await runReport(url, "--write html,json,csv --folder out/all");
    expect(output).toContain("wrote out/all/coverage.html, out/all/coverage.json, out/all/coverage.csv");
    expect(code).toBe(0);
    const read = (name: string) => readFileSync(join(folder(), "out", "all", name), "utf8");
    const ids = large.resources.map(({ id }) => id);
    const json = JSON.parse(read("coverage.json"));
    expect(json.resources.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect(json).toMatchObject({ counts: large.counts, complete: false, page: 1, pages: 1 });
    const lines = read("coverage.csv").trim().split("\r\n");
    expect(lines.slice(2).map((line) => line.split('"')[3])).toEqual(ids);
    expect(lines[1]).toContain(FAULTS[0]);
    const html = read("coverage.html");
    expect(ids.filter((id) => !html.includes(id))).toEqual([]);
  });

  test("without --write json, the report client reads a report of 1,234 resources with one request, because it requests only the states that it prints", async (context) => {
    const { url, paths } = await serveReports(context, makeReport({ resources: 1_234 }));
    await runReport(url);
    expect(paths).toHaveLength(1);
  });

  test("the report client sends its options as encoded query parameters", async (context) => {
    const { url, paths } = await serveReports(context, FINE);
    const options =
      "--max-age-hours 48 --kinds volume --tags 'backup=daily,owner=a b&c' --exclude-tags 'tier=*' --states stale";
    await runReport(url, options);
    expect(Object.fromEntries(new URL(paths[0] ?? "", url).searchParams)).toEqual({
      max_age_hours: "48",
      kinds: "volume",
      tags: "backup=daily,owner=a b&c",
      exclude_tags: "tier=*",
      states: "stale",
      format: "json",
      page: "1",
    });
    expect(paths[0]).not.toContain("+");
  });

  test("the report client reads all pages again if a resource disappeared between two pages", async (context) => {
    const before = makeReport({ resources: 700, shares: { stale: 1 } });
    const resources = before.resources.slice(1);
    const after = { ...before, resources, counts: { ...before.counts, stale: 699 } };
    const { url, paths } = await serveReports(context, (request) => (request === 1 ? before : after));
    const { code } = await runReport(url, "--write json --folder out/changed");
    expect(code).toBe(0);
    expect(paths).toHaveLength(4);
    const { resources: read } = JSON.parse(readFileSync(join(folder(), "out", "changed", "coverage.json"), "utf8"));
    expect(read).toHaveLength(699);
    const restless = await serveReports(context, (request) => (request % 2 === 1 ? before : after));
    const failed = await runReport(restless.url, "--write json --folder out/restless");
    expect(failed.output).toContain("changed 3 times while the client read the pages");
    expect(failed.code).toBe(3);
    expect(readdirSync(join(folder(), "out"))).not.toContain("restless");
  });
});

test("the report client reads a report of the built function through the gateway, and writes all formats", async ({
  onTestFinished,
}) => {
  const cloud = await startCloud();
  const disk = cloud.addVolume({ name: "data" });
  const host = await startHost({
    onLine: () => {},
    dist: join(ROOT, "dist"),
    functions: ["report-coverage"],
    userData: { REGION: cloud.region, ...endpointsAt(cloud.url, ["EVS", "DWS", "ECS"]) },
    credentials: cloud.credentials,
    projectId: cloud.projectId,
    timeoutSeconds: 60,
  });
  const gateway = await startGateway({ host, routes: ["report-coverage"] });
  onTestFinished(async () => {
    await gateway.close();
    await host.close();
    await cloud.close();
  });
  const options = "--fail-on unprotected --write html,json,csv --folder out/built";
  const { code, output } = await runReport(`${gateway.url}/report-coverage`, options);
  expect(output).toMatch(/^snapshot-report: 1 of 1 resource is not protected\n/);
  expect(output).toContain(disk.id);
  expect(code).toBe(1);
  expect(readdirSync(join(folder(), "out", "built")).sort()).toEqual([
    "coverage.csv",
    "coverage.html",
    "coverage.json",
  ]);
});

test("the built report client has less than 32 KiB and requires only built-in modules of Node.js", () => {
  const text = readFileSync(join(folder(), ".ci", "snapshot-report.cjs"), "utf8");
  expect(text.length).toBeLessThan(32 * 1024);
  const required = [...text.matchAll(/\b(?:require|import)\("([^"]+)"\)/g)].map(([, name = ""]) =>
    name.replace("node:", ""),
  );
  expect(required.filter((name) => !builtinModules.includes(name))).toEqual([]);
});
