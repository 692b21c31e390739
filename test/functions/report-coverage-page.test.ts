/** Tests the HTML page of the coverage report as text. test/browser tests what it does in a browser. */
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { headerPolicy, renderPage } from "../../functions/report-coverage/page/render-page.ts";
import { instant } from "../../shared/core/instant.ts";
import { type Coverage, type ResourceCoverage, TIMELINE } from "../../shared/coverage/coverage.ts";
import { HOSTILE_NAMES, makeReport, type ReportOptions, restoreCallOf } from "../support/coverage-reports.ts";

const MAX_BYTES = 3_500_000;
const render = (coverage: Coverage, more: Partial<Parameters<typeof renderPage>[1]> = {}) =>
  renderPage(coverage, { states: [], page: 1, maxBytes: MAX_BYTES, restoreCallOf, ...more });
const pageOf = (options: ReportOptions) => render(makeReport(options)).html;
const headingOf = (html: string) => /<h1>(.*)<\/h1>/.exec(html)?.[1];
const rowsOf = (html: string) => html.match(/^<tr class=.*$/gm) ?? [];
const stateOf = (row: string) => /<td>(\w+)/.exec(row)?.[1];

/** Makes a report in which only some properties of one disk matter. */
function reportOn(changes: Partial<ResourceCoverage>): Coverage {
  const report = makeReport({ resources: 1, shares: { stale: 1 } });
  return { ...report, resources: report.resources.map((resource) => ({ ...resource, ...changes })) };
}

describe("the verdict of the coverage page", () => {
  const NONE = { excluded: 0, protected: 0, unknown: 0, failing: 0, stale: 0, unprotected: 0, orphaned: 0 };
  test.each([
    ["3 of 42 resources are not protected", { unprotected: 1, failing: 1, stale: 1, protected: 39, excluded: 7 }, true],
    ["1 of 2 resources is not protected", { stale: 1, protected: 1 }, true],
    ["1 of 4 resources is not protected, and 2 could not be judged", { stale: 1, unknown: 2, protected: 1 }, false],
    ["2 of 3 resources could not be judged", { unknown: 2, protected: 1 }, true],
    ["All 1,234 resources are protected", { protected: 1_234 }, true],
    ["The only resource is protected", { protected: 1 }, true],
    ["5 resources are protected, but the report is incomplete", { protected: 5 }, false],
    ["No disk or cluster was found", {}, true],
    ["No resource could be judged", {}, false],
    ["Every resource is excluded by its tags", { excluded: 3 }, true],
  ] as const)("the coverage page begins with the verdict `%s`", (verdict, counts, complete) => {
    const { html } = render({ ...makeReport({ resources: 0 }), counts: { ...NONE, ...counts }, complete });
    expect(headingOf(html)).toBe(verdict);
    expect(html).toContain(`<title>${verdict} - snapshot coverage</title>`);
  });
});

describe("the table of the coverage page", () => {
  test("the coverage page lists each resource once, the worst state first, and within a state the resource with the oldest snapshot first", () => {
    const report = makeReport({ resources: 300 });
    const rows = rowsOf(render(report).html);
    expect(rows).toHaveLength(300);
    for (const { id } of report.resources) expect(rows.filter((row) => row.includes(`<i>${id}</i>`))).toHaveLength(1);
    const states = rows.map(stateOf);
    expect(states.filter((state, index) => state !== states[index - 1])).toEqual([
      "unprotected",
      "failing",
      "stale",
      "unknown",
      "protected",
      "excluded",
    ]);
    const ages = rows.filter((row) => stateOf(row) === "stale").map((row) => Number(/<td>([\d.]+) h/.exec(row)?.[1]));
    expect(ages).toEqual([...ages].sort((a, b) => b - a));
  });

  test("the coverage page shows timelines and restore points only for the 200 worst resources, and refers to the JSON format for the others", () => {
    const html = pageOf({ resources: 300, shares: { stale: 1 } });
    const rows = rowsOf(html);
    expect(rows.filter((row) => row.includes("<svg role=img"))).toEqual(rows.slice(0, 200));
    expect(rows.filter((row) => row.includes("<details>"))).toEqual(rows.slice(0, 200));
    expect(html).toContain("for the 200 worst resources");
    expect(html).toContain("format=json");
    expect(pageOf({ resources: 200 })).not.toContain("200 worst");
  });

  test("after the 200 worst resources, each row of the coverage page has at most 300 bytes and contains the id, even if names and tags are long", () => {
    for (const name of HOSTILE_NAMES) {
      const report = makeReport({ resources: 215, names: [name], shares: { unknown: 1 } });
      const rows = rowsOf(render(report).html).slice(200);
      expect(rows).toHaveLength(15);
      for (const row of rows) {
        expect(Buffer.byteLength(row) + 1).toBeLessThanOrEqual(300);
        expect(row).toMatch(/<i>[\da-f-]{36}<\/i>/);
        expect(row).toContain("<td><bdi>The list of v2 snapshots");
        expect(row).not.toContain("\ufffd");
      }
    }
  });

  test("each restore point of a disk shows its creator and the exact restore call, and the row of the disk shows the requirements only once", () => {
    const report = makeReport({ resources: 9, shares: { stale: 1 } });
    const disk = report.resources.find(({ restorePoints }) => restorePoints.length === 5) as ResourceCoverage;
    const row = rowsOf(render(report).html).find((each) => each.includes(`<i>${disk.id}</i>`)) ?? "";
    for (const { id } of disk.restorePoints) {
      const body = `{&#34;rollback&#34;:{&#34;volume_id&#34;:&#34;${disk.id}&#34;}}`;
      expect(row).toContain(`<code>POST /v2/${report.projectId}/cloudsnapshots/${id}/rollback ${body}</code>`);
    }
    expect(row.split("The call overwrites the disk")).toHaveLength(2);
    expect(row).toContain("created by <bdi>the policy nightly</bdi>");
  });

  test("the coverage page rounds ages above the maximum age up and other ages down, so that no age contradicts the state", () => {
    const aged = (hours: number, state: ResourceCoverage["state"]) => {
      const report = reportOn({ state });
      const [{ newest }] = report.resources as [ResourceCoverage];
      const created = instant(report.generatedAt - hours * 3_600_000);
      const made = reportOn({ state, newest: { ...(newest as NonNullable<typeof newest>), created } });
      return /<td>([\d.]+ h)/.exec(rowsOf(render(made).html)[0] ?? "")?.[1];
    };
    expect(aged(26, "protected")).toBe("26.0 h");
    expect(aged(25.99, "protected")).toBe("25.9 h");
    expect(aged(26.001, "stale")).toBe("26.1 h");
    expect(aged(-0.2, "protected")).toBe("0.0 h");
  });

  test("a timeline draws a shape for each day with snapshots, and its title describes these days in words with dates", () => {
    const timeline = new Uint8Array(30);
    timeline[0] = TIMELINE.good;
    timeline[27] = TIMELINE.good + TIMELINE.failed;
    timeline[28] = TIMELINE.failed;
    timeline[29] = TIMELINE.creating;
    const [row = ""] = rowsOf(render(reportOn({ timeline })).html);
    expect(row).toContain(
      "<title>Last 30 days: good snapshots on 2 days, last on 26 Nov; failed attempts on 2 days, last on 27 Nov; a snapshot is being created since 28 Nov.</title>",
    );
    expect(row).toContain('<path class=g d="M3 0v12M165 0v12"/>');
    expect(row).toContain('<path class=c d="M175 14h4v4h-4z"/>');
  });

  test("if a request selects some states, the coverage page names these states and still shows the counts of all states", () => {
    const report = makeReport({ resources: 300 });
    const { html } = render(report, { states: ["stale", "failing"] });
    expect(new Set(rowsOf(html).map(stateOf))).toEqual(new Set(["stale", "failing"]));
    expect(html).toContain("Only these states are listed: stale, failing.");
    expect(headingOf(html)).toBe(headingOf(render(report).html));
    expect(html).toContain(`<b>${report.counts.protected}</b> <span>protected</span>`);
  });
});

describe("the notices of the coverage page", () => {
  test("the coverage page of an incomplete report shows a notice above the counts, and lists every fault", () => {
    const faults = ["The list of v5 snapshots could not be read: <b>403</b>.", "Another list ended early."];
    const html = pageOf({ resources: 3, faults });
    expect(html.indexOf("This report is incomplete")).toBeLessThan(html.indexOf("<fieldset>"));
    expect(html).toContain("&lt;b&gt;403&lt;/b&gt;");
    expect(html).toContain("Another list ended early.");
    expect(pageOf({ resources: 3 })).not.toContain("incomplete");
  });

  test("the coverage page lists the 200 oldest of 512 orphaned snapshots with their deleted resources, and shows both numbers", () => {
    const report = makeReport({ resources: 3, orphans: 512 });
    const { html } = render(report);
    for (const { id, resourceId } of report.orphans) {
      expect(html).toContain(`<i>${id}</i>`);
      expect(html).toContain(`<i>${resourceId}</i>`);
    }
    expect(html).toContain("512 snapshots of deleted disks and clusters");
    expect(html).toContain("The 200 oldest are listed.");
    expect(pageOf({ resources: 3 })).not.toContain("orphaned");
  });
});

describe("the size of the coverage page", () => {
  test("one coverage page of at most 3.5 MB has room for 10,000 resources, none of which is protected", () => {
    const { html, pages } = render(
      makeReport({ resources: 10_000, orphans: 512, shares: { stale: 0.5, unknown: 0.5 } }),
    );
    expect(pages).toBe(1);
    expect(rowsOf(html)).toHaveLength(10_000);
    expect(Buffer.byteLength(html)).toBeLessThanOrEqual(MAX_BYTES);
  });

  test("a report that exceeds the maximum page size has several pages, which together list every resource once and link to each other", () => {
    const report = makeReport({ resources: 3_000, names: HOSTILE_NAMES, shares: { failing: 0.5, stale: 0.5 } });
    const link = (page: number) => `?states=failing&page=${page}`;
    const { pages } = render(report, { maxBytes: 400_000 });
    expect(pages).toBeGreaterThan(2);
    const all = Array.from({ length: pages }, (_, index) =>
      render(report, { maxBytes: 400_000, page: index + 1, link }),
    );
    for (const { html, pages: same } of all) {
      expect(same).toBe(pages);
      expect(Buffer.byteLength(html)).toBeLessThanOrEqual(400_000);
    }
    const rows = all.flatMap(({ html }) => rowsOf(html));
    expect(new Set(rows.map((row) => /<i>([\da-f-]{36})<\/i>/.exec(row)?.[1]))).toHaveLength(3_000);
    expect(all[0]?.html).toContain('<a href="?states=failing&amp;page=2">Page 2</a>');
    expect(all[1]?.html).toContain('<a href="?states=failing&amp;page=1">Page 1</a>');
  });

  test("a coverage page with a number above the number of pages has no rows and names the last page", () => {
    const { html, page, pages } = render(makeReport({ resources: 3 }), { page: 9 });
    expect([page, pages]).toEqual([9, 1]);
    expect(rowsOf(html)).toEqual([]);
    expect(html).toContain("This page does not exist. The last page is 1.");
  });

  test("a coverage page without resources, including its style sheet and its script, has fewer than 18,000 bytes", () => {
    expect(Buffer.byteLength(pageOf({ resources: 0 }))).toBeLessThan(18_000);
  });
});

describe("the safety of the coverage page", () => {
  test("names and tags with HTML or control characters never become elements, attributes or control characters of the coverage page", () => {
    const html = pageOf({ resources: 250, names: HOSTILE_NAMES, shares: { stale: 1 } });
    const body = html.slice(html.indexOf("<main>"), html.lastIndexOf("<script>"));
    expect(body).not.toMatch(/<(?:script|img|style|!--|svg onload)/);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: expects that the page has none
    expect(body).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/);
    expect(body).toContain("&#92;u202egnp.exe");
  });

  test("the content security policies in the header and in the page allow only the style sheet and the script of the page, by their hashes", () => {
    const html = pageOf({ resources: 3 });
    const hashOf = (tag: string) => {
      const text = new RegExp(`<${tag}>([^]*?)</${tag}>`).exec(html)?.[1] ?? "";
      return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
    };
    const inPage = `default-src 'none'; style-src ${hashOf("style")}; script-src ${hashOf("script")}; base-uri 'none'; form-action 'none'`;
    expect(headerPolicy()).toBe(`${inPage}; frame-ancestors 'none'`);
    expect(html).toContain(`<meta http-equiv=Content-Security-Policy content="${inPage}">`);
    expect(html).not.toMatch(/ (?:style|on\w+)=|(?:src|href)=(?!"#)/);
  });
});
